import { readPosition, writePosition } from '../../../contracts/event-position.js';
import type { ReplyBody } from '../../../contracts/operations.js';
import { toCloudEvent } from '../../broker/to-cloud-event.js';
import type { AcceptedRequest, BatchContext, OperationHandler, Outcome } from '../../requests/handler.js';
import { readFeed } from '../../requests/read-feed.js';
import { usersSeen } from '../list-page.js';

/** `query.events`: what was announced, in order, from a position on. */
export const events: OperationHandler<'query.events'> = {
  handle: async (context, requests) => {
    const outcomes: Outcome<'query.events'>[] = [];
    for (const request of requests) outcomes.push({ reply: { success: true, ...(await loadPage(context, request)) } });
    return outcomes;
  },
};

async function loadPage(
  context: BatchContext,
  request: AcceptedRequest<'query.events'>,
): Promise<ReplyBody<'query.events'>> {
  const { after, account_id: accountId = null, types = null, limit } = request.body;
  const filter = { users: usersSeen(context, request), accountId, types };
  const from = after === undefined ? null : readPosition(after);
  const { events: found, next } = await readFeed(context.sql, from, filter, limit);
  return {
    events: found.map(({ position, row }) => ({ position, event: toCloudEvent(row) })),
    next_after: writePosition(next),
  };
}
