import { types } from 'node:util';

/**
 * The last line of defence: callers keep secrets out of what they log and answer, and this catches what slipped
 * through. Known by its key: sessions, phone numbers, passwords, tokens. Known by its looks: session strings and keys,
 * tokens of bots, phone numbers with their `+`, credentials before a host. Values that a text itself calls a phone
 * number, a password or the like are known, too.
 */

const SECRET_KEY =
  /(session|session_?(data|string)|auth_?key|encryption_?key|api_?hash|phones?|phone_?numbers?|password|secret|token|authorization)$/i;
/** A key is known by its end, so a longer one is cut to so many characters before it is looked at. */
const KEY_END_LENGTH = 32;
/*
 * The time of each pattern grows only with the length of the text, whatever the text is. A run of characters is looked
 * at from its first character alone (the look-behinds), and the character after a run cannot be part of it.
 */
const SESSION_LENGTH = 300;
/** The shortest session string in use has 348 characters. */
const SESSION_STRING = new RegExp(`(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{${SESSION_LENGTH},}={0,2}`, 'g');
/** A piece of one, in a URL too, or of a key in hexadecimal: longer than hashes, and without the slashes of paths. */
const PIECE_LENGTH = 80;
const SESSION_PIECE = new RegExp(
  `(?<![A-Za-z0-9+_-])(?<!%(?=2[BFbf]))(?:[A-Za-z0-9+_-]|%2[BFbf]){${PIECE_LENGTH},}={0,2}`,
  'g',
);
/** Four pieces or more with line ends or spaces between, three if they are long: so mail and terminals fold. */
const FOLDED_SESSION =
  /(?<![A-Za-z0-9+/_-])(?:(?:[A-Za-z0-9+/_-]{24,}(?:\s|\\{1,4}[nr]){1,4}){3,}|(?:[A-Za-z0-9+/_-]{60,}(?:\s|\\{1,4}[nr]){1,4}){2,})[A-Za-z0-9+/_-]+={0,2}/g;
