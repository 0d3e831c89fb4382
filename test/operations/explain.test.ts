import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ask } from '../support/ask.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';

let harness: OperationsHarness;
let nextUser = 1;
const newUser = () => nextUser++;
beforeAll(async () => {
  harness = await startOperations();
});
afterAll(() => harness.close());

const explain = (userId: number, purpose: string, target_channel_id?: string) =>
  ask(harness, 'query.explain', { user_id: userId, purpose, target_channel_id });
const acquire = (accountId: string, action_type: string, target_channel_id?: string) =>
  ask(harness, 'action.acquire', { account_id: accountId, action_type, target_channel_id });
const nextMidnight = () => `${new Date(Date.now() + 86_400_000).toISOString().slice(0, 10)}T00:00:00.000Z`;
/** As if everything the account has done had been done so much earlier. */
const age = (accountId: string, interval: string) =>
  harness.query(
    `UPDATE usage_windows SET last_action_at = last_action_at - $2::interval,
       recent = ARRAY(SELECT at - $2::interval FROM unnest(recent) at ORDER BY 1) WHERE account_id = $1`,
    [accountId, interval],
  );

test('every rule of an account that has done nothing passes', async () => {
  const user = newUser();
  const [accountId] = await harness.registerAccounts(user, 1);
  const { accounts, total_accounts } = await explain(user, 'invite_campaign', '@channel');
  const invite = { action_type: 'invite', passed: true, passes_at: null };
  expect(total_accounts).toBe(1);
  expect(accounts).toEqual([
    {
      account_id: accountId,
      phone: expect.stringMatching(/^\+/),
      status: 'active',
      leased_by: null,
      leased_until: null,
      restricted_by: null,
      summary: 'Free, and can be granted for invite_campaign now.',
      grantable: true,
      grantable_at: null,
      rules: [
        { rule: 'account_status', passed: true, passes_at: null },
        { rule: 'lease', passed: true, passes_at: null },
        { rule: 'daily', ...invite, used: 0, limit: 30 },
        { rule: 'hourly', ...invite, used: 0, limit: 5 },
        { rule: 'per_channel_daily', ...invite, used: 0, limit: 15 },
        { rule: 'per_channel_total', ...invite, used: 0, limit: 200 },
        { rule: 'cooldown', ...invite },
        { rule: 'burst', ...invite, used: 0, limit: 3 },
      ],
    },
  ]);
  expect((await explain(user, 'general')).accounts[0]?.rules).toHaveLength(2);
  const rules = (await explain(user, 'channel_management')).accounts[0]?.rules;
  expect(rules?.map(({ rule, action_type }) => `${action_type} ${rule}`).slice(2)).toEqual([
    ...['join_channel daily', 'join_channel hourly', 'join_channel cooldown', 'join_channel burst'],
    ...['leave_channel daily', 'leave_channel hourly', 'leave_channel cooldown', 'leave_channel burst'],
  ]);
});

test('a failed rule tells when it passes, and agrees with action.check and account.allocate', async () => {
  const user = newUser();
  const [accountId = ''] = await harness.registerAccounts(user, 1);
  await acquire(accountId, 'invite', 'channel');
  const { accounts } = await explain(user, 'invite_campaign', 'channel');
  const check = await ask(harness, 'action.check', {
    account_id: accountId,
    action_type: 'invite',
    target_channel_id: 'channel',
  });
  expect(check.reason).toBe('cooldown');
  expect(accounts[0]?.rules.filter(({ passed }) => !passed)).toEqual([
    { rule: 'cooldown', action_type: 'invite', passed: false, passes_at: check.next_allowed_at },
  ]);
  // The pause ends within a lease, so the account is granted all the same.
  expect(accounts[0]).toMatchObject({ grantable: true, grantable_at: null });
  const wish = { user_id: user, purpose: 'invite_campaign', service_name: 'holder', target_channel_id: 'channel' };
  await ask(harness, 'account.allocate', wish);
  expect((await explain(user, 'invite_campaign', 'channel')).accounts[0]).toMatchObject({ grantable: false });
});

