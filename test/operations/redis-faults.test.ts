import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import pg from 'pg';
import { lockKey } from '../../src/redis/lease-locks.js';
import { eventually } from '../support/eventually.js';
import { createFailingRedis, type FailingRedis } from '../support/failing-redis.js';
import { holdAccount, letLeaseEnd, newUser } from '../support/held-account.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';

/** Far above what a call takes with Redis away, far below what waiting for it would take. */
const BOUND_MS = 5_000;

let failing: FailingRedis;
let harness: OperationsHarness;
/** Looks into the lock database past the door that is shut. */
let locks: Redis;

beforeAll(async () => {
  failing = await createFailingRedis();
  harness = await startOperations({ redis: failing });
  const direct = new URL(failing.behind);
  direct.pathname = '';
  locks = new Redis<'legacy'>(direct.href, { db: failing.database + 1 });
});
afterAll(async () => {
  locks.disconnect();
  await harness.close();
});

beforeEach(async () => {
  failing.resume();
  if (!failing.isUp()) await failing.start();
  await eventually('the lock is written again', async () => {
    const { holder } = await holdAccount(harness);
    return (await lockValueOf(holder.lease_id)) !== null;
  });
});

async function lockValueOf(leaseId: string): Promise<string | null | undefined> {
  const [lease] = await harness.query<{ lock_value: string | null }>('SELECT lock_value FROM leases WHERE id = $1', [
    leaseId,
  ]);
  return lease?.lock_value;
}

