import type { RedisConnection } from './connection.js';

/** The zset of the database: member an account id, score the instant at which its wait ends, epoch milliseconds. */
export const RECOVERY_QUEUE_KEY = 'account_recovery_queue';
/**
 * The last member: while the queue is filled it stands at the end of time, then beyond. It goes when the queue goes,
 * and then filling does not bring it back: without it the queue is not whole.
 */
const MARK = 'whole';
const END_OF_TIME = 8.64e15;

/** So many members of others are looked past, at the front of the queue. */
const MAX_FOREIGN = 100;
/** So many of them are told. */
const MAX_TOLD = 5;
const ACCOUNT_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const isOurs = (member: string): boolean => member === MARK || ACCOUNT_ID.test(member);

/** Foreign data at the queue's key: members, or a value of another type, that this service did not write. */
export type ForeignFind = { members: string[] } | { type: 'wrong' };

/** An account that recovers by itself, and when; null: it does not (any more). */
export interface Recovery {
  accountId: string;
  dueAt: number | null;
}

/** `lost`: Redis is there and the queue is not, or not whole; `away`: no answer. */
export type QueueState = { kind: 'whole'; nextDueAt: number | null } | { kind: 'lost' } | { kind: 'away' };

/**
 * When accounts recover, so that every instance sees the next instant at a glance. It only tells when to look: the
 * database decides which accounts recover. So a stale or missing entry costs a look or a little time, never a wait.
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

/**
 * @param onForeign told once, until the queue is clean again: members that this service has not written, which are
 *   passed over, or that the key is of another type, which is replaced
 */
export function createRecoveryQueue(redis: RedisConnection, onForeign: (found: ForeignFind) => void): RecoveryQueue {
  const tell = tellOnce(onForeign);
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
        client
          .multi()
          .zscore(RECOVERY_QUEUE_KEY, MARK)
          .zrange(RECOVERY_QUEUE_KEY, '0', String(MAX_FOREIGN), 'WITHSCORES')
          .exec(),
      );
      if (answer === null) return { kind: 'away' };
      if (answer.some(([error]) => error !== null)) {
        tell({ type: 'wrong' });
        // Not a sorted set, so not the queue: it is filled anew.
        await redis.attempt((client) => client.unlink(RECOVERY_QUEUE_KEY));
        return { kind: 'lost' };
      }
      const [[, mark], [, front]] = answer as [[null, string | null], [null, string[]]];
      const first = front.findIndex((text, index) => index % 2 === 0 && isOurs(text));
      tell({ members: front.slice(0, first === -1 ? undefined : first).filter((_, index) => index % 2 === 0) });
      if (mark !== 'inf' || filledOn !== connections) return { kind: 'lost' };
      // Too many of others: the database knows, too.
      if (first === -1) return { kind: 'away' };
      return { kind: 'whole', nextDueAt: front[first] === MARK ? null : Number(front[first + 1]) };
    },
    put,
    due: async (now, limit) => {
      const members = await redis.attempt((client) =>
        client.zrange(RECOVERY_QUEUE_KEY, '-inf', String(now), 'BYSCORE', 'LIMIT', 0, limit + MAX_FOREIGN),
      );
      return members?.filter((member) => ACCOUNT_ID.test(member)).slice(0, limit) ?? [];
    },
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

/** Passes on each kind of foreign find once, until the queue is clean again. */
function tellOnce(onForeign: (found: ForeignFind) => void): (found: ForeignFind) => void {
  let told: 'type' | 'members' | 'nothing' = 'nothing';
  return (found) => {
    const kind = 'type' in found ? 'type' : found.members.length > 0 ? 'members' : 'nothing';
    if (kind !== 'nothing' && kind !== told) {
      onForeign('type' in found ? found : { members: found.members.slice(0, MAX_TOLD) });
    }
    told = kind;
  };
}
