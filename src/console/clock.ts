import { signal } from '@preact/signals';

/** Alone here the time is read. */
const read = (): number => Date.now() + aheadMs;

/** How far the service's clock is ahead of the reader's, milliseconds. */
let aheadMs = 0;

/** The present instant by the service's clock, milliseconds; moves once a second while the page is seen. */
export const now = signal(read());

const tick = (): void => {
  if (!document.hidden) now.value = read();
};
setInterval(tick, 1000);
document.addEventListener('visibilitychange', tick);

/** Goes by the service's clock from now on; a `Date` header tells it to the second. */
export function followClock(date: string | null): void {
  const told = Date.parse(date ?? '');
  if (Number.isNaN(told)) return;
  const difference = told - Date.now();
  if (Math.abs(difference - aheadMs) > 2_000) aheadMs = difference;
}
