import { JOB_NAMES, type JobName } from '../../contracts/jobs.js';
import { clock, toIso } from '../clock.js';
import { type Cadence, latestOccurrence, nextOccurrence } from '../decide/jobs/cadence.js';
import { isOverdue } from '../decide/jobs/claim-run.js';
import { type Alert, alertOf, compareAlerts } from '../decide/jobs/compare-alerts.js';
import { loadOpenAlerts, settleAlerts, type StoredAlert } from '../store/fleet/alerts.js';
import type { Database } from '../store/database.js';
import type { loadJobStates } from '../store/fleet/job-runs.js';

export interface OverdueWatchOptions {
  database: Database;
  cadences: Readonly<Record<JobName, Cadence>>;
  /** The alerts that are open, at every look. */
  onAlerts: (alerts: readonly StoredAlert[]) => void;
  /** How long a job that was missed while nothing was up may take to be caught up before it counts as dead. */
  graceMs: number;
}

const OVERDUE = 'job_overdue';

/** State of each job's runs. */
type JobStates = Awaited<ReturnType<typeof loadJobStates>>['states'];

/**
 * Raises an alert about a job that has not finished for twice its cadence, and resolves it once it has.
 * @returns one look at the jobs' states, as they were at `now`
 */
export function watchOverdue(options: OverdueWatchOptions): (states: JobStates, now: number) => Promise<void> {
  const { database, cadences, onAlerts, graceMs } = options;
  /** Since when each late job has been seen late, by this machine's rising clock. */
  const lateSince = new Map<JobName, number>();

  /**
   * Once that was said it stays until the job has finished, whatever is tried meanwhile, and whatever an instance
   * thinks that has only just come up or has another cadence.
   */
  function isDead(job: JobName, states: JobStates, now: number, raisedAt: number | null): boolean {
    const { doneAt = null, open = null } = states.get(job) ?? {};
    if (raisedAt !== null) return doneAt === null || doneAt <= raisedAt;
    const cadenceMs = nextOccurrence(cadences[job], now) - latestOccurrence(cadences[job], now);
    if (doneAt === null || !isOverdue(doneAt, cadenceMs, now)) {
      lateSince.delete(job);
      return false;
    }
    const since = lateSince.get(job) ?? clock.monotonicMs();
    lateSince.set(job, since);
    const isWorkedOn = open !== null && open.working && open.leaseUntil > now;
    return !isWorkedOn && clock.monotonicMs() - since >= graceMs;
  }

  /** Job by job, since another instance may be settling another one. */
  return async (states, now) => {
    const open = await loadOpenAlerts(database.reader);
    onAlerts(open);
    const overdue = open.filter(({ kind }) => kind === OVERDUE);
    const raisedAt = new Map(overdue.map((alert) => [alert.subject, alert.raisedAt]));
    const found = JOB_NAMES.filter((job) => isDead(job, states, now, raisedAt.get(job) ?? null)).map((job) =>
      alertAbout(job, states),
    );
    const { raise, resolve } = compareAlerts(overdue, found);
    for (const { subject } of [...raise, ...resolve]) {
      await settleAlerts(
        database,
        [OVERDUE],
        found.filter((alert) => alert.subject === subject),
        subject,
      );
    }
  };
}

function alertAbout(job: JobName, states: JobStates): Alert {
  const doneAt = states.get(job)?.doneAt ?? null;
  return alertOf(OVERDUE, job, { job, last_done_at: doneAt === null ? null : toIso(doneAt) });
}
