import { JOB_NAMES, type JobName } from '../../contracts/jobs.js';
import { clock, toIso } from '../clock.js';
import { type Cadence, latestOccurrence, nextOccurrence } from '../decide/cadence.js';
import { decideClaim, isOverdue } from '../decide/claim-run.js';
import { type Alert, compareAlerts } from '../decide/compare-alerts.js';
import type { JobStarter } from '../operations/handler.js';
import { loadOpenAlerts, settleAlerts, type StoredAlert } from '../store/alerts.js';
import type { Database } from '../store/database.js';
import { loadJobStates, skipRuns } from '../store/job-runs.js';
import type { Log } from '../telemetry/log.js';

export interface RunWatchOptions {
  database: Database;
  cadences: Readonly<Record<JobName, Cadence>>;
  jobs: JobStarter;
  log: Log;
  /** The alerts that are open, at every look. */
  onAlerts: (alerts: readonly StoredAlert[]) => void;
  /** How long a job that was missed while nothing was up may take to be caught up before it counts as dead. */
  graceMs?: number;
}

export interface RunWatch {
  start: () => void;
  stop: () => Promise<void>;
  /** One look; `start` takes them by the clock. */
  look: () => Promise<void>;
}

const LOOK_MS = 10_000;
const GRACE_MS = 60_000;
const OVERDUE = 'job_overdue';

type States = Awaited<ReturnType<typeof loadJobStates>>['states'];

/**
 * Looks after the runs: starts what was missed, what failed and has rested, and what a dead worker has left; raises an
 * alert about a job that has not finished for twice its cadence. Every instance looks, and each run is claimed once.
 */
export function watchRuns({ database, cadences, jobs, log, onAlerts, graceMs = GRACE_MS }: RunWatchOptions): RunWatch {
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> = Promise.resolve();
  let catchingUp: Promise<void> | null = null;
  /** Since when each late job has been seen late, by this machine's rising clock. */
  const lateSince = new Map<JobName, number>();

  async function look(): Promise<void> {
    const { now, states } = await loadJobStates(database.reader);
    // The first start owes nothing: what is missed is missed from now on.
    const never = JOB_NAMES.filter((job) => states.get(job)?.latestScheduledFor === null);
    const begun = never.map((job) => ({ job, scheduledFor: latestOccurrence(cadences[job], now) }));
    await skipRuns(database.reader, begun, jobs.instance);
    const due = JOB_NAMES.filter((job) => !never.includes(job) && isDue(job, states, now));
    catchingUp ??= startInTurn(due).finally(() => (catchingUp = null));
    await settleOverdue(states, now);
  }

  function isDue(job: JobName, states: States, now: number): boolean {
    const state = states.get(job);
    if (state === undefined) return false;
    const claim = decideClaim(state, latestOccurrence(cadences[job], now), now);
    return claim !== 'busy' && claim !== 'done';
  }

  /** One after the other, since a machine that comes up has more to do. */
  async function startInTurn(due: readonly JobName[]): Promise<void> {
    for (const job of due) await jobs.start(job);
  }

  async function settleOverdue(states: States, now: number): Promise<void> {
    const found = JOB_NAMES.flatMap((job) => (isDead(job, states, now) ? [alertOf(job, states)] : []));
    const open = await loadOpenAlerts(database.reader);
    onAlerts(open);
    const { raise, resolve } = compareAlerts(
      open.filter(({ kind }) => kind === OVERDUE),
      found,
    );
    if (raise.length + resolve.length > 0) await settleAlerts(database, [OVERDUE], found);
  }

  function isDead(job: JobName, states: States, now: number): boolean {
    const { doneAt = null, open = null } = states.get(job) ?? {};
    const cadenceMs = nextOccurrence(cadences[job], now) - latestOccurrence(cadences[job], now);
    const isWorkedOn = open !== null && open.working && open.leaseUntil > now;
    const isLate = doneAt !== null && isOverdue(doneAt, cadenceMs, now) && !isWorkedOn;
    if (!isLate) {
      lateSince.delete(job);
      return false;
    }
    const since = lateSince.get(job) ?? clock.monotonicMs();
    lateSince.set(job, since);
    return clock.monotonicMs() - since >= graceMs;
  }

  const lookSafely = (): void => {
    looking = look().catch((error: unknown) => log.warn('job runs not looked at', { error }));
  };
  return {
    start: () => {
      lookSafely();
      timer = setInterval(lookSafely, LOOK_MS);
    },
    stop: async () => {
      clearInterval(timer);
      await looking;
    },
    look,
  };
}

function alertOf(job: JobName, states: States): Alert {
  const doneAt = states.get(job)?.doneAt ?? null;
  return {
    kind: OVERDUE,
    subject: job,
    severity: 'critical',
    data: { job, last_done_at: doneAt === null ? null : toIso(doneAt) },
  };
}
