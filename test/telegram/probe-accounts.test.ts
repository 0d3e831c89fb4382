import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import pg from 'pg';
import { healthScan } from '../../src/jobs/health-scan.js';
import { type ProbeContext, type ProbeSettings, probeIdleAccounts } from '../../src/jobs/probe-accounts.js';
import type { RedisConnection } from '../../src/redis/connection.js';
import { createLeaseLocks } from '../../src/redis/lease-locks.js';
import { createRecoveryQueue } from '../../src/redis/recovery-queue.js';
import { createWindowCache } from '../../src/redis/window-cache.js';
import { createDatabase, type Database } from '../../src/store/database.js';
import { lockProbeCandidates } from '../../src/store/sessions/probe-candidates.js';
import { openSessionCipher } from '../../src/store/sessions/session-cipher.js';
import { createLog } from '../../src/telemetry/log.js';
import { eventsOf } from '../support/account-events.js';
import { type Answer, appConfig, type FakeTelegram, type Script, startFakeTelegram } from '../support/fake-telegram.js';
import { startJobs } from '../support/jobs.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';
import { captureStatements, explain } from '../support/query-plans.js';
import { connectPatiently } from '../support/redis.js';
import { telethonSession } from '../support/session-strings.js';
import { DEFAULT_ERROR_WINDOW_MS } from '../../src/decide/condition/errors.js';

let harness: OperationsHarness;
let telegram: FakeTelegram;
let database: Database;
let redis: RedisConnection[];
let context: Omit<ProbeContext, 'probe' | 'signal' | 'errorWindowMs'>;
let nextUser = 1;
let nextPhone = 49_170_000_000;

beforeAll(async () => {
  harness = await startOperations();
  database = createDatabase({ url: harness.databaseUrl, poolSize: 4, onConnectionError: () => {} });
  redis = [];
  const connect = async (purpose: 'locks' | 'windows' | 'recoveryQueue') => {
    const connection = connectPatiently(harness.redis.url, purpose);
    redis.push(connection);
    await once(connection.client, 'ready');
    return connection;
  };
  context = {
    database,
    locks: createLeaseLocks(await connect('locks')),
    windowCache: createWindowCache(await connect('windows')),
    recoveryQueue: createRecoveryQueue(await connect('recoveryQueue'), () => {}),
    log: createLog({ level: 'error', instance: 'test' }),
    cipher: openSessionCipher(['ab'.repeat(32)]),
  };
});
afterAll(async () => {
  for (const connection of redis) connection.close();
  await database.close();
  await harness.close();
});

beforeEach(async () => {
  telegram = await startFakeTelegram();
});
afterEach(async () => {
  await telegram.close();
  // Every test finds only its own accounts due.
  await harness.query('UPDATE telegram_sessions SET last_probed_at = now()');
});

const settings = (over: Partial<ProbeSettings> = {}): ProbeSettings => ({
  apiId: 1,
  apiHash: 'hash',
  atOnce: 3,
  timeoutMs: 1_000,
  jitterMs: 0,
  budgetMs: 60_000,
  server: { address: '127.0.0.1', port: telegram.port },
  ...over,
});
const run = (over: Partial<ProbeSettings> = {}, signal = new AbortController().signal) =>
  probeIdleAccounts({ ...context, errorWindowMs: DEFAULT_ERROR_WINDOW_MS, probe: settings(over), signal });

/** Registers an account whose session the server knows; answers its id and user. */
async function account(script: Script | null = {}, metadata: Record<string, unknown> = {}) {
  const key = Buffer.concat([Buffer.of(1), randomBytes(255)]);
  if (script !== null) await telegram.addKey(key, script);
  const userId = nextUser++;
  const { accounts } = await harness.succeed('admin.register', {
    accounts: [{ user_id: userId, phone: `+${nextPhone++}`, session_data: telethonSession(key), metadata }],
  });
  return { accountId: accounts[0]?.account_id ?? '', userId };
}

async function rowOf(accountId: string) {
  const [row] = await harness.query<{
    status: string;
    disabled_reason: string | null;
    locked: boolean;
    error_count: number;
    last_used_at: Date | null;
    last_probed_at: Date | null;
  }>('SELECT * FROM telegram_sessions WHERE id = $1', [accountId]);
  if (row === undefined) throw new Error('no such account');
  return row;
}

const allocate = (userId: number) => ({ user_id: userId, purpose: 'general', service_name: 'svc' });

test('without an API id nothing is probed', async () => {
  await account();
  const { signal } = new AbortController();
  expect(
    await probeIdleAccounts({ ...context, errorWindowMs: DEFAULT_ERROR_WINDOW_MS, probe: undefined, signal }),
  ).toEqual({ probed: 0, byOutcome: {} });
  expect(telegram.connections()).toBe(0);
});

