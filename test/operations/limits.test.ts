import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { ACTION_TYPES } from '../../contracts/fields.js';
import { DEFAULT_LIMITS } from '../../src/decide/limits/limits-policy.js';
import { holdAccount, letLeaseEnd, newUser } from '../support/held-account.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';

let harness: OperationsHarness;
beforeAll(async () => {
  harness = await startOperations();
});
afterAll(() => harness.close());

const limitsOf = async (accountId: string) => (await harness.succeed('query.limits', { account_id: accountId })).status;

test('an account that has done nothing has all of the policy left, in every action', async () => {
  const [accountId = ''] = await harness.registerAccounts(newUser(), 1);
  const status = await limitsOf(accountId);
  expect(status).toMatchObject({ account_id: accountId, is_available: true });
  for (const action of ACTION_TYPES) {
    const policy = DEFAULT_LIMITS[action];
    const whole = (limit: number | null) => ({ used: 0, limit, remaining: limit });
    expect(status.daily_limits[action]).toEqual(whole(policy.dailyLimit));
    expect(status.hourly_limits[action]).toEqual(whole(policy.hourlyLimit));
    expect(status.cooldowns[action]).toEqual({ ready: true, next_allowed_at: null });
    expect(status.burst_status[action]).toEqual({
      ready: true,
      next_allowed_at: null,
      used: 0,
      limit: policy.burstLimit,
    });
    expect(status.per_channel_limits[action]).toEqual({});
  }
});

test('every window is told, by action and by channel', async () => {
  const { accountId, holder } = await holdAccount(harness);
  const usage_stats = {
    invites_sent: 5,
    messages_sent: 4,
    contacts_added: 0,
    success: true,
    channel_usage: { '@Foo': 3, 'https://t.me/c/1234567890/5': 1, '@__proto__': 1 },
  };
  await harness.succeed('account.release', { ...holder, usage_stats });
  const status = await limitsOf(accountId);
  expect(status.daily_limits).toMatchObject({
    invite: { used: 5, limit: 30, remaining: 25 },
    message: { used: 4, limit: 30, remaining: 26 },
    add_contact: { used: 0 },
  });
  expect(status.hourly_limits.invite).toEqual({ used: 5, limit: 5, remaining: 0 });
  expect(status.burst_status.invite).toMatchObject({ ready: false, used: 5, limit: 3 });
  expect(Math.abs(Date.parse(status.cooldowns.invite.next_allowed_at ?? '') - Date.now() - 120_000)).toBeLessThan(
    10_000,
  );
  expect(status.per_channel_limits).toMatchObject({
    invite: {
      foo: { used: 3, limit: 15, remaining: 12, total: { used: 3, limit: 200, remaining: 197 } },
      '1234567890': { used: 1, limit: 15, remaining: 14, total: { used: 1, limit: 200, remaining: 199 } },
    },
    message: {},
  });
  expect(Object.keys(status.per_channel_limits.invite)).toContain('__proto__');
});

test('is_available follows lease, wait and their ends, without any job', async () => {
  const { accountId, holder } = await holdAccount(harness);
  expect((await limitsOf(accountId)).is_available).toBe(false);
  await letLeaseEnd(harness, accountId);
  expect((await limitsOf(accountId)).is_available).toBe(true);
  await harness.succeed('account.error', { account_id: holder.account_id, error_type: 'FLOOD_WAIT_300' });
  expect((await limitsOf(accountId)).is_available).toBe(false);
  await harness.query(`UPDATE telegram_sessions SET flood_wait_until = now() - interval '1 ms' WHERE id = $1`, [
    accountId,
  ]);
  expect((await limitsOf(accountId)).is_available).toBe(true);
  await harness.query(`UPDATE telegram_sessions SET status = 'draining', flood_wait_until = NULL WHERE id = $1`, [
    accountId,
  ]);
  expect((await limitsOf(accountId)).is_available).toBe(false);
});

test('an account that does not exist is not found', async () => {
  expect((await harness.refusal('query.limits', { account_id: randomUUID() })).code).toBe('ACCOUNT_NOT_FOUND');
});
