import type { RedisConnection } from './connection.js';

/** Keys looked at per step; Redis serves others between two steps. */
const STEP = 250;

/** The keys that match a pattern, step by step, some of them perhaps twice; ends early where Redis goes away. */
export async function* scanKeys(redis: RedisConnection, pattern: string): AsyncGenerator<string[]> {
  let cursor = '0';
  do {
    const from = cursor;
    const answer = await redis.attempt((client) => client.scan(from, 'MATCH', pattern, 'COUNT', STEP));
    if (answer === null) return;
    const [next, keys] = answer;
    cursor = next;
    if (keys.length > 0) yield keys;
  } while (cursor !== '0');
}
