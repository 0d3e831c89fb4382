import { createHash } from 'node:crypto';
import type { ConsumeMessage } from 'amqplib';
import { ENVELOPE } from '../../../contracts/envelope.js';
import { FAILURE_CODES, type FailureCode } from '../../../contracts/failures.js';
import { instant } from '../../../contracts/fields.js';
import type { ParkedMessage } from '../../../contracts/parked.js';
import { fromIso, toIso } from '../../clock.js';
import { judgeReplay, type ParkedFacts } from '../../decide/messages/judge-replay.js';
import { nameId } from '../../store/history/announce.js';
import { ATTEMPT_HEADER, ORIGINAL_USER_HEADER, readHeader } from './envelope.js';
import { ERROR_MESSAGE_HEADER, ORIGINAL_KEY_HEADER, PARKED_AT_HEADER, REDACTED_HEADER } from './messages.js';
import { redactBody } from './redact-body.js';

/** A parked message, as its headers tell it; one that was parked more than once has several copies. */
export interface ParkedEntry extends ParkedFacts {
  parkedId: string;
  copies: number;
  reason: string;
  caller: string | null;
  messageId: string | null;
  correlationId: string | null;
  traceparent: string | null;
  attempts: number;
  bytes: number;
  /** Where it is wanted: every copy of it, to be settled. */
  messages: ConsumeMessage[];
}

const MAX_BODY_SHOWN = 64 * 1024;
const MAX_TEXT_SHOWN = 1_024;

/** Reads a message from the parked queue. Anybody may have put it there: headers of another shape count as missing. */
export function readParked(message: ConsumeMessage, ownUser: string): ParkedEntry {
  const { content } = message;
  const properties = message.properties as unknown as Record<string, unknown>;
  const header = (name: string): string | null => textOrNull(readHeader(message, name));
  const operation = header(ORIGINAL_KEY_HEADER) ?? '';
  const caller = header(ORIGINAL_USER_HEADER);
  const messageId = textOrNull(properties.messageId);
  const isOwn = properties.userId === ownUser;
  const code = header(ENVELOPE.errorCodeHeader);
  const parkedAt = instant.safeParse(header(PARKED_AT_HEADER));
  const attempts = readHeader(message, ATTEMPT_HEADER);
  return {
    parkedId: nameParked([operation, caller, messageId, isOwn], content),
    copies: 1,
    operation,
    code: FAILURE_CODES.find((known) => known === code) ?? (null as FailureCode | null),
    reason: header(ERROR_MESSAGE_HEADER) ?? '',
    caller,
    messageId,
    correlationId: textOrNull(properties.correlationId),
    traceparent: header('traceparent'),
    attempts: typeof attempts === 'number' ? attempts : 0,
    bytes: content.length,
    isOwn,
    isRedacted: readHeader(message, REDACTED_HEADER) === true,
    parkedAt: parkedAt.success ? fromIso(parkedAt.data) : null,
    messages: [message],
  };
}

/** By what it says: a message that was parked once more, since its first copy's confirm was lost, is the same. */
function nameParked(of: readonly unknown[], content: Buffer): string {
  return nameId(`parked ${createHash('sha256').update(JSON.stringify(of)).update(content).digest('hex')}`);
}

/** Adds a copy to what was found; its content is held only where it is wanted. */
export function addCopy(entries: Map<string, ParkedEntry>, entry: ParkedEntry, wanted: ReadonlySet<string>): void {
  if (!wanted.has(entry.parkedId)) entry.messages = [];
  const known = entries.get(entry.parkedId);
  if (known === undefined) {
    entries.set(entry.parkedId, entry);
    return;
  }
  known.copies += 1;
  known.messages.push(...entry.messages);
  // As long ago as the first of them: its age decides whether what became of it can still be known.
  known.parkedAt = known.parkedAt === null || entry.parkedAt === null ? null : Math.min(known.parkedAt, entry.parkedAt);
  known.isRedacted ||= entry.isRedacted;
}

/** A parked message as an operator sees it. */
export async function describeParked(entry: ParkedEntry, now: number, withBody: boolean): Promise<ParkedMessage> {
  const { parkedId, copies, parkedAt, operation, code, reason, caller, messageId, correlationId, attempts, bytes } =
    entry;
  const content = withBody ? entry.messages[0]?.content : undefined;
  const shown = content && (await redactBody(content, operation)).toString('utf8', 0, MAX_BODY_SHOWN);
  return {
    parked_id: parkedId,
    copies,
    parked_at: parkedAt === null ? null : toIso(parkedAt),
    operation: printable(operation),
    code,
    reason: printable(reason),
    caller: caller && printable(caller),
    message_id: messageId && printable(messageId),
    correlation_id: correlationId && printable(correlationId),
    attempts,
    bytes,
    obstacle: judgeReplay(entry, { now, force: false }),
    ...(shown !== undefined && { body: printable(shown, MAX_BODY_SHOWN) }),
  };
}

const textOrNull = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

/** The text, cut and cleaned so that a reply can carry it and the database can store it. */
const printable = (text: string, most = MAX_TEXT_SHOWN): string =>
  text.slice(0, most).replaceAll(/[\0\p{Surrogate}]/gu, '\ufffd');
