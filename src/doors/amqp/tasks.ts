import { randomUUID } from 'node:crypto';
import { isOperationName, OPERATION_NAMES, OPERATIONS } from '../../../contracts/operations.js';
import { type RequestQueue, RETRY_STEPS } from '../../../contracts/topology.js';
import type { Delivery } from '../../broker/consume.js';
import type { AskAddressGone } from '../../broker/reply-address.js';
import { clock } from '../../clock.js';
import { refuse } from '../../requests/refuse.js';
import type { Dispatch, IncomingRequest, Reply } from '../../requests/request.js';
import { hideSecrets } from '../../telemetry/redact.js';
import { type Envelope, readDeaths, readEnvelope } from './envelope.js';
import { type DecodedBody, decodeBody } from '../decode-message.js';
import type { Gate } from '../gate.js';

/** One message on its way through the door. */
export interface Task {
  delivery: Delivery;
  envelope: Envelope;
  requestId: string;
  /** Gets the answer; asked again after a dependency was away. */
  ask: () => Promise<Reply>;
  /** How often the request has failed before. */
  attempt: number;
  /** An operator waits for the answer. */
  admin: boolean;
  /** Called once it is answered or given up. */
  leave: () => void;
}

/** Resources that messages are read with. */
export interface Reader {
  /** The AMQP user of this service. */
  ownUser: string;
  dispatch: Dispatch;
  gate: Gate;
  /** Whether nobody reads what is sent to a reply address any more; must not reject. */
  askAddressGone: AskAddressGone;
}

/** Operations that have no required field: a client may send them without a body. */
const WITHOUT_FIELDS: ReadonlySet<string> = new Set(
  OPERATION_NAMES.filter((name) => OPERATIONS[name].request.safeParse({}).success),
);

/** A message from a request queue. */
export function readRequest(delivery: Delivery, queue: RequestQueue, reader: Reader): Task {
  const { ownUser, dispatch, gate, askAddressGone } = reader;
  const { message } = delivery;
  const { envelope, refusal } = readEnvelope(message, ownUser, clock.monotonicMs(), gate.mayBeAnsweredAt);
  const requestId = nameRequest(envelope);
  const { operation, caller, attempt } = envelope;
  // A message that a consumer had before may have had its effect: nobody may be told that nothing was done.
  const again = attempt > 0 || message.fields.redelivered;
  const entry = gate.enter({ door: 'amqp', caller, operation, requestId, again });
  const leave = entry.ok ? entry.leave : () => {};
  const task = { delivery, envelope, requestId, attempt, admin: queue === 'admin', leave };
  const answer = (reply: Reply): Task => ({ ...task, ask: () => Promise.resolve(reply) });

  if (!entry.ok) return answer(entry.refusal);
  if (refusal !== null) return answer(refusal);
  // Queues are guarded by permissions, so an operation must not be reachable through another's queue.
  if (isOperationName(operation) && OPERATIONS[operation].queue !== queue) {
    return answer(refuse('UNKNOWN_OPERATION', { message: `routing key: ${operation} is not served on this queue` }));
  }
  const decoded = decode(operation, message.content);
  if (!decoded.ok) return answer(decoded.refusal);
  const { replyTo } = envelope;
  const request = {
    ...toRequest(envelope, requestId, decoded.body),
    // Nothing else waits for so long that its caller may go meanwhile.
    ...(operation === 'account.allocate' && {
      gone: delivery.lost,
      ...(replyTo !== null && { hasGone: (toldMs: number) => askAddressGone(replyTo, toldMs) }),
    }),
  };
  return { ...task, ask: () => dispatch(request) };
}

/**
 * A message from the dead-letter queue. A message that expired is dispatched with its time over. It has no effect any
 * more. If it had one before a process died with it, its stored reply is found. One that was delivered too often may be
 * what kills its consumers and is not looked into again. The ladder is behind both.
 *
 * A message that was delivered too often had been let in. Every other one comes to a gate for the first time and is
 * charged to its caller, who could otherwise evade its limits by letting requests expire.
 */
export function readDeadLetter(delivery: Delivery, { ownUser, dispatch, gate }: Reader): Task {
  const { message } = delivery;
  const [death] = readDeaths(message);
  const { envelope: read, refusal } = readEnvelope(message, ownUser, clock.monotonicMs(), gate.mayBeAnsweredAt);
  const envelope = { ...read, operation: death?.routingKey ?? read.operation };
  const requestId = nameRequest(envelope);
  const { operation, caller } = envelope;
  const again = death !== undefined && death.reason !== 'expired';
  const entry = gate.enter({ door: 'amqp', caller, operation, requestId, again });
  const leave = entry.ok ? entry.leave : () => {};
  const task = { delivery, envelope, requestId, attempt: RETRY_STEPS.length, admin: false, leave };
  if (!entry.ok) return { ...task, ask: () => Promise.resolve(entry.refusal) };

  // Headers that are not read tell nothing of its death either.
  if (death === undefined && refusal !== null) return { ...task, ask: () => Promise.resolve(refusal) };
  if (death?.reason !== 'expired') {
    const reason = death === undefined ? 'sent to the dead letters' : `given up by the broker: ${death.reason}`;
    return { ...task, ask: () => Promise.resolve(refuse('INTERNAL', { message: reason })) };
  }
  const expired = refuse('DEADLINE_EXCEEDED', { message: 'the request expired before it was served' });
  const decoded = refusal === null ? decode(operation, message.content) : null;
  if (!decoded?.ok) return { ...task, ask: () => Promise.resolve(expired) };
  const request = { ...toRequest(envelope, requestId, decoded.body), expiresAt: 0 };
  return { ...task, ask: () => dispatch(request) };
}

const decode = (operation: string, content: Buffer): DecodedBody =>
  content.length === 0 && WITHOUT_FIELDS.has(operation) ? { ok: true, body: {} } : decodeBody(content, operation);

/** Name of the request in logs and events. Callers choose `correlation_id` freely, so secrets in it are hidden. */
const nameRequest = ({ correlationId }: Envelope): string =>
  correlationId === null ? randomUUID() : hideSecrets(correlationId);

function toRequest(envelope: Envelope, requestId: string, body: unknown): IncomingRequest {
  const { operation, messageId, caller, deadlineAt, expiresAt, traceparent } = envelope;
  return { operation, messageId, requestId, caller, body, deadlineAt, expiresAt, traceparent };
}
