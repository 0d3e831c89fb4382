import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { setTimeout as pause } from 'node:timers/promises';
import type { RedisConnection } from '../../src/redis/connection.js';
import { shareFleet } from '../../src/redis/share-fleet.js';
import { createRedis, type TestRedis } from '../support/redis.js';

let testRedis: TestRedis;
let client: Redis;
/** Without the service's time-out: a machine too busy to answer is no Redis that is away. */
let patient: RedisConnection;

beforeAll(async () => {
  testRedis = await createRedis();
  client = new Redis<'legacy'>(testRedis.url);
  patient = { attempt: <T>(commands: (redis: Redis) => Promise<T>) => commands(client) } as RedisConnection;
});
afterAll(async () => {
  client.disconnect();
  await testRedis.drop();
});
beforeEach(() => client.flushdb());

/** Long enough that what was read is still shared when a busy machine comes to look. */
const READ_MS = 500;

const FLEET = {
  totalAccounts: 3,
  healthyAccounts: 2,
  floodWaitActive: 1,
  blockedActive: 0,
  leasesByService: new Map([
    ['invite-service', 2],
    ['__proto__', 1],
  ]),
  sessionKeys: [{ keyId: '0a1b2c3d', state: 'current', sessions: 3 }],
  outboxPending: 4,
  outboxOldestAgeSeconds: 0.5,
};

test('once each has begun, one instance reads the fleet for all, for 20 times as long as that takes', async () => {
  const read = jest.fn(() => pause(READ_MS, FLEET));
  const [one, other] = [shareFleet(patient, read), shareFleet(patient, read)];
  await Promise.all([one(), other()]);
  expect([await one(), await other(), await one()]).toEqual([FLEET, FLEET, FLEET]);
  expect(read).toHaveBeenCalledTimes(2);
  const leftMs = await client.pttl('fleet_state');
  expect(leftMs).toBeGreaterThan(READ_MS * 10);
  await client.set('fleet_state', 'nothing of ours');
  expect(await other()).toEqual(FLEET);
  expect(read).toHaveBeenCalledTimes(3);
});

test('a fleet that is read at once is shown as it was a second ago', async () => {
  await shareFleet(patient, () => Promise.resolve(FLEET))();
  expect(await client.pttl('fleet_state')).toBeLessThanOrEqual(1_000);
});

test('without Redis each instance reads for itself', async () => {
  const read = jest.fn(() => Promise.resolve(FLEET));
  const away = { attempt: () => Promise.resolve(null) } as unknown as RedisConnection;
  const [one, other] = [shareFleet(away, read), shareFleet(away, read)];
  expect([await one(), await other(), await one()]).toEqual([FLEET, FLEET, FLEET]);
  expect(read).toHaveBeenCalledTimes(3);
});
