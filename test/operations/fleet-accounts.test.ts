import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { operatorsOf } from '../support/access.js';
import { ask } from '../support/ask.js';
import { holdAccount, newUser } from '../support/held-account.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';
import { readPages } from '../support/read-pages.js';
import { telethonSession } from '../support/session-strings.js';

// `query.accounts` over the accounts of every user.

let harness: OperationsHarness;
beforeAll(async () => {
  harness = await startOperations();
});
afterAll(() => harness.close());

const list = (filter: Record<string, unknown> = {}, caller: string | null = null) =>
  ask(harness, 'query.accounts', filter, { caller });
const idsOf = async (filter: Record<string, unknown>) =>
  (await list({ limit: 500, ...filter })).accounts.map(({ account_id }) => account_id);
const report = (account_id: string, error_message: string) =>
  ask(harness, 'account.error', { account_id, error_message });
const disable = (account_id: string) =>
  ask(harness, 'admin.set-status', { account_id, status: 'disabled', reason: 'sold to another team' });

test('without a user it lists and counts the accounts of everybody', async () => {
  const before = await list({ limit: 1 });
  const [one = '', two = ''] = await harness.registerAccounts(newUser(), 2);
  const { accountId: held, user } = await holdAccount(harness);
  const { result } = await report(one, 'FLOOD_WAIT_300');
  await disable(two);
  const after = await list({ limit: 500 });
  expect(after.user_id).toBeNull();
  expect(after.total_accounts - before.total_accounts).toBe(3);
  expect(after.active_accounts - before.active_accounts).toBe(1);
  expect(after.leased_accounts - before.leased_accounts).toBe(1);
  expect(after).toMatchObject({ total: after.total_accounts, total_is_at_least: false });
  const { status_distribution: was } = before.aggregates;
  const { status_distribution: is, capacity_today, capacity_today_sum } = after.aggregates;
  expect([is.flood_wait - was.flood_wait, is.disabled - was.disabled]).toEqual([1, 1]);
  expect(capacity_today_sum).toBe(capacity_today.invite);

  const byId = new Map(after.accounts.map((account) => [account.account_id, account]));
  expect(byId.get(one)).toMatchObject({
    restricted_by: { classified_as: 'flood_wait', telegram_error: 'FLOOD_WAIT_X', reason: null },
    recovery_at: result.recovery_time,
    flood_wait_until: result.recovery_time,
  });
  expect(byId.get(two)).toMatchObject({
    restricted_by: { classified_as: null, telegram_error: null, reason: 'sold to another team' },
    recovery_at: null,
  });
  expect(byId.get(held)).toMatchObject({ user_id: user, leased_by: 'invite-service', restricted_by: null });
});

test('a page follows the other, however the fleet is filtered', async () => {
  const users = [newUser(), newUser()];
  const ids = [
    ...(await harness.registerAccounts(users[0] ?? 0, 7)),
    ...(await harness.registerAccounts(users[1] ?? 0, 6)),
  ].sort();
  for (const id of ids) await report(id, 'USER_DEACTIVATED_BAN');
  for (const filter of [{ disabled_reason: 'banned' }, { status: 'disabled', disabled_reason: 'banned' }]) {
    const { entries, pages } = await readPages(harness, 'query.accounts', { ...filter, limit: 4 }, (reply) => {
      expect(reply).toMatchObject({ total: 13, total_is_at_least: false });
      return reply.accounts;
    });
    expect(entries.map(({ account_id }) => account_id)).toEqual(ids);
    expect(pages).toBe(4);
  }
  expect(await idsOf({ disabled_reason: 'banned', user_id: users[1] })).toHaveLength(6);
  expect(await idsOf({ disabled_reason: 'banned', status: 'active' })).toEqual([]);
});

