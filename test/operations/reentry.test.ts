import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ask } from '../support/ask.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';

let harness: OperationsHarness;
let nextUser = 1;

const DAY = 86_400_000;
const midnight = (daysAhead: number): number => (Math.floor(Date.now() / DAY) + daysAhead) * DAY;
const iso = (at: number): string => new Date(at).toISOString();

beforeAll(async () => {
  harness = await startOperations();
});
afterAll(() => harness.close());

/** An account whose last block ended so many UTC dates ago, at noon, or as today began. */
async function afterBlock(daysAgo: number): Promise<{ user_id: number; account_id: string }> {
  const user_id = nextUser++;
  const [account_id = ''] = await harness.registerAccounts(user_id, 1);
  const endedAt = daysAgo === 0 ? midnight(0) : midnight(-daysAgo) + DAY / 2;
  await harness.query('UPDATE telegram_sessions SET last_block_ended_at = $2, block_level = 1 WHERE id = $1', [
    account_id,
    new Date(endedAt),
  ]);
  return { user_id, account_id };
}

test('an account that was never blocked has the limits of the contract, and no word of re-entry', async () => {
  const [account_id = ''] = await harness.registerAccounts(nextUser++, 1);
  const { status } = await ask(harness, 'query.limits', { account_id });
  expect(status.daily_limits.invite.limit).toBe(30);
  expect(status).not.toHaveProperty('reentry');
  expect(await ask(harness, 'action.acquire', { account_id, action_type: 'invite' })).not.toHaveProperty('reentry');
});

test.each([
  0, 1, 2,
])('daily limits are halved on the day a block ended and the two after it: day %i', async (daysAgo) => {
  const { user_id, account_id } = await afterBlock(daysAgo);
  const reentry = { until: iso(midnight(3 - daysAgo)), daily_percent: 50 };
  const { status } = await ask(harness, 'query.limits', { account_id });
  expect(status).toMatchObject({ reentry, is_available: true });
  expect(Object.fromEntries(Object.entries(status.daily_limits).map(([action, { limit }]) => [action, limit]))).toEqual(
    {
      invite: 15,
      message: 15,
      add_contact: 7,
      parse: 2_500,
      join_channel: 10,
      leave_channel: 10,
    },
  );
  expect(status.hourly_limits.invite.limit).toBe(5);

  const checked = await ask(harness, 'action.check', { account_id, action_type: 'invite' });
  expect(checked).toMatchObject({ allowed: true, reentry, checks: { daily: { limit: 15 } } });
  const { allocation } = await ask(harness, 'account.allocate', {
    user_id,
    purpose: 'invite_campaign',
    service_name: 'one',
  });
  expect(allocation.limits).toMatchObject({ daily_invite_limit: 15, per_channel_invite_limit: 15, reentry });
});

test('on the third day after it the full limits hold again', async () => {
  const { account_id } = await afterBlock(3);
  const { status } = await ask(harness, 'query.limits', { account_id });
  expect(status.daily_limits.invite.limit).toBe(30);
  expect(status).not.toHaveProperty('reentry');
});

test('the reduced limit is held, told as the reason, and ranked by', async () => {
  const { user_id, account_id } = await afterBlock(0);
  await harness.query(
    `INSERT INTO usage_windows (account_id, action_type, day, day_count) VALUES ($1, 'invite', current_date, 14)`,
    [account_id],
  );
  expect((await ask(harness, 'action.acquire', { account_id, action_type: 'invite' })).allowed).toBe(true);
  await harness.query(
    `UPDATE usage_windows SET recent = '{}', burst_count = 0, last_action_at = NULL WHERE account_id = $1`,
    [account_id],
  );
  expect(await ask(harness, 'action.acquire', { account_id, action_type: 'invite' })).toMatchObject({
    allowed: false,
    reason: 'daily',
    next_allowed_at: iso(midnight(1)),
    reentry: { daily_percent: 50 },
  });
  const wish = { user_id, purpose: 'invite_campaign', service_name: 'one' };
  expect((await harness.refusal('account.allocate', wish)).code).toBe('ALL_LIMITED');
  const explained = await ask(harness, 'query.explain', { user_id, purpose: 'invite_campaign' });
  expect(explained.accounts[0]?.rules).toContainEqual(
    expect.objectContaining({ rule: 'daily', passed: false, used: 15, limit: 15 }),
  );
  const summary = await ask(harness, 'query.accounts', { user_id, purpose: 'invite_campaign' });
  expect(summary.aggregates.capacity_today).toMatchObject({ invite: 0, message: 15 });
  expect(summary.accounts[0]?.is_available).toBe(false);
  // An action that happens all the same is counted, and reported to be over the limit.
  const recorded = await ask(harness, 'action.record', { account_id, action_type: 'invite' });
  expect(recorded.over_limit).toBe(true);
});

test('while the block is on, the limits are those that will hold when it ends', async () => {
  const [account_id = ''] = await harness.registerAccounts(nextUser++, 1);
  const { result } = await ask(harness, 'account.error', { account_id, error_message: 'PEER_FLOOD' });
  const { status } = await ask(harness, 'query.limits', { account_id });
  expect(status.daily_limits.invite.limit).toBe(15);
  const endsOn = Math.floor(Date.parse(result.recovery_time!) / DAY) * DAY;
  expect(status.reentry?.until).toBe(iso(endsOn + 3 * DAY));
});

test('switched off, a block changes no limit', async () => {
  const other = await startOperations({ reentry: { days: 0, share: 0.5 } });
  const [account_id = ''] = await other.registerAccounts(1, 1);
  await other.query('UPDATE telegram_sessions SET last_block_ended_at = now() WHERE id = $1', [account_id]);
  const { status } = await ask(other, 'query.limits', { account_id });
  expect(status.daily_limits.invite.limit).toBe(30);
  expect(status).not.toHaveProperty('reentry');
  const { aggregates } = await ask(other, 'query.accounts', { user_id: 1 });
  expect(aggregates.capacity_today.invite).toBe(30);
  await other.close();
});
