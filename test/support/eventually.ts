/** For what has no event of its own to wait for: resolves once it holds, rejects where it does not in time. */
export async function eventually(holds: () => boolean | Promise<boolean>, withinMs = 10_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('it never held');
    await new Promise((tick) => setTimeout(tick, 10));
  }
}
