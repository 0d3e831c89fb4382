import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { operatorsOf } from '../support/access.js';
import { ask } from '../support/ask.js';
import { holdAccount, letLeaseEnd, newUser } from '../support/held-account.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';
import { readPages } from '../support/read-pages.js';

let harness: OperationsHarness;
beforeAll(async () => {
  harness = await startOperations();
});
afterAll(() => harness.close());

const list = (filter: Record<string, unknown>, caller: string | null = null) =>
  ask(harness, 'query.leases', filter, { caller });

test('tells who has an account, for what, until when, and what was done with it', async () => {
  const { user, accountId, holder, allocation } = await holdAccount(harness, { target_channel_id: '@Foo' });
  await ask(harness, 'action.acquire', { ...holder, action_type: 'invite', target_channel_id: 'foo' });
  await ask(harness, 'action.record', { account_id: accountId, lease_id: holder.lease_id, action_type: 'parse' });
  expect(await list({ user_id: user })).toEqual({
    leases: [
      {
        lease_id: holder.lease_id,
        account_id: accountId,
        user_id: user,
        phone: allocation.phone,
        service_name: 'invite-service',
        caller: null,
        purpose: 'general',
        target_channel: 'foo',
        fence: holder.fence,
        allocated_at: allocation.allocated_at,
        expires_at: allocation.expires_at,
        actions: { invite: 1, parse: 1 },
      },
    ],
    total: 1,
    total_is_at_least: false,
    next_cursor: null,
  });
});

test('lists what passes every filter, and no lease that is over', async () => {
  const one = await holdAccount(harness, { service_name: 'filter-one' });
  const two = await holdAccount(harness, { service_name: 'filter-two' });
  const idsOf = async (filter: Record<string, unknown>) =>
    (await list(filter)).leases.map(({ account_id }) => account_id);
  expect(await idsOf({ service_name: 'filter-one' })).toEqual([one.accountId]);
  expect(await idsOf({ account_id: two.accountId })).toEqual([two.accountId]);
  expect(await idsOf({ account_id: two.accountId, service_name: 'filter-one' })).toEqual([]);
  expect(await idsOf({ user_id: one.user, service_name: 'filter-one' })).toEqual([one.accountId]);
  await letLeaseEnd(harness, one.accountId);
  expect(await list({ user_id: one.user })).toMatchObject({ leases: [], total: 0 });
  await ask(harness, 'account.release-all', { service_name: 'filter-two' });
  expect(await idsOf({ user_id: two.user })).toEqual([]);
});

test.each([1, 3, 500])('pages of %d hold every lease once, the earliest end first', async (limit) => {
  const user = newUser();
  await harness.registerAccounts(user, 7);
  const service_name = `paged-${limit}`;
  for (const timeout_minutes of [40, 10, 10, 90, 20, 10, 30]) {
    await ask(harness, 'account.allocate', { user_id: user, purpose: 'general', service_name, timeout_minutes });
  }
  const { entries, pages } = await readPages(harness, 'query.leases', { service_name, limit }, ({ leases }) => leases);
  const ends = entries.map(({ expires_at }) => expires_at);
  expect(ends).toEqual(ends.toSorted());
  expect(new Set(entries.map(({ lease_id }) => lease_id)).size).toBe(7);
  expect(pages).toBe(Math.ceil(7 / limit));
});

test('counts exactly to 10,000, and says when there are more', async () => {
  const user = newUser();
  const seed = (count: number) =>
    harness.query(
      `INSERT INTO leases (id, account_id, user_id, service_name, purpose, fence, allocated_at, expires_at)
       SELECT gen_random_uuid(), gen_random_uuid(), $1, 'many', 'general', 1, now(), now() + interval '1 hour'
       FROM generate_series(1, $2)`,
      [user, count],
    );
  await seed(10_000);
  expect(await list({ service_name: 'many' })).toMatchObject({ total: 10_000, total_is_at_least: false });
  await seed(1);
  expect(await list({ user_id: user })).toMatchObject({ total: 10_000, total_is_at_least: true });
});

test('a limit above the greatest is taken as the greatest; none below one is taken', async () => {
  expect((await list({ limit: 100_000 })).leases.length).toBeLessThanOrEqual(500);
  for (const limit of [0, -1, 1.5, '10']) {
    expect((await harness.refusal('query.leases', { limit })).message).toMatch(/^limit: /);
  }
  expect((await harness.refusal('query.leases', { cursor: 'tomorrow' })).message).toMatch(/^cursor: /);
});

test('a caller with listed users sees the leases of these users, and asks for no others', async () => {
  const [mine, theirs, other] = [await holdAccount(harness), await holdAccount(harness), await holdAccount(harness)];
  harness.access.replace(operatorsOf(mine.user, other.user));
  try {
    const seen = async (caller: string, filter = {}) =>
      (await list({ limit: 500, ...filter }, caller)).leases.map(({ account_id }) => account_id);
    const mineAlone = await list({}, 'owner');
    expect(new Set(mineAlone.leases.map(({ user_id }) => user_id))).toEqual(new Set([mine.user, other.user]));
    expect(mineAlone.total).toBe(2);
    expect(await seen('owner', { user_id: mine.user })).toEqual([mine.accountId]);
    expect(await seen('ops', { account_id: theirs.accountId })).toEqual([theirs.accountId]);
    // Whoever sees everybody's accounts may ask about any service.
    expect(await seen('ops', { user_id: mine.user, service_name: 'invite-service' })).toEqual([mine.accountId]);
    for (const foreign of [{ user_id: theirs.user }, { account_id: theirs.accountId }]) {
      expect((await harness.refusal('query.leases', foreign, { caller: 'owner' })).code).toBe('FORBIDDEN');
    }
  } finally {
    harness.access.replace(null);
  }
});
