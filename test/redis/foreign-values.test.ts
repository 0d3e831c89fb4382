import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createJobLocks } from '../../src/redis/job-locks.js';
import { lockKey } from '../../src/redis/lease-locks.js';
import { createRecoveryQueue, RECOVERY_QUEUE_KEY } from '../../src/redis/recovery-queue.js';
import type { RedisConnection } from '../../src/redis/connection.js';
import { newUser } from '../support/held-account.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';
import { connectPatiently } from '../support/redis.js';
import { eventually } from '../support/eventually.js';

let harness: OperationsHarness;
let connections: Record<'locks' | 'windows' | 'recoveryQueue' | 'jobLocks', RedisConnection>;
beforeAll(async () => {
  harness = await startOperations();
  const connect = (purpose: keyof typeof connections) => connectPatiently(harness.redis.url, purpose);
  connections = {
    locks: connect('locks'),
    windows: connect('windows'),
    recoveryQueue: connect('recoveryQueue'),
    jobLocks: connect('jobLocks'),
  };
  await eventually('Redis is ready', () => Object.values(connections).every(({ client }) => client.status === 'ready'));
});
afterAll(async () => {
  for (const connection of Object.values(connections)) connection.close();
  await harness.close();
});

/** Writes a value of any type under a key; every one of them is nobody's of ours. */
type Write = (connection: RedisConnection, key: string) => Promise<unknown>;
const writes: [what: string, write: Write][] = [
  ['a text without an end', ({ client }, key) => client.set(key, 'made up')],
  ['a hash', ({ client }, key) => client.hset(key, 'a', 'b')],
  ['a list', ({ client }, key) => client.rpush(key, 'a', 'b')],
  ['a set', ({ client }, key) => client.sadd(key, 'a')],
];

test.each(writes)('%s in the place of a lease lock keeps nobody from the account', async (_what, write) => {
  const user = newUser();
  const [accountId = ''] = await harness.registerAccounts(user, 1);
  await write(connections.locks, lockKey(accountId));
  const wish = { user_id: user, purpose: 'general', service_name: 'inviting' };
  expect((await harness.succeed('account.allocate', wish)).allocation.account_id).toBe(accountId);
  // Redis is not taken for away: the lock is there.
  await eventually(
    'the lock has its time',
    async () => (await connections.locks.client.pttl(lockKey(accountId))) > 60_000,
  );
});

test('a lock with an end that no lease explains is left alone', async () => {
  const user = newUser();
  const [accountId = ''] = await harness.registerAccounts(user, 1);
  await connections.locks.client.set(lockKey(accountId), 'made up', 'PX', 60_000);
  const wish = { user_id: user, purpose: 'general', service_name: 'inviting' };
  expect((await harness.refusal('account.allocate', wish)).code).toBe('ALL_BUSY');
});

test.each(writes)('%s in the place of a job lock keeps no job from running', async (_what, write) => {
  await write(connections.jobLocks, 'job_lock:health-scan');
  const locks = createJobLocks(connections.jobLocks);
  const lock = await locks.acquire('health-scan', 60_000);
  if (lock?.kind !== 'locked') throw new Error('was not had');
  await locks.release('health-scan', lock.value);
});

test.each(writes)('%s in the place of the recovery queue is replaced by it', async (_what, write) => {
  await connections.recoveryQueue.client.unlink(RECOVERY_QUEUE_KEY);
  await write(connections.recoveryQueue, RECOVERY_QUEUE_KEY);
  const queue = createRecoveryQueue(connections.recoveryQueue, () => {});
  expect(await queue.state()).toEqual({ kind: 'lost' });
  const recoveries = [{ accountId: '00000000-0000-4000-8000-000000000001', dueAt: 1_000 }];
  expect(await queue.fill([recoveries] as unknown as AsyncIterable<typeof recoveries>)).toBe(1);
  expect(await queue.due(2_000, 10)).toEqual([recoveries[0]?.accountId]);
});

test('whatever stands in the place of cached windows, limits are those of the database', async () => {
  const [account_id = ''] = await harness.registerAccounts(newUser(), 1);
  const body = { account_id, action_type: 'invite' };
  await harness.succeed('action.record', body);
  const truth = (await harness.succeed('action.check', body)).checks;
  const [row] = await harness.query<{ usage_version: number }>(
    'SELECT usage_version::int FROM telegram_sessions WHERE id = $1',
    [account_id],
  );
  const version = row?.usage_version ?? 0;
  const odd = fc.oneof(
    fc.constantFrom(2 ** 53 - 1, -1, 8.64e15, 8.64e15 + 1, 1e300, -(2 ** 53), 253_402_300_800_000),
    fc.jsonValue({ maxDepth: 2 }),
  );
  const part = fc.constantFrom('hourly', 'cooldown', 'burst', 'daily');
  const value = fc.oneof(
    odd.map((given) => JSON.stringify([version, given])),
    odd.map((given) => JSON.stringify([version, [given]])),
    fc.tuple(odd, odd).map(([day, count]) => JSON.stringify([version, day, count])),
    fc.string(),
  );
  await fc.assert(
    fc.asyncProperty(part, value, async (prefix, text) => {
      const key = `${prefix}:${account_id}:invite`;
      await connections.windows.client.set(key, text);
      // A value that could be ours is believed; any other costs a look into the database.
      expect((await harness.call('action.check', body)).success).toBe(true);
      await connections.windows.client.unlink(key);
    }),
    { numRuns: 40 },
  );
  await connections.windows.client.unlink(`cooldown:${account_id}:invite`);
  await connections.windows.client.hset(`cooldown:${account_id}:invite`, 'a', 'b');
  expect((await harness.succeed('action.check', body)).checks.daily).toEqual(truth.daily);
});
