import { ExecutionError, Lock, Redlock, ResourceLockedError } from '@sesamecare-oss/redlock';
import { clock } from '../clock.js';
import type { RedisConnection } from './connection.js';

/** Spares the other instances the attempt to claim a run; the row in the database is the judge. */
export interface JobLocks {
  /** The lock's value; `held`: another works on the job; null: Redis is away, so the row alone decides. */
  acquire: (job: string, ttlMs: number) => Promise<{ kind: 'locked'; value: string } | { kind: 'held' } | null>;
  extend: (job: string, value: string, ttlMs: number) => Promise<void>;
  release: (job: string, value: string) => Promise<void>;
}

const jobLockKey = (job: string): string => `job_lock:${job}`;

export function createJobLocks(redis: RedisConnection): JobLocks {
  const redlock = new Redlock([redis.client], { retryCount: 0 });
  // As an option redlock takes databases 0 to 15 only and falls back to 0 without a word.
  Object.assign(redlock.settings, { db: redis.database });
  const rebuild = (job: string, value: string) => new Lock(redlock, [jobLockKey(job)], value, [], clock.now() + 60_000);

  /** Undefined where the lock is another's or gone; null where Redis is away. */
  const unlessHeld = <T>(act: () => Promise<T>): Promise<T | undefined | null> =>
    redis.attempt(async () => {
      try {
        return await act();
      } catch (error) {
        if (!(await isHeld(error))) throw error;
        return undefined;
      }
    });

  return {
    acquire: async (job, ttlMs) => {
      const lock = await unlessHeld(() => redlock.acquire([jobLockKey(job)], ttlMs));
      if (lock === null) return null;
      return lock === undefined ? { kind: 'held' } : { kind: 'locked', value: lock.value };
    },
    extend: async (job, value, ttlMs) => {
      await unlessHeld(() => redlock.extend(rebuild(job, value), ttlMs));
    },
    release: async (job, value) => {
      await unlessHeld(() => redlock.release(rebuild(job, value)));
    },
  };
}

/** Whether redlock failed since the key is another's or gone, and not since Redis did. */
async function isHeld(error: unknown): Promise<boolean> {
  if (!(error instanceof ExecutionError)) return false;
  const attempts = await Promise.all(error.attempts);
  return attempts.some((attempt) =>
    [...attempt.votesAgainst.values()].some((vote) => vote instanceof ResourceLockedError),
  );
}
