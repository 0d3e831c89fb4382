import type { CloudEvent } from '../../contracts/events.js';
import type { OperationName } from '../../contracts/operations.js';
import type { Reply } from '../../src/requests/request.js';

/** A request as its caller knows it, under one `message_id` however often it was sent. */
export interface LedgerRequest {
  messageId: string;
  door: 'amqp' | 'http';
  operation: OperationName;
  body: Record<string, unknown>;
  /** The caller repeats it until it is answered. */
  repeats: boolean;
  /** When it was sent, again and again. */
  sentAt: number[];
  /** How often the broker has confirmed it. */
  confirmed: number;
  /** Every answer that came, in order of arrival. */
  answers: { at: number; reply: Reply }[];
}

/** The facts as seen from outside: written by callers and subscribers, never by the service. Instants of one clock. */
export interface Ledger {
  requests: Map<string, LedgerRequest>;
  /** In order of arrival, repeats included. */
  events: CloudEvent[];
  now: () => number;
}

export const createLedger = (): Ledger => ({ requests: new Map(), events: [], now: () => performance.now() });

/** Whether the request is done with. The other two say that nothing happened: the repeat is tried again. */
export const isFinal = (reply: Reply): boolean =>
  reply.success || (reply.error.code !== 'UNAVAILABLE' && reply.error.code !== 'INTERNAL');

export const finalReplyOf = (request: LedgerRequest): Reply | undefined =>
  request.answers.find(({ reply }) => isFinal(reply))?.reply;
