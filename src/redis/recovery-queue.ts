import type { RedisConnection } from './connection.js';

/** The zset of the database: member an account id, score the instant at which its wait ends, epoch milliseconds. */
export const RECOVERY_QUEUE_KEY = 'account_recovery_queue';
/** Goes when the queue goes: without it the queue is not whole. */
const WHOLE_KEY = 'account_recovery_queue:whole';
/** How many entries go over the connection at a time. */
const CHUNK = 1_000;

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
  put: (recoveries: readonly Recovery[]) => Promise<void>;
  /** Accounts that are due by `now` as the queue has it, first due first. */
  due: (now: number, limit: number) => Promise<string[]>;
  /** Says that everything that waits is in the queue. */
  markWhole: () => Promise<void>;
}

export function createRecoveryQueue(redis: RedisConnection): RecoveryQueue {
  // A server that comes back may have an old queue, mark included.
  let connectionIsNew = true;
  redis.client.on('ready', () => {
    connectionIsNew = true;
  });
  return {
    state: async () => {
      const answer = await redis.attempt((client) =>
        client.multi().exists(WHOLE_KEY).zrange(RECOVERY_QUEUE_KEY, '0', '0', 'WITHSCORES').exec(),
      );
      if (answer === null) return { kind: 'away' };
      const [[, whole], [, first]] = answer as [[null, number], [null, string[]]];
      if (whole === 0 || connectionIsNew) return { kind: 'lost' };
      return { kind: 'whole', nextDueAt: first[1] === undefined ? null : Number(first[1]) };
    },
    put: async (recoveries) => {
      for (let from = 0; from < recoveries.length; from += CHUNK) {
        const chunk = recoveries.slice(from, from + CHUNK);
        const due = chunk.flatMap(({ accountId, dueAt }) => (dueAt === null ? [] : [dueAt, accountId]));
        const over = chunk.flatMap(({ accountId, dueAt }) => (dueAt === null ? [accountId] : []));
        await redis.attempt(async (client) => {
          if (due.length > 0) await client.zadd(RECOVERY_QUEUE_KEY, ...due);
          if (over.length > 0) await client.zrem(RECOVERY_QUEUE_KEY, ...over);
        });
      }
    },
    due: async (now, limit) =>
      (await redis.attempt((client) =>
        client.zrange(RECOVERY_QUEUE_KEY, '-inf', String(now), 'BYSCORE', 'LIMIT', 0, limit),
      )) ?? [],
    markWhole: async () => {
      if ((await redis.attempt((client) => client.set(WHOLE_KEY, '1'))) !== null) connectionIsNew = false;
    },
  };
}
