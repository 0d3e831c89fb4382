import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { DEFAULT_LIMITS } from '../../src/decide/limits/limits-policy.js';
import { cleanupLocks } from '../../src/jobs/cleanup-locks.js';
import { cleanupRateLimits } from '../../src/jobs/cleanup-rate-limits.js';
import type { JobContext } from '../../src/jobs/job.js';
import { lockKey } from '../../src/redis/lease-locks.js';
import { eventsOf, holdAccount, letLeaseEnd } from '../support/held-account.js';
import { type JobsHarness, startJobs } from '../support/jobs.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';

let operations: OperationsHarness;
let one: JobsHarness;
let locks: Redis;
let windows: Redis;

beforeAll(async () => {
  operations = await startOperations();
  one = await startJobs({ databaseUrl: operations.databaseUrl, redisUrl: operations.redis.url });
  // A path in the URL would win over the option.
  const server = new URL('/', operations.redis.url).href;
  locks = new Redis<'legacy'>(server, { db: operations.redis.database + 1 });
  windows = new Redis<'legacy'>(server, { db: operations.redis.database + 3 });
});
afterAll(async () => {
  locks.disconnect();
  windows.disconnect();
  await one.close();
  await operations.close();
});
beforeEach(async () => {
  await operations.redis.flush();
  await operations.query('TRUNCATE answered_requests, events, counted_actions, leases, telegram_sessions CASCADE');
});

