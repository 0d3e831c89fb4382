import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Redis } from 'ioredis';
import { connectRedis, type RedisConnection } from '../../src/redis/connection.js';
import { createLeaseLocks, type LeaseLocks, lockKey } from '../../src/redis/lease-locks.js';
import { eventually } from '../support/eventually.js';
import { createFailingRedis } from '../support/failing-redis.js';
import { connectPatiently, createRedis, type TestRedis } from '../support/redis.js';

let testRedis: TestRedis;
let connection: RedisConnection;
let locks: LeaseLocks;
let redis: Redis;

beforeAll(async () => {
  testRedis = await createRedis();
  connection = connectPatiently(testRedis.url, 'locks');
  await once(connection.client, 'ready');
  locks = createLeaseLocks(connection);
  redis = connection.client;
});
afterAll(async () => {
  connection.close();
  await testRedis.drop();
});

/** Takes the lock, which must be free. */
async function take(accountId: string): Promise<string> {
  const [lock] = await locks.acquire([accountId]);
  if (lock?.kind !== 'locked') throw new Error(`the lock is ${lock?.kind}`);
  return lock.value;
}

test('a lock stands in the lock database under its account, and lives 30 s until it is stretched', async () => {
  const accountId = randomUUID();
  const value = await take(accountId);
  expect(await redis.get(`account_lock:${accountId}`)).toBe(value);
  const ttlMs = await redis.pttl(lockKey(accountId));
  expect(ttlMs).toBeGreaterThan(20_000);
  expect(ttlMs).toBeLessThanOrEqual(30_000);

  await locks.stretch([{ accountId, value, ttlMs: 1_800_000 }]);
  expect(await redis.pttl(lockKey(accountId))).toBeGreaterThan(1_790_000);
  await locks.stretch([{ accountId, value, ttlMs: 60_000.4 }]);
  expect(await redis.pttl(lockKey(accountId))).toBeLessThanOrEqual(60_001);

  await locks.release([{ accountId, value }]);
  expect(await redis.exists(lockKey(accountId))).toBe(0);
});

test('of many who want a lock one gets it, and the others learn whose it is', async () => {
  const accountId = randomUUID();
  const results = (await Promise.all(Array.from({ length: 20 }, () => locks.acquire([accountId])))).flat();
  const taken = results.filter(({ kind }) => kind === 'locked');
  expect(taken).toHaveLength(1);
  expect(results.filter(({ kind }) => kind === 'held')).toEqual(
    Array(19).fill({ kind: 'held', value: await redis.get(lockKey(accountId)) }),
  );
});

test('somebody else’s lock is neither given back nor stretched', async () => {
  const accountId = randomUUID();
  const value = await take(accountId);
  await locks.release([{ accountId, value: 'other' }]);
  await locks.stretch([{ accountId, value: 'other', ttlMs: 1_800_000 }]);
  expect(await redis.get(lockKey(accountId))).toBe(value);
  expect(await redis.pttl(lockKey(accountId))).toBeLessThanOrEqual(30_000);
});

test('a lock that Redis has lost is put back when it is stretched, scripts forgotten or not', async () => {
  const accountId = randomUUID();
  const value = await take(accountId);
  await testRedis.flush();
  await redis.script('FLUSH');
  await locks.stretch([{ accountId, value, ttlMs: 1_800_000 }]);
  expect(await redis.get(lockKey(accountId))).toBe(value);
  expect(await redis.pttl(lockKey(accountId))).toBeGreaterThan(1_790_000);
  await redis.script('FLUSH');
  await locks.release([{ accountId, value }]);
  expect(await redis.exists(lockKey(accountId))).toBe(0);
});

test('the locks of a batch are judged one by one', async () => {
  const [free, held, stranger] = [randomUUID(), randomUUID(), randomUUID()];
  const value = await take(held);
  const [first, second] = await locks.acquire([free, held]);
  expect(first).toMatchObject({ kind: 'locked' });
  expect(second).toEqual({ kind: 'held', value });

  await redis.set(lockKey(stranger), 'other', 'PX', 20_000);
  const own = { accountId: held, value };
  await locks.stretch([
    { accountId: stranger, value: 'mine', ttlMs: 90_000 },
    { ...own, ttlMs: 90_000 },
  ]);
  expect(await redis.pttl(lockKey(held))).toBeGreaterThan(80_000);
  expect(await redis.pttl(lockKey(stranger))).toBeLessThanOrEqual(20_000);
  await locks.release([{ accountId: stranger, value: 'mine' }, own]);
  expect(await redis.mget([free, held, stranger].map(lockKey))).toEqual([expect.any(String), null, 'other']);
});

test('changes that follow a commit are made in their order, before the next locks are taken', async () => {
  const [freed, granted] = [randomUUID(), randomUUID()];
  const [old, kept] = [await take(freed), await take(granted)];
  const followed = [
    locks.stretch([{ accountId: freed, value: old, ttlMs: 1_800_000 }]),
    locks.release([{ accountId: freed, value: old }]),
    locks.stretch([{ accountId: granted, value: kept, ttlMs: 1_800_000 }]),
  ];
  const value = await take(freed);
  expect(value).not.toBe(old);
  expect(await redis.get(lockKey(freed))).toBe(value);
  expect(await redis.pttl(lockKey(granted))).toBeGreaterThan(1_790_000);
  await Promise.all(followed);
});

test('a command that is given up leaves no lock behind, also where it runs later', async () => {
  const failing = await createFailingRedis();
  const impatient = connectRedis({ url: failing.url, purpose: 'locks', onFailure: () => {} });
  const behind = connectPatiently(failing.behind, 'locks');
  try {
    await eventually('it is connected', () => impatient.client.status === 'ready');
    const accountIds = Array.from({ length: 3 }, () => randomUUID());
    await eventually('so is the other', () => behind.client.status === 'ready');
    failing.hang();
    const given = await createLeaseLocks(impatient).acquire(accountIds);
    expect(given.map(({ kind }) => kind)).toEqual(Array(3).fill('unavailable'));
    failing.resume();
    // Sent behind all that waited.
    await eventually(
      'Redis is used again',
      async () => (await impatient.attempt((client) => client.ping())) === 'PONG',
    );
    expect(await behind.client.exists(accountIds.map(lockKey))).toBe(0);
  } finally {
    failing.resume();
    behind.close();
    impatient.close();
    await failing.drop();
  }
});
