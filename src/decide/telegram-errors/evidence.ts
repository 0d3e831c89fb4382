import type { ErrorReport } from './classify-error.js';

/** What a report says, taken apart: its texts, and the numbers that stand in fields of their own. */
export interface Evidence {
  /** The message; of a JSON message the texts of its known fields, one a line. */
  message: string;
  /** The error code where it is a word (`FLOOD_WAIT_60`, `ECONNRESET`). */
  code: string;
  type: string;
  /** The type, else the message, spelled as the contract spells its types (`Flood Wait` is `flood_wait`). */
  contractWord: string;
  /** Error codes of fields, the report's own first. */
  codes: number[];
  /** Seconds of fields, as given: not yet clamped, the report's own not among them. */
  seconds: number[];
}

/** Bounds the work: of a longer text this much is read. */
const MAX_TEXT = 16_384;
const MAX_DEPTH = 8;

const words = (list: string): ReadonlySet<string> => new Set(list.split(' '));
/** Fields that hold an error, as a text or as an object: `error`, `rpc_error`, `errorMessage`, `exc_type`, `details`. */
const ERROR_FIELD = /error|exception|^err|^exc(?:_|$)|^fail|cause|^details?$|^reason$/;
const TEXT_FIELDS = words(
  'name type kind class title text msg message description summary stack stacktrace traceback log',
);
/** Those that may also name or quote somebody: read first, so that an error in another field counts. */
const NAMING_FIELDS = words('name title text');
/** `seconds`, `retry_after`, `waitTime`, `flood_wait_seconds`, `retryAfterMs` … */
const SECONDS_FIELD =
  /^(?:seconds|value|x|capture|(?:flood_?)?wait(?:_?(?:time|for))?|retry_?(?:after|in))(?:_?(?:seconds|secs?|s|(ms)))?$/;
const CODE_FIELDS = words('code error_code errorcode status status_code statuscode http_status');
/** Fields that are walked into. A `request` is not: it quotes what the caller sent, which may read like an error. */
const NESTED_FIELDS = words('args response result data body payload parameters params');

/** Reads every field of a report, whatever it holds. Work is bounded by the 16,384 characters kept of each text. */
export function readEvidence(report: ErrorReport): Evidence {
  const evidence: Evidence = {
    message: '',
    code: '',
    type: keepBounds(report.errorType).trim(),
    contractWord: '',
    codes: [],
    seconds: [],
  };
  const { errorCode } = report;
  if (typeof errorCode === 'string' && !isNumeric(errorCode)) evidence.code = keepBounds(errorCode);
  else if (typeof errorCode === 'string' || typeof errorCode === 'number') evidence.codes.push(Number(errorCode));
  const lines: string[] = [];
  readText(keepBounds(report.errorMessage), evidence, lines, 0);
  const message = dropNoise(lines.join('\n')).trim();
  const isProgramError = IS_PROGRAM_CLASS.test(evidence.type) && !message.includes('\n');
  evidence.message = isProgramError ? message.replace(IDENTIFIER, '') : message;
  const word = evidence.type || evidence.message;
  evidence.contractWord = toContractWord(word);
  return evidence;
}

/** A text in the contract's spelling. In capitals `UNKNOWN_ERROR` is Telegram's, which means a bad request. */
export const toContractWord = (text: string): string =>
  text === 'UNKNOWN_ERROR' ? text : text.toLowerCase().replace(/[\s-]+/g, '_');

/** A traceback names its error last and a wrapped message first, so of an overlong text both ends are kept. */
function keepBounds(text: unknown): string {
  if (typeof text !== 'string') return '';
  if (text.length <= MAX_TEXT) return text;
  return `${text.slice(0, MAX_TEXT / 2)}\n${text.slice(-MAX_TEXT / 2)}`;
}

/**
 * Lines of a program's stack: they quote its source, which may read `except UserDeactivatedBanError`. What a log puts
 * before each of its lines (`bot-1  | `) stays; Loguru marks one frame with `> `.
 */
const STACK_LINES =
  /^(?:> )?([^\n]*?)File "[^"\n]*", line \d[^\n]*(?:\n\1[ \t]+[^\n]*)*|^[ \t]+at [^\n]*:(?:line )?\d+\)?(?: \{)?$/gm;
/** A line of source that is underlined before the error: `if (e.message === 'PEER_FLOOD') throw e` over a `^`. */
const UNDERLINED = /^[^\n]*\n(?:[^\n|]{0,64}\||[ \t])[ \t]*[~^]+(?!\S)[^\n]*$(?=\s+\S)/gm;
/** A file or path, which may be called like an error: `app/peer_flood.py`, `/sessions/USER_DEACTIVATED/1`. */
const FILE =
  /(?<![\w.@~/\\-])(?:(?:[a-z]:)?(?:[\w.@~-]{0,64}[/\\]){0,16}[\w@-]{1,64}\.(?:py|[cm]?[jt]sx?|php|go|rs|java|kt|cs|rb|log|txt|csv|json|session)\b|(?:\/[\w.@-]{1,64}){2,16})/gi;

