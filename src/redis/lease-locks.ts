import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
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
  /** Takes locks for a short life, before their leases are committed; answers in the order of the accounts. */
  acquire: (accountIds: readonly string[]) => Promise<LockResult[]>;
  /** Stretches locks to their leases' ends, after the commit or a renewal; puts lost ones back. */
  stretch: (locks: readonly (LeaseLock & { ttlMs: number })[]) => Promise<void>;
  /** Gives locks back; somebody else's stay. */
  release: (locks: readonly LeaseLock[]) => Promise<void>;
}

/** Key of an account's lock in the lock database. */
export const lockKey = (accountId: string): string => `account_lock:${accountId}`;

const readScript = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');
const ACQUIRE = readScript('acquire-locks.lua');
const STRETCH = readScript('stretch-locks.lua');
const RELEASE = readScript('release-locks.lua');

/** Redlock's algorithm on one server, for a whole batch in one command. */
export function createLeaseLocks(redis: RedisConnection): LeaseLocks {
  const run = (client: Redis, script: string, accountIds: readonly string[], values: readonly (string | number)[]) =>
    client.eval(script, accountIds.length, ...accountIds.map(lockKey), ...values);

  return {
    acquire: async (accountIds) => {
      if (accountIds.length === 0) return [];
      const values = accountIds.map(() => randomUUID());
      const standing = await redis.attempt(async (client) => {
        try {
          return (await run(client, ACQUIRE, accountIds, [LOCK_BEFORE_COMMIT_MS, ...values])) as string[];
        } catch (error) {
          // A command given up may still run: what it takes is given back behind it.
          run(client, RELEASE, accountIds, values).catch(() => undefined);
          throw error;
        }
      });
      return values.map((value, index): LockResult => {
        if (standing === null) return { kind: 'unavailable' };
        const holder = standing[index] ?? '';
        return { kind: holder === value ? 'locked' : 'held', value: holder };
      });
    },
    stretch: async (locks) => {
      if (locks.length === 0) return;
      const terms = locks.flatMap(({ value, ttlMs }) => [value, Math.max(1, Math.ceil(ttlMs))]);
      await redis.attempt((client) =>
        run(
          client,
          STRETCH,
          locks.map(({ accountId }) => accountId),
          terms,
        ),
      );
    },
    release: async (locks) => {
      if (locks.length === 0) return;
      const values = locks.map(({ value }) => value);
      await redis.attempt((client) =>
        run(
          client,
          RELEASE,
          locks.map(({ accountId }) => accountId),
          values,
        ),
      );
    },
  };
}
