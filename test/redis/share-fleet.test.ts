import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { connectRedis, type RedisConnection } from '../../src/redis/connection.js';
import { shareFleet } from '../../src/redis/share-fleet.js';
import { eventually } from '../support/eventually.js';
import { createRedis, type TestRedis } from '../support/redis.js';

let testRedis: TestRedis;
let connections: RedisConnection[];

beforeAll(async () => {
  testRedis = await createRedis();
  connections = [1, 2].map(() => connectRedis({ url: testRedis.url, purpose: 'windows', onFailure: () => {} }));
});
afterAll(async () => {
  for (const connection of connections) connection.close();
  await testRedis.drop();
});

// A machine too busy to answer within the time-out: Redis counts as away, and is then left alone for a while.
jest.retryTimes(3);
beforeEach(async () => {
  for (const { attempt } of connections) {
    await eventually(async () => (await attempt((client) => client.flushdb())) === 'OK');
  }
});

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

test('once each has begun, one instance reads the fleet for all, for some seconds', async () => {
  const read = jest.fn(() => Promise.resolve(FLEET));
  const [one, other] = connections.map((connection) => shareFleet(connection, read));
  await Promise.all([one?.(), other?.()]);
  expect([await one?.(), await other?.(), await one?.()]).toEqual([FLEET, FLEET, FLEET]);
  expect(read).toHaveBeenCalledTimes(2);
  const leftMs = await connections[0]?.client.pttl('fleet_state');
  expect(leftMs).toBeGreaterThan(0);
  expect(leftMs).toBeLessThanOrEqual(15_000);
  await connections[0]?.client.set('fleet_state', 'nothing of ours');
  expect(await other?.()).toEqual(FLEET);
  expect(read).toHaveBeenCalledTimes(3);
});

test('without Redis each instance reads for itself', async () => {
  const read = jest.fn(() => Promise.resolve(FLEET));
  const away = { ...connections[0], attempt: () => Promise.resolve(null) } as RedisConnection;
  const [one, other] = [shareFleet(away, read), shareFleet(away, read)];
  expect([await one(), await other(), await one()]).toEqual([FLEET, FLEET, FLEET]);
  expect(read).toHaveBeenCalledTimes(3);
});
