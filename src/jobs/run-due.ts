import type { JobName } from '../../contracts/jobs.js';
import { clock, toIso } from '../clock.js';
import { retryDelayMs } from '../decide/jobs/claim-run.js';
import type { JobLocks } from '../redis/job-locks.js';
import {
  type AttemptOutcome,
  claimRun,
  type Counts,
  endAttempt,
  type JobRun,
  renewRun,
} from '../store/fleet/job-runs.js';
import type { Job, JobContext } from './job.js';

export interface RunOptions {
  instance: string;
  jobLocks: JobLocks;
  leaseMs: number;
  timeoutMs: number;
  /** The occurrence that is due at an instant of the database's clock. */
  occurrenceAt: (now: number) => number;
  /** Aborts at the shutdown. */
  cancel: AbortSignal;
}

/** Result of an attempt, for the log and the metrics. */
export interface RunSummary {
  job: JobName;
  scheduledFor: number;
  outcome: AttemptOutcome;
  /** Counts of this attempt. The run's row has the sum over all attempts. */
  counts: Counts;
  durationMs: number;
  /** From the occurrence to the start. */
  lagMs: number;
}

/** Begins a lease's third renewal before it ends. */
const RENEWALS_PER_LEASE = 3;

/**
 * Runs a job's occurrence that is due, unless somebody else does: claims it, works, and writes how it ended. A failed
 * run rests and is tried again; one that was interrupted is anybody's at once. Null: there was nothing to run.
 */
export async function runDue(context: JobContext, job: Job, options: RunOptions): Promise<RunSummary | null> {
  const { instance, jobLocks, leaseMs, occurrenceAt } = options;
  const lock = await jobLocks.acquire(job.name, leaseMs);
  if (lock?.kind === 'held') return null;
  try {
    const { run, now } = await claimRun(context.database, { job: job.name, instance, leaseMs, occurrenceAt });
    if (run !== null && run.attempt > 1)
      context.log.info(`the run of ${job.name} is taken over here, attempt ${run.attempt}`);
    return run === null ? null : await attempt(context, job, run, now, lock?.value ?? null, options);
  } finally {
    if (lock !== null) await jobLocks.release(job.name, lock.value);
  }
}

async function attempt(
  context: JobContext,
  job: Job,
  run: JobRun,
  startedAt: number,
  lockValue: string | null,
  { jobLocks, leaseMs, timeoutMs, cancel }: RunOptions,
): Promise<RunSummary> {
  const { database } = context;
  const log = context.log.child({ job: job.name, scheduled_for: toIso(run.scheduledFor), attempt: run.attempt });
  const counts: Counts = {};
  const timeUp = AbortSignal.timeout(timeoutMs);
  const lost = new AbortController();
  const signal = AbortSignal.any([cancel, timeUp, lost.signal]);
  const renewal = setInterval(() => {
    renewRun(database.reader, run, leaseMs).then(
      (isOurs) => {
        if (!isOurs) lost.abort();
        else if (lockValue !== null) void jobLocks.extend(job.name, lockValue, leaseMs);
      },
      (error: unknown) => log.warn('job lease not renewed', { error }),
    );
  }, leaseMs / RENEWALS_PER_LEASE);

  const from = clock.monotonicMs();
  let error: unknown = null;
  try {
    await job.run(
      { ...context, log },
      {
        scheduledFor: run.scheduledFor,
        signal,
        count: (name, quantity) => {
          counts[name] = (counts[name] ?? 0) + quantity;
        },
      },
    );
  } catch (thrown) {
    error = thrown;
  } finally {
    clearInterval(renewal);
  }
  if (error === null && timeUp.aborted) error = new Error(`not finished within ${timeoutMs} ms`);
  const outcome = error !== null ? 'failed' : signal.aborted ? 'interrupted' : 'done';
  const durationMs = clock.monotonicMs() - from;

  const isOurs = await endAttempt(database.reader, run, {
    outcome,
    counts: addCounts(run.counts, counts),
    error: error === null ? null : describe(error),
    restMs: outcome === 'failed' ? retryDelayMs(run.attempt) : 0,
  }).catch((thrown: unknown) => {
    log.warn('the outcome of the job was not written; the job is tried again once its lease is over', {
      error: thrown,
    });
    return true;
  });
  const fields = { ...counts, outcome, duration_ms: Math.round(durationMs) };
  if (!isOurs) log.warn('job run was taken over while it worked', fields);
  else if (error !== null) log.error('job failed', { ...fields, error });
  else log[Object.values(counts).some((count) => count > 0) ? 'info' : 'debug']('job ended', fields);
  return {
    job: job.name,
    scheduledFor: run.scheduledFor,
    outcome,
    counts,
    durationMs,
    lagMs: Math.max(0, startedAt - run.scheduledFor),
  };
}

const addCounts = (before: Counts, more: Counts): Counts =>
  Object.entries(more).reduce((sum, [name, quantity]) => ({ ...sum, [name]: (sum[name] ?? 0) + quantity }), before);

/** The error in one line, for the row. */
const describe = (error: unknown): string =>
  (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, 500);
