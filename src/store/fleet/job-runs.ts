import { JOB_NAMES, type JobName } from '../../../contracts/jobs.js';
import { type Claim, decideClaim, type JobState } from '../../decide/jobs/claim-run.js';
import type { Database, Sql } from '../database.js';

/** Marks the advisory locks of job claims among others in the database. */
const CLAIM_LOCKS = 0x4a52;

/** Counts of a job's work, by name. */
export type Counts = Record<string, number>;

/** How an attempt ended. `failed` and `interrupted` leave the run open: it is tried again, by whoever comes first. */
export type AttemptOutcome = 'done' | 'failed' | 'interrupted';

export interface JobRun {
  job: JobName;
  /** With the job, the name of the run: its occurrence; of one asked for by hand, when it was asked for. */
  scheduledFor: number;
  /** The instance that has begun it last, or was asked for it. */
  instance: string;
  attempt: number;
  /** Null: it was asked for, and nobody has begun it. */
  startedAt: number | null;
  leaseUntil: number;
  finishedAt: number | null;
  /** Null: waiting or running. */
  outcome: AttemptOutcome | 'replaced' | 'skipped' | null;
  counts: Counts;
  error: string | null;
}

interface RunRow {
  job: JobName;
  scheduled_for: Date;
  request_key: string | null;
  instance: string;
  attempt: number;
  started_at: Date | null;
  lease_until: Date;
  finished_at: Date | null;
  outcome: JobRun['outcome'];
  counts: Counts;
  error: string | null;
}

const toRun = (row: RunRow): JobRun => ({
  job: row.job,
  scheduledFor: row.scheduled_for.getTime(),
  instance: row.instance,
  attempt: row.attempt,
  startedAt: row.started_at?.getTime() ?? null,
  leaseUntil: row.lease_until.getTime(),
  finishedAt: row.finished_at?.getTime() ?? null,
  outcome: row.outcome,
  counts: row.counts,
  error: row.error,
});

export interface ClaimWish {
  job: JobName;
  instance: string;
  /** How long the run is the claimant's without being renewed. */
  leaseMs: number;
  /** The occurrence that is due at an instant of the database's clock. */
  occurrenceAt: (now: number) => number;
}

/** The run that is now the claimant's, else why there is none. */
export type ClaimedRun =
  | { run: JobRun; claim: Claim; now: number }
  | { run: null; claim: 'busy' | 'done'; now: number };

/** Claims what is to be run of a job now: of all who ask, in whatever order, one gets each run. */
export function claimRun(database: Database, { job, instance, leaseMs, occurrenceAt }: ClaimWish): Promise<ClaimedRun> {
  return database.transaction(async (sql) => {
    await lockJob(sql, job);
    const { now, states } = await loadJobStates(sql);
    const state = states.get(job) ?? { open: null, latestScheduledFor: null };
    const occurrence = occurrenceAt(now);
    const claim = decideClaim(state, occurrence, now);
    if (claim === 'busy' || claim === 'done') return { run: null, claim, now };
    if (claim === 'replace') await replaceOpenRun(sql, job, now);
    const scheduledFor = claim === 'take_over' && state.open !== null ? state.open.scheduledFor : occurrence;
    const leaseUntil = new Date(now + leaseMs);
    const [row] = await sql.$queryRaw<RunRow[]>`
      INSERT INTO job_runs AS r (job, scheduled_for, instance, attempt, started_at, lease_until)
      VALUES (${job}, ${new Date(scheduledFor)}, ${instance}, 1, ${new Date(now)}, ${leaseUntil})
      ON CONFLICT (job, scheduled_for) DO UPDATE SET instance = EXCLUDED.instance, attempt = r.attempt + 1,
        started_at = COALESCE(r.started_at, EXCLUDED.started_at), lease_until = EXCLUDED.lease_until, outcome = NULL
      RETURNING *`;
    if (row === undefined) throw new Error('a run was neither begun nor taken over');
    return { run: toRun(row), claim, now };
  });
}

/** One claim at a time per job; the rows have the last word all the same. */
async function lockJob(sql: Sql, job: JobName): Promise<void> {
  await sql.$executeRaw`SELECT pg_advisory_xact_lock(${CLAIM_LOCKS}::integer, hashtext(${job}))`;
}

async function replaceOpenRun(sql: Sql, job: JobName, now: number): Promise<void> {
  await sql.$executeRaw`
    UPDATE job_runs SET outcome = 'replaced', finished_at = ${new Date(now)} WHERE job = ${job} AND finished_at IS NULL`;
}

interface StateRow {
  now: Date;
  job: JobName;
  latest: Date | null;
  done: Date | null;
  open: Date | null;
  lease_until: Date | null;
  working: boolean;
  requested: boolean;
}

