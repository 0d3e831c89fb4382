import { setTimeout as pause } from 'node:timers/promises';

/** Waits until the check holds (returns something true), asking often; fails with `what` after `timeoutMs`. */
export async function eventually<T>(what: string, check: () => T | Promise<T>, timeoutMs = 60_000): Promise<T> {
  for (const end = Date.now() + timeoutMs; ; ) {
    const result = await check();
    if (result) return result;
    if (Date.now() > end) throw new Error(`${what}: not within ${timeoutMs} ms`);
    await pause(25);
  }
}
