import type { FailureReply } from '../../contracts/failures.js';

/** A request as a door hands it over: envelope checked, body parsed as JSON but not yet validated. */
export interface IncomingRequest {
  /** The routing key; may name no operation. */
  operation: string;
  /** Idempotency key; absent where the caller sent none (refused for operations that change state). */
  messageId: string | null;
  /** Identifies the request in logs, events and replies: the correlation id, else the message id. */
  requestId: string;
  /** Identity checked by the broker or the HTTP door; null where there is none. */
  caller: string | null;
  body: unknown;
  /** Past this instant the request is answered `DEADLINE_EXCEEDED` and has no effect. */
  deadlineAt: number | null;
  /** The same by this process's rising clock (`clock.monotonicMs`): of a caller who named no instant but a time to live. */
  expiresAt: number | null;
  /** W3C trace context of the caller. */
  traceparent: string | null;
  /**
   * Aborts when nobody waits for its answer here any more: its caller has gone, or the broker delivers it again. Absent
   * where the door does not hear of it.
   */
  gone?: AbortSignal;
  /**
   * Asks whether its caller has gone, for a door that has to find out; one that was there less than `toldMs` ago may
   * count as there. Must not reject.
   */
  hasGone?: (toldMs: number) => Promise<boolean>;
}

/** The answer to the caller: `{success: true, …fields}` or a failure. */
export type Reply = ({ success: true } & Record<string, unknown>) | FailureReply;

/**
 * Validates a request, puts it into the batch of its operation and resolves with its reply; never rejects.
 * `UNAVAILABLE`: a dependency is down, and nothing was changed or it is not known. `INTERNAL`: a defect, logged; nothing was changed.
 */
export type Dispatch = (request: IncomingRequest) => Promise<Reply>;
