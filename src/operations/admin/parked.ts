import type { OperationHandler } from '../../requests/handler.js';
import { refuse } from '../../requests/refuse.js';

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
