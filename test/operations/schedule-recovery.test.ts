import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { eventsOf } from '../support/account-events.js';
import { ask } from '../support/ask.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';

const HOUR_MS = 3_600_000;

let harness: OperationsHarness;
beforeAll(async () => {
  harness = await startOperations();
});
afterAll(() => harness.close());

const newAccount = async (error_message?: string): Promise<string> => {
  const [accountId = ''] = await harness.registerAccounts(1, 1);
  if (error_message !== undefined) await ask(harness, 'account.error', { account_id: accountId, error_message });
  return accountId;
};
const inHours = (hours: number) => new Date(Date.now() + hours * HOUR_MS).toISOString();
const schedule = (accountId: string, recovery_time: string, more: Record<string, unknown> = {}) =>
  ask(harness, 'admin.schedule-recovery', { account_id: accountId, recovery_time, ...more }, { caller: 'ops' });

test.each([
  ['FLOOD_WAIT_7200', 'flood_wait', 1],
  ['FLOOD_WAIT_7200', 'flood_wait', 50],
  ['PEER_FLOOD', 'blocked', 1],
  ['PEER_FLOOD', 'blocked', 200],
])('sets the end of the wait of %s (%s) to %d h from now', async (error, status, hours) => {
  const accountId = await newAccount(error);
  const recoveryTime = inHours(hours);
  const reply = await schedule(accountId, recoveryTime, { recovery_type: 'manual', reason: 'appealed' });
  expect(reply).toMatchObject({ status, previous_status: status, recovery_time: recoveryTime });
  const { health } = await ask(harness, 'query.health', { account_id: accountId });
  expect(health).toMatchObject({ status, recovery_eta: recoveryTime });
  const [, told] = await eventsOf(harness, accountId);
  expect(told).toEqual({
    type: `account.${status}`,
    data: {
      status,
      previous_status: status,
      recovery_at: recoveryTime,
      reason: 'appealed',
      recovery_type: 'manual',
      actor: 'ops',
    },
  });
});

test('a time that no instant of the contract can tell is refused', async () => {
  const account_id = await newAccount('FLOOD_WAIT_7200');
  for (const recovery_time of ['9999-12-31T23:59:59-12:00', '2099-02-30T00:00:00Z']) {
    const refusal = await harness.refusal('admin.schedule-recovery', { account_id, recovery_time });
    expect(refusal).toMatchObject({ code: 'VALIDATION_FAILED', details: { issues: [{ path: 'recovery_time' }] } });
  }
});

test('takes any offset, and a time in the past as now', async () => {
  const accountId = await newAccount('FLOOD_WAIT_7200');
  expect((await schedule(accountId, '2099-03-01T14:00:00+02:00')).recovery_time).toBe('2099-03-01T12:00:00.000Z');
  const before = Date.now() - 1000;
  const reply = await schedule(accountId, '2020-01-01T00:00:00Z');
  expect(reply).toMatchObject({ status: 'active', changed: true });
  expect(Date.parse(reply.recovery_time)).toBeGreaterThan(before);
  expect((await eventsOf(harness, accountId)).at(-1)).toMatchObject({
    type: 'account.recovered',
    data: { reason: null, actor: 'ops' },
  });
});

test('the repeat is answered the same and leaves a later decision alone', async () => {
  const accountId = await newAccount('FLOOD_WAIT_7200');
  const body = { account_id: accountId, recovery_time: inHours(3) };
  const messageId = randomUUID();
  const first = await ask(harness, 'admin.schedule-recovery', body, { messageId });
  await schedule(accountId, inHours(5));
  expect(await ask(harness, 'admin.schedule-recovery', body, { messageId })).toEqual(first);
  expect(await eventsOf(harness, accountId)).toHaveLength(3);
});

test('refuses where there is no wait, an unknown account, and what is no instant', async () => {
  for (const error of [undefined, 'USER_DEACTIVATED_BAN']) {
    const accountId = await newAccount(error);
    const refused = await harness.refusal('admin.schedule-recovery', {
      account_id: accountId,
      recovery_time: inHours(1),
    });
    expect(refused).toMatchObject({
      code: 'VALIDATION_FAILED',
      message: expect.stringMatching(/^recovery_time: needs a present wait; the account (waits for|is disabled)/),
    });
    expect(await eventsOf(harness, accountId)).toHaveLength(error === undefined ? 0 : 1);
  }
  const unknown = { account_id: randomUUID(), recovery_time: inHours(1) };
  expect((await harness.refusal('admin.schedule-recovery', unknown)).code).toBe('ACCOUNT_NOT_FOUND');
  for (const recovery_time of ['tomorrow', '2099-03-01', '2099-03-01T14:00:00', 1_900_000_000, null]) {
    const { code } = await harness.refusal('admin.schedule-recovery', { ...unknown, recovery_time });
    expect(code).toBe('VALIDATION_FAILED');
  }
});
