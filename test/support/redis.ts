import process from 'node:process';
import { Redis } from 'ioredis';
import { connectRedis, type REDIS_DATABASES, type RedisConnection } from '../../src/redis/connection.js';
import { testServers } from './servers.js';

/** The service takes the database of its URL and the four after it. */
const BLOCK_SIZE = 5;

/** Database 0 is the directory of the blocks; the rest is theirs. */
const FIRST_DATABASE = 1;

/** A claim outlives its owner by this much at most, so that a killed run does not use up the blocks. */
const CLAIM_SECONDS = 3600;

/** A machine too busy to answer within the service's own time-out is no Redis that is away. */
export const PATIENT_MS = 2_000;

/** A connection of the service's, patient; its client says `ready` when it stands. */
export const connectPatiently = (url: string, purpose: keyof typeof REDIS_DATABASES): RedisConnection =>
  connectRedis({ url, purpose, onFailure: () => {}, commandTimeoutMs: PATIENT_MS });

export interface TestRedis {
  /** URL of the block's first database; the block is that one and the four after it. */
  url: string;
  /** Number of the first database. */
  database: number;
  /** Empties the block: what a lost Redis looks like. */
  flush: () => Promise<void>;
  /** Empties the block and hands it back. */
  drop: () => Promise<void>;
}

/** Five empty Redis databases of the caller's own. */
export async function createRedis(): Promise<TestRedis> {
  const url = new URL(testServers().redisUrl);
  const block = await withRedis(url, 0, claimBlock);
  const database = FIRST_DATABASE + block * BLOCK_SIZE;
  const flush = () => withRedis(url, database, (redis) => flushFrom(redis, database));
  await flush();
  const own = new URL(url);
  own.pathname = `/${database}`;
  return {
    url: own.href,
    database,
    flush,
    drop: async () => {
      await flush();
      await withRedis(url, 0, (redis) => redis.del(claimKey(block)));
    },
  };
}

async function claimBlock(redis: Redis): Promise<number> {
  const [, databases] = (await redis.config('GET', 'databases')) as [string, string];
  const blocks = Math.floor((Number(databases) - FIRST_DATABASE) / BLOCK_SIZE);
  for (let block = 0; block < blocks; block++) {
    const claimed = await redis.set(claimKey(block), process.pid, 'EX', CLAIM_SECONDS, 'NX');
    if (claimed === 'OK') return block;
  }
  throw new Error(`all ${blocks} blocks of test databases in Redis are taken: drop() them after use`);
}

function claimKey(block: number): string {
  return `test-block:${block}`;
}

async function flushFrom(redis: Redis, database: number): Promise<void> {
  for (let next = database; next < database + BLOCK_SIZE; next++) {
    await redis.select(next);
    await redis.flushdb();
  }
}

async function withRedis<T>(url: URL, db: number, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url.href, { db, maxRetriesPerRequest: 1 });
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}
