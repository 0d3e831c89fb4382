/** For what has no event of its own to wait for: resolves once it holds, rejects where it does not within ten seconds. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('it never held');
    await new Promise((tick) => setTimeout(tick, 10));
  }
}
