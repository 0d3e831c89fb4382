import type { RedisConnection } from './connection.js';

/** The zset of the database: member an account id, score the instant at which its wait ends, epoch milliseconds. */
export const RECOVERY_QUEUE_KEY = 'account_recovery_queue';
/**
 * The last member: while the queue is filled it stands at the end of time, then beyond. It goes when the queue goes,
 * and then filling does not bring it back: without it the queue is not whole.
 */
const MARK = 'whole';
const END_OF_TIME = 8.64e15;

/** An account that recovers by itself, and when; null: it does not (any more). */
export interface Recovery {
  accountId: string;
  dueAt: number | null;
}

/** `lost`: Redis is there and the queue is not, or not whole; `away`: no answer. */
export type QueueState = { kind: 'whole'; nextDueAt: number | null } | { kind: 'lost' } | { kind: 'away' };

/**
 * When accounts recover, so that every instance sees the next instant at a glance. It tells when to look; who recovers
 * is the database's word, so an entry that is stale or missing costs a look or a little time, never a wait.
 */
export interface RecoveryQueue {
  state: () => Promise<QueueState>;
  /** Brings entries up to date; false where Redis did not take them all. */
  put: (recoveries: readonly Recovery[]) => Promise<boolean>;
  /** Accounts that are due by `now` as the queue has it, first due first. */
  due: (now: number, limit: number) => Promise<string[]>;
  /** Puts everything that waits, page by page, which makes the queue whole; answers how many Redis has taken. */
  fill: (everything: AsyncIterable<readonly Recovery[]>) => Promise<number>;
}

export function createRecoveryQueue(redis: RedisConnection): RecoveryQueue {
  // A server that comes back may have an old queue, mark included, so whole is what was filled on this connection.
  let connections = 0;
  let filledOn: number | null = null;
  redis.client.on('ready', () => {
    connections += 1;
  });

  async function put(recoveries: readonly Recovery[]): Promise<boolean> {
    const due = recoveries.flatMap(({ accountId, dueAt }) => (dueAt === null ? [] : [dueAt, accountId]));
    const over = recoveries.flatMap(({ accountId, dueAt }) => (dueAt === null ? [accountId] : []));
    const taken = await redis.attempt(async (client) => {
      if (due.length > 0) await client.zadd(RECOVERY_QUEUE_KEY, ...due);
      if (over.length > 0) await client.zrem(RECOVERY_QUEUE_KEY, ...over);
      return true;
    });
    return taken !== null;
  }

  return {
    state: async () => {
      const answer = await redis.attempt((client) =>
        client.multi().zscore(RECOVERY_QUEUE_KEY, MARK).zrange(RECOVERY_QUEUE_KEY, '0', '0', 'WITHSCORES').exec(),
      );
      if (answer === null) return { kind: 'away' };
      if (answer.some(([error]) => error !== null)) {
        // Not a sorted set, so not the queue: it is filled anew.
        await redis.attempt((client) => client.unlink(RECOVERY_QUEUE_KEY));
        return { kind: 'lost' };
      }
      const [[, mark], [, [first, dueAt]]] = answer as [[null, string | null], [null, string[]]];
      if (mark !== 'inf' || filledOn !== connections) return { kind: 'lost' };
      return { kind: 'whole', nextDueAt: first === MARK ? null : Number(dueAt) };
    },
    put,
    due: async (now, limit) =>
      (await redis.attempt((client) =>
        client.zrange(RECOVERY_QUEUE_KEY, '-inf', String(now), 'BYSCORE', 'LIMIT', 0, limit),
      )) ?? [],
    fill: async (everything) => {
      const connection = connections;
      let taken = 0;
      await redis.attempt((client) => client.zadd(RECOVERY_QUEUE_KEY, 'NX', END_OF_TIME, MARK));
      for await (const page of everything) {
        if (!(await put(page))) return taken;
        taken += page.length;
      }
      await redis.attempt((client) => client.zadd(RECOVERY_QUEUE_KEY, 'XX', '+inf', MARK));
      filledOn = connection;
      return taken;
    },
  };
}
