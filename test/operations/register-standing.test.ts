import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ask } from '../support/ask.js';
import { newUser } from '../support/held-account.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';
import { telethonSession } from '../support/session-strings.js';

let harness: OperationsHarness;
beforeAll(async () => {
  harness = await startOperations();
});
afterAll(() => harness.close());

let nextPhone = 5_000_000;
const newAccount = (more: Record<string, unknown> = {}) => ({
  user_id: newUser(),
  phone: `+${nextPhone++}`,
  session_data: telethonSession(),
  ...more,
});
const register = async (...accounts: Record<string, unknown>[]) =>
  (await ask(harness, 'admin.register', { accounts })).accounts;
async function created(more: Record<string, unknown>) {
  const account = newAccount(more);
  const [result] = await register(account);
  expect(result).toMatchObject({ outcome: 'created' });
  return { ...account, id: result?.account_id ?? '' };
}
const healthOf = async (account_id: string) => (await ask(harness, 'query.health', { account_id })).health;
const inMinutes = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString();

const LATER = inMinutes(600);
const TABLE: [given: Record<string, unknown>, health: Record<string, unknown>, reason: string | null][] = [
  [{ status: 'active' }, { status: 'active', recovery_eta: null }, null],
  [{ status: 'flood_wait', flood_wait_until: LATER }, { status: 'flood_wait', recovery_eta: LATER }, null],
  [{ status: 'active', flood_wait_until: LATER }, { status: 'flood_wait', recovery_eta: LATER }, null],
  [{ flood_wait_until: LATER }, { status: 'flood_wait', recovery_eta: LATER }, null],
  [{ status: 'flood_wait', flood_wait_until: inMinutes(-1) }, { status: 'active', recovery_eta: null }, null],
  [{ status: 'blocked', blocked_until: LATER }, { status: 'blocked', recovery_eta: LATER }, null],
  [{ flood_wait_until: inMinutes(10), blocked_until: LATER }, { status: 'blocked', recovery_eta: LATER }, null],
  [{ status: 'draining' }, { status: 'draining' }, null],
  [{ status: 'disabled' }, { status: 'disabled' }, 'manual'],
  [{ status: 'disabled', disabled_reason: 'banned' }, { status: 'disabled' }, 'banned'],
  [{ status: 'active', disabled_reason: 'needs_reauth' }, { status: 'disabled' }, 'needs_reauth'],
  [{ disabled_reason: 'frozen', flood_wait_until: LATER }, { status: 'disabled' }, 'frozen'],
];

test.each(TABLE)('an account that was %j is never healthier here', async (given, health, reason) => {
  const { id, user_id } = await created(given);
  expect(await healthOf(id)).toMatchObject({ ...health, metadata: { disabled_reason: reason } });
  const wish = { user_id, purpose: 'general', service_name: 'invite-service' };
  const reply = await harness.call('account.allocate', wish);
  expect(reply.success).toBe(health.status === 'active');
  const { entries } = await ask(harness, 'query.history', { account_id: id, type: 'account.registered' });
  expect(entries).toHaveLength(1);
  const { accounts } = await ask(harness, 'query.explain', { user_id, purpose: 'general' });
  if (health.status !== 'active') expect(accounts[0]?.summary).toMatch(/it stood so where it was registered from/);
});

test('a block that is over counts as the first: the next is longer, and the limits are reduced', async () => {
  const { id } = await created({ blocked_until: inMinutes(-60) });
  expect((await ask(harness, 'query.limits', { account_id: id })).status.daily_limits.invite.limit).toBe(15);
  await ask(harness, 'account.error', { account_id: id, error_message: 'PEER_FLOOD' });
  const { recovery_eta } = await healthOf(id);
  expect(Date.parse(recovery_eta ?? '') - Date.now()).toBeGreaterThan(71 * 3_600_000);
});

