import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { LimitReason } from '../../contracts/actions.js';
import type { ActionType } from '../../contracts/fields.js';
import { type ActionPolicy, DEFAULT_LIMITS, type LimitsPolicy } from '../../src/decide/limits/limits-policy.js';
import { eventsOf, holdAccount, letLeaseEnd, letUsageAge, newUser, rowsOf } from '../support/held-account.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';

const unlimited: ActionPolicy = {
  cooldownSeconds: null,
  burstLimit: null,
  burstCooldownSeconds: null,
  hourlyLimit: null,
  dailyLimit: null,
  perChannelDaily: null,
  perChannelTotal: null,
};
/** One rule per action, so that each can be met alone. */
const policy: LimitsPolicy = {
  invite: { ...unlimited, dailyLimit: 2 },
  message: { ...unlimited, hourlyLimit: 2 },
  add_contact: { ...unlimited, perChannelDaily: 2 },
  parse: { ...unlimited, perChannelTotal: 2 },
  join_channel: { ...unlimited, cooldownSeconds: 100 },
  leave_channel: { ...unlimited, burstLimit: 2, burstCooldownSeconds: 200 },
};

let harness: OperationsHarness;
let usual: OperationsHarness;
beforeAll(async () => {
  [harness, usual] = await Promise.all([startOperations({ policy }), startOperations({ policy: DEFAULT_LIMITS })]);
});
afterAll(() => Promise.all([harness.close(), usual.close()]));

const nextMidnight = (): number => Math.floor(Date.now() / 86_400_000) * 86_400_000 + 86_400_000;
const inSeconds = (seconds: number): number => Date.now() + seconds * 1000;

const rules: [reason: LimitReason, action: ActionType, allowed: number, nextAllowedAt: () => number | null][] = [
  ['daily', 'invite', 2, nextMidnight],
  ['hourly', 'message', 2, () => inSeconds(3600)],
  ['per_channel_daily', 'add_contact', 2, nextMidnight],
  ['per_channel_total', 'parse', 2, () => null],
  ['cooldown', 'join_channel', 1, () => inSeconds(100)],
  ['burst', 'leave_channel', 2, () => inSeconds(200)],
];

describe('each rule refuses at its bound, names itself and the instant, and counts nothing', () => {
  test.each(rules)('%s', async (reason, action_type, allowed, nextAllowedAt) => {
    const { accountId, holder } = await holdAccount(harness);
    const action = { ...holder, action_type, target_channel_id: '@Foo' };
    for (let count = 1; count <= allowed; count++) {
      const reply = await harness.succeed('action.acquire', action);
      expect(reply).toMatchObject({ allowed: true, reason: null, next_allowed_at: null });
      expect(reply.permit_id).toMatch(/^[0-9a-f-]{36}$/);
      expect(reply.checks.daily.used).toBe(count);
    }
    const before = await rowsOf(harness, accountId);
    const refused = await harness.succeed('action.acquire', action);
    expect(refused).toMatchObject({ allowed: false, reason });
    expect(refused).not.toHaveProperty('permit_id');
    expect(await rowsOf(harness, accountId)).toEqual(before);

    const expected = nextAllowedAt();
    if (expected === null) {
      expect(refused).toMatchObject({ next_allowed_at: null, details: { cooldown_remaining: null } });
      return;
    }
    const next = Date.parse(refused.next_allowed_at ?? '');
    expect(Math.abs(next - expected)).toBeLessThan(10_000);
    expect(Math.abs((refused.details.cooldown_remaining ?? 0) - (expected - Date.now()) / 1000)).toBeLessThan(10);
  });
});