/** The database's clock, and what is known of the runs of every job. */
export async function loadJobStates(
  sql: Sql,
): Promise<{ now: number; states: Map<JobName, JobState & { doneAt: number | null }> }> {
  const rows = await sql.$queryRaw<StateRow[]>`
    SELECT date_trunc('milliseconds', clock_timestamp()) AS now, j.job, latest.scheduled_for AS latest, done.finished_at AS done,
      open.scheduled_for AS open, open.lease_until, open.request_key IS NOT NULL AS requested,
      open.outcome IS NULL AND open.attempt > 0 AS working
    FROM unnest(${[...JOB_NAMES]}::text[]) AS j(job)
    LEFT JOIN LATERAL (
      SELECT scheduled_for FROM job_runs r WHERE r.job = j.job ORDER BY scheduled_for DESC LIMIT 1) latest ON true
    LEFT JOIN LATERAL (
      SELECT finished_at FROM job_runs r WHERE r.job = j.job AND outcome IN ('done', 'skipped')
      ORDER BY scheduled_for DESC LIMIT 1) done ON true
    LEFT JOIN job_runs open ON open.job = j.job AND open.finished_at IS NULL`;
  const states = rows.map(({ job, latest, done, open, lease_until: leaseUntil, working, requested }) => {
    const openRun =
      open === null || leaseUntil === null
        ? null
        : { scheduledFor: open.getTime(), leaseUntil: leaseUntil.getTime(), working, requested };
    const state = { latestScheduledFor: latest?.getTime() ?? null, doneAt: done?.getTime() ?? null, open: openRun };
    return [job, state] as const;
  });
  return { now: rows[0]?.now.getTime() ?? 0, states: new Map(states) };
}

/** The latest runs of jobs, the newest first, at most so many of each. */
export async function loadLatestRuns(sql: Sql, jobs: readonly JobName[], each: number): Promise<JobRun[]> {
  const rows = await sql.$queryRaw<RunRow[]>`
    SELECT r.* FROM unnest(${jobs}::text[]) AS j(job) CROSS JOIN LATERAL (
      SELECT * FROM job_runs WHERE job = j.job ORDER BY scheduled_for DESC LIMIT ${each}::integer) r
    ORDER BY r.scheduled_for DESC`;
  return rows.map(toRun);
}

/** Notes occurrences of jobs that have never run as had, so that the first start owes nothing. */
export async function skipRuns(
  sql: Sql,
  runs: readonly { job: JobName; scheduledFor: number }[],
  instance: string,
): Promise<void> {
  for (const { job, scheduledFor } of runs) {
    await sql.$executeRaw`
      INSERT INTO job_runs (job, scheduled_for, instance, lease_until, finished_at, outcome)
      VALUES (${job}, ${new Date(scheduledFor)}, ${instance}, now(), now(), 'skipped') ON CONFLICT DO NOTHING`;
  }
}

/** Prolongs the lease of a run under way; false when it is no longer the claimant's. */
export async function renewRun(sql: Sql, run: JobRun, leaseMs: number): Promise<boolean> {
  const renewed = await sql.$executeRaw`
    UPDATE job_runs SET lease_until = clock_timestamp() + ${leaseMs}::float8 * interval '1 millisecond'
    WHERE job = ${run.job} AND scheduled_for = ${new Date(run.scheduledFor)} AND attempt = ${run.attempt}
      AND finished_at IS NULL AND outcome IS NULL`;
  return renewed === 1;
}

/** Ends an attempt; false when the run is no longer the claimant's. `restMs`: until a failed one is tried again. */
export async function endAttempt(
  sql: Sql,
  run: JobRun,
  { outcome, counts, error, restMs }: { outcome: AttemptOutcome; counts: Counts; error: string | null; restMs: number },
): Promise<boolean> {
  const ended = await sql.$executeRaw`
    UPDATE job_runs SET outcome = ${outcome}, counts = ${JSON.stringify(counts)}::jsonb, error = ${error},
      finished_at = CASE WHEN ${outcome} = 'done' THEN clock_timestamp() END,
      lease_until = clock_timestamp() + ${restMs}::float8 * interval '1 millisecond'
    WHERE job = ${run.job} AND scheduled_for = ${new Date(run.scheduledFor)} AND attempt = ${run.attempt}
      AND finished_at IS NULL AND outcome IS NULL`;
  return ended === 1;
}

/** The run that a request has asked for; null: none yet. */
export async function loadRequestedRun(sql: Sql, requestKey: string): Promise<JobRun | null> {
  const [row] = await sql.$queryRaw<RunRow[]>`SELECT * FROM job_runs WHERE request_key = ${requestKey}`;
  return row === undefined ? null : toRun(row);
}

/**
 * Asks for a run by hand, to be taken up by any worker, in place of an open one that nobody works on. Beside one that
 * somebody works on, or that somebody else has just asked for, none is asked for: that one is answered.
 */
export async function requestRun(
  sql: Sql,
  { job, requestKey, instance }: { job: JobName; requestKey: string; instance: string },
): Promise<JobRun> {
  await lockJob(sql, job);
  const [open] = await sql.$queryRaw<(RunRow & { now: Date })[]>`
    SELECT r.*, clock_timestamp() AS now FROM job_runs r WHERE job = ${job} AND finished_at IS NULL`;
  if (open !== undefined) {
    const isWaiting = open.attempt === 0;
    if (open.outcome === null && (isWaiting || open.lease_until > open.now)) return toRun(open);
    await replaceOpenRun(sql, job, open.now.getTime());
  }
  const [row] = await sql.$queryRaw<RunRow[]>`
    INSERT INTO job_runs (job, scheduled_for, request_key, instance, lease_until)
    VALUES (${job}, date_trunc('milliseconds', clock_timestamp()), ${requestKey}, ${instance}, clock_timestamp())
    RETURNING *`;
  if (row === undefined) throw new Error('a run could not be asked for');
  return toRun(row);
}
