import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { eventsOf } from '../support/account-events.js';
import { ask } from '../support/ask.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';

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
const recover = (accountId: string, more: Record<string, unknown> = {}, messageId = randomUUID()) =>
  ask(
    harness,
    'admin.recover',
    { account_id: accountId, reason: 'checked by hand', ...more },
    { caller: 'ops', messageId },
  );

test.each([
  ['FLOOD_WAIT_300', 'flood_wait'],
  ['PEER_FLOOD', 'blocked'],
])('ends the wait of %s now', async (error, status) => {
  const accountId = await newAccount(error);
  const messageId = randomUUID();
  const reply = await recover(accountId, {}, messageId);
  expect(reply).toEqual({
    account_id: accountId,
    status: 'active',
    previous_status: status,
    disabled_reason: null,
    recovery_time: null,
    changed: true,
  });
  expect(await recover(accountId, {}, messageId)).toEqual(reply);
  const [, recovered, ...more] = await eventsOf(harness, accountId);
  expect(recovered).toEqual({
    type: 'account.recovered',
    data: {
      status: 'active',
      previous_status: status,
      recovery_at: null,
      reason: 'checked by hand',
      actor: 'ops',
    },
  });
  expect(more).toEqual([]);
});

test('both waits at once', async () => {
  const accountId = await newAccount('FLOOD_WAIT_300');
  await ask(harness, 'account.error', { account_id: accountId, error_message: 'PEER_FLOOD' });
  expect(await recover(accountId)).toMatchObject({ status: 'active', previous_status: 'blocked' });
  const [row] = await harness.query('SELECT flood_wait_until, blocked_until FROM telegram_sessions WHERE id = $1', [
    accountId,
  ]);
  expect(row).toEqual({ flood_wait_until: null, blocked_until: null });
});

test('a disabled account only by force', async () => {
  const accountId = await newAccount('AUTH_KEY_UNREGISTERED');
  expect(await recover(accountId)).toMatchObject({ status: 'disabled', changed: false });
  expect(await recover(accountId, { force: true })).toMatchObject({ status: 'active', previous_status: 'disabled' });
});

test('a draining account drains on, without its wait, and the history tells it', async () => {
  const accountId = await newAccount('FLOOD_WAIT_300');
  await ask(harness, 'admin.set-status', { account_id: accountId, status: 'draining', reason: 'retiring' });
  expect(await recover(accountId)).toMatchObject({ status: 'draining', recovery_time: null, changed: true });
  const [, , told] = await eventsOf(harness, accountId);
  expect(told).toMatchObject({ type: 'account.draining', data: { reason: 'checked by hand', actor: 'ops' } });
});

test('an active account with many errors starts without them', async () => {
  const accountId = await newAccount();
  const report = { account_id: accountId, error_type: 'network_error' };
  for (let count = 0; count < 5; count++) await ask(harness, 'account.error', report);
  const healthOf = async () => (await ask(harness, 'query.health', { account_id: accountId })).health;
  expect(await healthOf()).toMatchObject({ is_healthy: false, metadata: { error_count: 5 } });
  expect(await recover(accountId)).toMatchObject({ status: 'active', previous_status: 'active', changed: true });
  expect(await healthOf()).toMatchObject({ is_healthy: true, issues: [], metadata: { error_count: 0 } });
  expect((await eventsOf(harness, accountId)).at(-1)).toMatchObject({
    type: 'account.recovered',
    data: { reason: 'checked by hand', actor: 'ops' },
  });
  expect(await recover(accountId)).toMatchObject({ changed: false });
});

test('an active account stays as it is; an unknown one is refused', async () => {
  const accountId = await newAccount();
  expect(await recover(accountId)).toMatchObject({ status: 'active', changed: false });
  expect(await eventsOf(harness, accountId)).toEqual([]);
  const { code } = await harness.refusal('admin.recover', { account_id: randomUUID(), reason: 'why' });
  expect(code).toBe('ACCOUNT_NOT_FOUND');
});
