import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { waitAtMost } from '../broker/wait-at-most.js';
import { type Cadence, latestOccurrence } from '../decide/jobs/cadence.js';
import { connectRedis, type REDIS_DATABASES, type RedisConnection, type RedisOptions } from '../redis/connection.js';
import { createJobLocks } from '../redis/job-locks.js';
import { createLeaseLocks } from '../redis/lease-locks.js';
import { createRecoveryQueue } from '../redis/recovery-queue.js';
import { createWindowCache } from '../redis/window-cache.js';
import { classifyDatabaseFault, createDatabase } from '../store/database.js';
import { openSessionCipher } from '../store/sessions/session-cipher.js';
import { createLog, type LogFormat, type LogLevel } from '../telemetry/log.js';
import type { Job, JobSettings } from './job.js';
import { runDue, type RunSummary } from './run-due.js';

/** Settings that a worker gets at its start. */
export interface WorkerOptions {
  databaseUrl: string;
  redisUrl: string;
  clientTls?: RedisOptions['tls'];
  sessionEncryptionKeys: readonly string[];
  instance: string;
  logLevel: LogLevel;
  logFormat: LogFormat;
  cadence: Cadence;
  leaseMs: number;
  timeoutMs: number;
  settings: JobSettings;
}

/** A message of a worker: an attempt that has ended. */
export interface WorkerReport {
  kind: 'ran';
  summary: RunSummary;
}

/** Connections of one worker: a chunk at a time, and the renewal of its lease. */
const POOL_SIZE = 2;
/** Without Redis by then the job works without it. */
const REDIS_WAIT_MS = 1_000;
/** Nobody waits for a job as for a reply, and a worker that has just started is busy with itself. */
const REDIS_COMMAND_TIMEOUT_MS = 1_000;

/** Runs in every worker: opens connections of its own, runs what is due of its job, closes. */
export async function runInWorker(job: Job): Promise<void> {
  const options = workerData as WorkerOptions;
  const log = createLog({
    level: options.logLevel,
    instance: options.instance,
    format: options.logFormat,
  }).child({ job: job.name });
  const cancel = new AbortController();
  parentPort?.on('message', (message) => {
    if (message === 'cancel') cancel.abort();
  });

  const database = createDatabase({
    url: options.databaseUrl,
    poolSize: POOL_SIZE,
    onConnectionError: (error) => log.debug('database connection lost', { error }),
  });
  const redis = await openRedis({
    url: options.redisUrl,
    tls: options.clientTls,
    onFailure: (purpose, error) => log.debug('redis failed; the job works without it', { purpose, error }),
  });
  try {
    const context = {
      database,
      log,
      settings: options.settings,
      cipher: openSessionCipher(options.sessionEncryptionKeys),
      locks: createLeaseLocks(redis.locks),
      windowCache: createWindowCache(redis.windows),
      recoveryQueue: createRecoveryQueue(redis.recoveryQueue, () => {}),
      lockConnection: redis.locks,
      windowConnection: redis.windows,
    };
    const summary = await runDue(context, job, {
      instance: options.instance,
      jobLocks: createJobLocks(redis.jobLocks),
      leaseMs: options.leaseMs,
      timeoutMs: options.timeoutMs,
      occurrenceAt: (now) => latestOccurrence(options.cadence, now),
      cancel: cancel.signal,
    });
    if (summary !== null) parentPort?.postMessage({ kind: 'ran', summary } satisfies WorkerReport);
  } catch (error) {
    // Such as a database that is away: nothing was claimed, and the next look at what is due tries again.
    log[classifyDatabaseFault(error) === 'unavailable' ? 'debug' : 'error']('job not begun', { error });
  } finally {
    for (const connection of Object.values(redis)) connection.close();
    await database.close();
    if (cancel.signal.aborted) parentPort?.postMessage('cancelled');
    parentPort?.close();
  }
}

type Purpose = keyof typeof REDIS_DATABASES;

async function openRedis(options: Omit<RedisOptions, 'purpose'>): Promise<Record<Purpose, RedisConnection>> {
  const ready: Promise<unknown>[] = [];
  const open = (purpose: Purpose): RedisConnection => {
    const connection = connectRedis({ ...options, purpose, commandTimeoutMs: REDIS_COMMAND_TIMEOUT_MS });
    ready.push(once(connection.client, 'ready'));
    return connection;
  };
  const connections = {
    locks: open('locks'),
    recoveryQueue: open('recoveryQueue'),
    windows: open('windows'),
    jobLocks: open('jobLocks'),
  };
  await waitAtMost(Promise.all(ready), REDIS_WAIT_MS);
  return connections;
}
