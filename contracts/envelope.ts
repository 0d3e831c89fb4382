/** What surrounds a request's body, and the bounds every door holds. */
export const ENVELOPE = {
  contentType: 'application/json',
  /** A larger body is refused before it is parsed. */
  maxBodyBytes: 256 * 1024,
  /** Deeper nesting is refused before it is parsed. */
  maxBodyDepth: 16,
  /** Requests are answered once and remembered this long. */
  replyKeptHours: 24,
  /** Header with an ISO 8601 instant; past it a request is answered `DEADLINE_EXCEEDED`. */
  deadlineHeader: 'x-deadline',
  /** Header of a reply that is a failure, and of a parked message. */
  errorCodeHeader: 'x-error-code',
} as const;

/** A content type that is `ENVELOPE.contentType`. */
export const JSON_TYPE = /^application\/json\s*(;\s*charset="?utf-?8"?\s*)?$/i;

/** https://www.w3.org/TR/trace-context/#traceparent-header */
export const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Where a reply may be written: direct reply-to, a server-named queue, or a queue named `reply.<anything>`. */
export const REPLY_TO_PATTERN = /^(amq\.rabbitmq\.reply-to(\..+)?|amq\.gen-.+|reply\..+)$/;
