import type { ReplyBody } from '../../contracts/operations.js';
import { isoOrNull, toIso } from '../clock.js';
import type { JobRun } from '../store/fleet/job-runs.js';

/** A run of a job as replies tell it. */
export function describeRun(run: JobRun): ReplyBody<'admin.run-job'> {
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
