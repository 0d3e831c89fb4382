import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { eventsOf } from '../support/account-events.js';
import { ask } from '../support/ask.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';

let harness: OperationsHarness;
let nextUser = 1;
beforeAll(async () => {
  harness = await startOperations();
});
afterAll(() => harness.close());

const newAccount = async () => {
  const userId = nextUser++;
  const [accountId = ''] = await harness.registerAccounts(userId, 1);
  return { accountId, wish: { user_id: userId, purpose: 'general', service_name: 'service' } };
};
const set = (accountId: string, status: string, more: Record<string, unknown> = {}, messageId = randomUUID()) =>
  ask(
    harness,
    'admin.set-status',
    { account_id: accountId, status, reason: 'as planned', ...more },
    { caller: 'ops', messageId },
  );
const fail = (accountId: string, error_message: string) =>
  ask(harness, 'account.error', { account_id: accountId, error_message });
const typesOf = async (accountId: string) => (await eventsOf(harness, accountId)).map(({ type }) => type);

test('disables an account until it is made active, with reason and actor in the history', async () => {
  const { accountId, wish } = await newAccount();
  const messageId = randomUUID();
  const disabled = await set(accountId, 'disabled', {}, messageId);
  expect(disabled).toEqual({
    account_id: accountId,
    status: 'disabled',
    previous_status: 'active',
    disabled_reason: 'manual',
    recovery_time: null,
    changed: true,
  });
  expect((await harness.refusal('account.allocate', wish)).code).toBe('ALL_RESTRICTED');
  expect(await set(accountId, 'active')).toMatchObject({ status: 'active', previous_status: 'disabled' });
  expect(await set(accountId, 'disabled', {}, messageId)).toEqual(disabled);
  await ask(harness, 'account.allocate', wish);

  const [first, second] = await eventsOf(harness, accountId);
  const by = { reason: 'as planned', actor: 'ops', recovery_at: null };
  expect(first).toEqual({
    type: 'account.disabled',
    data: { status: 'disabled', previous_status: 'active', disabled_reason: 'manual', ...by },
  });
  expect(second).toEqual({ type: 'account.recovered', data: { status: 'active', previous_status: 'disabled', ...by } });
});

test('a status that the account already has changes nothing and leaves no event', async () => {
  const { accountId } = await newAccount();
  expect(await set(accountId, 'active')).toMatchObject({ status: 'active', changed: false });
  expect(await typesOf(accountId)).toEqual([]);
});

test('a draining account finishes its lease and gets no new one', async () => {
  const { accountId, wish } = await newAccount();
  const { allocation } = await ask(harness, 'account.allocate', wish);
  expect(await set(accountId, 'draining')).toMatchObject({ status: 'draining', recovery_time: null });
  const held = {
    account_id: accountId,
    service_name: 'service',
    lease_id: allocation.lease_id,
    fence: allocation.fence,
  };
  expect(await ask(harness, 'action.acquire', { ...held, action_type: 'invite' })).toMatchObject({ allowed: true });
  const usage_stats = { invites_sent: 1, messages_sent: 0, contacts_added: 0, success: true };
  await ask(harness, 'account.release', { ...held, usage_stats });
  expect((await harness.refusal('account.allocate', wish)).code).toBe('ALL_RESTRICTED');
  expect(await typesOf(accountId)).toEqual(['account.allocated', 'account.draining', 'account.released']);
});

test('a disabled account keeps its lease and acts no more', async () => {
  const { accountId, wish } = await newAccount();
  const { allocation } = await ask(harness, 'account.allocate', wish);
  await set(accountId, 'disabled');
  const held = { account_id: accountId, service_name: 'service', lease_id: allocation.lease_id };
  const refused = await ask(harness, 'action.acquire', { ...held, action_type: 'invite' });
  expect(refused).toMatchObject({ allowed: false, reason: 'account_status' });
  await ask(harness, 'account.renew', { ...held, fence: allocation.fence });
});

test('active ends a wait only by force', async () => {
  const { accountId } = await newAccount();
  const { result } = await fail(accountId, 'FLOOD_WAIT_300');
  const waits = { status: 'flood_wait', recovery_time: result.recovery_time };
  expect(await set(accountId, 'active')).toMatchObject({ ...waits, changed: false });
  expect(await set(accountId, 'draining')).toMatchObject({ status: 'draining', previous_status: 'flood_wait' });
  expect(await set(accountId, 'active', { force: null })).toMatchObject({ ...waits, previous_status: 'draining' });
  expect(await set(accountId, 'active', { force: true })).toMatchObject({ status: 'active', recovery_time: null });
  expect(await typesOf(accountId)).toEqual([
    'account.flood_wait',
    'account.draining',
    'account.flood_wait',
    'account.recovered',
  ]);
});

test('a ban stays a ban; only an operator leads out of it', async () => {
  const { accountId } = await newAccount();
  await fail(accountId, 'USER_DEACTIVATED_BAN');
  expect(await set(accountId, 'disabled')).toMatchObject({ disabled_reason: 'banned', changed: false });
  expect(await set(accountId, 'draining')).toMatchObject({ status: 'disabled', changed: false });
  expect(await set(accountId, 'active')).toMatchObject({ status: 'active', disabled_reason: null });
});

test('refuses an unknown account and what is no status of an operator', async () => {
  const body = { account_id: randomUUID(), status: 'active', reason: 'why' };
  expect((await harness.refusal('admin.set-status', body)).code).toBe('ACCOUNT_NOT_FOUND');
  for (const wrong of [{ status: 'flood_wait' }, { status: null }, { reason: null }, { force: 'yes' }]) {
    const { code, message } = await harness.refusal('admin.set-status', { ...body, ...wrong });
    expect([code, message.split(':')[0]]).toEqual(['VALIDATION_FAILED', Object.keys(wrong)[0]]);
  }
});
