/** Resolves when the promise is settled, however it is, or after `timeoutMs`. For farewells that must not hang. */
export async function waitAtMost(promise: Promise<unknown>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const overdue = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([promise.catch(() => undefined), overdue]);
  clearTimeout(timer);
}