test('a healthy account is leased, tried, and given back as it was', async () => {
  const { accountId, userId } = await account();
  const usedAt = new Date('2026-01-01T00:00:00.000Z');
  await harness.query('UPDATE telegram_sessions SET last_used_at = $2 WHERE id = $1', [accountId, usedAt]);
  expect(await run()).toEqual({ probed: 1, byOutcome: { healthy: 1 } });

  expect(await eventsOf(harness, accountId)).toMatchObject([
    { type: 'account.allocated', data: { service_name: 'account-manager.probe', purpose: 'general' } },
    { type: 'account.released', data: { service_name: 'account-manager.probe', success: true } },
  ]);
  const row = await rowOf(accountId);
  expect(row).toMatchObject({ status: 'active', locked: false, last_used_at: usedAt });
  expect(row.last_probed_at).not.toBeNull();
  await harness.succeed('account.allocate', allocate(userId));
});

test('nobody is probed twice within the interval', async () => {
  const { accountId } = await account();
  await run();
  expect(await run()).toEqual({ probed: 0, byOutcome: {} });
  await harness.query(`UPDATE telegram_sessions SET last_probed_at = now() - interval '5 h 59 min' WHERE id = $1`, [
    accountId,
  ]);
  expect(await run()).toEqual({ probed: 0, byOutcome: {} });
  await harness.query(`UPDATE telegram_sessions SET last_probed_at = now() - interval '6 h' WHERE id = $1`, [
    accountId,
  ]);
  expect(await run()).toEqual({ probed: 1, byOutcome: { healthy: 1 } });
});

const error = (code: number, message: string): Script => ({
  answers: { 'users.GetUsers': { error: [code, message] } },
});
const cases: [result: string, script: Script | null, row: Record<string, unknown>][] = [
  ['needs_reauth', error(401, 'AUTH_KEY_UNREGISTERED'), { status: 'disabled', disabled_reason: 'needs_reauth' }],
  ['banned', error(401, 'USER_DEACTIVATED_BAN'), { status: 'disabled', disabled_reason: 'banned' }],
  ['deactivated', error(401, 'USER_DEACTIVATED'), { status: 'disabled', disabled_reason: 'deactivated' }],
  [
    'frozen',
    { answers: { 'help.GetAppConfig': appConfig({ freeze_since_date: 1_790_000_000 }) } },
    { status: 'disabled', disabled_reason: 'frozen' },
  ],
  ['flood_wait', error(420, 'FLOOD_WAIT_77'), { status: 'flood_wait' }],
  ['migrate', error(303, 'USER_MIGRATE_4'), { status: 'active', error_count: 0 }],
  ['other', error(400, 'API_ID_INVALID'), { status: 'active', error_count: 0 }],
  ['needs_reauth', null, { status: 'disabled', disabled_reason: 'needs_reauth' }],
  ['healthy', { unknownFor: 1 }, { status: 'active', error_count: 0 }],
  ['unreachable', { answers: { 'users.GetUsers': 'silence' } }, { status: 'active', error_count: 0 }],
  ['unreachable', { answers: { 'users.GetUsers': 'cut' } }, { status: 'active', error_count: 0 }],
  ['unreachable', { unknownFor: 1, answers: { 'users.GetUsers': 'cut' } }, { status: 'active', error_count: 0 }],
];
test.each(cases)('%s: applied to the account, which is free again (%#)', async (result, script, row) => {
  const { accountId } = await account(script);
  expect(await run({ timeoutMs: 500 })).toEqual({ probed: 1, byOutcome: { [result]: 1 } });
  expect(await rowOf(accountId)).toMatchObject({ ...row, locked: false });
});

test('a server that does not know a key is asked on a second connection before it is believed', async () => {
  await account(null);
  await run();
  expect(telegram.connections()).toBe(2);
});

test('an account whose proxy cannot be used is not connected to Telegram', async () => {
  const { accountId } = await account({}, { proxy: 'http://127.0.0.1:1' });
  expect(await run()).toEqual({ probed: 1, byOutcome: { unusable: 1 } });
  expect(telegram.connections()).toBe(0);
  expect(await rowOf(accountId)).toMatchObject({ status: 'active', locked: false });
});

test('an account in use, or hardly out of use, is not probed', async () => {
  const [leased, released] = [await account(), await account()];
  await harness.succeed('account.allocate', allocate(leased.userId));
  const { allocation } = await harness.succeed('account.allocate', allocate(released.userId));
  await harness.succeed('account.release', {
    account_id: released.accountId,
    service_name: 'svc',
    lease_id: allocation.lease_id,
    fence: allocation.fence,
    usage_stats: { invites_sent: 0, messages_sent: 0, contacts_added: 0, success: true },
  });
  expect(await run()).toEqual({ probed: 0, byOutcome: {} });
  await harness.query(`UPDATE telegram_sessions SET last_used_at = now() - interval '11 min'`);
  expect(await run()).toEqual({ probed: 1, byOutcome: { healthy: 1 } });
  expect((await rowOf(leased.accountId)).last_probed_at).toBeNull();
});

