import { Cron } from 'croner';

/** When a job is due: a cron expression in UTC, with seconds. */
export interface Cadence {
  /** Six fields: second, minute, hour, day of the month, month, day of the week (0 is Sunday). */
  readonly cron: string;
}

export const CADENCE_RULE =
  'must be a number of seconds that divides a minute, an hour or a day, or a cron expression of five fields (six: with seconds) in UTC';

/** Numbers, ranges, steps and lists. Croner also takes names, `L`, `#` and `W`; other crons do not. */
const FIELD = /^[\d*,/-]+$/;
const EVERY_DAY = /^(\*(\/1)?|1-31)$/;
/** Sunday to some crons, and no day to others. */
const DAY_SEVEN = /(^|[,-])7/;
const EVERY_WEEKDAY = /^(\*(\/1)?|0-6)$/;

/** The interpreter of every cadence, for the schedule and for looking back. */
export const openCron = ({ cron }: Cadence): Cron => new Cron(cron, { mode: '6-part', utcOffset: 0, domAndDow: true });

/** Reads a cadence; null where the text is none, or never comes. A cron may restrict days or weekdays, not both. */
export function parseCadence(text: string): Cadence | null {
  const cron = /^\d{1,6}$/.test(text) ? cronOfSeconds(Number(text)) : text.trim();
  const fields = cron?.split(/\s+/) ?? [];
  if (fields.length === 5) fields.unshift('0');
  const [, , , day = '', , weekday = ''] = fields;
  // Crons disagree on whether both must hold or one will do.
  if (!EVERY_DAY.test(day) && !EVERY_WEEKDAY.test(weekday)) return null;
  if (!fields.every((field) => FIELD.test(field)) || DAY_SEVEN.test(weekday)) return null;
  const cadence = { cron: fields.join(' ') };
  try {
    return openCron(cadence).nextRun(new Date(0)) === null ? null : cadence;
  } catch {
    return null;
  }
}

/** Aligned with the clock, so that every instance means the same instants. */
function cronOfSeconds(seconds: number): string | null {
  if (seconds > 0 && seconds < 60 && 60 % seconds === 0) return `*/${seconds} * * * * *`;
  const minutes = seconds / 60;
  if (minutes >= 1 && minutes < 60 && 60 % minutes === 0) return `0 */${minutes} * * * *`;
  const hours = minutes / 60;
  if (hours >= 1 && hours <= 24 && 24 % hours === 0) return hours === 24 ? '0 0 0 * * *' : `0 0 */${hours} * * *`;
  return null;
}

/** The latest occurrence that is not after `now`. */
export function latestOccurrence(cadence: Cadence, now: number): number {
  // It is before the next whole second; croner leaves out the instant that it looks back from.
  const nextSecond = Math.floor(now / 1000) * 1000 + 1000;
  return found(openCron(cadence).previousRuns(1, new Date(nextSecond))[0]);
}

/** The first occurrence after `now`. */
export const nextOccurrence = (cadence: Cadence, now: number): number =>
  found(openCron(cadence).nextRun(new Date(now)));

function found(at: Date | null | undefined): number {
  if (!at) throw new Error('a cadence has no occurrence');
  return at.getTime();
}
