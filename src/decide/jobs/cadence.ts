/** When a job is due: a cron expression in UTC, with seconds. */
export interface Cadence {
  /** Six fields: second, minute, hour, day of the month, month, day of the week (0 is Sunday). */
  readonly cron: string;
  /** The values each field allows, ascending. */
  readonly seconds: readonly number[];
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly days: readonly number[];
  readonly months: readonly number[];
  readonly weekdays: readonly number[];
}

export const CADENCE_RULE =
  'must be a number of seconds that divides a minute, an hour or a day, or a cron expression of five fields (six: with seconds) in UTC';

const DAY_MS = 86_400_000;
/** Within this many days even a 29th of February comes. */
const MAX_DAYS = 8 * 366 + 1;

/** Reads a cadence; null where the text is none, or never comes. A cron may restrict days or weekdays, not both. */
export function parseCadence(text: string): Cadence | null {
  const cron = /^\d{1,6}$/.test(text) ? cronOfSeconds(Number(text)) : text.trim();
  const fields = cron?.split(/\s+/) ?? [];
  if (fields.length === 5) fields.unshift('0');
  const [seconds, minutes, hours, days, months, weekdays] = [
    parseField(fields[0], 0, 59),
    parseField(fields[1], 0, 59),
    parseField(fields[2], 0, 23),
    parseField(fields[3], 1, 31),
    parseField(fields[4], 1, 12),
    parseField(fields[5], 0, 6),
  ];
  if (fields.length !== 6 || !seconds || !minutes || !hours || !days || !months || !weekdays) return null;
  // Crons disagree on whether both must hold or one will do.
  if (days.length < 31 && weekdays.length < 7) return null;
  const cadence = { cron: fields.join(' '), seconds, minutes, hours, days, months, weekdays };
  return occurrence(cadence, 0, 1) === null ? null : cadence;
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

// Such as *, 5, 1-5, */10, 8-18/2, and lists of them.
function parseField(field: string | undefined, min: number, max: number): number[] | null {
  const allowed = new Set<number>();
  for (const part of field?.split(',') ?? ['']) {
    const match = /^(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:\/(\d{1,2}))?$/.exec(part);
    if (match === null) return null;
    const [, from, to, step] = match;
    const first = Number(from ?? min);
    const last = Number(to ?? from ?? max);
    const every = Number(step ?? 1);
    const stepsOverOne = step !== undefined && from !== undefined && to === undefined;
    if (first < min || last > max || first > last || every < 1 || stepsOverOne) return null;
    for (let value = first; value <= last; value += every) allowed.add(value);
  }
  return [...allowed].sort((a, b) => a - b);
}

/** The latest occurrence that is not after `now`. */
export const latestOccurrence = (cadence: Cadence, now: number): number => found(occurrence(cadence, now, -1));

/** The first occurrence after `now`. */
export const nextOccurrence = (cadence: Cadence, now: number): number => found(occurrence(cadence, now + 1, 1));

function found(at: number | null): number {
  if (at === null) throw new Error('a cadence has no occurrence');
  return at;
}

/** The nearest occurrence at or after (`direction` 1), or at or before (-1), an instant. */
function occurrence(cadence: Cadence, from: number, direction: 1 | -1): number | null {
  const second = direction === 1 ? Math.ceil(from / 1000) : Math.floor(from / 1000);
  let day = Math.floor((second * 1000) / DAY_MS) * DAY_MS;
  let bound = second - day / 1000;
  for (let days = 0; days < MAX_DAYS; days++) {
    const time = isDue(cadence, day) ? nearestTime(cadence, bound, direction) : null;
    if (time !== null) return day + time * 1000;
    day += direction * DAY_MS;
    bound = direction === 1 ? 0 : 86_399;
  }
  return null;
}

function isDue({ days, months, weekdays }: Cadence, day: number): boolean {
  const date = new Date(day);
  return (
    days.includes(date.getUTCDate()) && months.includes(date.getUTCMonth() + 1) && weekdays.includes(date.getUTCDay())
  );
}

/** The time of day nearest to the bound, in seconds since midnight; null where none is left on that day. */
function nearestTime({ hours, minutes, seconds }: Cadence, bound: number, direction: 1 | -1): number | null {
  const ordered = (values: readonly number[]) => (direction === 1 ? values : values.toReversed());
  const reaches = (time: number, length: number) => (direction === 1 ? time + length > bound : time <= bound);
  for (const hour of ordered(hours)) {
    if (!reaches(hour * 3600, 3600)) continue;
    for (const minute of ordered(minutes)) {
      if (!reaches(hour * 3600 + minute * 60, 60)) continue;
      for (const second of ordered(seconds)) {
        const time = hour * 3600 + minute * 60 + second;
        if (reaches(time, 1)) return time;
      }
    }
  }
  return null;
}
