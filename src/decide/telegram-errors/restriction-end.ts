import { MINUTE_MS } from '../time-units.js';

/** Month names by their beginnings, English and Russian. */
const MONTHS = [
  /^(?:jan|янв)/,
  /^(?:feb|фев)/,
  /^(?:mar|мар)/,
  /^(?:apr|апр)/,
  /^(?:may|ма[йя])/,
  /^(?:jun|июн)/,
  /^(?:jul|июл)/,
  /^(?:aug|авг)/,
  /^(?:sep|сен)/,
  /^(?:oct|окт)/,
  /^(?:nov|ноя)/,
  /^(?:dec|дек)/,
];

/** @SpamBot's statements that an account is limited, up to the date where one follows; what it says of "the limitations" too. */
const STATEMENTS = [
  '(?<!\\b(?:if|whether|in case) )(?:your|this|the) account (?:is|was|has been|will be)(?: now| currently| temporarily)? (?:limited|restricted)(?: temporarily)?\\b(?! to\\b)',
  '\\baccount is now limited\\b',
  '\\b(?:limits|limitations|restrictions)[^.\\n]{0,40} will be(?: automatically)? (?:lifted|removed|released)',
  // without a subject, or the account's
  `(?:^|[\\n.:;,("'>|-] ?|account(?: status)?:? |spambot:? )(?:now |temporarily )?(?:limited|restricted) (?:until|till)(?= (?:\\d|\\p{L}{3,9} \\d))`,
  '(?:ваш|твой|этот|данный) (?:аккаунт|уч[её]тная запись)[^.\\n]{0,30} ограничен(?:а|о|ы)?(?!\\p{L})',
  'аккаунт (?:временно |теперь |сейчас )*ограничен(?!\\p{L})',
  'ограничени[яе][^.\\n]{0,40} (?:снят[ыо]|сним(?:ут|[уе]тся))',
  'ограничен(?:а|о|ы)? до(?= \\d)',
];
/** Text that may stand between a statement and its date. */
const BETWEEN = '[^.\\n\\d]{0,60}?';
const TIME =
  '(?:[,\\s]+(?:(?:at|в)\\s+)?(\\d{1,2}):(\\d\\d)(?::\\d\\d)?(?:\\s?([ap])\\.?m\\b\\.?)?(?:\\s?\\(?(UTC|GMT|MSK|МСК|Z|[+-]\\d\\d:?\\d\\d))?)?';
const DATES = [
  // 4 Jul 2026, 20:45 UTC
  `(?<day>\\d{1,2})\\s+(?<month>\\p{L}{3,9})\\.?,?\\s+(?<year>\\d{4})(?:\\s?г\\.?|\\s?года)?`,
  // Jul 4, 2026
  `(?<month>\\p{L}{3,9})\\.?\\s+(?<day>\\d{1,2})(?:st|nd|rd|th)?,?\\s+(?<year>\\d{4})`,
  // 2026-07-04T20:45
  '(?<year>\\d{4})-(?<number>\\d\\d)-(?<day>\\d\\d)T?',
  // 04.07.2026
  '(?<day>\\d{1,2})\\.(?<number>\\d\\d)\\.(?<year>\\d{4})',
];
const SAYS_LIMITED = new RegExp(STATEMENTS.join('|'), 'iu');
const ENDS = DATES.map(
  (date) =>
    new RegExp(
      `(?:${STATEMENTS.join('|')})${BETWEEN}${date}${date.endsWith('T?') ? TIME.replace('[,\\s]+', '[,\\s]*') : TIME}`,
      'giu',
    ),
);

/**
 * The account's limitation as @SpamBot states it, where a text passes that on. Null where the text says nothing of it.
 * `until` is in ms since 1970, UTC unless the text names another zone; null: without an end. The
 * later of two ends counts.
 */
export function findRestriction(text: string): { until: number | null } | null {
  if (!/limit|restrict|огранич/i.test(text) || !SAYS_LIMITED.test(text)) return null;
  const ends = ENDS.flatMap((end) => [...text.matchAll(end)].flatMap((found) => toInstant(found) ?? []));
  return { until: ends.length === 0 ? null : Math.max(...ends) };
}

function toInstant(found: RegExpMatchArray): number | null {
  const { groups = {} } = found;
  const [hour, minute, half, zone] = found.slice(-4) as (string | undefined)[];
  const word = groups['month']?.toLowerCase();
  const month = word === undefined ? Number(groups['number']) - 1 : MONTHS.findIndex((name) => name.test(word));
  if (month < 0 || month > 11) return null;
  // A date without a time ends with its day: a restriction is never read shorter than it is.
  const [hours, minutes] = hour === undefined ? [24, 0] : [toHours(Number(hour), half), Number(minute)];
  const instant = Date.UTC(Number(groups['year']), month, Number(groups['day']), hours, minutes);
  return instant - toOffset(zone) * MINUTE_MS;
}

/** Hours of a day that is told in halves: `8:45 PM`. */
const toHours = (hour: number, half: string | undefined): number =>
  half === undefined ? hour : (hour % 12) + (half.toLowerCase() === 'p' ? 12 : 0);

/** Minutes that a zone is ahead of UTC. */
function toOffset(zone: string | undefined): number {
  if (zone === 'MSK' || zone === 'МСК') return 180;
  const [, sign, hours, minutes] = /^([+-])(\d\d):?(\d\d)$/.exec(zone ?? '') ?? [];
  return sign === undefined ? 0 : (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}
