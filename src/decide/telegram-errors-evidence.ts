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
const SECONDS_FIELDS = words('seconds retry_after retryafter wait wait_seconds waitseconds value x capture');
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
  evidence.message = dropNoise(lines.join('\n')).trim();
  const word = evidence.type || evidence.message;
  // In capitals this one is Telegram's, which means a bad request.
  evidence.contractWord = word === 'UNKNOWN_ERROR' ? word : word.toLowerCase().replace(/[\s-]+/g, '_');
  return evidence;
}

/** A traceback names its error last and a wrapped message first, so of an overlong text both ends are kept. */
function keepBounds(text: unknown): string {
  if (typeof text !== 'string') return '';
  if (text.length <= MAX_TEXT) return text;
  return `${text.slice(0, MAX_TEXT / 2)}\n${text.slice(-MAX_TEXT / 2)}`;
}

/** Lines of a program's stack: they quote its source, which may read `except UserDeactivatedBanError`. */
const STACK_LINES = /^([ \t]+)File "[^\n]*(?:\n\1[ \t]+[^\n]*)*|^[ \t]+at [^\n]*:(?:line )?\d+\)?(?: \{)?$/gm;

/** A program's error about a name of its own: `module 'telethon.errors' has no attribute 'UserDeactivatedBanError'`. */
const PROGRAM_ERROR =
  /^.*(?:\b(?:Name|Key|Attribute|Import|Reference)Error: |cannot import|has no attribute|is not (?:defined|a (?:constructor|function))|(?:positional|keyword) argument).*$/gm;
const IDENTIFIER = /\b(?!(?:Name|Key|Attribute|Import|Reference)Error: )\w*(?:_|[a-z](?=[A-Z]))\w*/g;
/** What a chat or user is called, which its owner chose: `No user has "PEER_FLOOD" as username`. */
const TITLE =
  /(?<=\b(?:chat|channel|group|title|user|username|member|peer|contact|to|into|has|named)(?:["']?\s?[:=]\s?|\s))(["'«“`])[^"'»”`\n]{0,128}(?=["'»”`])/gi;

/**
 * Takes away what is no part of the error: what logs add (colours, line breaks printed as `\n`), stacks, and names that
 * a program's own error or somebody's title quotes.
 */
const dropNoise = (text: string): string =>
  text
    .replace(/\p{Cc}\[[\d;]*m/gu, '')
    .replace(/\\[nrt]/g, '\n')
    .replace(STACK_LINES, '')
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
  for (const [key, value] of Object.entries(object) as [string, unknown][]) {
    const field = Array.isArray(object) ? 'error' : key.toLowerCase();
    const isError = ERROR_FIELD.test(field);
    const number = typeof value === 'number' || (typeof value === 'string' && isNumeric(value)) ? Number(value) : null;
    if (number !== null) {
      if (field === 'retry_after_ms') evidence.seconds.push(number / 1000);
      if (SECONDS_FIELDS.has(field)) evidence.seconds.push(number);
      if (CODE_FIELDS.has(field)) evidence.codes.push(number);
    } else if (typeof value === 'string') {
      if (isError || TEXT_FIELDS.has(field) || CODE_FIELDS.has(field)) readText(value, evidence, lines, depth);
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

/** Where a text says how long to wait, the surest form first. A number elsewhere (a code, an id) is not seconds. */
const DURATIONS = [
  // "A wait of 300 seconds", "Retry in 35 seconds", "retry after 3600", "must wait 5 minutes"
  '(?:\\bwait(?: of| for)?|retry(?:ing)?[ _-]?(?:after|in)|again (?:in|after)|reset in|\\bdelay(?: of)?)' +
    `["']?\\s{0,3}[:=]?\\s{0,3}(?=\\d)`,
  // "FLOOD_WAIT (300)", "FloodWait: 300"; not the code of "FloodWaitError: 420: FLOOD" and "FloodWaitError(420, …"
  `(?:wait|delay)(?:_x|_|error|exception)?["'\\])]{0,2}\\s{0,3}[:=(]{0,2}\\s{0,3}(?=\\d+(?!\\d|: ))(?!4(?:20|29)[:,])`,
  // "seconds=300", "(value: 31)", "value: Some(31)"
  `\\b(?:seconds|retry_?after|value|capture|x)["']?\\s{0,3}[:=]\\s{0,3}(?:some\\()?["']?(?=\\d)`,
  // any number of seconds, minutes, hours or days
  '(?<![\\p{L}\\p{N}_.])(?=\\d+(?:\\.\\d+)?\\s?' +
    '(?:[秒分天]|小时|(?:s|secs?|seconds?|segundos?|sekund\\p{L}*|сек\\p{L}*|mins?|minut\\p{L}*|мин\\p{L}*|' +
    'h|hrs?|hours?|horas?|час\\p{L}*|days?|weeks?)(?![\\p{L}\\p{N}_])))',
].map((pattern) => new RegExp(pattern, 'iu'));

/** The wait that a text names, in seconds as written; null where it names none. */
export function findSeconds(text: string): number | null {
  for (const pattern of DURATIONS) {
    const found = pattern.exec(text);
    if (found !== null) return readDuration(text.slice(found.index + found[0].length));
  }
  return null;
}

/** The length that a text begins with: `300`, `5 minutes`, `1h 30m`, `1 hour and 30 minutes`, `1:30:00`. */
function readDuration(text: string): number {
  const [, hours, minutes, seconds] = /^(?:(\d+):)?(\d{1,2}):(\d\d)(?![\d:])/.exec(text) ?? [];
  if (minutes !== undefined) return Number(hours ?? 0) * 3600 + Number(minutes) * 60 + Number(seconds);
  let total = 0;
  const lengths = text.matchAll(
    /(?:^|(?<=\p{L})(?:,? and |,? ?))(\d{1,3}(?:,\d{3})+(?!\d)|\d+(?:\.\d+)?)\s?(\p{L}*)/guy,
  );
  for (const [, digits = '', word = ''] of lengths) {
    const unit = UNITS.find(([name]) => name.test(word.toLowerCase()))?.[1];
    if (unit === undefined && total > 0) break;
    total += Number(digits.replaceAll(',', '')) * (unit ?? 1);
    if (unit === undefined) break;
  }
  return total;
}
