import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type pg from 'pg';
import { Prisma } from '../../generated/prisma/client.js';
import { readAccounts } from '../../src/store/accounts/read-accounts.js';
import { classifyDatabaseFault, createDatabase as connectDatabase, type Database } from '../../src/store/database.js';
import { type Guard, guardedStatement, type Written } from '../../src/store/guarded-write.js';
import { openPool } from '../support/database.js';
import { newUser } from '../support/held-account.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';

let harness: OperationsHarness;
let database: Database;
let pool: pg.Pool;
let written: string;
let looked: string;
let guard: Guard;
const WRITTEN = 77;
const WAITING = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";

beforeAll(async () => {
  harness = await startOperations();
  database = connectDatabase({ url: harness.databaseUrl, poolSize: 2, onConnectionError: () => {} });
  pool = openPool(harness.databaseUrl);
});
afterAll(async () => {
  await pool.end();
  await database.close();
  await harness.close();
});

beforeEach(async () => {
  [written, looked] = (await harness.registerAccounts(newUser(), 2)) as [string, string];
  const { server, now } = await read(looked);
  guard = {
    changed: 1,
    settled: 0,
    hasEvents: false,
    unchanged: [{ accountId: looked, version: await versionOf(looked) }],
    server,
    now,
    deadline: Infinity,
  };
});

const read = (accountId: string) =>
  readAccounts(database.unlocked.sql, { accountIds: [accountId], channels: [], candidates: [] });

const versionOf = async (accountId: string): Promise<string> =>
  (await read(accountId)).accounts.get(accountId)?.record.version ?? '';

const statement = (changed: Partial<Guard>, version: string): Prisma.Sql => {
  const part = Prisma.sql`accounts AS (UPDATE telegram_sessions SET error_count = ${WRITTEN}
    WHERE id = ${written}::uuid AND xmin = ${version}::xid RETURNING 1)`;
  return guardedStatement({ parts: [part], notices: [] }, { ...guard, ...changed });
};

const write = async (changed: Partial<Guard>, version?: string): Promise<Written | string> =>
  database.unlocked
    .write<Written>(statement(changed, version ?? (await versionOf(written))), [])
    .catch((error: unknown) => classifyDatabaseFault(error));

const isWritten = async (): Promise<boolean> =>
  (await harness.query('SELECT 1 FROM telegram_sessions WHERE id = $1 AND error_count = $2', [written, WRITTEN]))
    .length > 0;

test('an account that is as it was read is written, and tells its new version', async () => {
  const result = await write({});
  expect(await isWritten()).toBe(true);
  expect(result).toMatchObject({ version: await versionOf(written) });
});

test.each<[what: string, changed: () => Partial<Guard> & { version?: string }]>([
  ['an account that is to be written has another version', () => ({ version: '3' })],
  ['an account that was looked at has another version', () => ({ unchanged: [{ accountId: looked, version: '3' }] })],
  ['an account that was looked at is gone', () => ({ unchanged: [{ accountId: randomUUID(), version: '3' }] })],
  ['fewer accounts are found than are to be written', () => ({ changed: 2 })],
  ['the server is another run of it', () => ({ server: '2001-01-01 00:00:00+00' })],
  ['the database’s clock was set back', () => ({ now: guard.now + 60_000 })],
  ['the decision is too old', () => ({ now: guard.now - 2_500 })],
  ['a deadline has passed', () => ({ deadline: guard.now - 1 })],
])('nothing is written where %s', async (_what, changed) => {
  const { version, ...rest } = changed();
  expect(await write(rest, version)).toBe('conflict');
  expect(await isWritten()).toBe(false);
});

test.each([
  ['changes', 'UPDATE telegram_sessions SET error_count = 1 WHERE id = $1', 'conflict'],
  ['only keeps', 'SELECT 1 FROM telegram_sessions WHERE id = $1 FOR UPDATE', 'written'],
])('a row that another transaction %s meanwhile is waited for', async (_how, sql, expected) => {
  const { text, values } = statement({ now: Date.now() }, await versionOf(written));
  const client = await pool.connect();
  await client.query('BEGIN');
  await client.query(sql, [written]);
  const writing = pool.query(text, values).then(
    () => 'written',
    (error: unknown) => classifyDatabaseFault(error),
  );

  for (let waiting = 0; waiting === 0; ) waiting = (await harness.query(WAITING)).length;
  await client.query('COMMIT');
  client.release();
  expect(await writing).toBe(expected);
});

test('a row that is kept for long is left alone', async () => {
  await database.transaction(async (sql) => {
    await sql.$queryRaw`SELECT 1 FROM telegram_sessions WHERE id = ${written}::uuid FOR UPDATE`;
    expect(await write({})).toBe('locked');
  });
  expect(await isWritten()).toBe(false);
});

test.each([
  'usage_windows',
  'channel_usage',
  'leases',
])('an account whose %s are changed by hand has another version', async (table) => {
  const user = newUser();
  const [accountId = ''] = await harness.registerAccounts(user, 1);
  const wish = { user_id: user, purpose: 'general', service_name: 's' };
  const { allocation } = await harness.succeed('account.allocate', wish);
  const holder = { account_id: accountId, service_name: 's', lease_id: allocation.lease_id };
  await harness.succeed('action.record', { ...holder, action_type: 'invite', target_channel_id: 'foo' });
  const before = await versionOf(accountId);
  await harness.query(`UPDATE ${table} SET account_id = account_id WHERE account_id = $1`, [accountId]);
  expect(await versionOf(accountId)).not.toBe(before);
});
