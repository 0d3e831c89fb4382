import { ExecutionError, Lock, Redlock, ResourceLockedError } from '@sesamecare-oss/redlock';
import { clock } from '../clock.js';
import type { RedisConnection } from './connection.js';

/** Life of a lock taken before the commit of its lease: a crash in between frees it this soon. */
const LOCK_BEFORE_COMMIT_MS = 30_000;

/**
 * `held`: somebody has it, under that value, so the account must not be granted. `unavailable`: Redis is away, the
 * database decides alone.
 */
export type LockResult = { kind: 'locked' | 'held'; value: string } | { kind: 'unavailable' };

/** A lease's lock, as far as the lease knows it. */
export interface LeaseLock {
  accountId: string;
  value: string;
}

/**
 * The second holder of "one holder at a time": a lock per leased account, which outlives a database that forgot the
 * lease in a failover. The database is the first; without Redis grants go on.
 */
export interface LeaseLocks {
  /** Takes the lock for a short life, before the lease is committed. */
  acquire: (accountId: string) => Promise<LockResult>;
  /** Stretches a lock to its lease's end, after the commit or a renewal; puts a lost one back. */
  stretch: (lock: LeaseLock, ttlMs: number) => Promise<void>;
  /** Gives a lock back; somebody else's stays. */
  release: (lock: LeaseLock) => Promise<void>;
}

/** Key of an account's lock in the lock database. */
export const lockKey = (accountId: string): string => `account_lock:${accountId}`;

export function createLeaseLocks(redis: RedisConnection): LeaseLocks {
  const redlock = new Redlock([redis.client], { retryCount: 0 });
  // As an option redlock takes databases 0 to 15 only and falls back to 0 without a word.
  Object.assign(redlock.settings, { db: redis.database });
  const rebuild = ({ accountId, value }: LeaseLock) =>
    new Lock(redlock, [lockKey(accountId)], value, [], clock.now() + LOCK_BEFORE_COMMIT_MS);

  async function acquire(accountId: string): Promise<LockResult> {
    const result = await redis.attempt(async (client): Promise<LockResult> => {
      try {
        const lock = await redlock.acquire([lockKey(accountId)], LOCK_BEFORE_COMMIT_MS);
        return { kind: 'locked', value: lock.value };
      } catch (error) {
        if (!(await isHeld(error))) throw error;
        return { kind: 'held', value: (await client.get(lockKey(accountId))) ?? '' };
      }
    });
    return result ?? { kind: 'unavailable' };
  }

  async function stretch(lock: LeaseLock, ttlMs: number): Promise<void> {
    await redis.attempt(async (client) => {
      try {
        await redlock.extend(rebuild(lock), Math.ceil(ttlMs));
      } catch (error) {
        if (!(await isHeld(error))) throw error;
        // Gone (Redis was flushed or restarted) or somebody else's; only a gone one is put back.
        await client.set(lockKey(lock.accountId), lock.value, 'PX', Math.ceil(ttlMs), 'NX');
      }
    });
  }

  async function release(lock: LeaseLock): Promise<void> {
    await redis.attempt(async () => {
      try {
        await redlock.release(rebuild(lock));
      } catch (error) {
        if (!(await isHeld(error))) throw error;
      }
    });
  }

  return { acquire, stretch, release };
}

/** Whether redlock failed since the key is another's or gone, and not since Redis did. */
export async function isHeld(error: unknown): Promise<boolean> {
  if (!(error instanceof ExecutionError)) return false;
  const attempts = await Promise.all(error.attempts);
  return attempts.some((attempt) =>
    [...attempt.votesAgainst.values()].some((vote) => vote instanceof ResourceLockedError),
  );
}
