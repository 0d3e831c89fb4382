import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import pg from 'pg';
import { createDatabase as connectDatabase } from '../../src/store/database.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';

let harness: OperationsHarness;
let testDatabase: TestDatabase;

beforeAll(async () => {
  harness = await startOperations();
  testDatabase = await createDatabase();
});
afterAll(async () => {
  await harness.close();
  await testDatabase.drop();
});

/** Ten seconds are enough for a slow machine, and far less than any time zone's difference. */
const expectNear = (instant: string | number | Date | null | undefined, expected: number) =>
  expect(Math.abs(new Date(instant ?? Number.NaN).getTime() - expected)).toBeLessThan(10_000);

test('instants are right whatever time zone the server speaks', async () => {
  const [{ name } = { name: '' }] = await harness.query<{ name: string }>('SELECT current_database() AS name');
  await harness.query(`ALTER DATABASE ${name} SET timezone = 'America/New_York'`);
  const user = 1;
  const [accountId] = await harness.registerAccounts(user, 1);
  const wish = { user_id: user, purpose: 'general', service_name: 'invite-service' };

  const { allocation } = await harness.succeed('account.allocate', wish);
  expectNear(allocation.allocated_at, Date.now());
  expectNear(allocation.expires_at, Date.now() + 30 * 60_000);
  const busy = await harness.refusal('account.allocate', wish);
  expectNear(Date.now() + (busy.retry_after_ms ?? 0), Date.now() + 30 * 60_000);

  const action = { account_id: accountId, action_type: 'invite', service_name: 'invite-service' };
  expect(await harness.succeed('action.acquire', action)).toMatchObject({ allowed: true });
  const refused = await harness.succeed('action.acquire', action);
  expect(refused).toMatchObject({ allowed: false, reason: 'cooldown' });
  expectNear(refused.next_allowed_at, Date.now() + 120_000);

  const { result } = await harness.succeed('account.error', { account_id: accountId, error_type: 'FLOOD_WAIT_300' });
  expectNear(result.recovery_time, Date.now() + 360_000);
  const { stats } = await harness.succeed('query.recovery-stats', {});
  expect(stats).toMatchObject({ flood_wait_active: 1, locked_by_services: { 'invite-service': 1 } });
  expectNear(stats.next_recovery_at, Date.now() + 360_000);
  const restricted = await harness.refusal('account.allocate', wish);
  expect(restricted.code).toBe('ALL_RESTRICTED');
  expectNear(String(restricted.details?.next_available_at), Date.now() + 360_000);

  const [stored] = await harness.query<Record<'answered' | 'occurred' | 'counted' | 'acted', Date>>(
    `SELECT (SELECT max(answered_at) FROM answered_requests) AS answered, (SELECT max(occurred_at) FROM events) AS occurred,
      (SELECT max(counted_at) FROM counted_actions) AS counted, (SELECT max(last_action_at) FROM usage_windows) AS acted`,
  );
  for (const instant of Object.values(stored ?? {})) expectNear(instant, Date.now());
});

test('settings in the URL are kept, and ours beside them', async () => {
  const url = new URL(testDatabase.url);
  url.searchParams.set('options', '-c work_mem=5MB');
  url.searchParams.set('schema', 'public');
  const database = connectDatabase({ url: url.href, poolSize: 1, onConnectionError: () => {} });
  const [settings] = await database.reader.$queryRaw<Record<string, string>[]>`
    SELECT current_setting('work_mem') AS work_mem, current_setting('jit') AS jit, current_setting('timezone') AS timezone`;
  await database.close();
  expect(settings).toEqual({ work_mem: '5MB', jit: 'off', timezone: 'UTC' });
});

test('a batch names the traces of its requests, where PostgreSQL logs it', async () => {
  const [accountId] = await harness.registerAccounts(2, 1);
  const traced = (digit: string) => `00-${digit.repeat(32)}-b7ad6b7169203331-01`;
  const spy = jest.spyOn(pg.Client.prototype, 'query');
  await Promise.all(
    [traced('a'), traced('b'), traced('a'), null].map((traceparent) =>
      harness.succeed('action.record', { account_id: accountId, action_type: 'parse' }, { traceparent }),
    ),
  );
  const plain = (spy.mock.calls as unknown[][]).flatMap(([sent]) => (typeof sent === 'string' ? sent : []));
  spy.mockRestore();
  expect(plain.filter((sent) => sent.includes('traceparent'))).toEqual([
    `/*traceparent='${traced('a')}',traceparent='${traced('b')}'*/`,
  ]);

  const database = connectDatabase({ url: testDatabase.url, poolSize: 1, onConnectionError: () => {} });
  const stated = await database.transaction((sql) => sql.$queryRaw<{ state: string }[]>`SELECT 'in work' AS state`, {
    traceparents: [traced('c'), "'*/; DROP TABLE leases; /*"],
  });
  await database.close();
  expect(stated).toEqual([{ state: 'in work' }]);
});