test('takes over what was used: today, in the last hour, and by channel', async () => {
  const last_hour = [inMinutes(-50), inMinutes(-20), inMinutes(-3)];
  const usage = {
    invite: {
      today: 14,
      last_hour,
      by_channel: { '@Foo': { today: 9, total: 150 }, 't.me/foo': { today: 1, total: 20 }, bar: { total: 200 } },
    },
    message: { today: 30 },
    parse: { last_hour: [inMinutes(-70)] },
  };
  const { id, user_id } = await created({ usage });
  const { status } = await ask(harness, 'query.limits', { account_id: id });
  expect(status.daily_limits).toMatchObject({ invite: { used: 14 }, message: { used: 30 }, parse: { used: 0 } });
  expect(status.hourly_limits).toMatchObject({ invite: { used: 3 }, message: { used: 0 }, parse: { used: 0 } });
  const check = (action_type: string, target_channel_id?: string) =>
    ask(harness, 'action.check', { account_id: id, action_type, target_channel_id });
  expect(await check('invite', 'foo')).toMatchObject({
    allowed: true,
    checks: { per_channel: { used: 10, total: { used: 170 } } },
  });
  expect(await check('invite', 'bar')).toMatchObject({ allowed: false, reason: 'per_channel_total' });
  expect(await check('message')).toMatchObject({ allowed: false, reason: 'daily' });
  const [summary] = (await ask(harness, 'query.accounts', { user_id })).accounts;
  expect(summary).toMatchObject({ used_invites_today: 14, used_messages_today: 30 });
  expect((await ask(harness, 'action.acquire', { account_id: id, action_type: 'invite' })).allowed).toBe(true);
});

test('the burst follows from the last hour', async () => {
  const just = [inMinutes(-5), inMinutes(-2.5), inMinutes(-0.01)];
  const { id } = await created({ usage: { invite: { today: 0, last_hour: just } } });
  expect(await ask(harness, 'action.check', { account_id: id, action_type: 'invite' })).toMatchObject({
    allowed: false,
    reason: 'burst',
    checks: { daily: { used: expect.any(Number) }, hourly: { used: 3 }, burst: { ready: false } },
  });
});

test('the same import again changes nothing, and an older one makes nothing healthier', async () => {
  const usage = {
    invite: { today: 5, last_hour: [inMinutes(-30)], by_channel: { foo: { today: 5, total: 50 } } },
  };
  const { id, ...account } = await created({ usage, flood_wait_until: LATER });
  const { session_data, user_id, phone } = account;
  const before = await ask(harness, 'query.limits', { account_id: id });
  const again = async (more: Record<string, unknown>) => {
    const [result] = await register({ session_data, user_id, phone, ...more });
    expect(result).toEqual({ index: 0, account_id: id, outcome: 'updated' });
  };
  await again({ usage, flood_wait_until: LATER });
  expect(await ask(harness, 'query.limits', { account_id: id })).toEqual(before);
  await again({
    status: 'active',
    flood_wait_until: inMinutes(1),
    usage: { invite: { today: 0, by_channel: { foo: { total: 3 } } } },
  });
  expect(await healthOf(id)).toMatchObject({ status: 'flood_wait', recovery_eta: LATER });
  expect(await ask(harness, 'query.limits', { account_id: id })).toEqual(before);
  await again({ usage: { invite: { today: 6 } }, disabled_reason: 'manual' });
  const { status } = await ask(harness, 'query.limits', { account_id: id });
  expect(status.daily_limits.invite).toMatchObject({ used: 6 });
  await again({ status: 'active', disabled_reason: 'needs_reauth' });
  expect((await healthOf(id)).metadata).toMatchObject({ disabled_reason: 'manual' });
});

