import type { ReplyBody } from '../../../contracts/operations.js';
import { requestKey } from '../../store/history/answered-requests.js';
import { type JobRun, loadRequestedRun, requestRun } from '../../store/fleet/job-runs.js';
import { isoOrNull, toIso } from '../../clock.js';
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

  // Of a run that had not ended when it was answered, the repeat tells how it stands now.
  recall: async ({ sql }, repeats) => {
    const recalled: Record<string, unknown>[] = [];
    for (const { requestKey: key, stored } of repeats) {
      const run = await loadRequestedRun(sql, key);
      recalled.push(run === null ? stored : { success: true, ...describe(run) });
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
  return {
    reply: { success: true, ...describe(run) },
    deferred: !isOver && waitsForMs > 0,
    log: { job, state: stateOf(run), ...run.counts },
  };
}

function describe(run: JobRun): ReplyBody<'admin.run-job'> {
  return {
    job: run.job,
    scheduled_for: toIso(run.scheduledFor),
    state: stateOf(run),
    attempt: run.attempt,
    started_at: isoOrNull(run.startedAt),
    finished_at: isoOrNull(run.finishedAt),
    counts: run.counts,
    failure: run.error,
  };
}

const stateOf = ({ outcome, attempt }: JobRun): ReplyBody<'admin.run-job'>['state'] =>
  outcome ?? (attempt === 0 ? 'waiting' : 'running');