/** Classes of a program's errors about names of its own. */
const PROGRAM_CLASS = '(?:Name|Key|Lookup|Attribute|Import|ModuleNotFound|Reference|Type|Syntax|UnboundLocal)Error';
/** The same in words: `module 'telethon.errors' has no attribute 'UserDeactivatedBanError'`. */
const PROGRAM_WORDS = [
  `\\b${PROGRAM_CLASS}: `,
  'cannot (?:import|access local|find (?:module|name|symbol))|no module named|class ?not ?found|nosuch\\w+(?:error|exception)',
  'has no attribute|before assignment|already been declared|\\bclass "[^"\n]*" not found|no enum constant',
  'is not (?:defined|callable|a (?:constructor|function))|["\'][\\w-]+["\'] is not (?:among|a valid)',
  '\\bundefined (?:constant|variable|index|array|method|function)|of (?:undefined|null)\\b|(?:positional|keyword) argument',
  // of a database
  '\\b(?:column|relation|table|type|function|constraint) \\S+ does not exist|unknown column|invalid input value',
  'violates [a-z -]{1,12} constraint',
];
const PROGRAM_ERROR = new RegExp(`^.*(?:${PROGRAM_WORDS.join('|')}).*$`, 'gim');
const IDENTIFIER = new RegExp(`\\b(?!${PROGRAM_CLASS}: )[\\w-]*(?:[_-]|[a-z](?=[A-Z]))[\\w-]*`, 'g');
const IS_PROGRAM_CLASS = new RegExp(`\\b${PROGRAM_CLASS}\\b`);
/** What a chat or user is called, which its owner chose: `No user has "PEER_FLOOD" as username`, `title=PEER_FLOOD`. */
const TITLE =
  /(?<=\b(?:chat|channel|group|title|user|username|member|peer|contact|to|into|has|named)(?:["']?\s?[:=]\s?|\s))(["'«“`])[^"'»”`\n]{0,128}(?=["'»”`])|(?<=\b(?:chat|channel|group|title|user|username|first_name|last_name|peer|contact)=)[\w-]{1,128}/gi;

/**
 * Takes away what is no part of the error: what logs add (colours, line breaks printed as `\n`), stacks, files, and names
 * that a program's own error or somebody's title quotes.
 */
const dropNoise = (text: string): string =>
  text
    .replace(/\p{Cc}\[[\d;]*m/gu, '')
    .replace(/\\[nrt]/g, '\n')
    .replace(STACK_LINES, '$1')
    .replace(UNDERLINED, '')
    .replace(FILE, '')
    .replace(PROGRAM_ERROR, (line) => line.replace(IDENTIFIER, ''))
    .replace(TITLE, '$1');

const isNumeric = (text: string): boolean => /^\s*[-+]?\d+\s*$/.test(text);

/** Collects a text, or the known fields of the JSON object in it with what stands around that. */
function readText(text: string, evidence: Evidence, lines: string[], depth: number): void {
  const isString = /^\s*".*"\s*$/s.test(text) && depth < MAX_DEPTH;
  const unquoted = isString ? parseJson(text) : undefined;
  if (typeof unquoted === 'string') {
    readText(unquoted, evidence, lines, depth + 1);
    return;
  }
  const start = text.indexOf('{');
  const end = text.lastIndexOf('}') + 1;
  const parsed = start >= 0 && end > start && depth < MAX_DEPTH ? parseJson(text.slice(start, end)) : undefined;
  if (typeof parsed !== 'object' || parsed === null) {
    lines.push(text);
    return;
  }
  readObject(parsed, evidence, lines, depth + 1);
  lines.push(text.slice(0, start), text.slice(end));
}

function readObject(object: object, evidence: Evidence, lines: string[], depth: number): void {
  if (depth > MAX_DEPTH) return;
  const rank = ([key]: [string, unknown]): number => (NAMING_FIELDS.has(key.toLowerCase()) ? 0 : 1);
  const entries = Object.entries(object) as [string, unknown][];
  for (const [key, value] of entries.sort((a, b) => rank(a) - rank(b))) {
    const field = Array.isArray(object) ? 'error' : key.toLowerCase();
    const isError = ERROR_FIELD.test(field);
    const number = typeof value === 'number' || (typeof value === 'string' && isNumeric(value)) ? Number(value) : null;
    if (number !== null) {
      const [isSeconds, ms] = SECONDS_FIELD.exec(field) ?? [];
      if (isSeconds) evidence.seconds.push(ms ? number / 1000 : number);
      if (CODE_FIELDS.has(field)) evidence.codes.push(number);
    } else if (typeof value === 'string') {
      if (SECONDS_FIELD.test(field) && /^\d[\d\p{L} .,:]{0,32}$/u.test(value)) lines.push(`wait ${value}`);
      else if (isError || TEXT_FIELDS.has(field) || CODE_FIELDS.has(field)) readText(value, evidence, lines, depth);
    } else if (typeof value === 'object' && value !== null && (isError || NESTED_FIELDS.has(field))) {
      readObject(value, evidence, lines, depth + 1);
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Seconds in a unit of time; a number without a unit is seconds. */
const UNITS: readonly [RegExp, number][] = [
  [/^ms$|^milli/, 0.001],
  [/^(?:s|secs?|seconds?|segundos?|sekund\p{L}*|сек\p{L}*|秒\p{L}*)$/u, 1],
  [/^(?:m|mins?|minut\p{L}*|мин\p{L}*|分\p{L}*)$/u, 60],
  [/^(?:h|hrs?|hours?|horas?|час\p{L}*|小时\p{L}*)$/u, 3600],
  [/^(?:d|days?|дн\p{L}*|ден\p{L}*|天\p{L}*)$/u, 86_400],
  [/^(?:w|weeks?)$/u, 604_800],
];

/**
 * Where a text says how long to wait, the surest form first. A number elsewhere (a code, an id, the next line) is not
 * seconds.
 */
const DURATIONS = [
  // "A wait of 300 seconds", "retry after 3600"
  `(?:\\bwait of|retry[ _-]?after)["']? {0,3}[:=]? {0,3}(?=\\d)`,
  // "Retry in 35 seconds", "must wait 5 minutes", "Sleeping for 12s": beside the above it is the program's own
  `(?:\\b(?:wait|sleep)(?:ing)?(?: early)?(?: for)?|retry(?:ing)?[ _-]?(?:after|in)|again (?:in|after)|reset in|\\bdelay(?: of)?)` +
    `["']? {0,3}[:=]? {0,3}(?=\\d)`,
  // "FLOOD_WAIT (300)", "FloodWait: 300"; not the code of "FloodWaitError: 420: FLOOD" and "FloodWaitError(420, …"
  `(?:wait|delay|too_fresh|too_early)(?:_x|_|error|exception)?(?: of| for)?["'\\])]{0,2} {0,3}[:=(]{0,2} {0,3}(?=\\d+(?!\\d|: ))(?!4(?:20|29)[:,])`,
  // "seconds=300", "(value: 31)", "value: Some(31)"
  `\\b(?:seconds|retry_?after|value|capture|x)["']? {0,3}[:=] {0,3}(?:some\\()?["']?(?=\\d)`,
  // any number of seconds, minutes, hours or days
  '(?<![\\p{L}\\p{N}_.])(?=\\d+(?:\\.\\d+)?\\s?' +
    '(?:[秒分天]|小时|(?:s|secs?|seconds?|segundos?|sekund\\p{L}*|сек\\p{L}*|mins?|minut\\p{L}*|мин\\p{L}*|' +
    'h|hrs?|hours?|horas?|час\\p{L}*|days?|weeks?)(?![\\p{L}\\p{N}_])))',
  // a text that is nothing but a number, not a code
  '^\\s*(?=\\d+\\s*$)(?!4(?:20|29)\\s*$)',
].map((pattern) => new RegExp(pattern, 'giu'));

/** The wait that a text names, in seconds as written; of several the longest, null where it names none. */
export function findSeconds(text: string): number | null {
  for (const pattern of DURATIONS) {
    const waits = [...text.matchAll(pattern)].map((found) => {
      const start = found.index + found[0].length;
      return readDuration(text.slice(start, start + MAX_DURATION));
    });
    if (waits.length > 0) return Math.max(...waits);
  }
  return null;
}

/** No length of time is written in more characters. */
const MAX_DURATION = 64;
/** `1:30:00`, `4:30`, and Python's `1 day, 2:03:04`. */
const CLOCK = /^(?:(\d+) days?, )?(?:(\d+):)?(\d{1,2}):(\d\d)(?![\d:])/;
/** `300`, `1,234`, and where a unit follows `1 234`, too. */
const LENGTHS =
  /(?:^|(?<=\p{L})(?:,? and |,? ?))(\d{1,3}(?:[,'’]\d{3})+(?!\d)|\d{1,3}(?:\s\d{3})+(?=\s?\p{L})|\d+(?:\.\d+)?)\s?(\p{L}*)/guy;

/** The length that a text begins with: `300`, `5 minutes`, `1h 30m`, `1 hour and 30 minutes`, `1:30:00`. */
function readDuration(text: string): number {
  const [isClock, days, hours, minutes, seconds] = CLOCK.exec(text) ?? [];
  if (isClock) {
    return Number(days ?? 0) * 86_400 + Number(hours ?? 0) * 3600 + Number(minutes) * 60 + Number(seconds);
  }
  let total = 0;
  for (const [, digits = '', word = ''] of text.matchAll(LENGTHS)) {
    const unit = UNITS.find(([name]) => name.test(word.toLowerCase()))?.[1];
    if (unit === undefined && total > 0) break;
    total += Number(digits.replace(/[,'’\s]/g, '')) * (unit ?? 1);
    if (unit === undefined) break;
  }
  return total;
}