test('a row whose standing is wrong is rejected by itself, with its field', async () => {
  const faults: [Record<string, unknown>, string][] = [
    [{ status: 'flood_wait' }, 'flood_wait_until'],
    [{ status: 'blocked', flood_wait_until: LATER }, 'blocked_until'],
    [{ status: 'well' }, 'status'],
    [{ flood_wait_until: 'tomorrow' }, 'flood_wait_until'],
    [{ disabled_reason: 'bored' }, 'disabled_reason'],
    [{ usage: { dance: { today: 1 } } }, 'usage'],
    [{ usage: { invite: { today: -1 } } }, 'usage'],
    [{ usage: { invite: { by_channel: { 'no channel!': { today: 1 } } } } }, 'usage'],
  ];
  const results = await register(...faults.map(([more]) => newAccount(more)), newAccount());
  expect(results.map(({ outcome, field }) => [outcome, field])).toEqual([
    ...faults.map(([, field]) => ['rejected', field]),
    ['created', undefined],
  ]);
});

test('without a phone number an account is known by the key of its session', async () => {
  const { phone: _, ...account } = newAccount();
  const [first] = await register(account);
  expect(first).toMatchObject({ outcome: 'created' });
  expect(await register({ ...account, metadata: { proxy: 'two' } })).toEqual([{ ...first, outcome: 'updated' }]);
  const wish = { user_id: account.user_id, purpose: 'general', service_name: 'invite-service' };
  const { allocation } = await ask(harness, 'account.allocate', wish);
  expect(allocation).toMatchObject({ account_id: first?.account_id, phone: null, metadata: { proxy: 'two' } });
  expect((await ask(harness, 'query.leases', { user_id: account.user_id })).leases[0]?.phone).toBeNull();

  // Its phone number may come later, with the same session or under its id; another user has no say.
  const phone = `+${nextPhone++}`;
  expect(await register({ ...account, phone, user_id: newUser() })).toMatchObject([{ outcome: 'rejected' }]);
  expect(await register({ ...account, phone })).toEqual([{ ...first, outcome: 'updated' }]);
  expect(await register({ ...account, phone, session_data: telethonSession() })).toMatchObject([
    { account_id: first?.account_id, outcome: 'updated' },
  ]);
  const twice = await register(newAccount({ phone: undefined, session_data: account.session_data }), {
    ...account,
    phone: undefined,
  });
  expect(twice.map(({ outcome }) => outcome)).toEqual(['created', 'rejected']);
});

test('an id is kept for a new account, and names a known one that has no phone number', async () => {
  const id = randomUUID();
  const account = newAccount({ account_id: id, phone: undefined });
  expect(await register(account)).toEqual([{ index: 0, account_id: id, outcome: 'created' }]);
  const fresh = { ...account, session_data: telethonSession() };
  expect(await register(fresh)).toEqual([{ index: 0, account_id: id, outcome: 'updated' }]);
  expect(await register({ ...fresh, user_id: newUser() })).toMatchObject([{ outcome: 'rejected' }]);
  expect(await register(newAccount({ account_id: id, user_id: newUser() }))).toMatchObject([
    { outcome: 'rejected', field: 'account_id' },
  ]);
});

test('the id of an account that was removed is not given again; its phone number and session are', async () => {
  const id = randomUUID();
  const account = newAccount({ account_id: id });
  await register(account);
  await ask(harness, 'admin.remove', { account_id: id, reason: 'sold' });
  expect(await register(account)).toMatchObject([{ outcome: 'rejected', field: 'account_id' }]);
  const [again] = await register({ ...account, account_id: undefined });
  expect(again).toMatchObject({ outcome: 'created' });
  expect(again?.account_id).not.toBe(id);
});

test('a session that comes while its account is removed is not lost', async () => {
  for (let n = 0; n < 5; n++) {
    const account = newAccount();
    const [first] = await register(account);
    const [[second]] = await Promise.all([
      register({ ...account, session_data: telethonSession() }),
      ask(harness, 'admin.remove', { account_id: first?.account_id, reason: 'sold' }),
    ]);
    const rows = await harness.query('SELECT 1 FROM telegram_sessions WHERE id = $1', [second?.account_id]);
    // Before the removal it renewed the account that is gone; after it, it is an account of its own.
    expect(rows.length).toBe(second?.outcome === 'created' ? 1 : 0);
  }
});
