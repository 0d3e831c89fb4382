import { randomUUID } from 'node:crypto';
import type { ConsumeMessage, MessageProperties } from 'amqplib';
import { ENVELOPE } from '../../../contracts/envelope.js';
import type { Failure } from '../../../contracts/failures.js';
import { EXCHANGES, PARKED, RETRY_HEADER, RETRY_STEPS } from '../../../contracts/topology.js';
import type { OutgoingMessage } from '../../broker/publish.js';
import { clock, toIso } from '../../clock.js';
import type { Reply } from '../../requests/request.js';
import { hideSecrets } from '../../telemetry/redact.js';
import { ATTEMPT_HEADER, type Envelope, ORIGINAL_USER_HEADER, readHeader } from './envelope.js';
import { redactBody } from './redact-body.js';

/** Headers of the caller's that a message keeps when it is published again; all others are dropped. */
const KEPT_HEADERS = [ENVELOPE.deadlineHeader, 'traceparent', 'tracestate'];
const MAX_HEADER_LENGTH = 1024;
/** AMQP's short strings. */
const MAX_PROPERTY_BYTES = 255;
/** The broker takes this one for a request to be given a reply address, and closes the channel of who has none. */
const UNRESOLVED_REPLY_TO = 'amq.rabbitmq.reply-to';

/** The answer to a request, as the contract's section 3 has it. */
export function buildReply(replyTo: string, envelope: Envelope, reply: Reply): OutgoingMessage {
  return {
    exchange: '',
    routingKey: replyTo,
    content: Buffer.from(JSON.stringify(reply)),
    options: {
      contentType: ENVELOPE.contentType,
      type: shortText(envelope.operation),
      messageId: randomUUID(),
      correlationId: shortText(envelope.correlationId),
      headers: {
        ...(!reply.success && { [ENVELOPE.errorCodeHeader]: reply.error.code }),
        ...(envelope.traceparent !== null && { traceparent: envelope.traceparent }),
      },
    },
  };
}

/**
 * The same request, to come back after a delay. It is this service's message now: the caller's user travels as a
 * header, and its `expiration` as the deadline it amounts to, since the broker would count it anew.
 */
export function buildRetry(
  message: ConsumeMessage,
  envelope: Envelope,
  step: (typeof RETRY_STEPS)[number],
  ownUser: string,
): OutgoingMessage {
  const deadlineAt = deadlineOf(envelope);
  return {
    exchange: EXCHANGES.retry.name,
    routingKey: envelope.operation,
    content: message.content,
    options: {
      ...copyProperties(message),
      userId: ownUser,
      headers: {
        ...copyHeaders(message),
        ...(deadlineAt !== null && { [ENVELOPE.deadlineHeader]: toIso(deadlineAt) }),
        ...(envelope.caller !== null && { [ORIGINAL_USER_HEADER]: envelope.caller }),
        [ATTEMPT_HEADER]: envelope.attempt + 1,
        [RETRY_HEADER]: step.header,
      },
    },
  };
}

function deadlineOf({ deadlineAt, expiresAt }: Envelope): number | null {
  if (expiresAt === null) return deadlineAt;
  return Math.min(deadlineAt ?? Number.POSITIVE_INFINITY, clock.now() + expiresAt - clock.monotonicMs());
}

/** Headers of a parked message, beside the failure's code, the caller and the attempts. */
export const ERROR_MESSAGE_HEADER = 'x-error-message';
export const ORIGINAL_KEY_HEADER = 'x-original-routing-key';
export const PARKED_AT_HEADER = 'x-parked-at';
export const REDACTED_HEADER = 'x-redacted';

const holdsSecrets = (text: string): boolean => hideSecrets(text) !== text;

/** A message for the operator, sent by this service: whole but for secrets, with when and why it was given up. */
export async function buildParked(
  message: ConsumeMessage,
  envelope: Envelope,
  error: Failure,
  { ownUser, now }: { ownUser: string; now: number },
): Promise<OutgoingMessage> {
  const { operation, caller, messageId } = envelope;
  const content = await redactBody(message.content, operation);
  const isRedacted = content !== message.content || [operation, caller ?? '', messageId ?? ''].some(holdsSecrets);
  return {
    exchange: '',
    routingKey: PARKED.name,
    content,
    options: {
      ...withoutSecrets(copyProperties(message)),
      userId: ownUser,
      headers: withoutSecrets({
        ...copyHeaders(message),
        [ENVELOPE.errorCodeHeader]: error.code,
        [ERROR_MESSAGE_HEADER]: error.message.slice(0, MAX_HEADER_LENGTH),
        [ORIGINAL_KEY_HEADER]: operation,
        [PARKED_AT_HEADER]: toIso(now),
        ...(isRedacted && { [REDACTED_HEADER]: true }),
        ...(caller !== null && { [ORIGINAL_USER_HEADER]: caller }),
        ...(envelope.attempt > 0 && { [ATTEMPT_HEADER]: envelope.attempt }),
      }),
    },
  };
}

/** The caller's properties that describe the message; never `user_id`, `expiration`, `CC` or `BCC`. */
function copyProperties(message: ConsumeMessage): OutgoingMessage['options'] {
  const properties: Record<keyof MessageProperties, unknown> = message.properties;
  const { contentType, contentEncoding, correlationId, replyTo, messageId, timestamp, type, appId } = properties;
  return {
    persistent: true,
    mandatory: true,
    contentType: shortText(contentType),
    contentEncoding: shortText(contentEncoding),
    correlationId: shortText(correlationId),
    replyTo: replyTo === UNRESOLVED_REPLY_TO ? undefined : shortText(replyTo),
    messageId: shortText(messageId),
    timestamp: Number.isSafeInteger(timestamp) ? (timestamp as number) : undefined,
    type: shortText(type),
    appId: shortText(appId),
  };
}

/** The same with secrets hidden in its texts; but a reply address, which is the broker's, stays as it is. */
const withoutSecrets = <T extends object>(values: T): T =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]: [string, unknown]) => [
      name,
      typeof value === 'string' && name !== 'replyTo' ? hideSecrets(value) : value,
    ]),
  ) as T;

function copyHeaders(message: ConsumeMessage): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of KEPT_HEADERS) {
    const value = readHeader(message, name);
    if (typeof value === 'string' && value.length <= MAX_HEADER_LENGTH) kept[name] = value;
  }
  return kept;
}

/** Bytes that are no UTF-8 were read as longer ones, so a text that came in may not fit on its way out. */
const shortText = (value: unknown): string | undefined =>
  typeof value === 'string' && Buffer.byteLength(value) <= MAX_PROPERTY_BYTES ? value : undefined;
