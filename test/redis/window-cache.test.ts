import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Redis } from 'ioredis';
import { EMPTY_WINDOW, type UsageWindow } from '../../src/decide/limits/usage-window.js';
import type { RedisConnection } from '../../src/redis/connection.js';
import { createWindowCache, type WindowCache, windowName } from '../../src/redis/window-cache.js';
import { connectPatiently, createRedis, type TestRedis } from '../support/redis.js';

let testRedis: TestRedis;
let connection: RedisConnection;
let cache: WindowCache;
let redis: Redis;

beforeAll(async () => {
  testRedis = await createRedis();
  connection = connectPatiently(testRedis.url, 'windows');
  await once(connection.client, 'ready');
  cache = createWindowCache(connection);
  redis = connection.client;
});
afterAll(async () => {
  connection.close();
  await testRedis.drop();
});

const window: UsageWindow = { recentAt: [1, 2, 3], burstCount: 2, lastActionAt: 3, day: '2026-11-22', dayCount: 7 };
const newName = (usageVersion = 5) => ({ accountId: randomUUID(), actionType: 'invite' as const, usageVersion });

test('gives back what was stored, under the keys of the rules, for an hour', async () => {
  const name = newName();
  const empty = newName();
  await cache.store([
    { ...name, window },
    { ...empty, window: EMPTY_WINDOW },
  ]);
  expect(await cache.load([name, empty, newName()])).toEqual(
    new Map([
      [windowName(name), window],
      [windowName(empty), EMPTY_WINDOW],
    ]),
  );
  const keys = (await redis.keys(`*${name.accountId}*`)).sort();
  expect(keys).toEqual(['burst', 'cooldown', 'daily', 'hourly'].map((rule) => `${rule}:${name.accountId}:invite`));
  for (const key of keys) expect(await redis.pttl(key)).toBeGreaterThan(3_590_000);
});

test.each([4, 6])('believes no other version than the one asked for (%d for 5)', async (usageVersion) => {
  const name = newName(usageVersion);
  await cache.store([{ ...name, window }]);
  expect(await cache.load([{ ...name, usageVersion: 5 }])).toEqual(new Map());
});

test('believes no mixture of versions, and nothing that is missing in part', async () => {
  const name = newName();
  await cache.store([{ ...name, window }]);
  await redis.set(`burst:${windowName(name)}`, JSON.stringify([4, 1]));
  expect(await cache.load([name])).toEqual(new Map());
  await cache.store([{ ...name, window }]);
  await redis.del(`daily:${windowName(name)}`);
  expect(await cache.load([name])).toEqual(new Map());
});

const foreign = ['', 'null', '{}', '[]', '[5]', '5', 'no JSON', '2026-11-22T21:00:00.000Z', '[5,"x","y"]', '[5,{},{}]'];
test.each(foreign)('a foreign value is not believed either, and does no harm: %s', async (text) => {
  for (const rule of ['burst', 'cooldown', 'daily', 'hourly']) {
    const name = newName();
    await cache.store([{ ...name, window }]);
    await redis.set(`${rule}:${windowName(name)}`, text);
    expect(await cache.load([name])).toEqual(new Map());
  }
});
