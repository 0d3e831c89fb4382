import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import type { Reply } from '../../src/requests/request.js';
import { eventually } from '../support/eventually.js';
import { type PrivateServer, startPrivateServer } from '../support/private-server.js';
import type { RunningService } from '../support/service.js';
import { type Installation, startInstallation } from './installation.js';

let installation: Installation;
let server: PrivateServer;
let services: RunningService[];
beforeAll(async () => {
  [installation, server] = await Promise.all([startInstallation(), startPrivateServer('redis')]);
  const env = { REDIS_URL: server.urls.REDIS_URL ?? '' };
  services = await Promise.all([installation.start(env), installation.start(env)]);
});
afterAll(async () => {
  await installation.close();
  await server.remove();
});

const ACCOUNTS = 20;
/** Longer than any request may wait for Redis, on a machine that does other things as well. */
const BOUNDED_MS = 5_000;
let user = 0;
beforeEach(async () => {
  user += 1;
  await installation.register(user, ACCOUNTS);
});

type Grant = Record<'account_id' | 'lease_id' | 'fence', string>;

/** Asks for twice as many accounts as there are; answers the grants, all different. */
async function grantAll(): Promise<Grant[]> {
  const wish = { user_id: user, purpose: 'general', service_name: 'invite-service' };
  const startedAt = performance.now();
  const replies = await Promise.all(
    Array.from({ length: ACCOUNTS * 2 }, () => installation.client.call('account.allocate', wish)),
  );
  expect(performance.now() - startedAt).toBeLessThan(BOUNDED_MS);
  expect(replies.filter((reply) => !reply.success && reply.error.code !== 'ALL_BUSY')).toEqual([]);
  const grants = replies.flatMap((reply) => (reply.success ? [reply.allocation as Grant] : []));
  expect(new Set(grants.map(({ account_id: id }) => id)).size).toBe(grants.length);
  return grants;
}

const release = ({ account_id, lease_id, fence }: Grant): Promise<Reply> =>
  installation.client.call('account.release', {
    ...{ account_id, lease_id, fence },
    service_name: 'invite-service',
    usage_stats: {},
  });

/** Locks in Redis on the accounts of the grants. */
async function locksOf(grants: Grant[]): Promise<(string | null)[]> {
  const redis = new Redis(server.urls.REDIS_URL ?? '', { db: 1 });
  try {
    return await redis.mget(grants.map(({ account_id: id }) => `account_lock:${id}`));
  } finally {
    redis.disconnect();
  }
}

async function expectNoticed(): Promise<void> {
  const metrics = await Promise.all(services.map(async ({ httpUrl }) => (await fetch(`${httpUrl}/metrics`)).text()));
  expect(metrics.join('\n')).toMatch(/account_manager_dependency_failures_total\{dependency="redis"\} [1-9]/);
  expect(services.map((service) => service.log()).join('\n')).toMatch(
    /Redis at \S+ cannot be used: .*; working without it/,
  );
}

test('the control: with Redis, each account is granted once, under a lock', async () => {
  const grants = await grantAll();
  expect(grants).toHaveLength(ACCOUNTS);
  expect(await locksOf(grants)).not.toContain(null);
});

test('Redis hangs: accounts are granted once and given back, soon, and none is lost to a lock of that time', async () => {
  server.pause();
  try {
    const grants = await grantAll();
    expect(grants).toHaveLength(ACCOUNTS);
    await Promise.all(grants.map(release));
    expect(await installation.query('SELECT FROM leases WHERE user_id = $1 AND ended_at IS NULL', [user])).toEqual([]);
    await expectNoticed();
  } finally {
    server.resume();
  }
  await eventually(
    'Redis is used again',
    async () => {
      const grants = await grantAll();
      const locks = await locksOf(grants);
      await Promise.all(grants.map(release));
      return grants.length === ACCOUNTS && !locks.includes(null);
      // Locks that a command took after it was given up would last for 30 s.
    },
    10_000,
  );
});

test('Redis is stopped during grants and comes back empty: the locks of what is leased are put back', async () => {
  const [some] = await Promise.all([grantAll(), server.crash()]);
  expect(some).toHaveLength(ACCOUNTS);
  expect(await grantAll()).toEqual([]);
  await Promise.all(some.slice(0, ACCOUNTS / 2).map(release));
  await server.start();
  const kept = some.slice(ACCOUNTS / 2);
  await eventually('the locks are back', async () => !(await locksOf(kept)).includes(null));
  const values = await installation.query<{ value: string }>(
    'SELECT COALESCE(lock_value, id::text) AS value FROM leases WHERE id = ANY($1) ORDER BY array_position($1, id)',
    [kept.map(({ lease_id: id }) => id)],
  );
  expect(await locksOf(kept)).toEqual(values.map(({ value }) => value));
  expect(await grantAll()).toHaveLength(ACCOUNTS / 2);
});
