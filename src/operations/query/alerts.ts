import type { ReplyBody } from '../../../contracts/operations.js';
import { toIso } from '../../clock.js';
import type { AcceptedRequest, BatchContext, OperationHandler, Outcome } from '../../requests/handler.js';
import { countAlerts, listAlerts, type ListedAlert } from '../../store/fleet/list-alerts.js';
import { cutPage, readCursor, usersSeen } from '../list-page.js';

/** `query.alerts`: what was raised, and whether it is over. */
export const alerts: OperationHandler<'query.alerts'> = {
  handle: async (context, requests) => {
    const outcomes: Outcome<'query.alerts'>[] = [];
    for (const request of requests) outcomes.push({ reply: { success: true, ...(await loadPage(context, request)) } });
    return outcomes;
  },
};

async function loadPage(
  context: BatchContext,
  { caller, body }: AcceptedRequest<'query.alerts'>,
): Promise<ReplyBody<'query.alerts'>> {
  const { state, severity = null, alert: kind = null, limit, cursor } = body;
  const filter = { users: usersSeen(context, { caller, body: {} }), state, severity, kind };
  // One more than fits tells whether a page follows.
  const [rows, totals] = await Promise.all([
    listAlerts(context.sql, filter, readCursor(cursor), limit + 1),
    context.largeCounts.of(JSON.stringify(['query.alerts', filter]), () => countAlerts(context.sql, filter)),
  ]);
  const { page, next_cursor } = cutPage(rows, limit, ({ raised_at: at, id }) => ({ at: at.getTime(), id }));
  return { alerts: page.map(describe), ...totals, next_cursor };
}

const describe = (row: ListedAlert): ReplyBody<'query.alerts'>['alerts'][number] => ({
  alert_id: row.id,
  alert: row.kind,
  subject: row.subject,
  severity: row.severity,
  data: row.data,
  raised_at: toIso(row.raised_at.getTime()),
  resolved_at: row.resolved_at === null ? null : toIso(row.resolved_at.getTime()),
});
