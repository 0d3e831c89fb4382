import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { letLeaseEnd, newUser, rowsOf } from '../support/held-account.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';

let harness: OperationsHarness;
beforeAll(async () => {
  harness = await startOperations();
});
afterAll(() => harness.close());

const wish = (user: number, more: Record<string, unknown> = {}) => ({
  user_id: user,
  purpose: 'invite_campaign',
  service_name: 'invite-service',
  ...more,
});

/** Fills the daily limit of accounts, which then have rested longest of all. */
async function useUp(accountIds: string[]): Promise<void> {
  await harness.query(
    `INSERT INTO usage_windows (account_id, action_type, day, day_count)
     SELECT id, 'invite', CURRENT_DATE, 30 FROM unnest($1::uuid[]) AS given(id)`,
    [accountIds],
  );
  await harness.query(`UPDATE telegram_sessions SET last_used_at = now() - interval '1 day' WHERE id = ANY($1)`, [
    accountIds,
  ]);
}

test('an account with room is found behind any number of accounts without', async () => {
  const user = newUser();
  const accounts = await harness.registerAccounts(user, 200);
  const withRoom = accounts.slice(0, 2);
  await useUp(accounts.slice(2));
  await harness.query('UPDATE telegram_sessions SET last_used_at = now() WHERE id = ANY($1)', [withRoom]);
  const grants = await Promise.all([1, 2, 3].map(() => harness.call('account.allocate', wish(user))));
  const granted = grants.flatMap((reply) => (reply.success ? [reply.allocation.account_id] : []));
  expect(granted.sort()).toEqual(withRoom.sort());
  const refused = grants.find((reply) => !reply.success);
  expect(refused).toMatchObject({ error: { code: 'ALL_BUSY', details: { counts: { leased: 2, limited: 198 } } } });
  // Without the two that are leased nothing but limited ones is left.
  await harness.query(`UPDATE telegram_sessions SET status = 'draining' WHERE id = ANY($1)`, [withRoom]);
  expect(await harness.refusal('account.allocate', wish(user))).toMatchObject({
    code: 'ALL_LIMITED',
    details: { counts: { total: 200, limited: 198, draining: 2 } },
  });
});

test('a lock of the moment does not make a free account look busy; one that stays does, and soon', async () => {
  const user = newUser();
  const [accountId = ''] = await harness.registerAccounts(user, 1);
  const neighbour = new pg.Client({ connectionString: harness.databaseUrl });
  await neighbour.connect();
  const lock = async () => {
    await neighbour.query('BEGIN');
    await neighbour.query('SELECT 1 FROM telegram_sessions WHERE id = $1 FOR UPDATE', [accountId]);
  };
  await lock();
  const allocated = harness.succeed('account.allocate', wish(user));
  await neighbour.query('SELECT pg_sleep(0.03)');
  await neighbour.query('ROLLBACK');
  const { allocation } = await allocated;
  expect(allocation.account_id).toBe(accountId);

  await harness.succeed('account.release-all', { service_name: 'invite-service' });
  await lock();
  const refused = await harness.refusal('account.allocate', wish(user));
  expect(refused).toMatchObject({ code: 'ALL_BUSY', retry_after_ms: 1_000, details: { counts: { leased: 0 } } });
  await neighbour.query('ROLLBACK');
  await neighbour.end();
});

test('requests of many users and purposes in one batch each get their own', async () => {
  const users = Array.from({ length: 20 }, newUser);
  const owned = new Map(
    await Promise.all(users.map(async (user) => [user, await harness.registerAccounts(user, 2)] as const)),
  );
  const purposes = ['general', 'parsing', 'invite_campaign'];
  const replies = await Promise.all(
    users.flatMap((user) => purposes.map((purpose) => harness.call('account.allocate', wish(user, { purpose })))),
  );
  const granted = replies.flatMap((reply) => (reply.success ? [reply.allocation] : []));
  expect(granted).toHaveLength(40);
  expect(new Set(granted.map(({ account_id }) => account_id)).size).toBe(40);
  for (const { account_id, user_id } of granted) expect(owned.get(user_id)).toContain(account_id);
});

test('room in a channel is judged under one key, however the channel is spelled', async () => {
  const user = newUser();
  const [account_id = ''] = await harness.registerAccounts(user, 1);
  const { allocation } = await harness.succeed('account.allocate', wish(user, { target_channel_id: '@Foo' }));
  // Fifteen a day and channel are allowed.
  for (const [spelling, invites] of [
    ['foo', 5],
    ['https://t.me/Foo', 5],
    ['T.ME/FOO', 5],
  ]) {
    for (let n = 0; n < Number(invites); n++)
      await harness.succeed('action.record', { account_id, action_type: 'invite', target_channel_id: spelling });
  }
  const { lease_id, fence } = allocation;
  const usage_stats = { invites_sent: 15, channel_usage: { '@FOO': 10, 't.me/s/foo': 5 } };
  const holder = { account_id, service_name: 'invite-service', lease_id, fence };
  expect(await harness.succeed('account.release', { ...holder, usage_stats })).toMatchObject({
    counted: { invites: 0 },
  });
  for (const target_channel_id of ['foo', '@fOO', 'tg://resolve?domain=Foo'])
    expect((await harness.refusal('account.allocate', wish(user, { target_channel_id }))).code).toBe('ALL_LIMITED');
  const rested = wish(user, { target_channel_id: 'bar', timeout_minutes: 120 });
  expect((await harness.succeed('account.allocate', rested)).allocation.account_id).toBe(account_id);
});

test('a draining account whose lease is over is freed and not granted again', async () => {
  const user = newUser();
  const [accountId = ''] = await harness.registerAccounts(user, 1);
  await harness.succeed('account.allocate', wish(user));
  await harness.query(`UPDATE telegram_sessions SET status = 'draining' WHERE id = $1`, [accountId]);
  await letLeaseEnd(harness, accountId);
  expect(await harness.refusal('account.allocate', wish(user))).toMatchObject({
    code: 'ALL_RESTRICTED',
    details: { counts: { draining: 1 } },
  });
  const { leases } = await rowsOf(harness, accountId);
  expect(leases).toMatchObject([{ row: { end_reason: 'expired' } }]);
});
