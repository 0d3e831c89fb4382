import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { operatorsOf } from '../support/access.js';
import { ask } from '../support/ask.js';
import { newUser } from '../support/held-account.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';
import { readPages } from '../support/read-pages.js';
import { letWait, seedAccounts } from '../support/seed-accounts.js';

let harness: OperationsHarness;
beforeAll(async () => {
  harness = await startOperations();
});
afterAll(() => harness.close());

const list = (filter: Record<string, unknown>, caller: string | null = null) =>
  ask(harness, 'query.recoveries', filter, { caller });
const fail = (accountId: string, error_message: string) =>
  ask(harness, 'account.error', { account_id: accountId, error_message });

test('tells why an account waits, since when, and until when', async () => {
  const user = newUser();
  const [flooded = '', blocked = ''] = await harness.registerAccounts(user, 2);
  const wait = await fail(flooded, 'FLOOD_WAIT_300 (caused by messages.SendMessage)');
  const block = await fail(blocked, 'PEER_FLOOD');
  const { recoveries, total } = await list({ user_id: user });
  expect(total).toBe(2);
  expect(recoveries).toMatchObject([
    { account_id: flooded, status: 'flood_wait', classified_as: 'flood_wait', recovers_at: wait.result.recovery_time },
    {
      account_id: blocked,
      status: 'blocked',
      classified_as: 'peer_flood',
      telegram_error: 'PEER_FLOOD',
      recovers_at: block.result.recovery_time,
    },
  ]);
  expect(recoveries[0]?.telegram_error).toMatch(/^FLOOD_WAIT/);
  for (const { began_at, recovers_at } of recoveries) expect(began_at! < recovers_at).toBe(true);
});

test('the cause stays where an operator moves the end', async () => {
  const user = newUser();
  const [accountId = ''] = await harness.registerAccounts(user, 1);
  await fail(accountId, 'FLOOD_WAIT_300');
  const [before] = (await list({ user_id: user })).recoveries;
  const recovery_time = new Date(Date.now() + 7_200_000).toISOString();
  await ask(harness, 'admin.schedule-recovery', { account_id: accountId, recovery_time, reason: 'rest' });
  expect((await list({ user_id: user })).recoveries).toEqual([{ ...before, recovers_at: recovery_time }]);
});

test('who is active again, draining or disabled does not recover by itself', async () => {
  const user = newUser();
  const ids = await harness.registerAccounts(user, 4);
  for (const id of ids) await fail(id, 'FLOOD_WAIT_300');
  const set = (account_id: string, status: string) =>
    ask(harness, 'admin.set-status', { account_id, status, reason: 'test', force: true });
  await set(ids[0]!, 'active');
  await set(ids[1]!, 'draining');
  await set(ids[2]!, 'disabled');
  expect((await list({ user_id: user })).recoveries).toMatchObject([{ account_id: ids[3] }]);
  // Over, and not yet written as over.
  await letWait(harness, [ids[3]!], { fromMs: -1_000 });
  expect(await list({ user_id: user })).toMatchObject({ recoveries: [], total: 0 });
});

test('only those of soon; each once, the soonest first, whatever the page', async () => {
  const user = newUser();
  const ids = await seedAccounts(harness, user, 12);
  await letWait(harness, ids, { fromMs: 60_000, toMs: 1_200_000 });
  await letWait(harness, ids.slice(0, 5), { status: 'blocked', fromMs: 90_000 });
  for (const limit of [1, 4, 500]) {
    const body = { user_id: user, limit };
    const { entries } = await readPages(harness, 'query.recoveries', body, ({ recoveries }) => recoveries);
    expect(new Set(entries.map(({ account_id }) => account_id))).toEqual(new Set(ids));
    expect(entries.length).toBe(12);
    const ends = entries.map(({ recovers_at }) => recovers_at);
    expect(ends).toEqual(ends.toSorted());
  }
  const soon = await list({ user_id: user, within_seconds: 100 });
  expect(soon.recoveries.every(({ recovers_at }) => Date.parse(recovers_at) <= Date.now() + 100_000)).toBe(true);
  expect(soon.total).toBe(soon.recoveries.length);
  expect(soon.total).toBeGreaterThanOrEqual(5);
  // No error is known of what was put into the table by hand.
  expect(soon.recoveries[0]).toMatchObject({ classified_as: null, telegram_error: null, began_at: null });
});

test('a caller with listed users sees the accounts of these users', async () => {
  const [mine, theirs] = [newUser(), newUser()];
  for (const user of [mine, theirs]) {
    await letWait(harness, await seedAccounts(harness, user, 2), { fromMs: 60_000 });
  }
  harness.access.replace(operatorsOf(mine));
  try {
    const { recoveries, total } = await list({}, 'owner');
    expect(recoveries.map(({ user_id }) => user_id)).toEqual([mine, mine]);
    expect(total).toBe(2);
    expect((await list({ limit: 500 }, 'ops')).total).toBeGreaterThanOrEqual(4);
    expect((await harness.refusal('query.recoveries', { user_id: theirs }, { caller: 'owner' })).code).toBe(
      'FORBIDDEN',
    );
  } finally {
    harness.access.replace(null);
  }
});