describe('limits open by themselves', () => {
  test.each([
    ['invite', '1 day', 'a new UTC day'],
    ['message', '60 minutes', 'an hour'],
    ['add_contact', '1 day', 'a new UTC day'],
    ['join_channel', '100 seconds', 'the cooldown'],
    ['leave_channel', '200 seconds', 'the burst pause'],
  ])('%s after %s: %s', async (action_type, by) => {
    const { accountId, holder } = await holdAccount(harness);
    const action = { ...holder, action_type, target_channel_id: 'foo' };
    while ((await harness.succeed('action.acquire', action)).allowed);
    await letUsageAge(harness, accountId, by);
    expect(await harness.succeed('action.acquire', action)).toMatchObject({ allowed: true });
  });

  test('but not what counts for ever', async () => {
    const { accountId, holder } = await holdAccount(harness);
    const action = { ...holder, action_type: 'parse', target_channel_id: 'foo' };
    while ((await harness.succeed('action.acquire', action)).allowed);
    await letUsageAge(harness, accountId, '400 days');
    expect(await harness.succeed('action.acquire', action)).toMatchObject({
      allowed: false,
      reason: 'per_channel_total',
      checks: { per_channel: { used: 0, total: { used: 2, limit: 2, remaining: 0 } } },
    });
    expect(await harness.succeed('action.acquire', { ...action, target_channel_id: 'bar' })).toMatchObject({
      allowed: true,
    });
  });

  test('dated counters are right at the midnight of UTC: yesterday’s last action leaves today whole', async () => {
    const { accountId, holder } = await holdAccount(harness);
    const action = { ...holder, action_type: 'invite' };
    while ((await harness.succeed('action.acquire', action)).allowed);
    await harness.query(
      `UPDATE usage_windows SET day = day - 1,
         last_action_at = date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' - interval '1 ms'
       WHERE account_id = $1`,
      [accountId],
    );
    // A cached copy is of another version.
    await harness.query('UPDATE telegram_sessions SET usage_version = usage_version + 1 WHERE id = $1', [accountId]);
    expect(await harness.succeed('action.check', { account_id: accountId, action_type: 'invite' })).toMatchObject({
      allowed: true,
    });
    expect(await harness.succeed('action.acquire', action)).toMatchObject({
      allowed: true,
      checks: { daily: { used: 1, limit: 2, remaining: 1 } },
    });
    expect(await harness.succeed('action.acquire', action)).toMatchObject({ checks: { daily: { used: 2 } } });
    expect(await harness.succeed('action.acquire', action)).toMatchObject({ allowed: false, reason: 'daily' });
  });
});

describe('the account’s condition comes before its limits', () => {
  test('waiting and disabled accounts act no more, draining ones finish their lease', async () => {
    const { accountId, holder } = await holdAccount(harness);
    const action = { ...holder, action_type: 'invite' };
    await harness.query(`UPDATE telegram_sessions SET status = 'draining' WHERE id = $1`, [accountId]);
    expect(await harness.succeed('action.acquire', action)).toMatchObject({ allowed: true });
    const { result } = await harness.succeed('account.error', { ...holder, error_type: 'FLOOD_WAIT_300' });
    const refused = await harness.succeed('action.acquire', action);
    expect(refused).toMatchObject({
      allowed: false,
      reason: 'account_status',
      next_allowed_at: result.recovery_time,
    });
    await harness.succeed('account.error', { ...holder, error_type: 'USER_DEACTIVATED_BAN' });
    expect(await harness.succeed('action.acquire', action)).toMatchObject({
      allowed: false,
      reason: 'account_status',
      next_allowed_at: null,
      details: { cooldown_remaining: null },
    });
  });

  test('the end of a wait takes effect at its instant, without any job', async () => {
    const { accountId, holder } = await holdAccount(harness);
    await harness.succeed('account.error', { ...holder, error_type: 'FLOOD_WAIT_300' });
    await harness.query(`UPDATE telegram_sessions SET flood_wait_until = now() - interval '1 ms' WHERE id = $1`, [
      accountId,
    ]);
    expect(await harness.succeed('action.acquire', { ...holder, action_type: 'invite' })).toMatchObject({
      allowed: true,
    });
    expect((await eventsOf(harness, accountId)).at(-1)).toMatchObject({
      type: 'account.recovered',
      data: { previous_status: 'flood_wait' },
    });
  });
});

