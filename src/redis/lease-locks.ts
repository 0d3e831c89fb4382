import type { RedisConnection } from './connection.js';
import { acquireLock, openRedlock, rebuildLock, unlessHeld } from './open-redlock.js';

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
  /** Takes locks for a short life, before their leases are committed; answers in the order of the accounts. */
  acquire: (accountIds: readonly string[]) => Promise<LockResult[]>;
  /** Stretches locks to their leases' ends, after the commit or a renewal; puts lost ones back. */
  stretch: (locks: readonly (LeaseLock & { ttlMs: number })[]) => Promise<void>;
  /** Gives locks back; somebody else's stay. */
  release: (locks: readonly LeaseLock[]) => Promise<void>;
}

/** Key of an account's lock in the lock database. */
export const lockKey = (accountId: string): string => `account_lock:${accountId}`;

export function createLeaseLocks(redis: RedisConnection): LeaseLocks {
  const redlock = openRedlock(redis);

  /** Where the answer fails to come redlock gives the lock back behind its command, which may still run. */
  async function acquireOne(accountId: string): Promise<LockResult> {
    const result = await redis.attempt(async (client): Promise<LockResult> => {
      const lock = await acquireLock(redlock, client, lockKey(accountId), LOCK_BEFORE_COMMIT_MS);
      if (lock !== undefined) return { kind: 'locked', value: lock.value };
      return { kind: 'held', value: (await client.get(lockKey(accountId))) ?? '' };
    });
    return result ?? { kind: 'unavailable' };
  }

  const stretchOne = ({ accountId, value, ttlMs }: LeaseLock & { ttlMs: number }) =>
    redis.attempt(async (client) => {
      const lifeMs = Math.ceil(ttlMs);
      const lock = await unlessHeld(redlock.extend(rebuildLock(redlock, lockKey(accountId), value), lifeMs));
      // Gone (Redis was flushed or restarted) or somebody else's; only a gone one is put back.
      if (lock === undefined) await client.set(lockKey(accountId), value, 'PX', lifeMs, 'NX');
    });

  const releaseOne = ({ accountId, value }: LeaseLock) =>
    redis.attempt(() => unlessHeld(redlock.release(rebuildLock(redlock, lockKey(accountId), value))));

  return {
    acquire: (accountIds) => Promise.all(accountIds.map(acquireOne)),
    stretch: async (locks) => {
      await Promise.all(locks.map(stretchOne));
    },
    release: async (locks) => {
      await Promise.all(locks.map(releaseOne));
    },
  };
}
