import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { once } from 'node:events';
import { clock } from '../../src/clock.js';
import { createHealth, type HealthOptions } from '../../src/health.js';
import { createDatabase as connectDatabase, type Database } from '../../src/store/database.js';
import type { RedisConnection } from '../../src/redis/connection.js';
import { createMetrics } from '../../src/telemetry/metrics.js';
import { type OpenBroker, openBroker } from '../broker/open-broker.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { connectPatiently, createRedis, type TestRedis } from '../support/redis.js';

let testDatabase: TestDatabase;
let testRedis: TestRedis;
let broker: OpenBroker;
let database: Database;
let redis: RedisConnection;
beforeAll(async () => {
  [testDatabase, testRedis, broker] = await Promise.all([createDatabase(), createRedis(), openBroker()]);
  database = connectDatabase({ url: testDatabase.url, poolSize: 2, onConnectionError: () => {} });
  redis = connectPatiently(testRedis.url, 'locks');
  await once(redis.client, 'ready');
});
afterAll(async () => {
  redis.close();
  await Promise.all([database.close(), broker.close()]);
  await Promise.all([testDatabase.drop(), testRedis.drop()]);
});

afterEach(() => {
  jest.restoreAllMocks();
});

let now = 0;
beforeEach(() => {
  now = 5_000_000;
  jest.spyOn(clock, 'monotonicMs').mockImplementation(() => now);
});

/** The state of a service that has the servers, and how often each was asked for it. */
function watchAsking() {
  const asked = { database: 0, broker: 0, redis: 0 };
  const { consuming } = broker.connections;
  const counted = {
    database: { ...database, probe: () => ((asked.database += 1), database.probe()) },
    connections: {
      ...broker.connections,
      consuming: { ...consuming, ask: () => ((asked.broker += 1), consuming.ask()) },
    },
    redis: { ...redis, attempt: (act: never) => ((asked.redis += 1), redis.attempt(act)) },
    metrics: createMetrics(),
  };
  return { asked, ...createHealth(counted as unknown as HealthOptions) };
}

const times = (count: number) => ({ database: count, broker: count, redis: count });

test('all who ask within a second are told the same of each dependency, which is asked once', async () => {
  const { asked, dependencies } = watchAsking();
  const told = await Promise.all(Array.from({ length: 50 }, () => dependencies()));
  now += 999;
  told.push(await dependencies());
  expect(asked).toEqual(times(1));
  for (const states of told) expect(states).toBe(told[0]);
  expect(told[0]).toMatchObject({ database: { ok: true }, broker: { ok: true }, redis: { ok: true } });
});

test('after a second each dependency is asked anew, whether or not the first was answered', async () => {
  const { asked, dependencies } = watchAsking();
  const first = dependencies();
  now += 1_000;
  const second = dependencies();
  expect(asked).toEqual(times(2));
  expect(await second).not.toBe(await first);
  now += 999;
  expect(await dependencies()).toBe(await second);
  expect(asked).toEqual(times(2));
});