test('accounts whose lease locks are held keep no other from being probed', async () => {
  const held = await account();
  const free = await account();
  const probedAt = (accountId: string, at: string) =>
    harness.query('UPDATE telegram_sessions SET last_probed_at = $2 WHERE id = $1', [accountId, at]);
  await probedAt(held.accountId, '2020-01-01');
  await probedAt(free.accountId, '2020-01-02');
  const [lock] = await context.locks.acquire([held.accountId]);
  expect(await run({ atOnce: 1 })).toEqual({ probed: 1, byOutcome: { healthy: 1 } });
  if (lock?.kind === 'locked') await context.locks.release([{ accountId: held.accountId, value: lock.value }]);
});

test('nobody gets an account while it is probed, and who waits gets it right after', async () => {
  const { userId } = await account({ answers: { 'users.GetUsers': 'silence' } });
  const probing = run({ timeoutMs: 600 });
  while (!telegram.calls.includes('users.GetUsers')) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(await harness.refusal('account.allocate', allocate(userId))).toMatchObject({ code: 'ALL_BUSY' });
  const waiting = harness.succeed('account.allocate', { ...allocate(userId), wait_ms: 5_000 });
  expect(await probing).toEqual({ probed: 1, byOutcome: { unreachable: 1 } });
  expect((await waiting).allocation.allocated_by).toBe('svc');
});

test('a probe whose lease an operator took away changes nothing any more', async () => {
  let answer = (_answer: Answer) => {};
  const later = new Promise<Answer>((resolve) => (answer = resolve));
  const { accountId, userId } = await account({ answers: { 'users.GetUsers': later } });
  const probing = run();
  while (!telegram.calls.includes('users.GetUsers')) await new Promise((resolve) => setTimeout(resolve, 5));
  await harness.succeed('admin.force-release', { account_id: accountId, reason: 'wanted' });
  const { allocation } = await harness.succeed('account.allocate', allocate(userId));
  answer({ error: [401, 'USER_DEACTIVATED_BAN'] });
  expect(await probing).toEqual({ probed: 1, byOutcome: { banned: 1 } });
  const [row] = await harness.query('SELECT status, lease_id::text FROM telegram_sessions WHERE id = $1', [accountId]);
  expect(row).toEqual({ status: 'active', lease_id: allocation.lease_id });
});

test('two instances share the work, few at a time, and nobody is tried twice', async () => {
  for (let n = 0; n < 12; n++) await account();
  const summaries = await Promise.all([run({ atOnce: 2 }), run({ atOnce: 2 })]);
  expect(summaries.reduce((sum, { probed }) => sum + probed, 0)).toBe(12);
  expect(telegram.connections()).toBe(12);
  expect(telegram.peak()).toBeLessThanOrEqual(4);
});

test('at the shutdown probes end, no further ones begin, and leases are given back', async () => {
  const accounts = [await account(), await account()];
  const stopping = new AbortController();
  setTimeout(() => stopping.abort(), 100);
  const startedAt = performance.now();
  expect(await run({ atOnce: 1, jitterMs: 60_000 }, stopping.signal)).toEqual({ probed: 0, byOutcome: {} });
  expect(performance.now() - startedAt).toBeLessThan(2_000);
  for (const { accountId } of accounts) expect((await rowOf(accountId)).locked).toBe(false);
  expect(telegram.connections()).toBe(0);
});

test('the health scan probes last, and tells how it went', async () => {
  await account();
  await account(error(401, 'SESSION_REVOKED'));
  const jobs = await startJobs({ databaseUrl: harness.databaseUrl, redisUrl: harness.redis.url });
  jobs.context.settings.probe = settings();
  const counts = await jobs.work(healthScan);
  await jobs.close();
  expect(counts).toMatchObject({ probed: 2, probe_healthy: 1, probe_needs_reauth: 1 });
});

test('looking for who is due walks an index, and fetches few where everybody is, and nothing where nobody is', async () => {
  await harness.query(`INSERT INTO telegram_sessions
      (id, user_id, phone, session_data, session_key_id, session_fingerprint)
    SELECT gen_random_uuid(), 1, 'plan ' || i, '', '', 'plan ' || i FROM generate_series(1, 5000) i`);
  await harness.query('VACUUM ANALYZE telegram_sessions');
  const due = { everyMs: 6 * 3_600_000, idleMs: 0, limit: 3 };
  const sent = await captureStatements(() => database.transaction((sql) => lockProbeCandidates(sql, due)));
  const { text, values } = sent.find((statement) => statement.text.includes('SKIP LOCKED')) ?? { text: '', values: [] };
  const client = new pg.Client({ connectionString: harness.databaseUrl });
  await client.connect();
  // As the service's own sessions are set.
  await client.query('SET enable_seqscan = off');
  const plans = [await explain(client, text, values)];
  await client.query('UPDATE telegram_sessions SET last_probed_at = now()');
  await client.query('VACUUM ANALYZE telegram_sessions');
  plans.push(await explain(client, text, values));
  await client.end();
  const indexes = plans.map(({ nodes }) => nodes.flatMap((node) => node['Index Name'] ?? []));
  expect(indexes).toEqual([['probe_order'], ['probe_order']]);
  expect(plans.map(({ rowsFetched }) => rowsFetched)).toEqual([3, 0]);
});
