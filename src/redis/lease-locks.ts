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

const CHANGE_LOCKS = readFileSync(new URL('change-locks.lua', import.meta.url), 'utf8');

/** One change of a lock, as the script takes it. */
interface LockChange extends LeaseLock {
  what: 'take' | 'stretch' | 'release';
  lifeMs: number;
}

/**
 * Redlock's algorithm on one server, for a whole batch in one command. Changes behind a commit are made in their order: at the
 * end of the turn of the event loop, or with the locks of a batch that begins in that turn.
 */
export function createLeaseLocks(redis: RedisConnection): LeaseLocks {
  let gathered: { changes: LockChange[]; done: Promise<void>; settle: () => void; soon: NodeJS.Immediate } | null =
    null;

  const run = (client: Redis, changes: readonly LockChange[]): Promise<unknown> =>
    client.eval(
      CHANGE_LOCKS,
      changes.length,
      ...changes.map(({ accountId }) => lockKey(accountId)),
      ...changes.flatMap(({ what, value, lifeMs }) => [what, value, lifeMs]),
    );

  /** Those that have gathered, and how to say that they are made. */
  const takeGathered = () => {
    const { changes = [], soon, settle = () => undefined } = gathered ?? {};
    clearImmediate(soon);
    gathered = null;
    return { changes, settle };
  };

  const flush = (): void => {
    const { changes, settle } = takeGathered();
    if (changes.length > 0) void redis.attempt((client) => run(client, changes)).then(settle);
  };

  const gather = async (changes: readonly LockChange[]): Promise<void> => {
    if (changes.length === 0) return;
    if (gathered === null) {
      let settle = (): void => undefined;
      const done = new Promise<void>((resolve) => (settle = resolve));
      gathered = { changes: [], done, settle, soon: setImmediate(flush) };
    }
    gathered.changes.push(...changes);
    await gathered.done;
  };

  return {
    acquire: async (accountIds) => {
      if (accountIds.length === 0) return [];
      const { changes: before, settle } = takeGathered();
      const taken = accountIds.map((accountId) => toTake(accountId, randomUUID()));
      const standing = await redis.attempt(async (client) => {
        try {
          return (await run(client, [...before, ...taken])) as string[];
        } catch (error) {
          // A command given up may still run: what it takes is given back behind it.
          run(client, taken.map(toRelease)).catch(() => undefined);
          throw error;
        }
      });
      settle();
      return taken.map(({ value }, index): LockResult => {
        if (standing === null) return { kind: 'unavailable' };
        const holder = standing[before.length + index] ?? '';
        return { kind: holder === value ? 'locked' : 'held', value: holder };
      });
    },
    stretch: (locks) => gather(locks.map(toStretch)),
    release: (locks) => gather(locks.map(toRelease)),
  };
}

const toTake = (accountId: string, value: string): LockChange => ({
  what: 'take',
  accountId,
  value,
  lifeMs: LOCK_BEFORE_COMMIT_MS,
});

const toStretch = ({ accountId, value, ttlMs }: LeaseLock & { ttlMs: number }): LockChange => ({
  what: 'stretch',
  accountId,
  value,
  lifeMs: Math.max(1, Math.ceil(ttlMs)),
});

const toRelease = ({ accountId, value }: LeaseLock): LockChange => ({ what: 'release', accountId, value, lifeMs: 0 });
