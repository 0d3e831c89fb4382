import { JOB_NAMES } from '../../../contracts/jobs.js';
import type { ReplyBody } from '../../../contracts/operations.js';
import { toIso } from '../../clock.js';
import { latestOccurrence, nextOccurrence } from '../../decide/jobs/cadence.js';
import { isOverdue } from '../../decide/jobs/claim-run.js';
import type { AcceptedRequest, BatchContext, OperationHandler, Outcome } from '../../requests/handler.js';
import { loadJobStates, loadLatestRuns } from '../../store/fleet/job-runs.js';
import { describeRun } from '../describe-run.js';

/** `query.jobs`: how the background jobs stand. */
export const jobs: OperationHandler<'query.jobs'> = {
  handle: async (context, requests) => {
    const outcomes: Outcome<'query.jobs'>[] = [];
    for (const request of requests) outcomes.push({ reply: { success: true, ...(await loadPage(context, request)) } });
    return outcomes;
  },
};

async function loadPage(
  { sql, settings, access }: BatchContext,
  { caller, body }: AcceptedRequest<'query.jobs'>,
): Promise<ReplyBody<'query.jobs'>> {
  const { job: wanted, runs, limit, cursor } = body;
  const seen = access.usersOf(caller) === '*' ? JOB_NAMES : [];
  const names = seen.filter((job) => wanted === undefined || job === wanted);
  const left = cursor === undefined ? names : names.slice(names.findIndex((job) => job === cursor) + 1);
  const page = left.slice(0, limit);
  const [{ now, states }, latest] = await Promise.all([loadJobStates(sql), loadLatestRuns(sql, page, runs)]);
  return {
    jobs: page.map((job) => {
      const next = nextOccurrence(settings.cadences[job], now);
      const doneAt = states.get(job)?.doneAt ?? null;
      return {
        job,
        cadence: settings.cadences[job].cron,
        next_run_at: toIso(next),
        overdue: doneAt !== null && isOverdue(doneAt, next - latestOccurrence(settings.cadences[job], now), now),
        runs: latest
          .filter((run) => run.job === job)
          .map((run) => {
            const { job: _, ...told } = describeRun(run);
            return { ...told, instance: run.instance };
          }),
      };
    }),
    total: names.length,
    total_is_at_least: false,
    next_cursor: left.length > limit ? (page.at(-1) ?? null) : null,
  };
}
