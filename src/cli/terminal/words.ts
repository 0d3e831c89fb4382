const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A length for a person: `45 s`, `12 min`, `3 h 5 min`, `2 d 4 h`. */
export function tellLength(ms: number): string {
  // Rounded to what is told last, so that 59.7 minutes are an hour and not 60 minutes.
  const to = (unit: number): number => Math.max(0, Math.round(ms / unit)) * unit;
  if (to(SECOND) < MINUTE) return `${to(SECOND) / SECOND} s`;
  const minutes = to(MINUTE);
  if (minutes < HOUR) return `${minutes / MINUTE} min`;
  if (minutes < DAY) return join(Math.floor(minutes / HOUR), 'h', (minutes % HOUR) / MINUTE, 'min');
  const hours = to(HOUR);
  return join(Math.floor(hours / DAY), 'd', (hours % DAY) / HOUR, 'h');
}

const join = (large: number, largeUnit: string, small: number, smallUnit: string): string =>
  small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;

/** How far an instant (ISO 8601) is away: `in 12 min`, `3 h ago`; `–` where there is none. */
export function tellWhen(at: string | null | undefined, now: number): string {
  if (at === null || at === undefined) return '–';
  const ms = Date.parse(at) - now;
  return ms >= 0 ? `in ${tellLength(ms)}` : `${tellLength(-ms)} ago`;
}

/** `2026-03-02 14:05:12 UTC`. */
export const tellInstant = (at: string): string => `${at.slice(0, 10)} ${at.slice(11, 19)} UTC`;

export const tellNumber = (value: number): string => value.toLocaleString('en');

/** `1 account`, `12 accounts`. */
export const tellCount = (count: number, one: string, many = `${one}s`): string =>
  `${tellNumber(count)} ${count === 1 ? one : many}`;
