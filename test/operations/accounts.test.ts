import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { DEFAULT_LIMITS } from '../../src/decide/limits/limits-policy.js';
import { ask } from '../support/ask.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';

let harness: OperationsHarness;
let nextUser = 1;
const newUser = () => nextUser++;
beforeAll(async () => {
  harness = await startOperations();
});
afterAll(() => harness.close());

const summaryOf = (userId: number, filters: Record<string, unknown> = {}) =>
  ask(harness, 'query.accounts', { user_id: userId, ...filters });
const fail = (accountId: string | undefined, error_message: string) =>
  ask(harness, 'account.error', { account_id: accountId, error_message });
const set = (accountId: string | undefined, status: string) =>
  ask(harness, 'admin.set-status', { account_id: accountId, status, reason: 'test' });
const invite = (accountId: string | undefined, count: number, channel?: string) =>
  harness.query(
    `WITH w AS (INSERT INTO usage_windows (account_id, action_type, day, day_count)
       VALUES ($1, 'invite', (now() AT TIME ZONE 'UTC')::date, $2)
       ON CONFLICT (account_id, action_type) DO UPDATE SET day_count = usage_windows.day_count + $2 RETURNING 1)
     INSERT INTO channel_usage (account_id, action_type, channel, day, day_count, total)
     SELECT $1, 'invite', $3, (now() AT TIME ZONE 'UTC')::date, $2, $2 FROM w WHERE $3::text IS NOT NULL`,
    [accountId, count, channel],
  );

test('totals, statuses, today’s capacity and the accounts, without sessions', async () => {
  const user = newUser();
  const ids = (await harness.registerAccounts(user, 6)).sort();
  await harness.registerAccounts(newUser(), 2);
  const [free, leased, waiting, blocked, draining, disabled] = ids;
  await set(draining, 'draining');
  await set(disabled, 'disabled');
  const wish = { user_id: user, purpose: 'general', service_name: 'holder', preferred_mode: 'require' };
  await ask(harness, 'account.allocate', { ...wish, preferred_account_id: leased });
  const { result: wait } = await fail(waiting, 'FLOOD_WAIT_5');
  await fail(blocked, 'PEER_FLOOD');
  await invite(leased, 4);

  const reply = await summaryOf(user);
  expect(reply).toMatchObject({ total_accounts: 6, free_accounts: 1, leased_accounts: 1, next_cursor: null });
  const { status_distribution, capacity_today } = reply.aggregates;
  expect(status_distribution).toEqual({ active: 2, flood_wait: 1, blocked: 1, draining: 1, disabled: 1 });
  // The free, the leased, and the one whose wait ends before midnight (if it does); a block lasts 24 hours.
  const isNearMidnight = wait.recovery_time?.slice(0, 10) !== new Date().toISOString().slice(0, 10);
  const able = isNearMidnight ? 2 : 3;
  expect(capacity_today).toEqual({
    invite: 30 * able - 4,
    message: 30 * able,
    add_contact: 15 * able,
    join_channel: 20 * able,
    leave_channel: 20 * able,
    parse: 5000 * able,
  });

  expect(reply.accounts.map((account) => account.account_id)).toEqual(ids);
  expect(reply.accounts[0]).toEqual({
    account_id: free,
    user_id: user,
    metadata: {},
    restricted_by: null,
    recovery_at: null,
    status: 'active',
    disabled_reason: null,
    is_available: true,
    available_at: null,
    leased_by: null,
    leased_until: null,
    error_count: 0,
    last_used_at: null,
    used_today: { invite: 0, message: 0, add_contact: 0, join_channel: 0, leave_channel: 0, parse: 0 },
    phone: expect.stringMatching(/^\+49\d+$/),
    used_invites_today: 0,
    used_messages_today: 0,
    contacts_today: 0,
    flood_wait_until: null,
    blocked_until: null,
  });
  expect(reply.accounts[1]).toMatchObject({ is_available: false, leased_by: 'holder', used_today: { invite: 4 } });
  expect(reply.accounts[1]?.available_at).toBe(reply.accounts[1]?.leased_until);
  expect(reply.accounts[2]).toMatchObject({ status: 'flood_wait', available_at: wait.recovery_time });
  expect(reply.accounts[4]).toMatchObject({ status: 'draining', is_available: false, available_at: null });
  expect(reply.accounts[5]).toMatchObject({ status: 'disabled', disabled_reason: 'manual', available_at: null });
  expect(reply).toMatchObject({ user_id: user, purpose: 'general', active_accounts: 2, available_now: 1 });
  expect(reply.aggregates).toMatchObject({
    capacity_today_sum: capacity_today.invite,
    capacity_today_by_channel: null,
    can_invite_in_channel_true: null,
  });
  expect(reply.accounts[1]).toMatchObject({ used_invites_today: 4 });
  expect(reply.accounts[2]).toMatchObject({ flood_wait_until: wait.recovery_time, blocked_until: null });
  expect(reply.accounts[3]).toMatchObject({ flood_wait_until: null, blocked_until: expect.any(String) });
  expect(JSON.stringify(reply)).not.toMatch(/session/);
});

