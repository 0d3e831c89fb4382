import type { ReplyBody, RequestBody } from '../../../contracts/operations.js';
import { toIso } from '../../clock.js';
import type { AcceptedRequest, BatchContext, OperationHandler, Outcome } from '../../requests/handler.js';
import { countLeases, type LeaseRow, listLeases } from '../../store/fleet/list-leases.js';
import { cutPage, readCursor, usersSeen } from '../list-page.js';

/** `query.leases`: the open leases, whoever has them. */
export const leases: OperationHandler<'query.leases'> = {
  handle: async (context, requests) => {
    const outcomes: Outcome<'query.leases'>[] = [];
    for (const request of requests) outcomes.push({ reply: { success: true, ...(await loadPage(context, request)) } });
    return outcomes;
  },
};

async function loadPage(
  context: BatchContext,
  request: AcceptedRequest<'query.leases'>,
): Promise<ReplyBody<'query.leases'>> {
  const { limit, cursor }: RequestBody<'query.leases'> = request.body;
  const filter = {
    users: usersSeen(context, request),
    serviceName: request.body.service_name ?? null,
    accountId: request.body.account_id ?? null,
  };
  // One more than fits tells whether a page follows.
  const [rows, totals] = await Promise.all([
    listLeases(context.sql, filter, readCursor(cursor), limit + 1),
    context.largeCounts.of(JSON.stringify(['query.leases', filter]), () => countLeases(context.sql, filter)),
  ]);
  const { page, next_cursor } = cutPage(rows, limit, ({ expires_at: at, id }) => ({ at: at.getTime(), id }));
  return { leases: page.map(describe), ...totals, next_cursor };
}

const describe = (row: LeaseRow): ReplyBody<'query.leases'>['leases'][number] => ({
  lease_id: row.id,
  account_id: row.account_id,
  user_id: Number(row.user_id),
  phone: row.phone,
  service_name: row.service_name,
  caller: row.caller,
  purpose: row.purpose,
  target_channel: row.target_channel,
  fence: Number(row.fence),
  allocated_at: toIso(row.allocated_at.getTime()),
  expires_at: toIso(row.expires_at.getTime()),
  actions: row.actions ?? {},
});
