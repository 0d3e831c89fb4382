import type { RedisConnection } from './connection.js';
import { acquireLock, openRedlock, rebuildLock, unlessHeld } from './open-redlock.js';

/** Spares the other instances the attempt to claim a run; the row in the database is the judge. */
export interface JobLocks {
  /** The lock's value; `held`: another works on the job; null: Redis is away, so the row alone decides. */
  acquire: (job: string, ttlMs: number) => Promise<{ kind: 'locked'; value: string } | { kind: 'held' } | null>;
  extend: (job: string, value: string, ttlMs: number) => Promise<void>;
  release: (job: string, value: string) => Promise<void>;
}

const jobLockKey = (job: string): string => `job_lock:${job}`;

export function createJobLocks(redis: RedisConnection): JobLocks {
  const redlock = openRedlock(redis);
  const rebuild = (job: string, value: string) => rebuildLock(redlock, jobLockKey(job), value);
  return {
    acquire: async (job, ttlMs) => {
      const lock = await redis.attempt((client) => acquireLock(redlock, client, jobLockKey(job), ttlMs));
      if (lock === null) return null;
      return lock === undefined ? { kind: 'held' } : { kind: 'locked', value: lock.value };
    },
    extend: async (job, value, ttlMs) => {
      await redis.attempt(() => unlessHeld(redlock.extend(rebuild(job, value), ttlMs)));
    },
    release: async (job, value) => {
      await redis.attempt(() => unlessHeld(redlock.release(rebuild(job, value))));
    },
  };
}
