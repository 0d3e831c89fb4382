import { givenInstant } from '../../contracts/fields.js';
import { fromIso } from '../clock.js';

export const DEADLINE_RULE = 'must be an ISO 8601 instant with an offset or Z';

/** RFC 3339 allows a space between date and time and lower-case letters; ISO 8601 an offset without colon or minutes. */
const FORMS = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?) ?(Z|[+-]\d\d(?::?\d\d)?)$/i;

/**
 * Reads an `x-deadline`. Text without an offset is refused: nobody knows which clock it means.
 * @param given text, its bytes, or what the AMQP client makes of a timestamp field (whole seconds)
 * @returns epoch milliseconds; null: there is none; undefined: it breaks `DEADLINE_RULE`
 */
export function readDeadline(given: unknown): number | null | undefined {
  if (given === undefined || given === null) return null;
  if (isTimestamp(given)) return readInstant(new Date(given.value * 1_000).toISOString());
  const text = Buffer.isBuffer(given) ? given.toString('utf8') : given;
  if (typeof text !== 'string') return undefined;
  return readInstant(text.trim());
}

function readInstant(text: string): number | undefined {
  const [, date, time = '', offset = ''] = FORMS.exec(text) ?? [];
  const minutes = offset.slice(3).replace(':', '') || '00';
  const zone = /z/i.test(offset) ? 'Z' : `${offset.slice(0, 3)}:${minutes}`;
  const instant = givenInstant.safeParse(`${date}T${time.replace(',', '.')}${zone}`);
  return instant.success ? fromIso(instant.data) : undefined;
}

/** Beyond this `Date` knows no instants. */
const LAST_SECOND = 8.64e12;

const isTimestamp = (given: unknown): given is { value: number } =>
  typeof given === 'object' &&
  given !== null &&
  '!' in given &&
  given['!'] === 'timestamp' &&
  'value' in given &&
  Number.isSafeInteger(given.value) &&
  Math.abs(given.value as number) <= LAST_SECOND;
