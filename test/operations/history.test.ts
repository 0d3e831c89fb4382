import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { HistoryEntry } from '../../contracts/history.js';
import { ask } from '../support/ask.js';
import { holdAccount, letLeaseEnd } from '../support/held-account.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';

let harness: OperationsHarness;
beforeAll(async () => {
  harness = await startOperations();
});
afterAll(() => harness.close());

const pageOf = (accountId: string, filter: Record<string, unknown> = {}) =>
  ask(harness, 'query.history', { account_id: accountId, ...filter });
const oldestFirst = async (accountId: string): Promise<HistoryEntry[]> =>
  (await pageOf(accountId, { limit: 500 })).entries.toReversed();

const USAGE = { invites_sent: 3, messages_sent: 0, contacts_added: 0, success: true };

test('tells what was done to an account, in order: by whom, why, what was left, by which request', async () => {
  const { accountId, holder } = await holdAccount(harness);
  const by = { caller: 'invite-service', requestId: 'campaign-7/1' };
  const acquired = { ...holder, action_type: 'invite', target_channel_id: '@foo' };
  const { permit_id } = await ask(harness, 'action.acquire', acquired, by);
  const { fence: _, ...unfenced } = holder;
  await ask(harness, 'action.record', { ...unfenced, action_type: 'invite', permit_id, success: false });
  await ask(harness, 'action.record', { ...unfenced, action_type: 'message' });
  // Is only counted, and announced to nobody.
  await ask(harness, 'account.error', { ...holder, error_type: 'CHAT_WRITE_FORBIDDEN' }, { requestId: 'campaign-7/2' });
  await ask(harness, 'account.release', {
    ...holder,
    usage_stats: { ...USAGE, error_type: 'FLOOD_WAIT_60' },
  });
  const recovery = { account_id: accountId, reason: 'looked at by hand' };
  await ask(harness, 'admin.recover', recovery, { caller: 'operator', requestId: 'by-hand' });

  const entries = await oldestFirst(accountId);
  expect(entries.map(({ type, sequence }) => [type, sequence])).toEqual([
    ['account.registered', 1],
    ['account.allocated', 2],
    ['action.acquired', 2],
    ['action.recorded', 2],
    ['error.reported', 2],
    ['action.reported', 2],
    ['error.reported', 2],
    ['account.flood_wait', 3],
    ['account.released', 4],
    ['account.recovered', 5],
  ]);
  const [, granted, permit, recorded, harmless, reported, flood, , released, recovered] = entries;
  expect(granted).toMatchObject({
    service_name: holder.service_name,
    lease_id: holder.lease_id,
    limits_left: { invite: { daily: 30 }, message: { daily: 30 }, add_contact: { daily: 15 } },
    details: { purpose: 'general', selection: 'best_available' },
  });
  expect(permit).toMatchObject({
    service_name: holder.service_name,
    caller: 'invite-service',
    request_id: 'campaign-7/1',
    lease_id: holder.lease_id,
    limits_left: { invite: { daily: 29, hourly: 4, per_channel_daily: 14, per_channel_total: 199 } },
    details: { permit_id, action_type: 'invite', target_channel_id: 'foo', quantity: 1, success: false },
  });
  expect(permit?.details.settled_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  expect(recorded).toMatchObject({
    limits_left: { message: { daily: 29, hourly: 9 } },
    details: { permit_id: null, success: true },
  });
  expect(harmless).toMatchObject({
    service_name: holder.service_name,
    request_id: 'campaign-7/2',
    details: { error_class: 'permission', telegram_error: 'CHAT_WRITE_FORBIDDEN' },
  });
  expect(reported).toMatchObject({ limits_left: { invite: { daily: 27 } }, details: { quantity: 2 } });
  expect(flood).toMatchObject({
    details: { error_class: 'flood_wait', wait_seconds: 60, action_taken: 'wait_started' },
  });
  expect(released).toMatchObject({ limits_left: { invite: { daily: 27 }, message: { daily: 29 } } });
  expect(recovered).toMatchObject({ caller: 'operator', reason: 'looked at by hand', request_id: 'by-hand' });
  const [phone] = await harness.query<{ phone: string }>('SELECT phone FROM telegram_sessions WHERE id = $1', [
    accountId,
  ]);
  expect(JSON.stringify(entries)).not.toContain(phone?.phone.slice(1));
});

test('a lease that ended by itself was ended by nobody', async () => {
  const { accountId, holder } = await holdAccount(harness);
  await letLeaseEnd(harness, accountId);
  await harness.call('account.renew', { ...holder });
  await ask(harness, 'admin.set-status', { account_id: accountId, status: 'draining', reason: 'test' });
  expect((await pageOf(accountId, { type: 'account.lease_expired' })).entries).toMatchObject([
    { caller: null, request_id: null, service_name: holder.service_name, lease_id: holder.lease_id },
  ]);
});

test('counts every action that the counters have: history and windows agree', async () => {
  const { accountId, holder } = await holdAccount(harness);
  const act = { ...holder, action_type: 'parse' };
  await Promise.all(Array.from({ length: 15 }, () => harness.call('action.acquire', act)));
  await Promise.all(
    Array.from({ length: 9 }, () => harness.call('action.record', { account_id: accountId, action_type: 'parse' })),
  );
  const actions = (await oldestFirst(accountId)).filter(({ details }) => details.action_type === 'parse');
  const told = actions.filter(({ type }) => type.startsWith('action.'));
  const [window] = await harness.query<{ count: number }>(
    `SELECT day_count AS count FROM usage_windows WHERE account_id = $1 AND action_type = 'parse'`,
    [accountId],
  );
  expect(told.length).toBe(window?.count);
  // One after the other, though many came at the same instant: each left one less than the one before.
  const left = told.map((entry) => entry.limits_left?.parse?.daily ?? 0);
  expect(left).toEqual(left.toSorted((a, b) => b - a));
  expect(new Set(left).size).toBe(left.length);
});

test.each([1, 2, 7, 500])('pages of %d hold every entry once, in one order', async (limit) => {
  const { accountId, holder } = await holdAccount(harness);
  const act = { ...holder, action_type: 'parse' };
  await Promise.all([
    ...Array.from({ length: 6 }, () => harness.call('action.record', { account_id: accountId, action_type: 'parse' })),
    ...Array.from({ length: 5 }, () => harness.call('account.error', { ...holder, error_type: 'TIMEOUT' })),
    ...Array.from({ length: 3 }, () => harness.call('account.renew', { ...holder })),
  ]);
  await ask(harness, 'action.acquire', act).catch(() => undefined);
  const whole = await pageOf(accountId, { limit: 500 });
  expect(whole.entries.length).toBeGreaterThanOrEqual(16);
  expect(whole.next_cursor).toBeNull();

  const paged: HistoryEntry[] = [];
  for (let cursor: string | null = null; ; ) {
    const page: Awaited<ReturnType<typeof pageOf>> = await pageOf(accountId, { limit, cursor });
    expect(page.entries.length).toBeLessThanOrEqual(limit);
    paged.push(...page.entries);
    cursor = page.next_cursor;
    if (cursor === null) break;
  }
  expect(paged).toEqual(whole.entries);
});

test('of one type, however far apart they are', async () => {
  const { accountId } = await holdAccount(harness);
  await harness.query(
    `INSERT INTO events (event_id, type, account_id, sequence, data, occurred_at)
     SELECT gen_random_uuid(), CASE WHEN n % 1200 = 0 THEN 'account.blocked' ELSE 'account.renewed' END, $1, n, '{}', now()
     FROM generate_series(10, 2500) n`,
    [accountId],
  );
  const found: number[] = [];
  let pages = 0;
  for (let cursor: string | null = null; ; pages++) {
    const page: Awaited<ReturnType<typeof pageOf>> = await pageOf(accountId, { type: 'account.blocked', cursor });
    found.push(...page.entries.map(({ sequence }) => sequence));
    cursor = page.next_cursor;
    if (cursor === null) break;
  }
  expect(found).toEqual([2400, 1200]);
  expect(pages).toBe(2);
  expect((await pageOf(accountId, { type: 'action.acquired' })).entries).toEqual([]);
});

test('a cursor that none of its pages has given is refused, or has nothing behind it', async () => {
  const { accountId } = await holdAccount(harness);
  expect(await pageOf(accountId, { cursor: '0.0.0.0' })).toMatchObject({ entries: [], next_cursor: null });
  const beyond = { account_id: accountId, cursor: '1.999999999999999.0.1' };
  expect((await harness.refusal('query.history', beyond)).code).toBe('VALIDATION_FAILED');
});

test('of an account that is not there nothing is told', async () => {
  expect((await harness.refusal('query.history', { account_id: randomUUID() })).code).toBe('ACCOUNT_NOT_FOUND');
});
