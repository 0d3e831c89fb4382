import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { REDIS_DATABASES } from '../../src/redis/connection.js';
import { lockKey } from '../../src/redis/lease-locks.js';
import { type Fault, longWhile, shortWhile } from './fault.js';
import type { World } from './world.js';

const AWAY_MS = 10_000;

async function withRedis<T>({ redis }: World, work: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(redis.urls.REDIS_URL ?? '', { db: REDIS_DATABASES.locks });
  try {
    return await work(client);
  } finally {
    client.disconnect();
  }
}

/** Takes the lease locks of some accounts away. */
export const forgetLocks = (world: World, accountIds: readonly string[]): Promise<number> =>
  withRedis(world, (client) => client.del(accountIds.map(lockKey)));

export const REDIS_FAULTS = {
  'Redis flushed': async ({ world, random, injected }) => {
    for (let times = 3; times > 0; times--) {
      await withRedis(world, (client) => client.flushall());
      injected();
      await shortWhile(random);
    }
  },
  'Redis restarted': async ({ world, random, injected }) => {
    injected();
    await world.redis.crash();
    await shortWhile(random);
    await world.redis.start();
  },
  'Redis hangs': async ({ world, random, injected }) => {
    world.redis.pause();
    injected();
    await shortWhile(random);
    world.redis.resume();
  },
  'Redis away for long': async ({ world, injected }) => {
    injected();
    await world.redis.crash();
    await pause(AWAY_MS);
    await world.redis.start();
  },
  'network to Redis cut': async ({ world, random, injected }) => {
    injected();
    await world.redisNet.cut();
    await shortWhile(random);
    await world.redisNet.heal();
  },
  'network to Redis swallows': async ({ world, random, injected }) => {
    injected();
    world.redisNet.blackhole();
    await longWhile(random);
    await world.redisNet.heal();
  },
} as const satisfies Record<string, Fault>;
