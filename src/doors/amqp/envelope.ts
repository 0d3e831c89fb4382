import type { ConsumeMessage } from 'amqplib';
import { ENVELOPE, isJsonType, PLAIN_ENCODING, REPLY_TO_PATTERN, TRACEPARENT } from '../../../contracts/envelope.js';
import type { FailureReply } from '../../../contracts/failures.js';
import { RETRY_STEPS } from '../../../contracts/topology.js';
import { UNREAD_HEADERS } from '../../broker/limit-headers.js';
import { refuse, refuseInvalid } from '../../requests/refuse.js';
import type { Issue } from '../decode-message.js';
import { DEADLINE_RULE, readDeadline } from '../read-deadline.js';
import { readMessageId } from '../read-message-id.js';

/** The envelope of a message (contract, section 2), as far as it is sound. */
export interface Envelope {
  /** The routing key. */
  operation: string;
  messageId: string | null;
  /** Echoed in the reply; the message id where it is missing. */
  correlationId: string | null;
  /** Where to answer; null where none is given or the one given is refused. */
  replyTo: string | null;
  /** The identity the broker has checked. */
  caller: string | null;
  /** How often the message has been through the retry ladder. */
  attempt: number;
  deadlineAt: number | null;
  /** When its `expiration` is over, by this process's rising clock, milliseconds. */
  expiresAt: number | null;
  traceparent: string | null;
}

/** Set on a message that is sent up the retry ladder, for its way back. */
export const ORIGINAL_USER_HEADER = 'x-original-user-id';
export const ATTEMPT_HEADER = 'x-attempt';

/** U+FFFD stands for bytes that are no UTF-8. */
const UNPRINTABLE = /\p{Cc}|\ufffd/u;

/**
 * Reads a message's properties and headers. `refusal`: the first fault of form, else all faults of single fields.
 * @param ownUser the AMQP user of this service
 * @param receivedAt by this process's rising clock; the broker counts the `expiration` from earlier on
 * @param mayBeAnsweredAt whether the caller may have its reply written to a queue of that name
 */
export function readEnvelope(
  message: ConsumeMessage,
  ownUser: string,
  receivedAt: number,
  mayBeAnsweredAt: (caller: string | null, replyTo: string) => boolean = () => true,
): { envelope: Envelope; refusal: FailureReply | null } {
  const { properties, fields } = message;
  const messageId = optionalText(properties.messageId);
  const correlationId = optionalText(properties.correlationId);
  const replyTo = optionalText(properties.replyTo);
  const deadlineAt = readDeadline(readHeader(message, ENVELOPE.deadlineHeader));
  const expiration = optionalText(properties.expiration);
  const traceparent = readHeader(message, 'traceparent');
  const returned = hasReturned(message, ownUser);
  const caller = returned ? optionalText(readHeader(message, ORIGINAL_USER_HEADER)) : optionalText(properties.userId);
  const isWritable = replyTo !== null && REPLY_TO_PATTERN.test(replyTo) && mayBeAnsweredAt(caller, replyTo);

  const malformed = (rule: string) => refuse('MALFORMED_MESSAGE', { message: rule });
  let refusal: FailureReply | null = null;
  if (readHeader(message, UNREAD_HEADERS) !== undefined) refusal = malformed('headers: must be at most 8 KiB');
  else if (replyTo !== null && !REPLY_TO_PATTERN.test(replyTo)) {
    refusal = malformed('reply_to: must be direct reply-to, a server-named queue or a queue named reply.<anything>');
  } else if (replyTo !== null && !isWritable) {
    refusal = malformed(
      'reply_to: must be direct reply-to, a server-named queue, reply.<own name> or reply.<own name>.…',
    );
  } else if (!isJsonType(optionalText(properties.contentType) ?? ENVELOPE.contentType)) {
    refusal = malformed(`content_type: must be ${ENVELOPE.contentType}`);
  } else if (!PLAIN_ENCODING.test(optionalText(properties.contentEncoding) ?? '')) {
    refusal = malformed('content_encoding: must be absent, utf-8, us-ascii or binary');
  }

  const issues: Issue[] = [];
  const messageUuid = messageId === null ? null : readMessageId(messageId);
  if (messageId !== null && messageUuid === null) issues.push({ path: 'message_id', message: 'must be a UUID' });
  if (correlationId !== null && UNPRINTABLE.test(correlationId)) {
    issues.push({ path: 'correlation_id', message: 'must be printable UTF-8' });
  }
  if (deadlineAt === undefined) issues.push({ path: ENVELOPE.deadlineHeader, message: DEADLINE_RULE });
  refusal ??= issues.length > 0 ? refuseInvalid(issues) : null;

  return {
    envelope: {
      operation: fields.routingKey,
      messageId: messageUuid,
      correlationId: correlationId ?? messageId,
      replyTo: isWritable ? replyTo : null,
      caller,
      attempt: returned ? countAttempts(readHeader(message, ATTEMPT_HEADER)) : 0,
      deadlineAt: deadlineAt ?? null,
      // The broker takes no expiration but whole milliseconds.
      expiresAt: expiration === null ? null : receivedAt + Number(expiration),
      traceparent: typeof traceparent === 'string' && TRACEPARENT.test(traceparent) ? traceparent : null,
    },
    refusal,
  };
}

/** A header of the message's own: never one that a `__proto__` header has slipped under it. */
export function readHeader(message: ConsumeMessage, name: string): unknown {
  const headers: unknown = message.properties.headers;
  if (typeof headers !== 'object' || headers === null || !Object.hasOwn(headers, name)) return undefined;
  return (headers as Record<string, unknown>)[name];
}

/** A death the broker has noted in the message's headers, the latest first. */
export interface Death {
  queue: string;
  reason: string;
  routingKey: string | null;
}

/** The message's deaths; a caller can forge them, so whatever is not of their shape is left out. */
export function readDeaths(message: ConsumeMessage): Death[] {
  const deaths = readHeader(message, 'x-death');
  if (!Array.isArray(deaths)) return [];
  return deaths.flatMap((death: unknown) => {
    if (typeof death !== 'object' || death === null) return [];
    const { queue, reason, 'routing-keys': keys } = death as Record<string, unknown>;
    if (typeof queue !== 'string' || typeof reason !== 'string') return [];
    const [key] = Array.isArray(keys) ? (keys as unknown[]) : [];
    return [{ queue, reason, routingKey: typeof key === 'string' ? key : null }];
  });
}

const RETRY_QUEUES: ReadonlySet<string> = new Set(RETRY_STEPS.map((step) => step.name));

/**
 * Whether this service sent the message up the retry ladder itself. The broker lets nobody else set this service's
 * user on a message, so only then do the headers that were set for the way back speak the truth.
 */
function hasReturned(message: ConsumeMessage, ownUser: string): boolean {
  return message.properties.userId === ownUser && readDeaths(message).some((death) => RETRY_QUEUES.has(death.queue));
}

const optionalText = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

const countAttempts = (value: unknown): number => (Number.isSafeInteger(value) ? Math.max(0, value as number) : 0);