test('full counters: until midnight, until the oldest action leaves the hour, and never', async () => {
  const user = newUser();
  const [accountId = ''] = await harness.registerAccounts(user, 1);
  for (let n = 0; n < 5; n++) {
    expect((await acquire(accountId, 'invite', 'channel')).allowed).toBe(true);
    await age(accountId, '5 minutes');
  }
  await harness.query(`UPDATE usage_windows SET day_count = 30 WHERE account_id = $1`, [accountId]);
  await harness.query(`UPDATE channel_usage SET day_count = 15, total = 200 WHERE account_id = $1`, [accountId]);
  const [{ oldest } = { oldest: new Date(0) }] = await harness.query<{ oldest: Date }>(
    'SELECT recent[1] AS oldest FROM usage_windows WHERE account_id = $1',
    [accountId],
  );

  const failed = async (channel?: string) => {
    const [account] = (await explain(user, 'invite_campaign', channel)).accounts;
    return { ...account, rules: account?.rules.filter(({ passed }) => !passed) };
  };
  const invite = { action_type: 'invite', passed: false };
  const daily = { rule: 'daily', ...invite, passes_at: nextMidnight(), used: 30, limit: 30 };
  const hourAfterOldest = new Date(oldest.getTime() + 3_600_000).toISOString();
  const hourly = { rule: 'hourly', ...invite, passes_at: hourAfterOldest, used: 5, limit: 5 };
  // In the last minutes of a day the hour ends after it; a lease may begin half an hour before the hour ends.
  const withinLease = new Date(oldest.getTime() + 1_800_001).toISOString();
  const grantable_at = withinLease > nextMidnight() ? withinLease : nextMidnight();
  expect(await failed()).toMatchObject({ grantable: false, grantable_at, rules: [daily, hourly] });
  expect(await failed('channel')).toMatchObject({
    grantable: false,
    grantable_at: null,
    rules: [
      daily,
      hourly,
      { rule: 'per_channel_daily', ...invite, passes_at: nextMidnight(), used: 15, limit: 15 },
      { rule: 'per_channel_total', ...invite, passes_at: null, used: 200, limit: 200 },
    ],
  });
});

test('leases and states fail with their end; the order is that of allocation, then of hope', async () => {
  const user = newUser();
  const ids = await harness.registerAccounts(user, 7);
  const [rested = '', recent = '', leased = '', waiting = '', blocked = '', draining = '', disabled = ''] = ids;
  await harness.query(`UPDATE telegram_sessions SET last_used_at = now() - interval '1 hour' WHERE id = $1`, [rested]);
  await harness.query(`UPDATE telegram_sessions SET last_used_at = now() WHERE id = $1`, [recent]);
  const { result: wait } = await ask(harness, 'account.error', {
    account_id: waiting,
    error_message: 'FLOOD_WAIT_3600',
  });
  await ask(harness, 'account.error', { account_id: blocked, error_message: 'PEER_FLOOD' });
  for (const [account_id, status] of [
    [draining, 'draining'],
    [disabled, 'disabled'],
  ])
    await ask(harness, 'admin.set-status', { account_id, status, reason: 'test' });
  // Its wait ends, but not its draining.
  await ask(harness, 'account.error', { account_id: draining, error_message: 'FLOOD_WAIT_60' });
  const wish = { user_id: user, purpose: 'general', service_name: 'holder' };
  const require = { preferred_account_id: leased, preferred_mode: 'require' };
  const { allocation } = await ask(harness, 'account.allocate', { ...wish, ...require });

  const { accounts } = await explain(user, 'message_campaign');
  expect(accounts.map((account) => account.account_id).slice(0, 5)).toEqual([rested, recent, leased, waiting, blocked]);
  expect(accounts.map((account) => account.grantable)).toEqual([true, true, false, false, false, false, false]);
  const failed = new Map(accounts.map(({ account_id, rules }) => [account_id, rules.filter(({ passed }) => !passed)]));
  expect(failed.get(leased)).toEqual([{ rule: 'lease', passed: false, passes_at: allocation.expires_at }]);
  expect(failed.get(waiting)).toEqual([{ rule: 'account_status', passed: false, passes_at: wait.recovery_time }]);
  for (const id of [draining, disabled])
    expect(failed.get(id)).toEqual([{ rule: 'account_status', passed: false, passes_at: null }]);

  const { allocation: first } = await ask(harness, 'account.allocate', { ...wish, purpose: 'message_campaign' });
  expect(first.account_id).toBe(rested);
});

