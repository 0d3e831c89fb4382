/** The envelope of a request's body, and the bounds every door holds. */
export const ENVELOPE = {
  contentType: 'application/json',
  /** A larger body is refused before it is parsed. */
  maxBodyBytes: 256 * 1024,
  /** Deeper nesting is refused before it is parsed. */
  maxBodyDepth: 16,
  /** More values (texts, numbers, objects, …) are refused before they are parsed: reading them would hold up everybody. */
  maxBodyValues: 40_000,
  /** More fields in one object are refused before they are validated. */
  maxObjectFields: 2_000,
  /** Requests are answered once and remembered this long. */
  replyKeptHours: 24,
  /** Header with an ISO 8601 instant; past it a request is answered `DEADLINE_EXCEEDED`. */
  deadlineHeader: 'x-deadline',
  /** Header of a reply that is a failure, and of a parked message. */
  errorCodeHeader: 'x-error-code',
} as const;

/** RFC 9110, section 8.3.1: a media type and its parameters, each of which may be empty. */
const JSON_TYPE = /^[ \t]*application\/json[ \t]*(;.*)?$/i;
const PARAMETER = /;[ \t]*(?:([\w!#$%&'*+.^`|~-]+)=(?:([\w!#$%&'*+.^`|~-]+)|"((?:[^"\\]|\\.)*)")[ \t]*)?/y;
/** ASCII is UTF-8, too. */
const UTF8_NAMES = /^(utf-?8|us-ascii|ascii)$/i;

/**
 * Whether a content type is JSON in UTF-8. Parameters other than `charset` mean nothing for JSON and are ignored
 * (RFC 8259, section 11).
 */
export function isJsonType(contentType: string): boolean {
  const match = JSON_TYPE.exec(contentType);
  if (match === null) return false;
  const parameters = match[1] ?? '';
  for (let at = 0; at < parameters.length; at = PARAMETER.lastIndex) {
    PARAMETER.lastIndex = at;
    const [parameter, name, token, quoted] = PARAMETER.exec(parameters) ?? [];
    if (parameter === undefined) return false;
    if (name?.toLowerCase() === 'charset' && !UTF8_NAMES.test(token ?? quoted ?? '')) return false;
  }
  return true;
}

/**
 * Content encodings that leave the bytes as they are. Kombu names the character set here, or `binary` where the program
 * has encoded the text itself; `7bit` and `8bit` come from mail.
 */
export const PLAIN_ENCODING = /^\s*(identity|utf-?8|binary|us-ascii|ascii|7bit|8bit)?\s*$/i;

/** https://www.w3.org/TR/trace-context/#traceparent-header */
export const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Where a reply may be written: direct reply-to, a server-named queue, or a queue named `reply.<anything>`. */
export const REPLY_TO_PATTERN = /^(amq\.rabbitmq\.reply-to(\..+)?|amq\.gen-.+|reply\..+)$/;