async function within<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not answered within ${BOUND_MS} ms`)), BOUND_MS);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

const isLocked = async (accountId: string) => (await locks.exists(lockKey(accountId))) === 1;
const wish = (user: number, more: Record<string, unknown> = {}) => ({
  user_id: user,
  purpose: 'general',
  service_name: 'invite-service',
  ...more,
});
const nothingDone = {
  usage_stats: { invites_sent: 0, messages_sent: 0, contacts_added: 0, success: true },
};

/** Allocates, acts to the limit and releases; everything must be right and in time. */
async function useAccount(): Promise<void> {
  const user = newUser();
  await within(harness.registerAccounts(user, 2));
  const grants = await within(Promise.all([1, 2, 3, 4].map(() => harness.call('account.allocate', wish(user)))));
  const granted = grants.flatMap((reply) => (reply.success ? [reply.allocation] : []));
  expect(new Set(granted.map((allocation) => allocation.account_id)).size).toBe(2);
  expect(granted).toHaveLength(2);
  for (const { account_id, allocated_by: service_name, lease_id, fence } of granted) {
    const holder = { account_id, service_name, lease_id, fence };
    const action = { account_id, action_type: 'invite' };
    const acquired = await within(
      Promise.all([1, 2, 3].map(() => harness.succeed('action.acquire', { ...action, ...holder }))),
    );
    expect(acquired.filter(({ allowed }) => allowed)).toHaveLength(1);
    expect(await within(harness.succeed('action.check', action))).toMatchObject({ allowed: false, reason: 'cooldown' });
    const { status } = await within(harness.succeed('query.limits', { account_id }));
    expect(status.daily_limits.invite.used).toBe(1);
    await within(harness.succeed('account.renew', holder));
    await within(harness.succeed('account.release', { ...holder, ...nothingDone }));
  }
}

test('a lease has its lock for its length, and no longer', async () => {
  const { accountId, holder } = await holdAccount(harness, { timeout_minutes: 60 });
  await eventually('the lock has its time', async () => (await locks.pttl(lockKey(accountId))) > 3_500_000);
  expect(await locks.get(lockKey(accountId))).toBe(await lockValueOf(holder.lease_id));
  await harness.succeed('account.renew', { ...holder, timeout_minutes: 5 });
  await eventually('the lock has its time', async () => (await locks.pttl(lockKey(accountId))) <= 300_000);
  await harness.succeed('account.release', { ...holder, ...nothingDone });
  await eventually('the lock is gone', async () => !(await isLocked(accountId)));
});

test('a lease whose lock was never stretched, since its process died, has it whole when the request is repeated', async () => {
  const user = newUser();
  await harness.registerAccounts(user, 1);
  const messageId = randomUUID();
  const { allocation } = await harness.succeed('account.allocate', wish(user), { messageId });
  const { account_id: accountId } = allocation;
  await eventually('the lock has its time', async () => (await locks.pttl(lockKey(accountId))) > 60_000);
  await locks.pexpire(lockKey(accountId), 30_000);
  await harness.succeed('account.allocate', wish(user), { messageId });
  await eventually('the lock has its time', async () => (await locks.pttl(lockKey(accountId))) > 60_000);
});

test('before the commit a lock lives 30 s; a grant that is taken back gives it back', async () => {
  const user = newUser();
  const [accountId = ''] = await harness.registerAccounts(user, 1);
  const messageId = randomUUID();
  // Whoever stores the answer to the same request first makes the other wait, and then decides for both.
  const rival = new pg.Client({ connectionString: harness.databaseUrl });
  await rival.connect();
  await rival.query('BEGIN');
  await rival.query(
    `INSERT INTO answered_requests VALUES ('', $1, 'account.allocate', 'another body', '{"success": true}', now())`,
    [messageId],
  );
  const reply = harness.call('account.allocate', wish(user), { messageId });
  await eventually('it is locked', () => isLocked(accountId));
  const ttlMs = await locks.pttl(lockKey(accountId));
  expect(ttlMs).toBeGreaterThan(20_000);
  expect(ttlMs).toBeLessThanOrEqual(30_000);
  await rival.query('COMMIT');
  await rival.end();
  expect(await reply).toMatchObject({ success: false, error: { code: 'IDEMPOTENCY_CONFLICT' } });
  expect(await isLocked(accountId)).toBe(false);
  expect((await harness.succeed('account.allocate', wish(user))).allocation.fence).toBe(1);
});

test('a grant that fails while its lock is being taken gives the lock back all the same', async () => {
  const user = newUser();
  const [accountId = ''] = await harness.registerAccounts(user, 1);
  // Sessions cannot be read, which is known long before Redis answers.
  await harness.query('ALTER TABLE telegram_sessions RENAME session_data TO sealed');
  failing.hang();
  const reply = harness.call('account.allocate', wish(user));
  await eventually('the transaction is aborted', async () => {
    const [{ aborted } = {}] = await harness.query<{ aborted: boolean }>(
      `SELECT bool_or(state = 'idle in transaction (aborted)' OR query = 'ROLLBACK') AS aborted FROM pg_stat_activity
       WHERE datname = current_database()`,
    );
    return aborted === true;
  });
  failing.resume();
  expect(await reply).toMatchObject({ success: false, error: { code: 'INTERNAL' } });
  await harness.query('ALTER TABLE telegram_sessions RENAME sealed TO session_data');
  expect((await harness.succeed('account.allocate', wish(user))).allocation.account_id).toBe(accountId);
});

test('an account whose lock is held though the database knows of no lease is not granted', async () => {
  const user = newUser();
  const [first = '', second = ''] = await harness.registerAccounts(user, 2);
  await locks.set(lockKey(first), 'a lease that a failover forgot', 'PX', 60_000);
  const { allocation } = await harness.succeed('account.allocate', wish(user));
  expect(allocation.account_id).toBe(second);
  const busy = await harness.refusal(
    'account.allocate',
    wish(user, { preferred_account_id: first, preferred_mode: 'prefer' }),
  );
  expect(busy).toMatchObject({ code: 'ALL_BUSY', retryable: true });
  expect(busy.retry_after_ms).toBeLessThanOrEqual(1_000);
  const required = wish(user, { preferred_account_id: first, preferred_mode: 'require' });
  expect((await harness.refusal('account.allocate', required)).code).toBe('PREFERRED_UNAVAILABLE');
  expect(await locks.get(lockKey(first))).toBe('a lease that a failover forgot');
  await locks.del(lockKey(first));
  expect((await harness.succeed('account.allocate', wish(user))).allocation.account_id).toBe(first);
});

test('an account whose session does not open is passed over, unlocked, and keeps its user from no other', async () => {
  const user = newUser();
  const [broken = '', whole = ''] = (await harness.registerAccounts(user, 2)).sort();
  await harness.query(`UPDATE telegram_sessions SET session_data = session_data || '\\x00' WHERE id = $1`, [broken]);
  const { allocation } = await harness.succeed('account.allocate', wish(user));
  expect(allocation).toMatchObject({ account_id: whole, session_data: expect.stringMatching(/^1/) });
  await eventually('the lock is gone', async () => !(await isLocked(broken)));
  expect(await harness.query('SELECT locked, fence::int FROM telegram_sessions WHERE id = $1', [broken])).toEqual([
    { locked: false, fence: 0 },
  ]);
  const unopened = await harness.succeed('account.allocate', wish(user, { include_session: false }));
  expect(unopened.allocation.account_id).toBe(broken);
});

test('a lease that is over is over in Redis too: the next allocation takes its lock', async () => {
  const { user, accountId } = await holdAccount(harness);
  await eventually('it is locked', () => isLocked(accountId));
  await letLeaseEnd(harness, accountId);
  const { allocation } = await harness.succeed('account.allocate', wish(user));
  expect(allocation).toMatchObject({ account_id: accountId, fence: 2 });
});

test('a release that Redis did not hear of does not keep the account locked', async () => {
  const { user, accountId, holder } = await holdAccount(harness, { timeout_minutes: 1440 });
  await eventually('it is locked', () => isLocked(accountId));
  await failing.stop();
  await within(harness.succeed('account.release', { ...holder, ...nothingDone }));
  await failing.start();
  expect(await isLocked(accountId)).toBe(true);
  await eventually('the lock is taken again', async () => {
    const { allocation } = await harness.succeed('account.allocate', wish(user));
    expect(allocation.account_id).toBe(accountId);
    const { lease_id, fence } = allocation;
    const release = { account_id: accountId, service_name: 'invite-service', lease_id, fence, ...nothingDone };
    await harness.succeed('account.release', release);
    return (await lockValueOf(lease_id)) !== null;
  });
});

test('flushed, it gives and forgets nothing', async () => {
  const { user, accountId, holder } = await holdAccount(harness);
  await harness.succeed('action.acquire', { ...holder, action_type: 'invite' });
  await failing.flush();
  expect((await harness.refusal('account.allocate', wish(user))).code).toBe('ALL_BUSY');
  expect(await harness.succeed('action.check', { account_id: accountId, action_type: 'invite' })).toMatchObject({
    allowed: false,
    reason: 'cooldown',
  });
  await harness.succeed('account.renew', holder);
  await eventually('it is locked', () => isLocked(accountId));
  await useAccount();
});

test('hanging, it delays nobody for long, and grants and limits stay right', async () => {
  failing.hang();
  await useAccount();
  failing.resume();
});

test('stopped, it is done without, and taken again when it is back', async () => {
  await failing.stop();
  await useAccount();
  const { accountId, holder } = await holdAccount(harness);
  expect(await isLocked(accountId)).toBe(false);
  await failing.start();
  await eventually('renewing restores the lock', async () => {
    await harness.succeed('account.renew', holder);
    return isLocked(accountId);
  });
  expect(await locks.get(lockKey(accountId))).toBe(holder.lease_id);
  await useAccount();
});