/** Waits for what happens after a commit. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const giveUpAt = Date.now() + 60_000; Date.now() < giveUpAt; ) if (await isSo()) return;
  throw new Error('it did not come to be');
}

test('a lease that is over is closed with its event, and what was acquired in it stays counted', async () => {
  const { accountId, holder } = await holdAccount(operations);
  await operations.succeed('action.acquire', { ...holder, action_type: 'invite' });
  await letLeaseEnd(operations, accountId);
  expect(await one.work(cleanupLocks)).toMatchObject({ leases_expired: 1 });
  const [account] = await operations.query(
    'SELECT locked, lease_id, used_invites_today FROM telegram_sessions WHERE id = $1',
    [accountId],
  );
  expect(account).toEqual({ locked: false, lease_id: null, used_invites_today: 1 });
  const events = await eventsOf(operations, accountId);
  expect(events.at(-1)).toMatchObject({ type: 'account.lease_expired', data: { lease_id: holder.lease_id } });
  expect(await one.work(cleanupLocks)).toMatchObject({ leases_expired: 0 });
  expect((await operations.refusal('account.renew', { ...holder })).code).toBe('LEASE_LOST');
});

test('stale locks go, lost locks come back, and those of live leases stay', async () => {
  const held = await holdAccount(operations);
  const lost = await holdAccount(operations);
  const stale = await holdAccount(operations);
  const lockOf = (accountId: string) => locks.get(lockKey(accountId));
  await until(async () => (await locks.pttl(lockKey(stale.accountId))) > 60_000);
  const before = await lockOf(held.accountId);
  const lostValue = await lockOf(lost.accountId);
  const staleValue = await lockOf(stale.accountId);
  await operations.succeed('account.release', {
    ...stale.holder,
    usage_stats: { invites_sent: 0, messages_sent: 0, contacts_added: 0, success: true },
  });
  await until(async () => (await lockOf(stale.accountId)) === null);
  // As if the release had not reached Redis, and Redis had forgotten another.
  await locks.set(lockKey(stale.accountId), staleValue!, 'PX', 600_000);
  await locks.del(lockKey(lost.accountId));
  // Taken for a lease that is not committed yet, or that a failover has forgotten: the database knows nothing of it.
  const forgotten = '00000000-0000-4000-8000-000000000000';
  await locks.set(lockKey(forgotten), 'unknown', 'PX', 600_000);
  // The rows of somebody who counts accounts.
  await locks.set(lockKey('42'), 'predecessor', 'PX', 600_000);

  expect(await one.work(cleanupLocks)).toMatchObject({ locks_removed: 1, locks_restored: 1 });
  expect(await lockOf(stale.accountId)).toBeNull();
  expect(await lockOf(lost.accountId)).toBe(lostValue);
  expect(await lockOf(held.accountId)).toBe(before);
  expect(await lockOf(forgotten)).toBe('unknown');
  expect(await lockOf('42')).toBe('predecessor');
  expect(await one.work(cleanupLocks)).toMatchObject({ locks_removed: 0, locks_restored: 0 });
});

test('a lease that cannot be closed fails the run, and keeps no lost lock from coming back', async () => {
  const broken = await holdAccount(operations);
  const lost = await holdAccount(operations);
  await letLeaseEnd(operations, broken.accountId);
  // The number of its next event is taken, as where rows were put back by hand.
  await operations.query(`UPDATE telegram_sessions SET event_sequence = 0 WHERE id = $1`, [broken.accountId]);
  await until(async () => (await locks.pttl(lockKey(lost.accountId))) > 60_000);
  await locks.del(lockKey(lost.accountId));
  await expect(one.work(cleanupLocks)).rejects.toThrow(/duplicate key/);
  expect(await locks.exists(lockKey(lost.accountId))).toBe(1);
});

test('cached windows that are not the present ones are removed, and what is not the cache’s is left alone', async () => {
  const { accountId, holder } = await holdAccount(operations);
  await operations.succeed('action.acquire', { ...holder, action_type: 'invite' });
  await until(async () => (await windows.dbsize()) === 4);
  await windows.set(`hourly:${accountId}:message`, '[0,[]]');
  await windows.set('hourly:00000000-0000-4000-8000-000000000000:invite', '[1,[]]');
  await windows.set('hourly:17:invite', '5');
  expect(await one.work(cleanupRateLimits)).toMatchObject({ cached_windows: 2 });
  expect((await windows.keys('*')).sort()).toEqual(
    ['burst', 'cooldown', 'daily', 'hourly']
      .map((prefix) => `${prefix}:${accountId}:invite`)
      .concat('hourly:17:invite')
      .sort(),
  );
});

test('rows that were kept long enough are removed, and the rest stay', async () => {
  const { accountId, holder } = await holdAccount(operations);
  const other = await holdAccount(operations);
  await operations.succeed('account.release', {
    ...other.holder,
    usage_stats: { invites_sent: 1, messages_sent: 0, contacts_added: 0, success: true },
  });
  const age = async (table: string, column: string, by: string, where = 'true') =>
    operations.query(`UPDATE ${table} SET ${column} = ${column} - $1::interval WHERE ${where}`, [by]);
  await operations.query('DELETE FROM outbox');
  await operations.succeed('action.acquire', { ...holder, action_type: 'invite' });
  await operations.succeed('admin.set-status', { account_id: accountId, status: 'draining', reason: 'test' });

  await age('answered_requests', 'answered_at', '23 hours 59 minutes');
  await age('events', 'occurred_at', '29 days');
  await age('counted_actions', 'counted_at', '40 days');
  const nothing = await one.work(cleanupRateLimits);
  // One action is of a lease that is still open.
  expect(nothing).toMatchObject({ answered_requests: 0, events: 0, counted_actions: 1, leases: 0 });

  const requests = await operations.query('SELECT 1 FROM answered_requests');
  await age('answered_requests', 'answered_at', '2 minutes');
  await age('events', 'occurred_at', '2 days');
  await operations.query(
    `UPDATE leases SET allocated_at = allocated_at - interval '31 days', expires_at = expires_at - interval '31 days',
       ended_at = ended_at - interval '31 days' WHERE ended_at IS NOT NULL`,
  );
  await operations.query(
    `INSERT INTO job_runs (job, scheduled_for, instance, lease_until, finished_at, outcome)
     SELECT 'report', at, 'old', at, at, 'done' FROM unnest(ARRAY[now() - interval '40 days', now() - interval '35 days']) AS r(at);
     INSERT INTO reports VALUES (gen_random_uuid(), now() - interval '31 days', '{}'), (gen_random_uuid(), now(), '{}');
     INSERT INTO alerts VALUES (gen_random_uuid(), 'a', '', 'info', '{}', now() - interval '60 days', now() - interval '31 days'),
       (gen_random_uuid(), 'b', '', 'info', '{}', now() - interval '60 days', NULL);`,
  );
  await operations.query(
    `INSERT INTO usage_archive VALUES (current_date - 366, $1, 'invite', 3), (current_date - 364, $1, 'invite', 3)`,
    [accountId],
  );
  const unpublished = await operations.query('SELECT 1 FROM outbox');
  expect(await one.work(cleanupRateLimits)).toMatchObject({
    answered_requests: requests.length,
    leases: 1,
    job_runs: 1,
    reports: 1,
    alerts: 1,
    archived_usage: 1,
  });
  expect(await operations.query('SELECT 1 FROM events')).toHaveLength(unpublished.length);
  expect(unpublished.length).toBeGreaterThan(0);
  expect(await operations.query('SELECT kind FROM alerts')).toEqual([{ kind: 'b' }]);
  // The lease that is open, and the one run that tells what was missed since.
  expect(await operations.query('SELECT 1 FROM leases')).toHaveLength(1);
  expect(await operations.query('SELECT 1 FROM job_runs')).toHaveLength(1);
});

test('windows of accounts that will not act again are archived and removed', async () => {
  const [banned, manual] = await operations.registerAccounts(100, 2);
  await operations.query(
    `INSERT INTO usage_windows (account_id, action_type, day, day_count, last_action_at)
     SELECT id, 'invite', current_date - 3, 9, now() - interval '3 days' FROM unnest($1::uuid[]) AS u(id)`,
    [[banned, manual]],
  );
  await operations.query(
    `UPDATE telegram_sessions SET status = 'disabled', is_active = false,
       disabled_reason = CASE WHEN id = $1 THEN 'banned' ELSE 'manual' END WHERE id = ANY($2::uuid[])`,
    [banned, [banned, manual]],
  );
  // The reset has not come so far: it takes the days after the last one that is archived, and would leave some out.
  const archive = (daysAgo: number) =>
    operations.query(`INSERT INTO usage_archive VALUES (current_date - $1::integer, $2, 'invite', 1)`, [
      daysAgo,
      manual,
    ]);
  await archive(4);
  expect(await one.work(cleanupRateLimits)).toMatchObject({ windows_retired: 0 });
  await archive(3);
  expect(await one.work(cleanupRateLimits)).toMatchObject({ windows_retired: 1 });
  const windowRows = await operations.query('SELECT account_id FROM usage_windows WHERE account_id = ANY($1::uuid[])', [
    [banned, manual],
  ]);
  expect(windowRows).toEqual([{ account_id: manual }]);
  expect(await operations.query('SELECT quantity::int FROM usage_archive WHERE account_id = $1', [banned])).toEqual([
    { quantity: 9 },
  ]);
});

test('counters of channels stay for good where their total is limited, and else as long as the history', async () => {
  const { accountId } = await holdAccount(operations);
  const insert = (action: string, channel: string, day: string | null) =>
    operations.query(
      `INSERT INTO channel_usage VALUES ($1, $2, $3, current_date - $4::integer, CASE WHEN $4::integer IS NULL THEN 0 ELSE 3 END, 5)`,
      [accountId, action, channel, day],
    );
  await insert('invite', 'long ago', '400');
  await insert('message', 'in the history', '30');
  await insert('message', 'before it', '31');
  await insert('parse', 'before it', '31');
  await insert('leave_channel', 'imported', null);
  const left = async () =>
    (
      await operations.query<{ counter: string }>(
        `SELECT action_type || ' ' || channel AS counter FROM channel_usage ORDER BY 1`,
      )
    ).map(({ counter }) => counter);
  const limited = (action: 'invite' | 'parse', perChannelTotal: number | null): JobContext => {
    const policy = { ...DEFAULT_LIMITS, [action]: { ...DEFAULT_LIMITS[action], perChannelTotal } };
    return { ...one.context, settings: { ...one.context.settings, policy } };
  };

  expect(await one.work(cleanupRateLimits, { context: limited('parse', 9) })).toMatchObject({ channel_counters: 1 });
  const kept = ['invite long ago', 'leave_channel imported', 'message in the history'];
  expect(await left()).toEqual([...kept, 'parse before it']);
  // Without a limit of their total the policy may have it again tomorrow.
  expect(await one.work(cleanupRateLimits, { context: limited('invite', null) })).toMatchObject({
    channel_counters: 1,
  });
  expect(await left()).toEqual(kept);
});
