import { randomBytes } from 'node:crypto';
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
 * lease in a failover. The database is the first; without Redis grants go on. The locks have the form of redlock's, in
 * which each is a call of its own; here those of a batch go in one, which is less than half of Redis's work.
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

export function createLeaseLocks(redis: RedisConnection): LeaseLocks {
  const send = (client: Redis, script: string, accountIds: readonly string[], values: (string | number)[]) =>
    client.eval(script, accountIds.length, ...accountIds.map(lockKey), ...values);
  const run = (script: string, accountIds: readonly string[], values: (string | number)[]) =>
    redis.attempt((client) => send(client, script, accountIds, values));

  /** A command that was given up may still run: what it takes then is given back behind it, on the same connection. */
  const acquireOrLeave = (accountIds: readonly string[], values: string[]) =>
    redis.attempt(async (client) => {
      try {
        return await send(client, ACQUIRE, accountIds, [LOCK_BEFORE_COMMIT_MS, ...values]);
      } catch (error) {
        send(client, RELEASE, accountIds, values).catch(() => undefined);
        throw error;
      }
    });

  return {
    acquire: async (accountIds) => {
      if (accountIds.length === 0) return [];
      const values = accountIds.map(() => randomBytes(16).toString('hex'));
      const holders = (await acquireOrLeave(accountIds, values)) as (string | null)[] | null;
      return values.map((value, index): LockResult => {
        if (holders === null) return { kind: 'unavailable' };
        const holder = holders[index] ?? null;
        return holder === null ? { kind: 'locked', value } : { kind: 'held', value: holder };
      });
    },
    stretch: async (locks) => {
      if (locks.length === 0) return;
      const accountIds = locks.map(({ accountId }) => accountId);
      const lives = locks.flatMap(({ value, ttlMs }) => [value, Math.ceil(ttlMs)]);
      await run(STRETCH, accountIds, lives);
    },
    release: async (locks) => {
      if (locks.length === 0) return;
      const accountIds = locks.map(({ accountId }) => accountId);
      const values = locks.map(({ value }) => value);
      await run(RELEASE, accountIds, values);
    },
  };
}
