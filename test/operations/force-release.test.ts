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

const wish = (userId: number) => ({ user_id: userId, purpose: 'general', service_name: 'stuck' });

test('the old holder is refused from then on, and the account can be had again at once', async () => {
  const [accountId = ''] = await harness.registerAccounts(1, 1);
  const { allocation: old } = await ask(harness, 'account.allocate', wish(1));
  const body = { account_id: accountId, reason: 'holder hangs: “timeout” 🙈' };
  const messageId = randomUUID();
  const reply = await ask(harness, 'admin.force-release', body, { caller: 'ops', messageId });
  expect(reply).toMatchObject({ account_id: accountId, released: true, released_from: 'stuck', fence: old.fence + 1 });

  const usage_stats = { invites_sent: 1, messages_sent: 0, contacts_added: 0, success: true };
  const byLease = { account_id: accountId, service_name: 'stuck', lease_id: old.lease_id, fence: old.fence };
  const byName = { account_id: accountId, service_name: 'stuck' };
  for (const [operation, more] of [
    ['account.renew', {}],
    ['account.release', { usage_stats }],
    ['action.acquire', { action_type: 'invite' }],
    ['account.error', { error_message: 'PEER_FLOOD' }],
  ] as const) {
    expect((await harness.refusal(operation, { ...byLease, ...more })).code).toBe('LEASE_LOST');
  }
  expect((await harness.refusal('account.release', { ...byName, usage_stats })).code).toBe('NOT_HELD');

  const { allocation: next } = await ask(harness, 'account.allocate', wish(1));
  expect(next).toMatchObject({ account_id: accountId, fence: old.fence + 2 });
  expect((await harness.refusal('account.renew', byLease)).code).toBe('LEASE_LOST');

  // The repeat is answered the same and takes nothing from the new holder.
  expect(await ask(harness, 'admin.force-release', body, { caller: 'ops', messageId })).toEqual(reply);
  await ask(harness, 'account.renew', { ...byName, lease_id: next.lease_id, fence: next.fence });

  const [, released] = await eventsOf(harness, accountId);
  expect(released).toEqual({
    type: 'account.released',
    data: {
      lease_id: old.lease_id,
      fence: old.fence,
      service_name: 'stuck',
      ended_at: reply.released_at,
      forced: true,
      reason: body.reason,
      actor: 'ops',
    },
  });
  const leases = await harness.query('SELECT end_reason FROM leases WHERE account_id = $1 AND ended_at IS NOT NULL', [
    accountId,
  ]);
  expect(leases).toEqual([{ end_reason: 'forced' }]);
});

test('an account that nobody holds stays as it is', async () => {
  const [accountId = ''] = await harness.registerAccounts(2, 1);
  expect(await ask(harness, 'admin.force-release', { account_id: accountId, reason: 'to be sure' })).toEqual({
    account_id: accountId,
    released: false,
    released_from: null,
    released_at: null,
    fence: 0,
  });
  expect(await eventsOf(harness, accountId)).toEqual([]);
});

test('refuses an unknown account, and a reason that is missing, empty, long or no line of text', async () => {
  const unknown = { account_id: randomUUID(), reason: 'why not' };
  expect((await harness.refusal('admin.force-release', unknown)).code).toBe('ACCOUNT_NOT_FOUND');
  for (const reason of [undefined, '', 'x'.repeat(301), 'a\u0000b', 'two\nlines', '\ud800']) {
    const { code, message } = await harness.refusal('admin.force-release', { ...unknown, reason });
    expect([code, message.split(':')[0]]).toEqual(['VALIDATION_FAILED', 'reason']);
  }
});
