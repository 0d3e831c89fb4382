import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { operatorsOf } from '../support/access.js';
import { ask } from '../support/ask.js';
import { eventsOf, holdAccount, newUser } from '../support/held-account.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';
import { letWait, seedAccounts } from '../support/seed-accounts.js';

let harness: OperationsHarness;
beforeAll(async () => {
  harness = await startOperations();
});
afterAll(() => harness.close());

const work = (
  filter: Record<string, unknown>,
  action: string,
  more: Record<string, unknown> = {},
  request: { caller?: string; messageId?: string } = {},
) => ask(harness, 'admin.bulk', { filter, action, reason: 'as planned', ...more }, request);
const statusesOf = async (user: number) =>
  (
    await harness.query<{ status: string }>('SELECT status FROM telegram_sessions WHERE user_id = $1 ORDER BY id', [
      user,
    ])
  ).map(({ status }) => status);
const none = { unchanged: 0, failed: [] };

test('recovers, drains, activates and disables whatever matches, with reason and actor in each history', async () => {
  const user = newUser();
  const ids = await harness.registerAccounts(user, 3);
  await letWait(harness, ids.slice(0, 2), { fromMs: 3_600_000 });
  expect(await work({ user_id: user, status: 'flood_wait' }, 'recover')).toEqual({ matched: 2, changed: 2, ...none });
  expect(await statusesOf(user)).toEqual(['active', 'active', 'active']);
  expect(await work({ account_ids: ids }, 'drain', {}, { caller: 'ops' })).toEqual({ matched: 3, changed: 3, ...none });
  expect(await work({ account_ids: ids }, 'drain')).toEqual({ matched: 3, changed: 0, unchanged: 3, failed: [] });
  expect(await work({ user_id: user }, 'disable')).toMatchObject({ changed: 3 });
  expect(await work({ user_id: user, disabled_reason: 'manual' }, 'activate')).toMatchObject({ changed: 3 });
  const events = await eventsOf(harness, ids[0]!);
  expect(events.map(({ type }) => type).slice(1)).toEqual([
    'account.recovered',
    'account.draining',
    'account.disabled',
    'account.recovered',
  ]);
  expect(events[2]?.data).toMatchObject({ reason: 'as planned', actor: 'ops' });
});

test('takes back what a service has; its holder is refused from then on', async () => {
  const service_name = 'gone-service';
  const { holder } = await holdAccount(harness, { service_name });
  await holdAccount(harness, { service_name });
  expect(await work({ leased_by: service_name }, 'force-release')).toEqual({ matched: 2, changed: 2, ...none });
  expect((await harness.refusal('account.renew', { ...holder })).code).toBe('LEASE_LOST');
  expect(await work({ leased_by: service_name }, 'force-release')).toMatchObject({ matched: 0, changed: 0 });
});

test('a dry run tells what would be done, and does nothing', async () => {
  const user = newUser();
  await harness.registerAccounts(user, 2);
  const told = await work({ user_id: user }, 'disable', { dry_run: true });
  expect(told).toEqual({ matched: 2, changed: 2, ...none });
  expect(await statusesOf(user)).toEqual(['active', 'active']);
  expect(await work({ user_id: user }, 'disable')).toEqual(told);
});

test('where another number matches than expected nothing is done', async () => {
  const user = newUser();
  await harness.registerAccounts(user, 2);
  const body = { filter: { user_id: user }, action: 'disable', reason: 'test', expected_count: 3 };
  expect(await harness.refusal('admin.bulk', body)).toMatchObject({
    code: 'COUNT_CHANGED',
    retryable: true,
    details: { matched: 2 },
  });
  expect(await statusesOf(user)).toEqual(['active', 'active']);
  expect(await work({ user_id: user }, 'disable', { expected_count: 2 })).toMatchObject({ changed: 2 });
});

test('a repeat is answered as the first time, and does nothing', async () => {
  const user = newUser();
  await harness.registerAccounts(user, 1);
  const messageId = randomUUID();
  const first = await work({ user_id: user }, 'disable', {}, { messageId });
  await work({ user_id: user }, 'activate');
  expect(await work({ user_id: user }, 'disable', {}, { messageId })).toEqual(first);
  expect(await statusesOf(user)).toEqual(['active']);
});

test('more than a chunk is worked on, and no more than 10,000', async () => {
  const user = newUser();
  await seedAccounts(harness, user, 10_001);
  const body = { filter: { user_id: user }, action: 'drain', reason: 'test' };
  expect((await harness.refusal('admin.bulk', body)).message).toMatch(/^filter: .*10000/);
  const [some] = await Promise.all([
    harness.query<{ id: string }>('SELECT id FROM telegram_sessions WHERE user_id = $1 LIMIT 250', [user]),
  ]);
  expect(await work({ account_ids: some.map(({ id }) => id) }, 'drain')).toEqual({
    matched: 250,
    changed: 250,
    ...none,
  });
});

test('an account that another transaction keeps has failed alone', async () => {
  const user = newUser();
  const ids = await harness.registerAccounts(user, 3);
  const keeper = new pg.Client({ connectionString: harness.databaseUrl });
  await keeper.connect();
  await keeper.query('BEGIN');
  await keeper.query('SELECT 1 FROM telegram_sessions WHERE id = $1 FOR UPDATE', [ids[1]]);
  const told = await work({ user_id: user }, 'drain');
  await keeper.query('ROLLBACK');
  await keeper.end();
  expect(told).toMatchObject({ matched: 3, changed: 2, failed: [{ account_id: ids[1], code: 'UNAVAILABLE' }] });
});

test('only the accounts of the caller’s users match', async () => {
  const [mine, theirs] = [newUser(), newUser()];
  const [own = ''] = await harness.registerAccounts(mine, 1);
  const [foreign = ''] = await harness.registerAccounts(theirs, 1);
  harness.access.replace(operatorsOf(mine));
  try {
    expect(await work({ account_ids: [own, foreign] }, 'disable', {}, { caller: 'owner' })).toMatchObject({
      matched: 1,
    });
    expect(await statusesOf(theirs)).toEqual(['active']);
    const body = { filter: { user_id: theirs }, action: 'disable', reason: 'test' };
    expect(await harness.refusal('admin.bulk', body, { caller: 'owner' })).toMatchObject({
      code: 'FORBIDDEN',
      details: { issues: [{ path: 'filter.user_id' }] },
    });
  } finally {
    harness.access.replace(null);
  }
});

test('a filter needs a condition, and a waiting account counts as active once its wait is over', async () => {
  for (const filter of [{}, { user_id: null }, { account_ids: [] }, { surprise: 1 }]) {
    const { message } = await harness.refusal('admin.bulk', { filter, action: 'drain', reason: 'test' });
    expect(message).toMatch(/^filter/);
  }
  const user = newUser();
  const ids = await harness.registerAccounts(user, 1);
  await letWait(harness, ids, { fromMs: -1_000 });
  expect(await work({ user_id: user, status: 'flood_wait' }, 'drain')).toMatchObject({ matched: 0 });
  expect(await work({ user_id: user, status: 'active' }, 'drain')).toMatchObject({ matched: 1, changed: 1 });
});
