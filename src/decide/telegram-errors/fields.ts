import { decodeOnce, dropInvisible, keepBounds } from './clean-text.js';
import { readLength } from './durations.js';
import { isObjectAt, readValue } from './notation.js';
import { isBeforeSent } from './quoted.js';

/** Evidence from the fields of a report. */
export interface FieldsRead {
  /** Texts that say what happened, the surest last. */
  lines: string[];
  codes: number[];
  seconds: number[];
  /** Instants at which a wait or a restriction ends, ms since 1970. */
  ends: number[];
  /** The hosts that the program talked to: urls and host names. */
  addresses: string[];
}

/** How deep structures, texts in them and structures in those are followed. */
const MAX_DEPTH = 12;
/** Bounds the work: of more objects in one text, or more entries in one object, this many are read. */
const MAX_OBJECTS = 2000;
const MAX_ENTRIES = 1000;
/** Bounds the work: of a longer text that is not JSON both ends are read. */
const MAX_TEXT = 32_768;

/** A key in one spelling: `error_message`, `errorMessage`, `error.message` are `errormessage`. */
const squash = (key: string): string => key.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');

/** Fields that hold an error, as a text or as an object: `error`, `rpc_error`, `errorMessage`, `exc_type`, `details`. */
const IS_ERROR =
  /error|exception|^err|^exc(?:$|type|value|info|text|msg|message)|^fail|cause|^details?$|^reason$|^thrown|^throwable|^sendingstate$/;
/** Errors of another time, or that somebody thought of: they did not happen now. */
const IS_PAST =
  /^(?:last|prev|previous|earlier|old|past|known|ignored?|handled|expected|retryon|on)(?=\w*(?:err|exc|fail|reason))/;
/** Fields that say what happened. */
const IS_SAID =
  /^(?:type|kind|class|msg|message|description|summary|stack|stacktrace|traceback|backtrace|log|logentry|formatted|event|value|textpayload|jsonpayload|fullmessage|shortmessage|localizedmessage|extendedstacktrace|record|statustext|title|rendered(?:message|template)?|output|stderr|stacktracestring|warn(?:ing)?|alert|(?:log|exit|status|developer|last)message|rpc)$/;
/** Those that may also name or quote somebody: they count where nothing else in their object says anything. */
const IS_NAMING = /^(?:name|text|title)$/;
/** Fields that the caller was about to send, or knew beside the error. They are never Telegram's word. */
const IS_CALLERS =
  /^(?:payload|request|req|query|params?|input|vars|locals|frames|context|contextline|precontext|postcontext|breadcrumbs|extra|ctx|content|caption|replymarkup|chat|user|from|sender|contact|channel|group|peer|target|entity|config|options|headers|env|tags|sql|kwargs|arguments?|inreplyto|replytomessage|template|draft)$/;
