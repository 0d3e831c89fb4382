import type { ParkedReply, ParkedRequest } from '../../../contracts/parked.js';
import type { FailureReply } from '../../../contracts/failures.js';
import type { OperationHandler } from '../../requests/handler.js';
import { refuse } from '../../requests/refuse.js';

export type ParkedAnswer = ({ success: true } & ParkedReply) | FailureReply;

/** Works on the parked messages, one request after the other in the whole installation. */
export interface ParkedDesk {
  /** Does what the request asks; `UNAVAILABLE` where the broker is away. Must not reject. */
  work: (request: { body: ParkedRequest; caller: string | null; requestId: string }) => Promise<ParkedAnswer>;
}

/**
 * `admin.parked`: answers what was done at the broker. That takes longer than a transaction may, so the first time a
 * request is asked it is only looked up whether it was answered before.
 */
export const parked: OperationHandler<'admin.parked'> = {
  handle: (_context, requests) =>
    Promise.resolve(
      requests.map(({ body, done }) =>
        done === undefined
          ? { reply: refuse('UNAVAILABLE'), deferred: true }
          : {
              reply: done,
              log: { action: body.action, parked_ids: body.parked_ids, reason: body.reason },
            },
      ),
    ),
};
