import { JOB_NAMES, type JobName } from '../../contracts/jobs.js';
import { waitAtMost } from '../broker/wait-at-most.js';
import { type Cadence, latestOccurrence } from '../decide/jobs/cadence.js';
import { decideClaim, type JobState } from '../decide/jobs/claim-run.js';
import type { JobStarter } from '../requests/handler.js';
import type { StoredAlert } from '../store/fleet/alerts.js';
import { classifyDatabaseFault, type Database } from '../store/database.js';
import { loadJobStates, skipRuns } from '../store/fleet/job-runs.js';
import type { Log } from '../telemetry/log.js';
import { watchOverdue } from './watch-overdue.js';

export interface RunWatchOptions {
  database: Database;
  cadences: Readonly<Record<JobName, Cadence>>;
  jobs: JobStarter;
  log: Log;
  /** The alerts that are open, at every look. */
  onAlerts: (alerts: readonly StoredAlert[]) => void;
  /** When the last run of a job that was done ended, ms since 1970, at every look. */
  onDone: (job: JobName, doneAt: number) => void;
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
/** How long the next job that is due waits for the one before. */
const TURN_MS = 2_000;

/**
 * Looks after the runs: starts what was missed, what failed and has rested, and what a dead worker has left; raises an
 * alert about a job that has not finished for twice its cadence. Every instance looks, and each run is claimed once.
 */
export function watchRuns(options: RunWatchOptions): RunWatch {
  const { database, cadences, jobs, log, onAlerts, onDone, graceMs = GRACE_MS } = options;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> = Promise.resolve();
  let catchingUp: Promise<void> | null = null;
  const settleOverdue = watchOverdue({ database, cadences, onAlerts, graceMs });

  async function look(): Promise<void> {
    const { now, states } = await loadJobStates(database.reader);
    for (const [job, { doneAt }] of states) if (doneAt !== null) onDone(job, doneAt);
    // The first start owes nothing: what is missed is missed from now on.
    const never = JOB_NAMES.filter((job) => states.get(job)?.latestScheduledFor === null);
    const begun = never.map((job) => ({ job, scheduledFor: latestOccurrence(cadences[job], now) }));
    await skipRuns(database.reader, begun, jobs.instance);
    for (const job of never) onDone(job, now);
    const due = JOB_NAMES.filter((job) => !never.includes(job) && isDue(cadences[job], states.get(job), now));
    catchingUp ??= startInTurn(due).finally(() => (catchingUp = null));
    await settleOverdue(states, now);
  }

  /** One after the other, since a machine that comes up has more to do; none waits for one that takes its time. */
  async function startInTurn(due: readonly JobName[]): Promise<void> {
    for (const job of due) await waitAtMost(jobs.start(job), TURN_MS);
  }

  const lookSafely = (): void => {
    looking = look().catch((error: unknown) => {
      // A database that is away is told by the outbox relay.
      log[classifyDatabaseFault(error) === 'unavailable' ? 'debug' : 'warn']('job runs not looked at', { error });
    });
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

function isDue(cadence: Cadence, state: JobState | undefined, now: number): boolean {
  if (state === undefined) return false;
  const claim = decideClaim(state, latestOccurrence(cadence, now), now);
  return claim !== 'busy' && claim !== 'done';
}
