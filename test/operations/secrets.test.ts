import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { OPERATION_NAMES, type OperationName } from '../../contracts/operations.js';
import { cleanupLocks } from '../../src/jobs/cleanup-locks.js';
import { cleanupRateLimits } from '../../src/jobs/cleanup-rate-limits.js';
import { healthScan } from '../../src/jobs/health-scan.js';
import { processRecoveries } from '../../src/jobs/process-recoveries.js';
import { makeReport } from '../../src/jobs/report.js';
import { resetDailyLimits } from '../../src/jobs/reset-daily-limits.js';
import { newUser } from '../support/held-account.js';
import { type JobsHarness, startJobs } from '../support/jobs.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';
import { requestOf } from '../support/request-of.js';
import { telethonSession } from '../support/session-strings.js';

let harness: OperationsHarness;
let jobs: JobsHarness;
beforeAll(async () => {
  // A worker that ends every run at once; what jobs do is done beside.
  const start = async () => {
    await harness.query(`UPDATE job_runs SET outcome = 'done', finished_at = now()`);
  };
  harness = await startOperations({ jobs: { instance: 'test', start, isClosing: () => false } });
  jobs = await startJobs({ databaseUrl: harness.databaseUrl, redisUrl: harness.redis.url });
});
afterAll(async () => {
  await jobs.close();
  await harness.close();
});

const phone = '+4915199887766';
const sessions = [telethonSession(), telethonSession(), telethonSession()];
/** Whatever of a session would do: its text, its authorisation key, as bytes and as text. */
const secrets = sessions.flatMap((session) => {
  const key = Buffer.from(session.slice(1), 'base64url').subarray(7);
  return [
    session.slice(20, 60),
    Buffer.from(session).toString('hex').slice(40, 100),
    key.toString('hex').slice(0, 60),
    key.toString('base64').slice(0, 40),
    key.toString('base64url').slice(0, 40),
  ];
});

/** Calls every operation at least once, successes and refusals, with the secrets wherever a caller could put them. */
async function callEverything(): Promise<Set<OperationName>> {
  const called = new Set<OperationName>();
  const user = newUser();
  const call = async (operation: OperationName, body: Record<string, unknown>) => {
    called.add(operation);
    const request = requestOf(operation, body);
    const reply = await harness.dispatch(request);
    // The repeat is answered from what is stored.
    expect((await harness.dispatch(request)).success).toBe(reply.success);
    return reply;
  };
  const register = (session_data = '', more = {}) =>
    call('admin.register', { accounts: [{ user_id: user, phone, session_data, ...more }] });
  const text = `FLOOD_WAIT_5 for ${phone} ${sessions[0]}`;
  const usage_stats = { invites_sent: 40, messages_sent: 0, contacts_added: 0, success: false, error_message: text };

  await register(sessions[0]?.slice(0, -1));
  await register(sessions[0]);
  await register(sessions[1]);
  await register(sessions[1], { user_id: newUser() });
  const wish = { user_id: user, purpose: 'general', service_name: 'one' };
  const granted = await call('account.allocate', wish);
  await call('account.allocate', wish);
  if (!granted.success) throw new Error('nothing was granted');
  const { account_id, lease_id, fence } = granted.allocation as Record<string, string>;
  const holder = { account_id, lease_id, fence, service_name: 'one' };
  await call('account.renew', holder);
  await call('account.renew', { ...holder, fence: 7 });
  await call('action.check', { account_id, action_type: 'invite' });
  for (const success of [true, false]) {
    await call('action.acquire', { ...holder, action_type: 'invite', target_channel_id: 'foo' });
    await call('action.record', { account_id, action_type: 'invite', success });
  }
  await call('action.record', { account_id, action_type: 'invite', permit_id: randomUUID() });
  await call('account.error', { ...holder, error_message: text, context: { phone, session: sessions[0] } });
  await call('account.release', { ...holder, usage_stats });
  await call('account.release', { ...holder, usage_stats });
  await call('admin.recover', { account_id, reason: 'checked' });
  await call('account.allocate', wish);
  await call('admin.force-release', { account_id, reason: 'stuck' });
  await call('account.allocate', wish);
  await call('account.release-all', { service_name: 'one' });
  await call('account.error', { account_id, error_type: 'AUTH_KEY_UNREGISTERED', error_message: text });
  await call('admin.reauthorize', { account_id, session_data: sessions[2] });
  await call('admin.reauthorize', { account_id, session_data: sessions[2]?.slice(0, -1) });
  await call('admin.set-status', { account_id, status: 'draining', reason: 'retired' });
  await call('admin.set-status', { account_id, status: 'active', reason: 'back' });
  await call('account.error', { account_id, error_message: text });
  await call('admin.schedule-recovery', { account_id, recovery_time: new Date(Date.now() + 60_000).toISOString() });
  for (const query of ['query.health', 'query.limits', 'query.flood-wait', 'query.history'] as const)
    await call(query, { account_id });
  await call('admin.run-job', { job: 'report' });
  await call('admin.parked', { action: 'list' });
  for (const query of ['query.recovery-stats', 'query.status', 'query.report'] as const) await call(query, {});
  await call('query.accounts', { user_id: user });
  await call('query.explain', { user_id: user, purpose: 'general' });
  for (const view of ['leases', 'recoveries', 'jobs', 'alerts', 'events', 'series', 'policy'] as const)
    await call(`query.${view}`, {});
  await call('admin.bulk', { filter: { user_id: user }, action: 'recover', reason: 'checked' });
  const [removed] = await harness.registerAccounts(newUser(), 1);
  await call('admin.remove', { account_id: removed, reason: 'retired' });

  for (const job of [processRecoveries, resetDailyLimits, healthScan, cleanupLocks, cleanupRateLimits, makeReport])
    await jobs.work(job);
  await call('query.report', {});
  return called;
}

/** The tables in which some row holds the text, in whatever column. */
async function tablesHolding(text: string): Promise<string[]> {
  const tables = await harness.query<{ name: string }>(
    `SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public'`,
  );
  const holding: string[] = [];
  for (const { name } of tables) {
    const rows = await harness.query(`SELECT 1 FROM ${name} t WHERE strpos(t::text, $1) > 0 LIMIT 1`, [text]);
    if (rows.length > 0) holding.push(name);
  }
  return holding;
}

/** Everything that Redis holds, as one text. */
async function contentOfRedis(): Promise<string> {
  const url = new URL(harness.redis.url);
  url.pathname = '';
  const redis = new Redis(url.href);
  const texts: string[] = [];
  for (let database = harness.redis.database; database < harness.redis.database + 5; database++) {
    await redis.select(database);
    for (const key of await redis.keys('*')) {
      const isText = (await redis.type(key)) === 'string';
      texts.push(key, isText ? String(await redis.get(key)) : (await redis.zrange(key, 0, '-1')).join());
    }
  }
  redis.disconnect();
  return texts.join('\n');
}

test('no session and no phone number gets into replies that are kept, into events, or anywhere else', async () => {
  const called = await callEverything();
  expect(OPERATION_NAMES.filter((name) => !called.has(name))).toEqual([]);

  // The search finds what is there.
  expect(await tablesHolding('account.reauthorized')).toEqual(['events']);
  expect((await tablesHolding(phone.slice(1))).sort()).toEqual(['account_phones', 'telegram_sessions']);
  for (const secret of secrets) expect(await tablesHolding(secret)).toEqual([]);
  const redis = await contentOfRedis();
  expect(redis).toContain('hourly:');
  for (const secret of [phone.slice(1), ...secrets]) expect(redis).not.toContain(secret);
});