test('a user without accounts, and what is refused', async () => {
  expect(await explain(newUser(), 'general')).toMatchObject({ total_accounts: 0, accounts: [] });
  for (const wrong of [{ purpose: null }, { purpose: 'spam' }, { user_id: '1' }, { target_channel_id: '' }]) {
    const { code } = await harness.refusal('query.explain', { user_id: 1, purpose: 'general', ...wrong });
    expect(code).toBe('VALIDATION_FAILED');
  }
});

test('tells who has an account, and what is behind its condition', async () => {
  const user = newUser();
  const [held = '', flooded = '', drained = ''] = await harness.registerAccounts(user, 3);
  await ask(harness, 'account.error', { account_id: flooded, error_message: 'FLOOD_WAIT_600' });
  await ask(harness, 'admin.set-status', { account_id: drained, status: 'draining', reason: 'moves' });
  const wish = { user_id: user, purpose: 'general', service_name: 'parser' };
  const { allocation } = await ask(harness, 'account.allocate', { ...wish, preferred_account_id: held });
  const { accounts } = await ask(harness, 'query.explain', { user_id: user, purpose: 'general' });
  const byId = Object.fromEntries(accounts.map((account) => [account.account_id, account]));
  expect(byId[held]).toMatchObject({
    leased_by: 'parser',
    leased_until: allocation.expires_at,
    restricted_by: null,
    summary: expect.stringMatching(/^Held by parser until .*UTC\.$/),
  });
  expect(byId[flooded]).toMatchObject({
    leased_by: null,
    restricted_by: { classified_as: 'flood_wait', telegram_error: expect.stringMatching(/^FLOOD_WAIT/), reason: null },
    summary: expect.stringMatching(/^In a flood wait until .* because Telegram answered FLOOD_WAIT/),
  });
  expect(byId[drained]).toMatchObject({
    restricted_by: { classified_as: null, telegram_error: null, reason: 'moves' },
    summary: 'Draining, so it gets no new lease, as an operator decided: moves.',
  });
});

test('by request_id it tells why that allocation was answered as it was', async () => {
  const user = newUser();
  const [accountId = ''] = await harness.registerAccounts(user, 1);
  const wish = { user_id: user, purpose: 'invite_campaign', service_name: 'holder', target_channel_id: '@Foo' };
  const byId = (request_id: string, caller: string | null = null) =>
    harness.call('query.explain', { request_id }, { caller });
  const granted = { messageId: randomUUID(), requestId: 'trace 1', caller: 'one' };
  const { allocation } = await ask(harness, 'account.allocate', wish, granted);
  const refused = { messageId: randomUUID(), requestId: 'trace 2', caller: 'two' };
  expect((await harness.refusal('account.allocate', wish, refused)).code).toBe('ALL_BUSY');

  const request = { user_id: user, purpose: 'invite_campaign', service_name: 'holder', target_channel: 'foo' };
  for (const id of ['trace 1', granted.messageId]) {
    expect(await byId(id)).toMatchObject({
      success: true,
      total_accounts: 1,
      accounts: [{ account_id: accountId, leased_by: 'holder', grantable: false }],
      request: {
        ...request,
        request_id: 'trace 1',
        message_id: granted.messageId,
        caller: 'one',
        code: null,
        account_id: accountId,
        lease_id: allocation.lease_id,
        counts: null,
        summary: expect.stringMatching(/^Granted until .* for invite_campaign: the best of 1 free account/),
      },
    });
  }
  expect(await byId(refused.messageId)).toMatchObject({
    request: {
      ...request,
      caller: 'two',
      code: 'ALL_BUSY',
      account_id: null,
      counts: { total: 1, leased: 1 },
      next_available_at: expect.any(String),
      summary: expect.stringMatching(/^Refused, since every account that suits was leased \(of 1 account: 1 leased\)/),
    },
  });
  // The data stored for this are no part of an answer.
  const repeat = await harness.call('account.allocate', wish, refused);
  expect(Object.keys(repeat).sort()).toEqual(['error', 'success']);
  expect(Object.keys(await harness.call('account.allocate', wish, granted)).sort()).toEqual(['allocation', 'success']);

  for (const unknown of [randomUUID(), 'trace 3']) {
    expect(await byId(unknown)).toMatchObject({
      error: { code: 'VALIDATION_FAILED', details: { issues: [{ path: 'request_id' }] } },
    });
  }
  for (const body of [{}, { user_id: 1 }, { user_id: 1, purpose: 'general', request_id: 'trace 1' }]) {
    expect((await harness.refusal('query.explain', body)).code).toBe('VALIDATION_FAILED');
  }
});