describe('who may act', () => {
  test('the holder, and callers of the predecessor that do not say who they are', async () => {
    const { accountId, holder } = await holdAccount(usual);
    const action = { account_id: accountId, action_type: 'parse' };
    for (const claim of [holder, { service_name: 'invite-service' }, {}]) {
      expect(await usual.succeed('action.acquire', { ...action, ...claim })).toMatchObject({
        checks: expect.anything(),
      });
    }
    const counted = await usual.query('SELECT DISTINCT lease_id FROM counted_actions WHERE account_id = $1', [
      accountId,
    ]);
    expect(counted).toEqual([{ lease_id: holder.lease_id }]);
  });

  test('an account that nobody holds may be acted on without a name only', async () => {
    const [accountId] = await usual.registerAccounts(newUser(), 1);
    const action = { account_id: accountId, action_type: 'invite' };
    expect(await usual.succeed('action.acquire', action)).toMatchObject({ allowed: true });
    const named = { ...action, service_name: 'invite-service' };
    expect((await usual.refusal('action.acquire', named)).code).toBe('NOT_HELD');
    const leased = { ...action, lease_id: randomUUID(), fence: 1 };
    expect((await usual.refusal('action.acquire', leased)).code).toBe('LEASE_LOST');
  });

  test.each([
    ['another service', { service_name: 'other' }, 'NOT_HELD'],
    ['an old fence', { service_name: 'invite-service', fence: 0 }, 'LEASE_LOST'],
    ['another lease', { lease_id: randomUUID() }, 'LEASE_LOST'],
  ])('not %s; it changes nothing', async (_who, claim, code) => {
    const { accountId } = await holdAccount(usual);
    const before = await rowsOf(usual, accountId);
    const action = { account_id: accountId, action_type: 'invite', ...claim };
    expect((await usual.refusal('action.acquire', action)).code).toBe(code);
    expect(await rowsOf(usual, accountId)).toEqual(before);
  });

  test('not the holder whose lease has ended', async () => {
    const { accountId, holder } = await holdAccount(usual);
    await letLeaseEnd(usual, accountId);
    expect((await usual.refusal('action.acquire', { ...holder, action_type: 'invite' })).code).toBe('LEASE_LOST');
    const counted = await usual.query('SELECT 1 FROM counted_actions WHERE account_id = $1', [accountId]);
    expect(counted).toEqual([]);
  });

  test('nobody on an account that does not exist', async () => {
    const action = { account_id: randomUUID(), action_type: 'invite' };
    expect((await usual.refusal('action.acquire', action)).code).toBe('ACCOUNT_NOT_FOUND');
  });
});

test.each([3, 99, 101, 5_000])('of %d channels that an account has used each counts by itself', async (channels) => {
  const { accountId, holder } = await holdAccount(harness, { target_channel_id: 'own' });
  // Two in a channel are all, ever; the last action was yesterday.
  await harness.query(
    `INSERT INTO channel_usage SELECT $1, 'parse', 'channel_' || n, CURRENT_DATE - 1, 1, 1 + n % 2
     FROM generate_series(1, $2::integer) n`,
    [accountId, channels],
  );
  const parse = (target_channel_id: string) => ({ ...holder, action_type: 'parse', target_channel_id });
  const check = async (channel: string) => {
    const { account_id, action_type, target_channel_id } = parse(channel);
    return (await harness.succeed('action.check', { account_id, action_type, target_channel_id })).checks.per_channel;
  };
  const [full, open] = channels % 2 === 1 ? [channels, channels - 1] : [channels - 1, channels];
  const asked = [`channel_${full}`, `channel_${open}`, 'own', 'a_new_one'];
  const verdicts = await Promise.all(asked.map((channel) => harness.succeed('action.acquire', parse(channel))));
  expect(verdicts.map(({ allowed }) => allowed)).toEqual([false, true, true, true]);
  expect(verdicts[0]).toMatchObject({ reason: 'per_channel_total' });
  const totals = await Promise.all(asked.map(async (channel) => (await check(channel))?.total.used));
  expect(totals).toEqual([2, 2, 1, 1]);
  expect(await harness.succeed('action.acquire', parse('own'))).toMatchObject({ allowed: true });
  expect(await harness.succeed('action.acquire', parse('own'))).toMatchObject({ reason: 'per_channel_total' });
});