const FOLDED_LENGTH = 100;
/** Bytes as debuggers print them. */
const HEX_DUMP = /(?<![0-9a-f])(?<![0-9a-f]{2}[ :])(?:[0-9a-f]{2,}[ :]){15,}[0-9a-f]{2,}/gi;
const HEX_DUMP_LENGTH = 47;
/** One byte as Python prints it, with the plain characters and line ends that may stand before the next one. */
const PRINTED_BYTE = /\\{1,4}x[0-9a-f]{2}[^\\"]{0,8}(?:\\{1,4}[nrt][^\\"]{0,8})*/gi;
const MIN_PRINTED_BYTES = 12;
/** In the path of Telegram's bot API the word `bot` stands right before it. */
const BOT_TOKEN = /(?<!\d)\d{6,12}:[A-Za-z0-9_-]{30,}/g;
const BOT_TOKEN_LENGTH = 37;
const PHONE_NUMBER = /(?:[+\uff0b]|%2b)\d(?:[\s().-]{0,2}\d){6,14}/gi;
/** Without a `+` it is known by the word before it alone. */
const NAMED_PHONE_NUMBER = /(phone[^\d]{0,16})\d(?:[\s().-]{0,2}\d){6,14}/gi;
/** `password=…`, `"token": "…"`, in quotes within quotes too. */
const NAMED_SECRET =
  /((?:session|session_?(?:data|string)|auth_?key|encryption_?key|api_?hash|passw(?:or)?d|secret|token)(?:\s?=\s?\\{0,4}["']?|\\{0,4}["']\s?:\s?\\{0,4}["']))[^\s"'\\,;&]{6,}/gi;
const BEARER = /\b(bearer\s+)[\w.~+/-]{8,}=*/gi;
/** Starts at the colon, not at the scheme. */
const URL_CREDENTIALS = /:\/\/[^\s/"]*@/g;
/** The same without a scheme, as proxies are written; right after a slash the first word is part of a path. */
const HOST_CREDENTIALS = /(?<![\w.%+-])((?<=\/)\w*[.%+-]|(?<!\/))[\w.%+-]+:[^\s:/@"'\\]{1,128}@(?=[\w[])/g;
/** Each of the six patterns above needs one of these; most texts have none. */
const HINT = /["'=+\uff0b%@]|phone|bearer/i;
/** Longer texts are cut: a log line is for reading. */
const MAX_TEXT = 8192;
const MAX_CAUSES = 5;
const REDACTED = '[redacted]';

/** A text without what looks like a session string, a key, a token, a phone number or the credentials of a URL. */
export const hideSecrets = (text: string): string => {
  let clean = text;
  if (clean.length >= SESSION_LENGTH) clean = clean.replace(SESSION_STRING, REDACTED);
  if (clean.length >= PIECE_LENGTH) clean = clean.replace(SESSION_PIECE, REDACTED);
  if (clean.length >= FOLDED_LENGTH) clean = clean.replace(FOLDED_SESSION, REDACTED);
  if (clean.length >= HEX_DUMP_LENGTH) clean = clean.replace(HEX_DUMP, REDACTED);
  if (clean.includes('\\x')) clean = hidePrintedBytes(clean);
  if (clean.length >= BOT_TOKEN_LENGTH && clean.includes(':')) clean = clean.replace(BOT_TOKEN, REDACTED);
  if (!HINT.test(clean)) return clean;
  clean = clean.replace(PHONE_NUMBER, REDACTED).replace(NAMED_PHONE_NUMBER, `$1${REDACTED}`);
  clean = clean.replace(NAMED_SECRET, `$1${REDACTED}`).replace(BEARER, `$1${REDACTED}`);
  if (clean.includes('://')) clean = clean.replace(URL_CREDENTIALS, `://${REDACTED}@`);
  if (clean.includes('@')) clean = clean.replace(HOST_CREDENTIALS, `$1${REDACTED}@`);
  return clean;
};

/** Twelve printed bytes or more that follow one another are hidden. One pattern for all would look at each byte twelve times. */
function hidePrintedBytes(text: string): string {
  let clean = '';
  let keptTo = 0;
  let run = { from: 0, to: 0, bytes: 0 };
  const endRun = (): void => {
    if (run.bytes < MIN_PRINTED_BYTES) return;
    clean += text.slice(keptTo, run.from) + REDACTED;
    keptTo = run.to;
  };
  for (const { index, 0: byte } of text.matchAll(PRINTED_BYTE)) {
    if (index !== run.to || run.bytes === 0) {
      endRun();
      run = { from: index, to: index, bytes: 0 };
    }
    run.to = index + byte.length;
    run.bytes += 1;
  }
  endRun();
  return clean + text.slice(keptTo);
}

/** A text without secrets, cut to 8192 characters. */
const redactText = (text: string): string => {
  // A session string that begins before the cut is seen long enough to be known by its length.
  const clean = hideSecrets(text.length > MAX_TEXT ? text.slice(0, MAX_TEXT + SESSION_LENGTH) : text);
  return text.length > MAX_TEXT ? `${clean.slice(0, MAX_TEXT)}… (${text.length} characters)` : clean;
};

/** Whatever realm it is of (test runners have several); an abort is a DOMException, which is no native error. */
const isError = (value: unknown): value is Error => types.isNativeError(value) || value instanceof DOMException;

/** The part of an error that is worth reading; its other properties may hold whole requests, settings or secrets. */
const describeError = (error: Error, causesLeft = MAX_CAUSES): Record<string, unknown> => {
  const describeInner = (inner: unknown): unknown => {
    if (!isError(inner)) return inner;
    return causesLeft > 0 ? describeError(inner, causesLeft - 1) : inner.name;
  };
  return {
    name: error.name,
    message: error.message,
    code: 'code' in error ? error.code : undefined,
    stack: error.stack,
    cause: describeInner(error.cause),
    // Several failed connection attempts arrive as one AggregateError whose own message is empty.
    errors:
      'errors' in error && Array.isArray(error.errors)
        ? error.errors.slice(0, MAX_CAUSES).map(describeInner)
        : undefined,
  };
};

/** A `JSON.stringify` replacer: hides secrets, describes errors, and writes what JSON has no form for. */
export const redact = (key: string, value: unknown): unknown => {
  if (value === null || value === undefined) return value;
  if (SECRET_KEY.test(key.slice(-KEY_END_LENGTH))) return REDACTED;
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return value.toString();
  if (isError(value)) return describeError(value);
  if (ArrayBuffer.isView(value) || isBufferJson(value)) return '[bytes]';
  return value;
};

/** A Buffer has been through its `toJSON` when a replacer sees it. */
const isBufferJson = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer' && 'data' in value;
