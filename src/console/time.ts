import { computed } from '@preact/signals';
import { language, say } from './text.js';

const DAY_MS = 86_400_000;

const short = computed(
  () => new Intl.DateTimeFormat(language.value, { hour: '2-digit', minute: '2-digit', hour12: false }),
);
const dated = computed(
  () =>
    new Intl.DateTimeFormat(language.value, {
      day: 'numeric',
      month: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hour12: false,
    }),
);
const exact = computed(
  () =>
    new Intl.DateTimeFormat(language.value, { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false }),
);

/** An instant in the reader's zone: the hour where it is near, else with the day. */
export function clockText(at: string | number, nowMs: number, isExact = false): string {
  const time = new Date(at);
  const isNear = Math.abs(time.getTime() - nowMs) < DAY_MS && time.toDateString() === new Date(nowMs).toDateString();
  return (isNear ? (isExact ? exact : short) : dated).value.format(time);
}

/** The same instant in UTC, for whoever hovers. */
export const utcText = (at: string | number): string =>
  `${new Date(at).toISOString().replace('T', ' ').replace('Z', '')} UTC`;

/** A length of time by its two largest units. */
export function lengthText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return say('time.seconds', { n: seconds });
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return say('time.minutes', { n: minutes });
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return join('time.hours', hours, 'time.minutes', minutes % 60);
  return join('time.days', Math.floor(hours / 24), 'time.hours', hours % 24);
}

type UnitKey = 'time.hours' | 'time.minutes' | 'time.days';

const join = (large: UnitKey, count: number, small: UnitKey, rest: number): string =>
  rest === 0 ? say(large, { n: count }) : `${say(large, { n: count })} ${say(small, { n: rest })}`;

/** How far an instant is away, such as `in 5 min` or `5 min ago`. */
export function distanceText(at: string | number, nowMs: number): string {
  const away = new Date(at).getTime() - nowMs;
  return away >= 0 ? say('time.in', { length: lengthText(away) }) : say('time.ago', { length: lengthText(-away) });
}
