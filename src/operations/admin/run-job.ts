import { requestKey } from '../../store/history/answered-requests.js';
import { loadRequestedRun, requestRun } from '../../store/fleet/job-runs.js';
import { describeRun } from '../describe-run.js';
import type { AcceptedRequest, BatchContext, OperationHandler, Outcome } from '../../requests/handler.js';

type Request = AcceptedRequest<'admin.run-job'>;

/**
 * `admin.run-job`: asks for a run, which a worker takes up, and answers once it is over. The run is named by the
 * request, so a repeat finds it, also after a crash. Beside a run of the same job none is begun: it waits for its turn.
 */
export const runJob: OperationHandler<'admin.run-job'> = {
  handle: async (context, requests) => {
    const outcomes: Outcome<'admin.run-job'>[] = [];
    for (const request of requests) outcomes.push(await answerRun(context, request));
    return outcomes;
  },

  // The repeat tells how the run stands now, where it had not ended when it was answered.
  recall: async ({ sql }, repeats) => {
    const recalled: Record<string, unknown>[] = [];
    for (const { requestKey: key, stored } of repeats) {
      const run = await loadRequestedRun(sql, key);
      recalled.push(run === null ? stored : { success: true, ...describeRun(run) });
    }
    return recalled;
  },
};

async function answerRun({ sql, jobs }: BatchContext, request: Request): Promise<Outcome<'admin.run-job'>> {
  const { caller, messageId, waitsForMs } = request;
  const { job } = request.body;
  const key = requestKey({ caller: caller ?? '', messageId: messageId ?? '' });
  const own = await loadRequestedRun(sql, key);
  const run = own ?? (await requestRun(sql, { job, requestKey: key, instance: jobs.instance }));
  const isOver = own !== null && own.outcome !== null;
  const described = describeRun(run);
  return {
    reply: { success: true, ...described },
    deferred: !isOver && waitsForMs > 0,
    log: { job, state: described.state, ...run.counts },
  };
}
