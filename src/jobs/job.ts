import type { JobName } from '../../contracts/jobs.js';
import type { Limits } from '../decide/limits/reentry.js';
import type { AlertThresholds } from '../decide/jobs/judge-shares.js';
import type { RedisConnection } from '../redis/connection.js';
import type { SessionCipher } from '../store/sessions/session-cipher.js';
import type { ProbeSettings } from './probe-accounts.js';
import type { SettlingContext } from './settle-ended.js';

/** Begins the names of the counts that tell how probes ended. */
export const PROBE_COUNT = 'probe_';

/** Settings of the jobs; `JobsConfig` has them. */
export interface JobSettings extends Limits {
  errorWindowMs: number;
  alerts: AlertThresholds;
  nearLimitPercent: number;
  historyDays: number;
  usageArchiveDays: number;
  /** Absent: no account is tried on Telegram. */
  probe?: ProbeSettings;
}

/** Resources that a job works with. */
export interface JobContext extends SettlingContext {
  settings: JobSettings;
  cipher: SessionCipher;
  /** Connections to the cached windows and to the lease locks, for going through their keys. */
  windowConnection: RedisConnection;
  lockConnection: RedisConnection;
}

/** One run of a job. */
export interface JobTask {
  /** The occurrence it is for, which may be long past: what the job does follows from it, not from when it runs. */
  scheduledFor: number;
  /** Aborts at the shutdown and when time is up: the job ends after the chunk in hand, and the rest is the next run's. */
  signal: AbortSignal;
  /** Adds to what is told of the run, even of one that does not end well. */
  count: (name: string, quantity: number) => void;
}

/**
 * The work of a job, in chunks that are bounded and whole: each may be the last, and the next run goes on where it
 * stopped. Run twice, late, or beside itself it does the same as once.
 */
export interface Job {
  name: JobName;
  run: (context: JobContext, task: JobTask) => Promise<void>;
}
