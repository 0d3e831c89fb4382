import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { DEFAULT_ERROR_WINDOW_MS } from '../../src/decide/condition/errors.js';
import { DEFAULT_LIMITS } from '../../src/decide/limits/limits-policy.js';
import type { Job, JobContext } from '../../src/jobs/job.js';
import { runDue, type RunOptions, type RunSummary } from '../../src/jobs/run-due.js';
import type { REDIS_DATABASES, RedisConnection } from '../../src/redis/connection.js';
import { createJobLocks } from '../../src/redis/job-locks.js';
import { createLeaseLocks } from '../../src/redis/lease-locks.js';
import { createRecoveryQueue } from '../../src/redis/recovery-queue.js';
import { createWindowCache } from '../../src/redis/window-cache.js';
import { createDatabase } from '../../src/store/database.js';
import { openSessionCipher } from '../../src/store/sessions/session-cipher.js';
import { createLog } from '../../src/telemetry/log.js';
import { connectPatiently } from './redis.js';

/** One instance's background, as a worker opens it. */
export interface JobsHarness {
  context: JobContext;
  /** Runs what is due of the job at an occurrence; null: another has or had it. */
  run: (
    job: Job,
    occurrence: number,
    options?: Partial<RunOptions> & { context?: JobContext },
  ) => Promise<RunSummary | null>;
  /** Does the job's work once, without claiming a run; answers its counts. */
  work: (
    job: Job,
    options?: { scheduledFor?: number; signal?: AbortSignal; context?: JobContext },
  ) => Promise<Record<string, number>>;
  /** Findings of members in the recovery queue that are not the service's. */
  foreign: unknown[];
  close: () => Promise<void>;
}

export async function startJobs(
  { databaseUrl, redisUrl }: { databaseUrl: string; redisUrl: string },
  instance = 'one',
  sessionKeys: readonly string[] = ['ab'.repeat(32)],
): Promise<JobsHarness> {
  const database = createDatabase({ url: databaseUrl, poolSize: 3, onConnectionError: () => {} });
  const redis = {
    locks: connectPatiently(redisUrl, 'locks'),
    windows: connectPatiently(redisUrl, 'windows'),
    recoveryQueue: connectPatiently(redisUrl, 'recoveryQueue'),
    jobLocks: connectPatiently(redisUrl, 'jobLocks'),
  } satisfies Record<keyof typeof REDIS_DATABASES, RedisConnection>;
  await Promise.all(Object.values(redis).map(({ client }) => once(client, 'ready')));
  const foreign: unknown[] = [];
  const context: JobContext = {
    database,
    log: createLog({ level: 'error', instance, stream: new PassThrough().resume() }),
    locks: createLeaseLocks(redis.locks),
    windowCache: createWindowCache(redis.windows),
    recoveryQueue: createRecoveryQueue(redis.recoveryQueue, (found) => foreign.push(found)),
    lockConnection: redis.locks,
    windowConnection: redis.windows,
    cipher: openSessionCipher(sessionKeys),
    settings: {
      policy: DEFAULT_LIMITS,
      errorWindowMs: DEFAULT_ERROR_WINDOW_MS,
      reentry: { days: 3, share: 0.5 },
      alerts: { floodWaitPercent: 10, blockedPercent: 5, nearLimitsPercent: 30 },
      nearLimitPercent: 80,
      historyDays: 30,
      usageArchiveDays: 365,
    },
  };
  const jobLocks = createJobLocks(redis.jobLocks);
  return {
    context,
    foreign,
    run: (job, occurrence, { context: given = context, ...options } = {}) =>
      runDue(given, job, {
        instance,
        jobLocks,
        leaseMs: 60_000,
        timeoutMs: 60_000,
        occurrenceAt: () => occurrence,
        cancel: new AbortController().signal,
        ...options,
      }),
    work: async (
      job,
      { scheduledFor = Date.now(), signal = new AbortController().signal, context: given = context } = {},
    ) => {
      const counts: Record<string, number> = {};
      const count = (name: string, quantity: number) => {
        counts[name] = (counts[name] ?? 0) + quantity;
      };
      await job.run(given, { scheduledFor, signal, count });
      return counts;
    },
    close: async () => {
      for (const connection of Object.values(redis)) connection.close();
      await database.close();
    },
  };
}