test('a user without accounts, whatever the number', async () => {
  for (const user of [newUser(), Number.MAX_SAFE_INTEGER]) {
    expect(await summaryOf(user)).toMatchObject({
      total_accounts: 0,
      aggregates: { status_distribution: { active: 0 }, capacity_today: { invite: 0 } },
      accounts: [],
      next_cursor: null,
    });
  }
});

test('capacity without a daily limit is unlimited', async () => {
  const unlimited = await startOperations({
    policy: { ...DEFAULT_LIMITS, message: { ...DEFAULT_LIMITS.message, dailyLimit: null } },
  });
  try {
    await unlimited.registerAccounts(1, 2);
    const { aggregates } = await ask(unlimited, 'query.accounts', { user_id: 1 });
    expect(aggregates.capacity_today).toMatchObject({ message: null, invite: 60 });
  } finally {
    await unlimited.close();
  }
});

test('filters by status, as of now', async () => {
  const user = newUser();
  const ids = await harness.registerAccounts(user, 3);
  await fail(ids[0], 'FLOOD_WAIT_300');
  await fail(ids[1], 'FLOOD_WAIT_300');
  await harness.query('UPDATE telegram_sessions SET flood_wait_until = now() WHERE id = $1', [ids[1]]);
  const listed = async (status: string) =>
    (await summaryOf(user, { status })).accounts.map((account) => account.account_id);
  expect(await listed('flood_wait')).toEqual([ids[0]]);
  expect(await listed('active')).toEqual([ids[1], ids[2]].sort());
  expect(await listed('blocked')).toEqual([]);
});

test('availability is judged for the purpose, the channel and the lease', async () => {
  const user = newUser();
  const [used = '', full = '', fresh = ''] = await harness.registerAccounts(user, 3);
  await invite(used, 15, 'channel');
  await invite(full, 30);
  const available = async (filters: Record<string, unknown>) =>
    (await summaryOf(user, { only_available: true, ...filters })).accounts.map((account) => account.account_id);
  expect(await available({})).toHaveLength(3);
  expect(await available({ purpose: 'message_campaign' })).toHaveLength(3);
  expect(await available({ purpose: 'invite_campaign' })).toEqual([used, fresh].sort());
  expect(await available({ purpose: 'invite_campaign', target_channel_id: '@Channel' })).toEqual([fresh]);
  const { accounts, aggregates } = await summaryOf(user, {
    purpose: 'invite_campaign',
    target_channel_id: 'https://t.me/channel',
  });
  const nextMidnight = `${new Date(Date.now() + 86_400_000).toISOString().slice(0, 10)}T00:00:00.000Z`;
  expect(accounts.find((account) => account.account_id === used)?.available_at).toBe(nextMidnight);
  // In the channel: none of the 15 left, none of the day's 30, and all 15 of the channel's.
  expect(aggregates.capacity_today.invite).toBe(15);
  // Without the channel: 15, none, and 30.
  expect(aggregates).toMatchObject({
    capacity_today_sum: 45,
    capacity_today_by_channel: 15,
    can_invite_in_channel_true: 1,
  });
});

test('available_now is counted over all accounts, whatever the filters, the limit and the page', async () => {
  const user = newUser();
  const [used = '', full = '', , leased] = await harness.registerAccounts(user, 5);
  await invite(used, 15, 'channel');
  await invite(full, 30);
  const wish = { user_id: user, purpose: 'general', service_name: 'holder', preferred_account_id: leased };
  await ask(harness, 'account.allocate', wish);
  const availableNow = async (more: Record<string, unknown>) =>
    (await summaryOf(user, { limit: 1, ...more })).available_now;
  expect(await availableNow({})).toBe(4);
  expect(await availableNow({ status: 'blocked' })).toBe(4);
  expect(await availableNow({ purpose: 'invite_campaign' })).toBe(3);
  expect(await availableNow({ purpose: 'invite_campaign', target_channel_id: ' @Channel ' })).toBe(2);
  // An account within its cooldown can be granted, and may not invite at this instant.
  await harness.query(
    `INSERT INTO usage_windows (account_id, action_type, day, day_count, last_action_at, burst_count)
     SELECT id, 'invite', (now() AT TIME ZONE 'UTC')::date, 1, now(), 1 FROM telegram_sessions
     WHERE user_id = $1 AND id <> ALL($2::uuid[])`,
    [user, [used, full]],
  );
  const { aggregates, available_now } = await summaryOf(user, {
    purpose: 'invite_campaign',
    target_channel_id: 'channel',
  });
  expect([available_now, aggregates.can_invite_in_channel_true]).toEqual([2, 0]);
});