test('filters by status as of now, by service, by phone number and by what is free', async () => {
  const [waiting = '', over = '', free = ''] = await harness.registerAccounts(newUser(), 3);
  await report(waiting, 'FLOOD_WAIT_300');
  await report(over, 'FLOOD_WAIT_300');
  await harness.query(`UPDATE telegram_sessions SET flood_wait_until = now() - interval '1 minute' WHERE id = $1`, [
    over,
  ]);
  const held = await holdAccount(harness, { service_name: 'filter-service' });
  const waits = await idsOf({ status: 'flood_wait' });
  expect(waits).toContain(waiting);
  expect(waits).not.toContain(over);
  const active = await idsOf({ status: 'active' });
  for (const id of [over, free, held.accountId]) expect(active).toContain(id);
  expect(await idsOf({ leased_by: 'filter-service' })).toEqual([held.accountId]);
  expect(await idsOf({ leased_by: 'filter-service', status: 'flood_wait' })).toEqual([]);
  const available = await idsOf({ only_available: true });
  for (const id of [over, free]) expect(available).toContain(id);
  for (const id of [waiting, held.accountId]) expect(available).not.toContain(id);
  const { phone } = held.allocation;
  for (const given of [phone, phone?.slice(1), `${phone?.slice(0, 4)} (${phone?.slice(4, 7)}) ${phone?.slice(7)}`]) {
    expect(await idsOf({ phone: given })).toEqual([held.accountId]);
  }
});

test('a search finds an id or its beginning, a part of a phone number, and a service', async () => {
  const user = newUser();
  const account = { user_id: user, phone: '+380671239876', session_data: telethonSession(), metadata: { proxy: 'p7' } };
  const [registered] = (await ask(harness, 'admin.register', { accounts: [account] })).accounts;
  const id = registered?.account_id ?? '';
  await ask(harness, 'account.allocate', { user_id: user, purpose: 'general', service_name: 'search-service' });
  const [found] = (await list({ search: id })).accounts;
  expect(found).toMatchObject({ account_id: id, user_id: user, phone: account.phone, metadata: { proxy: 'p7' } });
  for (const search of [
    id.slice(0, 9),
    id.toUpperCase(),
    id.replaceAll('-', ''),
    '71239876',
    '+380 67 123-98',
    'search-service',
  ]) {
    expect({ search, found: await idsOf({ search }) }).toEqual({ search, found: [id] });
  }
  for (const search of ['987', 'search', 'no such thing', '12398761', '%%%%', '____']) {
    expect(await idsOf({ search })).not.toContain(id);
  }
  expect(await idsOf({ search: '71239876', status: 'disabled' })).toEqual([]);
  expect(await list({ search: '71239876' })).toMatchObject({ total: 1 });

  // Its number is found under what it is now, and not any more once it is gone.
  await ask(harness, 'admin.remove', { account_id: id, reason: 'sold' });
  expect(await idsOf({ search: '71239876' })).toEqual([]);
});

test('a caller with listed users sees their accounts alone, and totals of these', async () => {
  const user = newUser();
  const [own = ''] = await harness.registerAccounts(user, 2);
  const [strange = ''] = await harness.registerAccounts(newUser(), 1);
  harness.access.replace(operatorsOf(user));
  try {
    const seen = await list({}, 'owner');
    expect(seen).toMatchObject({ user_id: null, total: 2, total_accounts: 2, available_now: 2 });
    expect((await list({ search: own }, 'owner')).accounts).toHaveLength(1);
    expect((await list({ search: strange }, 'owner')).accounts).toEqual([]);
    expect((await list({ search: strange }, 'ops')).accounts).toHaveLength(1);
  } finally {
    harness.access.replace(null);
  }
});

test('refuses a filter that cannot be', async () => {
  for (const filter of [{ phone: 'call me' }, { search: '' }, { disabled_reason: 'bored' }, { leased_by: 'No!' }]) {
    const [field = ''] = Object.keys(filter);
    const { code, message } = await harness.refusal('query.accounts', filter);
    expect({ code, message }).toEqual({ code: 'VALIDATION_FAILED', message: expect.stringContaining(`${field}: `) });
  }
});
