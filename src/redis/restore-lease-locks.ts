import type { RedisConnection } from './connection.js';
import { lockKey } from './lease-locks.js';

/** How many locks go over the connection at a time. */
const CHUNK = 500;

/** Puts back the locks of open leases that Redis has lost, and tells how many; those that are there stay as they are. */
export async function restoreLeaseLocks(
  redis: RedisConnection,
  leases: readonly { accountId: string; lockValue: string; ttlMs: number }[],
): Promise<number> {
  let restored = 0;
  for (let from = 0; from < leases.length; from += CHUNK) {
    await redis.attempt(async (client) => {
      const pipeline = client.pipeline();
      for (const { accountId, lockValue, ttlMs } of leases.slice(from, from + CHUNK)) {
        pipeline.set(lockKey(accountId), lockValue, 'PX', Math.ceil(ttlMs), 'NX');
      }
      const results = (await pipeline.exec()) ?? [];
      restored += results.filter(([, result]) => result === 'OK').length;
    });
  }
  return restored;
}