test('the predecessor’s callers leave unavailable accounts out, and ask beyond the greatest limit', async () => {
  const user = newUser();
  const [busy] = await harness.registerAccounts(user, 3);
  await set(busy, 'disabled');
  const listed = async (filters: Record<string, unknown>) => (await summaryOf(user, filters)).accounts.length;
  expect(await listed({ include_unavailable: false, limit: 1000 })).toBe(2);
  expect(await listed({ include_unavailable: true, limit: 2000 })).toBe(3);
  expect(await listed({ include_unavailable: null, limit: Number.MAX_SAFE_INTEGER })).toBe(3);
  expect(await listed({ include_unavailable: true, only_available: true })).toBe(2);
  const many = await harness.registerAccounts(newUser(), 501);
  const [{ user_id } = { user_id: 0 }] = await harness.query<{ user_id: number }>(
    'SELECT user_id::int FROM telegram_sessions WHERE id = $1',
    [many[0]],
  );
  expect((await summaryOf(user_id, { limit: 1000 })).accounts).toHaveLength(500);
});

test('pages over all accounts once, with and without filters', async () => {
  const user = newUser();
  const ids = await harness.registerAccounts(user, 25);
  const full = ids.filter((_, index) => index % 5 !== 0);
  for (const accountId of full) await invite(accountId, 30);
  const walk = async (filters: Record<string, unknown>) => {
    const seen: string[] = [];
    const sizes: number[] = [];
    for (let cursor: string | null = null; ; ) {
      const page: Awaited<ReturnType<typeof summaryOf>> = await summaryOf(user, { ...filters, cursor });
      seen.push(...page.accounts.map((account) => account.account_id));
      sizes.push(page.accounts.length);
      cursor = page.next_cursor;
      if (cursor === null) return { seen, sizes };
    }
  };
  expect(await walk({ limit: 10 })).toEqual({ seen: ids.toSorted(), sizes: [10, 10, 5] });
  expect(await walk({ limit: 5 })).toEqual({ seen: ids.toSorted(), sizes: [5, 5, 5, 5, 5] });
  const some = await walk({ limit: 2, purpose: 'invite_campaign', only_available: true });
  expect(some.seen).toEqual(ids.filter((accountId) => !full.includes(accountId)).sort());
});

test('looks for a page among a bounded number of accounts, and goes on from there', async () => {
  const user = newUser();
  const [template] = await harness.registerAccounts(user, 1);
  const count = 7_000;
  await harness.query(
    `INSERT INTO telegram_sessions (id, user_id, phone, session_data, session_key_id, session_fingerprint)
     SELECT md5('account ' || n)::uuid, user_id, 'fictitious ' || n, session_data, session_key_id, 'fictitious ' || n
     FROM telegram_sessions, generate_series(1, $2) n WHERE id = $1`,
    [template, count],
  );
  await harness.query(
    `INSERT INTO usage_windows (account_id, action_type, day, day_count)
     SELECT id, 'invite', (now() AT TIME ZONE 'UTC')::date, 30 FROM telegram_sessions WHERE user_id = $1
     ORDER BY id LIMIT $2`,
    [user, count],
  );
  const filters = { purpose: 'invite_campaign', only_available: true, limit: 3 };
  const first = await summaryOf(user, filters);
  expect(first).toMatchObject({ total_accounts: count + 1, accounts: [], next_cursor: expect.any(String) });
  expect(first.aggregates.capacity_today.invite).toBe(30);
  const second = await summaryOf(user, { ...filters, cursor: first.next_cursor });
  expect(second).toMatchObject({ accounts: [{ is_available: true }], next_cursor: null });
});

test('refuses what is no filter, naming the field', async () => {
  for (const wrong of [
    { user_id: -1 },
    { purpose: 'spam' },
    { target_channel_id: 'a b' },
    { status: 'free' },
    { only_available: 'yes' },
    { limit: 0 },
    { limit: '501' },
    { include_unavailable: 'no' },
    { cursor: 'abc' },
    { offset: 3 },
  ]) {
    const { code, message } = await harness.refusal('query.accounts', { user_id: 1, ...wrong });
    expect([code, message]).toEqual(['VALIDATION_FAILED', expect.stringContaining(Object.keys(wrong)[0] ?? '')]);
  }
});
