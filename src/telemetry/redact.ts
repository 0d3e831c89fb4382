import { types } from 'node:util';

/**
 * The last line of defence: callers keep secrets out of what they log and answer, and this catches what slipped
 * through. Known by its key: sessions, phone numbers, passwords, tokens. Known by its looks: session strings and keys,
 * tokens of bots, phone numbers with their `+`, the credentials inside a URL.
 */

const SECRET_KEY =
  /(session|session_?(data|string)|auth_?key|encryption_?key|api_?hash|phones?|phone_?numbers?|password|secret|token|authorization)$/i;
const SESSION_LENGTH = 300;
/** The shortest session string in use has 348 characters. */
const SESSION_STRING = new RegExp(`[A-Za-z0-9+/_-]{${SESSION_LENGTH},}={0,2}`, 'g');
/** A piece of one, or of a key in hexadecimal: longer than hashes, and without the slashes of paths. */
const PIECE_LENGTH = 80;
const SESSION_PIECE = new RegExp(`[A-Za-z0-9+_-]{${PIECE_LENGTH},}={0,2}`, 'g');
const BOT_TOKEN = /\b\d{6,12}:[A-Za-z0-9_-]{30,}/g;
const BOT_TOKEN_LENGTH = 37;
const PHONE_NUMBER = /\+\d(?:[ ().-]{0,2}\d){6,14}/g;
/** Starts at the colon, not at the scheme, so that the time it takes grows with the length of the text only. */
const URL_CREDENTIALS = /:\/\/[^\s/"]*@/g;
/** Longer texts are cut: a log line is for reading. */
const MAX_TEXT = 8192;
const MAX_CAUSES = 5;
const REDACTED = '[redacted]';

/** A text without what looks like a session string, a key, a token, a phone number or the credentials of a URL. */
export const hideSecrets = (text: string): string => {
  let clean = text;
  if (clean.length >= SESSION_LENGTH) clean = clean.replace(SESSION_STRING, REDACTED);
  if (clean.length >= PIECE_LENGTH) clean = clean.replace(SESSION_PIECE, REDACTED);
  if (clean.length >= BOT_TOKEN_LENGTH && clean.includes(':')) clean = clean.replace(BOT_TOKEN, REDACTED);
  if (clean.includes('+')) clean = clean.replace(PHONE_NUMBER, REDACTED);
  if (clean.includes('://')) clean = clean.replace(URL_CREDENTIALS, `://${REDACTED}@`);
  return clean;
};

/** A text without secrets, cut to 8192 characters. */
const redactText = (text: string): string => {
  // A session string that begins before the cut is seen long enough to be known by its length.
  const clean = hideSecrets(text.length > MAX_TEXT ? text.slice(0, MAX_TEXT + SESSION_LENGTH) : text);
  return text.length > MAX_TEXT ? `${clean.slice(0, MAX_TEXT)}… (${text.length} characters)` : clean;
};

/** Whatever realm it is of (test runners have several); an abort is a DOMException, which is no native error. */
const isError = (value: unknown): value is Error => types.isNativeError(value) || value instanceof DOMException;

/** What is worth reading of an error; its other properties may hold whole requests, settings or secrets. */
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
  if (SECRET_KEY.test(key)) return REDACTED;
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return value.toString();
  if (isError(value)) return describeError(value);
  if (ArrayBuffer.isView(value) || isBufferJson(value)) return '[bytes]';
  return value;
};

/** A Buffer has been through its `toJSON` when a replacer sees it. */
const isBufferJson = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer' && 'data' in value;
