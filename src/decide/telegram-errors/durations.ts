/** Seconds in a unit of time, English, Russian, Spanish and Chinese; a number without a unit is seconds. */
const UNITS: readonly [RegExp, number][] = [
  [/^(?:ms|msecs?|milli\p{L}*|мс|миллисек\p{L}*)$/u, 0.001],
  [/^(?:s|secs?|secondes?|seconds?|segundos?|secondi|sekund\p{L}*|saniye|с|сек\p{L}*|秒\p{L}*)$/u, 1],
  [/^(?:m|mins?|minut\p{L}*|dakika|м|мин\p{L}*|хв\p{L}*|分\p{L}*)$/u, 60],
  [/^(?:h|hrs?|hours?|horas?|heures?|stunden?|saat|ч|час\p{L}*|годин\p{L}*|小时\p{L}*)$/u, 3600],
  [/^(?:d|days?|d[ií]as?|tage?n?|jours?|gün|д|дн\p{L}*|ден\p{L}*|сут\p{L}*|天\p{L}*)$/u, 86_400],
  [/^(?:w|wks?|weeks?|нед\p{L}*)$/u, 604_800],
  [/^(?:months?|месяц\p{L}*)$/u, 2_592_000],
];
const UNIT_NAMES =
  '(?:[秒分天]|小时|(?:s|secs?|secondes?|seconds?|segundos?|secondi|sekund\\p{L}*|saniye|с|сек\\p{L}*|mins?|minut\\p{L}*|dakika|мин\\p{L}*|хв\\p{L}*|' +
  'h|hrs?|hours?|horas?|heures?|stunden?|saat|ч|час\\p{L}*|годин\\p{L}*|days?|d[ií]as?|tage?n?|jours?|gün|дн\\p{L}*|день|сут\\p{L}*|weeks?|недел\\p{L}*|months?|месяц\\p{L}*)(?![\\p{L}\\p{N}_]))';
/** First word of a duration: a number, `PT1H`, `timedelta(`, `an hour`, `сутки`. */
const LENGTH =
  '(?=\\d|p(?:\\d|t\\d)|(?:datetime\\.)?timedelta\\(|(?:an?|one) (?:second|minute|hour|day|week|month)\\b|(?:час|сутки|минуту|день|неделю)(?!\\p{L})|duration)';
const GAP = `["'\`]? {0,3}[:=(]? {0,3}["'\`]?`;

/**
 * Where a text in lower case says how long to wait, the surest form first. A number elsewhere (a code, an id, the next
 * line) is not seconds.
 */
const TELLING = [
  // "A wait of 300 seconds", "retry after 3600", "retry_after=timedelta(…)"
  `(?:\\bwait of|retry[ _-]?after)${GAP}${LENGTH}`,
  // "Retry in 35 seconds", "must wait 5 minutes", "Sleeping for 12s": beside the above it is the program's own
  `(?:\\b(?:wait|sleep)(?:ing)?(?: early)?(?: for)?|retry(?:ing)?[ _-]?(?:after|in)|again (?:in|after)|reset in|\\bdelay(?: of)?` +
    `|(?:подожд|ожидани|ждать|ждите|повтор|попробуй|попытк)[^\\n\\d:;.]{0,40}?)${GAP}${LENGTH}`,
  // "FLOOD_WAIT (300)", "FloodWait: 300"; not the code of "FloodWaitError: 420: FLOOD" and "FloodWaitError(420, …"
  `(?:wait|delay|too_fresh|too_early)(?:_x|_|error|exception)?(?: of| for)?["'\\])]{0,2} {0,3}[:=(]{0,2} {0,3}(?=(?:\\d+(?!\\d|: ))|(?!\\d)${LENGTH})(?!4(?:20|29)[:,])`,
  // "seconds=300", "(value: 31)", "value: Some(31)"
  `(?<![a-z])(?:seconds|secs|retry_?(?:after|in)|(?:time_?to_?|flood_?)?wait(?:_?(?:time|for))?|value|capture|x)(?:_?(?:seconds|secs|ms|millis|milliseconds))?["']? {0,3}[:=] {0,3}(?:some\\()?["']?${LENGTH}`,
  // any number of seconds, minutes, hours or days
  `(?<![\\p{L}\\p{N}_.])(?=\\d+(?:[.,]\\d+)?\\s?${UNIT_NAMES})`,
  // any length in a notation that is nothing but a length
  '(?<![\\p{L}\\p{N}_.])(?=pt\\d|(?:datetime\\.)?timedelta\\()',
  // a text that is nothing but a number, not a code
  '^\\s*(?=\\d+\\s*$)(?!4(?:20|29)\\s*$)',
].map((pattern) => new RegExp(pattern, 'gu'));

/** No length is written without one of these. */
const SAYS_LENGTH = /\d|hour|minute|second|day|week|month|час|минут|сут|день|недел|timedelta/i;
/** Bounds the work: of one form this many are read. */
const MAX_LENGTHS = 500;
/** No length of time is written in more characters. */
const MAX_LENGTH = 96;

