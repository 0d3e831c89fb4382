import { fromIso } from '../../clock.js';
import { loadReport } from '../../store/fleet/reports.js';
import type { OperationHandler, Outcome } from '../../requests/handler.js';

/** `query.report`: what the report job has written down. */
export const report: OperationHandler<'query.report'> = {
  handle: async ({ sql }, requests) => {
    const outcomes: Outcome<'query.report'>[] = [];
    for (const { body } of requests) {
      const { report_id: reportId = null, at } = body;
      const found = await loadReport(sql, { reportId, at: at === undefined ? null : fromIso(at) });
      outcomes.push({ reply: { success: true, report: found } });
    }
    return outcomes;
  },
};
