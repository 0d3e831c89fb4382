import type { ReplyBody } from '../../../contracts/operations.js';
import { toIso } from '../../clock.js';
import type { AcceptedRequest, BatchContext, OperationHandler, Outcome } from '../../requests/handler.js';
import { countRecoveries, listRecoveries, type WaitingRow } from '../../store/fleet/list-recoveries.js';
import { cutPage, readCursor, usersSeen } from '../list-page.js';

/** `query.recoveries`: the accounts that wait, and for what. */
export const recoveries: OperationHandler<'query.recoveries'> = {
  handle: async (context, requests) => {
    const outcomes: Outcome<'query.recoveries'>[] = [];
    for (const request of requests) outcomes.push({ reply: { success: true, ...(await loadPage(context, request)) } });
    return outcomes;
  },
};

async function loadPage(
  context: BatchContext,
  request: AcceptedRequest<'query.recoveries'>,
): Promise<ReplyBody<'query.recoveries'>> {
  const { limit, cursor, within_seconds: withinSeconds } = request.body;
  const withinMs = withinSeconds === undefined ? null : withinSeconds * 1000;
  const filter = { users: usersSeen(context, request), withinMs };
  // One more than fits tells whether a page follows.
  const [rows, totals] = await Promise.all([
    listRecoveries(context.sql, filter, readCursor(cursor), limit + 1),
    context.largeCounts.of(JSON.stringify(['query.recoveries', filter]), () => countRecoveries(context.sql, filter)),
  ]);
  const { page, next_cursor } = cutPage(rows, limit, ({ recovers_at: at, id }) => ({ at: at.getTime(), id }));
  return { recoveries: page.map(describe), ...totals, next_cursor };
}

const describe = (row: WaitingRow): ReplyBody<'query.recoveries'>['recoveries'][number] => ({
  account_id: row.id,
  user_id: Number(row.user_id),
  phone: row.phone,
  status: row.status,
  classified_as: row.error_class,
  telegram_error: row.telegram_error,
  began_at: row.began_at === null ? null : toIso(row.began_at.getTime()),
  recovers_at: toIso(row.recovers_at.getTime()),
});