/**
 * The wait that a text tells, in seconds as written; of several of the surest form the longest, null where it tells none.
 * `inTelegramsWords`: only `A wait of …` and `retry after …` count.
 */
export function findSeconds(given: string, inTelegramsWords: boolean): number | null {
  if (!SAYS_LENGTH.test(given)) return null;
  // To match without regard to case is several times as slow.
  const text = toDigits(given.toLowerCase());
  for (const telling of inTelegramsWords ? TELLING.slice(0, 1) : TELLING) {
    let longest: number | null = null;
    let read = 0;
    for (const found of text.matchAll(telling)) {
      const start = found.index + found[0].length;
      longest = Math.max(longest ?? 0, readDuration(text.slice(start, start + MAX_LENGTH)));
      if ((read += 1) >= MAX_LENGTHS) break;
    }
    if (longest !== null) return longest;
  }
  return null;
}

const FLOOD_NAME = /(?:flood[_-]?(?:premium[_-]?|test[_-]?phone[_-]?)?wait|retry_after)[_-](\d{1,24})(?![\da-z])/gi;
const byName = new Map<string, RegExp>();

/** The numbers in the names of an error, in seconds: of `name`, else of all that ask the account to wait. */
export function findNamedSeconds(text: string, name: string | null): number[] {
  const pattern = name === null ? FLOOD_NAME : toPattern(name);
  const found = [...text.matchAll(pattern)].map(([, digits, minutes]) => Number(digits) * (minutes ? 60 : 1));
  return found.length === 0 ? [] : [found.reduce((longest, seconds) => Math.max(longest, seconds))];
}

/** `SLOWMODE_WAIT_X` as it stands in a text: `slowmode-wait-30`. */
function toPattern(name: string): RegExp {
  const known = byName.get(name);
  if (known) return known;
  const words = name
    .replaceAll('_', '[_-]?')
    .replace(/X(MIN)?$/, (_, min?: string) => `(\\d{1,24})S?${min ? '(MIN)' : ''}(?![\\da-z])`);
  const pattern = new RegExp(words, 'gi');
  byName.set(name, pattern);
  return pattern;
}

/** Numbers that are spelled, before a unit of time; and milliseconds that a field's name tells. */
const SPELLED_NUMBERS: readonly [RegExp, string][] = [
  [/\b(?:an|one|1) hour and a half\b/g, '90 minutes'],
  [/\bhalf (?:an|of an) hour\b|(?<!\p{L})полчаса(?!\p{L})/gu, '30 minutes'],
  [/\bhalf a day\b/g, '12 hours'],
  [/(?<!\p{L})полтор[аы](?= )/gu, '1.5'],
  [/(?<!\p{L})полтора суток/gu, '36 hours'],
  ...(
    [
      ['one', 'один|одну|одни', 1],
      ['two', 'два|две|двое', 2],
      ['three', 'три|трое', 3],
      ['four', 'четыре', 4],
      ['five', 'пять', 5],
      ['six', 'шесть', 6],
      ['seven', 'семь', 7],
      ['eight', 'восемь', 8],
      ['nine', 'девять', 9],
      ['ten', 'десять', 10],
      ['twelve', 'двенадцать', 12],
    ] as const
  ).map(([english, russian, number]): [RegExp, string] => [
    new RegExp(
      `\\b${english}(?= (?:second|minute|hour|day|week)s?\\b)|(?<!\\p{L})(?:${russian})(?= (?:сек|мин|час|д[не]|сут|недел))`,
      'gu',
    ),
    String(number),
  ]),
];
const IS_SPELLED =
  /half|one|two|three|four|five|six|seven|eight|nine|ten|twelve|[а-я] (?:сек|мин|час|д[не]|сут|нед)|пол/;
