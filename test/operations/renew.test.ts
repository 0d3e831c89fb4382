import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { eventsOf, holdAccount, letLeaseEnd, rowsOf } from '../support/held-account.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';

let harness: OperationsHarness;
beforeAll(async () => {
  harness = await startOperations();
});
afterAll(() => harness.close());

const minutesFromNow = (instant: string) => Math.round((Date.parse(instant) - Date.now()) / 60_000);

test.each([5, 30, 1440])('a lease ends %d minutes after its renewal, later or sooner than before', async (minutes) => {
  const { accountId, holder } = await holdAccount(harness);
  const reply = await harness.succeed('account.renew', { ...holder, timeout_minutes: minutes });
  expect(minutesFromNow(reply.expires_at)).toBe(minutes);
  expect(reply.fence).toBe(holder.fence);
  const [stored] = await harness.query<{ expires_at: Date; locked_until: Date }>(
    'SELECT l.expires_at, s.locked_until FROM leases l JOIN telegram_sessions s ON s.lease_id = l.id WHERE s.id = $1',
    [accountId],
  );
  expect(stored?.expires_at.toISOString()).toBe(reply.expires_at);
  expect(stored?.locked_until.toISOString()).toBe(reply.expires_at);
  expect((await eventsOf(harness, accountId)).at(-1)).toMatchObject({
    type: 'account.renewed',
    data: { lease_id: holder.lease_id, fence: holder.fence, expires_at: reply.expires_at },
  });
});

test('a renewal names its lease: several workers of one service must not prolong what another holds', async () => {
  const { holder } = await holdAccount(harness);
  for (const missing of ['lease_id', 'fence']) {
    const { code, details } = await harness.refusal('account.renew', { ...holder, [missing]: null });
    expect({ code, issues: details?.issues }).toMatchObject({ code: 'VALIDATION_FAILED', issues: [{ path: missing }] });
  }
  expect(minutesFromNow((await harness.succeed('account.renew', holder)).expires_at)).toBe(30);
});

test('renewals of one lease at once are decided one after the other', async () => {
  const { accountId, holder } = await holdAccount(harness);
  const replies = await Promise.all(
    [10, 20, 40].map((minutes) => harness.succeed('account.renew', { ...holder, timeout_minutes: minutes })),
  );
  expect(replies.map((reply) => minutesFromNow(reply.expires_at))).toEqual([10, 20, 40]);
  const [stored] = await harness.query<{ locked_until: Date }>(
    'SELECT locked_until FROM telegram_sessions WHERE id = $1',
    [accountId],
  );
  expect(stored?.locked_until.toISOString()).toBe(replies[2]?.expires_at);
  const events = await eventsOf(harness, accountId);
  expect(events.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5]);
});

test.each([
  ['another service', { service_name: 'other' }, 'NOT_HELD'],
  ['an old fence', { fence: 0 }, 'LEASE_LOST'],
  ['another lease', { lease_id: randomUUID() }, 'LEASE_LOST'],
])('%s is refused and changes nothing', async (_who, claim, code) => {
  const { accountId, holder } = await holdAccount(harness);
  const before = await rowsOf(harness, accountId);
  expect((await harness.refusal('account.renew', { ...holder, ...claim })).code).toBe(code);
  expect(await rowsOf(harness, accountId)).toEqual(before);
});

test('a lease that has ended is not renewed, and an account that does not exist is not found', async () => {
  const { accountId, holder } = await holdAccount(harness);
  await letLeaseEnd(harness, accountId);
  expect((await harness.refusal('account.renew', holder)).code).toBe('LEASE_LOST');
  expect((await harness.refusal('account.renew', { ...holder, account_id: randomUUID() })).code).toBe(
    'ACCOUNT_NOT_FOUND',
  );
});