/** The caller's or the answer's, as what stands around them tells. */
const IS_CARRIER = /^(?:data|body|args)$/;
/** A message of Telegram's, whose text somebody wrote. */
const IS_OF_MESSAGE = /^(?:text|caption|chat|chatid|from|fromid|peerid|messageid|content|sendingstate)$/;
/** A text as something throws it: with its class, its code or the request that caused it. */
const IS_THROWN =
  /^(?:[\w.$\\]{1,128}(?:Error|Exception)\b|Traceback \(most|Telegram says: \[|(?:RPCError )?-?\d{3}:? [A-Z\d_]{4,}\b)|\(caused by \S/;
const IS_ANSWER = /^(?:response|res|reply|answer)$/;
const IS_SECONDS =
  /^(?:seconds|secs|value|x|capture|floodwait|(?:flood)?wait(?:time|for)?|timetowait|timeleft|cooldown|remaining|retry(?:after|in|delay)|(?:sleep|delay|duration|timeout)(?=s|m))(?:seconds|secs?|s|(ms|millis|milliseconds))?$/;
/** Fields whose text may be a length: of a bare number here nobody knows the unit, or whose it is. */
const IS_LENGTH = /^(?:delay|duration|sleep)$/;
/** Fields that hold the instant at which a wait or a restriction ends: `retry_at`, `flood_wait_until`, `until_date`. */
const IS_END =
  /^(?:(?:retry|wait|floodwait|cooldown|available|resume|unlock|next(?:try|attempt|retry)|limited|restricted|blocked|restriction)(?:at|until|till|ends?|enddate)|until|untildate|retryafterdate)$/;
const IS_CODE = /^(?:code|errorcode|status|statuscode|httpstatus|httpcode)$/;
const IS_ADDRESS = /^(?:url|uri|host|hostname|baseurl|endpoint|href|domain)$/;
/** Classes as libraries name them; an object's `name` may be one. */
const IS_CLASS = /(?:Error|Exception)$|^[A-Z][a-z]+(?:[A-Z][a-z]+)+$/;

/** From here on a number is a date in seconds since 1970. */
export const EARLIEST_DATE = 1_000_000_000;

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const toNumber = (value: unknown): number | null =>
  typeof value === 'number'
    ? value
    : typeof value === 'string' && /^\s*[-+]?\d+(?:\.\d+)?\s*$/.test(value)
      ? Number(value)
      : null;

/** An object that is an error by its form, wherever it stands: the Bot API's, TDLib's, MTProto's, GramJS's. */
function isErrorShaped(value: unknown): boolean {
  const parsed = typeof value === 'string' && value.trim().startsWith('{') ? parseJson(value) : value;
  if (!isObject(parsed)) return false;
  const keys = Object.keys(parsed).map(squash);
  const isMarked = parsed['ok'] === false || parsed['@type'] === 'error' || parsed['_'] === 'rpc_error';
  return isMarked || keys.some((key) => /^(?:errorcode|errormessage|rpcerror|error)$/.test(key));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Reads a report's text: the fields of the structures in it, and what stands around them. */
export function readFields(text: string): FieldsRead {
  const read: FieldsRead = { lines: [], codes: [], seconds: [], ends: [], addresses: [] };
  readText(dropInvisible(text), read, 0);
  return read;
}

function readText(whole: string, read: FieldsRead, depth: number): void {
  const trimmed = whole.trim();
  if (depth < MAX_DEPTH && /^["{[]/.test(trimmed)) {
    const parsed = parseJson(trimmed);
    if (typeof parsed === 'string') return readText(dropInvisible(parsed), read, depth + 1);
    if (isObject(parsed)) return readObject(parsed, { isError: true, parent: '' }, read, depth + 1);
  }
  if (depth < MAX_DEPTH && /^[\w.[\]-]{1,64}=[^&\s]*(?:&[\w.[\]-]{1,64}=[^&\s]*)+$/.test(trimmed)) {
    const fields = trimmed.split('&', MAX_ENTRIES).map((field) => field.split(/=(.*)/s) as [string, string]);
    const decoded = fields.map(([key, value]) => [key, decodeOnce(`${value}%20`.replaceAll('+', '%20')).trim()]);
    return readObject(Object.fromEntries(decoded) as object, { isError: true, parent: '' }, read, depth + 1);
  }
  const text = keepBounds(whole, MAX_TEXT);
  const around = depth < MAX_DEPTH && text.includes('{') ? readAround(text, read, depth) : text;
  const decoded = decodeOnce(around);
  if (decoded !== around && depth < MAX_DEPTH && /[{&%\\]/.test(decoded))
    readText(dropInvisible(decoded), read, depth + 1);
  else read.lines.push(dropInvisible(decoded).trimEnd());
}

/** Name before an object: `payload: {…}`, `"request"={…}`. */
const CALLED = /(?:^|[\s,;({["'])(\w{1,32})["']?\s?[:=]\s?["'`]?$/;

/** Reads the objects that a text holds; the rest of the text. */
function readAround(text: string, read: FieldsRead, depth: number): string {
  const rest: string[] = [];
  let from = 0;
  let objects = 0;
  for (let at = text.indexOf('{'); at >= 0; at = text.indexOf('{', Math.max(at + 1, from))) {
    if (objects >= MAX_OBJECTS || !isObjectAt(text, at)) continue;
    objects += 1;
    const { value, end } = readValue(text, at);
    const before = text.slice(Math.max(from, at - 100), at);
    const [, called = ''] = CALLED.exec(before.slice(-40)) ?? [];
    rest.push(text.slice(from, at));
    if (isObject(value)) {
      const key = squash(called);
      const isAsked = IS_CALLERS.test(key) || IS_CARRIER.test(key) || isBeforeSent(before);
      const isCallers = (isAsked && !isErrorShaped(value)) || 'update_id' in value;
      if (isCallers) readAddresses(value, read, 0);
      else readObject(value, { isError: !isSent(value), parent: key }, read, depth + 1);
    }
    from = end;
  }
  return rest.length === 0 ? text : [...rest, text.slice(from)].join(' ');
}

/** Where an object stands: in an error, or somewhere in what the caller tells. */
interface Place {
  isError: boolean;
  parent: string;
}

function readObject(object: object, place: Place, read: FieldsRead, depth: number): void {
  if (depth > MAX_DEPTH) return;
  if (Array.isArray(object)) return readList(object, place, read, depth);
  const entries = Object.entries(object)
    .slice(0, MAX_ENTRIES)
    .map(([key, value]) => [squash(key), value] as [string, unknown]);
  const isError = place.isError || isErrorShaped(object);
  const keys = entries.map(([key]) => key);
  const says = entries.some(
    ([key, value]) => (typeof value === 'string' || isText(value)) && saysSomething(key) && !IS_NAMING.test(key),
  );
  const namesError = entries.some(
    ([key, value]) => IS_ERROR.test(key) && (isObject(value) || (typeof value === 'string' && value !== '')),
  );
  const isThrown = entries.some(([key]) => /^(?:message|stack|code|args|value)$/.test(key));
  for (const [key, value] of entries.sort(([a], [b]) => Number(IS_ERROR.test(a)) - Number(IS_ERROR.test(b)))) {
    if (IS_ADDRESS.test(key) && typeof value === 'string') read.addresses.push(value.slice(0, 512));
    if (IS_PAST.test(key)) continue;
    if (IS_CALLERS.test(key)) {
      // A request field may hold an answer that is printed where it does not belong.
      if (isObject(value)) readAddresses(value, read, 0);
      continue;
    }
    if (IS_CARRIER.test(key)) {
      const isThrownArgs =
        key === 'args' && isError && keys.some((other) => /type|class/.test(other)) && !keys.some(tellsMessage);
      const isAnswer = IS_ANSWER.test(place.parent) || isThrownArgs || (isErrorShaped(value) && !says);
      if (isAnswer) readField(value, { isError: true, parent: key }, read, depth);
      else if (isObject(value) && !says && !namesError) {
        readObject(value, { isError: false, parent: key }, read, depth + 1);
      }
      continue;
    }
    if (
      IS_NAMING.test(key) &&
      (says || namesError) &&
      !(key === 'name' && isThrown && typeof value === 'string' && IS_CLASS.test(value))
    ) {
      continue;
    }
    if (/^(?:message|event)$/.test(key) && isObject(value) && isMessage(value)) {
      readObject(value, { isError: false, parent: key }, read, depth + 1);
    } else readEntry(key, value, { isError, parent: key }, read, depth);
    if (isError && !namesError && !saysSomething(key)) readThrown(value, read, depth);
  }
}

/** A message as Telegram has it, sent or received: only what its fields call an error is one. */
const isMessage = (value: object): boolean => Object.keys(value).some((key) => IS_OF_MESSAGE.test(squash(key)));

/** A message on its way to somebody. */
const isSent = (value: object): boolean =>
  !isErrorShaped(value) && Object.keys(value).some((key) => /^(?:chat|chatid|peer|peerid)$/.test(squash(key)));

const tellsMessage = (key: string): boolean => /message|msg|^value$|text/.test(key);

const saysSomething = (key: string): boolean => IS_ERROR.test(key) || IS_SAID.test(key);

function readEntry(key: string, value: unknown, { isError }: Place, read: FieldsRead, depth: number): void {
  const namesError = IS_ERROR.test(key);
  const number = toNumber(value);
  if (number !== null) {
    const [isSeconds, ms] = IS_SECONDS.exec(key) ?? [];
    const isParameter = isSeconds !== undefined && (isError || key.startsWith('retry'));
    if (isParameter && (key !== 'value' || number < 1e9)) read.seconds.push(ms ? number / 1000 : number);
    if (isError && IS_CODE.test(key)) read.codes.push(number);
    if (isError && IS_END.test(key)) readEnd(number, read);
  } else if (typeof value === 'string') {
    const length = IS_SECONDS.test(key) || (isError && IS_LENGTH.test(key)) ? readLength(value) : null;
    if (length !== null) {
      read.seconds.push(length);
    } else if (isError && IS_END.test(key)) {
      readEnd(Date.parse(value) / 1000, read);
    } else if (namesError || (isError && (IS_SAID.test(key) || IS_NAMING.test(key) || IS_CODE.test(key)))) {
      readText(value, read, depth);
    }
  } else if (isObject(value)) {
    if (isError && IS_SAID.test(key) && isText(value)) readText(joinText(value), read, depth);
    else
      readObject(
        value,
        { isError: namesError || key === 'parameters' || (isError && isAboutError(key)), parent: key },
        read,
        depth + 1,
      );
  }
}

/** A field that nobody knows counts where its text is thrown, or an answer of Telegram's. */
function readThrown(value: unknown, read: FieldsRead, depth: number): void {
  if (typeof value === 'string' && (IS_THROWN.test(value) || isErrorShaped(value))) readText(value, read, depth);
}

/** An instant in seconds or milliseconds since 1970; a number before 2001 is none. */
function readEnd(instant: number, read: FieldsRead): void {
  const ms = instant >= EARLIEST_DATE * 1000 ? instant : instant * 1000;
  if (ms >= EARLIEST_DATE * 1000) read.ends.push(ms);
}

/** Objects within an error or a log's record that go on telling of it. */
const isAboutError = (key: string): boolean =>
  IS_SAID.test(key) ||
  IS_ANSWER.test(key) ||
  /^(?:values|errors|rpc|parameters|log|attributes|fields|meta|process)$/.test(key) ||
  key === '';

/** A list of lines, or of bytes, as journald writes a message that is no plain text. */
const isText = (value: unknown): value is (string | number)[] =>
  Array.isArray(value) &&
  value.length > 0 &&
  (value.every((item) => typeof item === 'string') ||
    (value.length > 8 && value.every((item) => typeof item === 'number' && item < 256)));

const joinText = (value: readonly (string | number)[]): string =>
  typeof value[0] === 'number' ? new TextDecoder().decode(Uint8Array.from(value as number[])) : value.join('\n');

function readList(list: readonly unknown[], place: Place, read: FieldsRead, depth: number): void {
  if (isText(list)) {
    if (place.isError) readText(joinText(list), read, depth);
    return;
  }
  // OpenTelemetry's attributes: `[{"key": "exception.message", "value": {"stringValue": "…"}}]`
  const pairs = list.flatMap((item) => (isObject(item) && typeof item['key'] === 'string' ? [toPair(item)] : []));
  if (pairs.length > 0 && pairs.length === list.length)
    return readObject(Object.fromEntries(pairs), place, read, depth);
  for (const item of list.slice(0, MAX_ENTRIES)) readField(item, place, read, depth);
}

const toPair = ({ key, value }: Record<string, unknown>): [string, unknown] => [
  String(key),
  isObject(value) ? (Object.values(value)[0] ?? null) : value,
];

function readField(value: unknown, place: Place, read: FieldsRead, depth: number): void {
  if (typeof value === 'string') readText(value, read, depth);
  else if (isObject(value)) readObject(value, place, read, depth + 1);
}

/** Only the address counts, of all that the caller tells of its request. */
function readAddresses(object: object, read: FieldsRead, depth: number): void {
  for (const [key, value] of Object.entries(object).slice(0, 100)) {
    if (typeof value === 'string' && IS_ADDRESS.test(squash(key))) read.addresses.push(value.slice(0, 512));
    else if (isObject(value) && depth < 2) readAddresses(value, read, depth + 1);
  }
}