const MILLISECONDS =
  /((?:wait|after|in|time|delay)_?(?:ms|millis|milliseconds)["']? {0,3}[:=] {0,3}["']?\d{1,12})(?![\d.])/g;

/** A text in lower case with digits for numbers that are spelled. */
function toDigits(text: string): string {
  const digits = IS_SPELLED.test(text)
    ? SPELLED_NUMBERS.reduce((written, [words, number]) => written.replace(words, number), text)
    : text;
  return /ms|milli/.test(digits) ? digits.replace(MILLISECONDS, '$1 ms') : digits;
}

/** `1:30:00`, `4:30`, Python's `1 day, 2:03:04`, .NET's `1.02:03:04`, and `1:02:03:04`. */
const CLOCK = /^(?:(\d+)(?: days?,? |\.(?=\d\d:)|:(?=\d?\d:\d\d:\d\d)))?(?:(\d+):)?(\d{1,2}):(\d\d)(?![\d:])/;
/** ISO 8601: `PT1H30M`, `P1DT2H`. */
const ISO =
  /^p(?:(\d+(?:[.,]\d+)?)w)?(?:(\d+(?:[.,]\d+)?)d)?(?:t(?:(\d+(?:[.,]\d+)?)h)?(?:(\d+(?:[.,]\d+)?)m)?(?:(\d+(?:[.,]\d+)?)s)?)?/;
const ISO_UNITS = [604_800, 86_400, 3600, 60, 1];
/** Python's `timedelta(days=1, seconds=90)` and `timedelta(1, 90)`; Rust's `Duration { secs: 90 }`. */
const PARTS = /^(?:(?:datetime\.)?timedelta|duration) ?[({]([^)}]{0,80})/;
const PART_UNITS: readonly [RegExp, number][] = [
  [/^weeks/, 604_800],
  [/^days/, 86_400],
  [/^hours/, 3600],
  [/^minutes/, 60],
  [/^sec/, 1],
  [/^milli/, 0.001],
  [/^micro/, 0.000_001],
];
/** `300`, `1,234`, and where a unit follows `1 234` and `1,5`, too. */
const LENGTHS =
  /(?:^|(?<=\p{L}\.?)(?:,? (?:and|и) |,? ?))(\d{1,3}(?:[,'’_]\d{3})+(?!\d)|\d{1,3}(?:\s\d{3})+(?=\s?\p{L})|\d+(?:\.\d+|,\d{1,2}(?=\s?\p{L}))?)\s?(\p{L}*)\.?/guy;
const SPELLED: readonly [RegExp, number][] = [
  [/^(?:an?|one) second\b/, 1],
  [/^(?:(?:an?|one) minute\b|минуту)/, 60],
  [/^(?:(?:an?|one) hour\b|час(?!\p{L}))/u, 3600],
  [/^(?:(?:an?|one) day\b|сутки|день)/, 86_400],
  [/^(?:(?:an?|one) week\b|неделю)/, 604_800],
  [/^(?:an?|one) month\b/, 2_592_000],
];

const toNumber = (digits: string | undefined): number => Number((digits ?? '0').replace(',', '.'));

/** The seconds that a text begins with: `300`, `5 minutes`, `1h 30m`, `2 ч 3 мин`, `1:30:00`, `PT1H`, `timedelta(1, 90)`. */
function readDuration(text: string): number {
  const [isClock, days, hours, minutes, seconds] = CLOCK.exec(text) ?? [];
  if (isClock) {
    return Number(days ?? 0) * 86_400 + Number(hours ?? 0) * 3600 + Number(minutes) * 60 + Number(seconds);
  }
  const [isIso, ...lengths] = ISO.exec(text) ?? [];
  if (isIso) return ISO_UNITS.reduce((sum, unit, at) => sum + toNumber(lengths[at]) * unit, 0);
  const [, parts] = PARTS.exec(text) ?? [];
  if (parts !== undefined) return readParts(parts);
  const [exponential] = /^\d+(?:\.\d+)?e\d(?!\d)/.exec(text) ?? [];
  if (exponential !== undefined) return Number(exponential);
  const [, spelled] = SPELLED.find(([words]) => words.test(text)) ?? [];
  return spelled ?? readUnits(text);
}

/** The seconds that a field's text is, where it is nothing but a length, as `PT1H`; else null. */
export function readLength(text: string): number | null {
  const written = toDigits(text.toLowerCase().trim());
  if (/^(?:pt?\d[\d.,wdhmst]{0,32}|(?:datetime\.)?timedelta\([^()]{0,64}\))$/.test(written))
    return readDuration(written);
  if (!/^(?:\d|сутки|час)[\d\p{L} .,:]{0,64}$/u.test(written)) return null;
  const words = written.match(/\p{L}+/gu) ?? [];
  const areUnits = words.every((word) => word === 'and' || word === 'и' || UNITS.some(([unit]) => unit.test(word)));
  return areUnits ? readDuration(written) : null;
}

function readParts(parts: string): number {
  // `Duration(90s)`, `Duration(1h30m)`
  if (/^\d+(?:\.\d+)?[a-z]/.test(parts)) return readUnits(parts);
  let total = 0;
  for (const [position, part] of parts.split(',').entries()) {
    const [, name, digits] = /^\s*(?:(\w+)\s*[=:]\s*)?(-?\d+(?:\.\d+)?)/.exec(part) ?? [];
    const unit =
      name === undefined ? ([86_400, 1][position] ?? 0) : (PART_UNITS.find(([known]) => known.test(name))?.[1] ?? 0);
    total += Number(digits ?? 0) * unit;
  }
  return total;
}

function readUnits(text: string): number {
  let total = 0;
  for (const [, digits = '', word = ''] of text.matchAll(LENGTHS)) {
    const unit = UNITS.find(([name]) => name.test(word))?.[1];
    if (unit === undefined && total > 0) break;
    const isDecimal = /^\d+,\d{1,2}$/.test(digits);
    total += Number(isDecimal ? digits.replace(',', '.') : digits.replace(/[,'’_\s]/g, '')) * (unit ?? 1);
    if (unit === undefined) break;
  }
  return total;
}
