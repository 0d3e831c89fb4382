import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ask } from '../support/ask.js';
import { holdAccount, newUser } from '../support/held-account.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';
import { telethonSession } from '../support/session-strings.js';

let harness: OperationsHarness;
beforeAll(async () => {
  harness = await startOperations();
});
afterAll(() => harness.close());

const remove = (account_id: string, messageId = randomUUID()) =>
  ask(harness, 'admin.remove', { account_id, reason: 'sold' }, { caller: 'ops', messageId });

test('takes the account from its holder and erases it; its history stays', async () => {
  const { user, accountId, holder, allocation } = await holdAccount(harness);
  await ask(harness, 'action.acquire', { ...holder, action_type: 'invite', target_channel_id: 'foo' });
  const messageId = randomUUID();
  const { removed_at } = await remove(accountId, messageId);
  expect(Date.parse(removed_at)).toBeGreaterThan(Date.parse(allocation.allocated_at));
  expect(await remove(accountId, messageId)).toEqual({ removed_at });

  for (const [operation, body] of [
    ['account.renew', { ...holder }],
    ['query.health', { account_id: accountId }],
    ['admin.remove', { account_id: accountId, reason: 'sold' }],
    ['admin.set-status', { account_id: accountId, status: 'active', reason: 'back' }],
  ] as const) {
    expect((await harness.refusal(operation, body)).code).toBe('ACCOUNT_NOT_FOUND');
  }
  const wish = { user_id: user, purpose: 'general', service_name: 'invite-service' };
  expect((await harness.refusal('account.allocate', wish)).code).toBe('NO_ACCOUNTS');
  expect(await ask(harness, 'query.accounts', { user_id: user })).toMatchObject({ total_accounts: 0, accounts: [] });
  expect((await ask(harness, 'query.leases', { user_id: user })).leases).toEqual([]);

  const { entries } = await ask(harness, 'query.history', { account_id: accountId });
  expect(entries.map(({ type }) => type)).toEqual([
    'account.disabled',
    'account.released',
    'action.acquired',
    'account.allocated',
    'account.registered',
  ]);
  expect(entries[0]).toMatchObject({ reason: 'sold', caller: 'ops', details: { removed: true, actor: 'ops' } });
  const tables = await harness.query<{ table_name: string }>(
    `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'`,
  );
  for (const { table_name: table } of tables) {
    const found = await harness.query(`SELECT 1 FROM "${table}" t WHERE to_jsonb(t)::text LIKE $1`, [
      `%${allocation.phone?.slice(1)}%`,
    ]);
    expect({ table, found: found.length }).toEqual({ table, found: 0 });
  }
});

test('its phone number may be registered anew, as another account', async () => {
  const user = newUser();
  const phone = '+4930999888777';
  const register = async () => {
    const account = { user_id: user, phone, session_data: telethonSession() };
    const { accounts } = await ask(harness, 'admin.register', { accounts: [account] });
    return accounts[0]!;
  };
  const first = await register();
  await remove(first.account_id!);
  const second = await register();
  expect(second).toMatchObject({ outcome: 'created' });
  expect(second.account_id).not.toBe(first.account_id);
  expect((await ask(harness, 'query.history', { account_id: second.account_id })).entries.length).toBe(1);
});

test('a disabled account can be removed, with its own event', async () => {
  const [accountId = ''] = await harness.registerAccounts(newUser(), 1);
  await ask(harness, 'account.error', { account_id: accountId, error_message: 'USER_DEACTIVATED_BAN' });
  await remove(accountId);
  const { entries } = await ask(harness, 'query.history', { account_id: accountId, type: 'account.disabled' });
  expect(entries).toMatchObject([
    { reason: 'sold', details: { removed: true, disabled_reason: 'banned' } },
    { reason: null, details: { error_class: 'banned' } },
  ]);
});

test('who works on it at that moment is answered in order', async () => {
  const { accountId, holder } = await holdAccount(harness);
  const another = harness.another();
  const act = { ...holder, action_type: 'parse' };
  const answers = await Promise.all([
    ...Array.from({ length: 5 }, () => harness.call('action.acquire', act)),
    remove(accountId).then(() => null),
    ...Array.from({ length: 5 }, () =>
      another({
        operation: 'action.acquire',
        body: act,
        messageId: randomUUID(),
        requestId: 'r',
        caller: null,
        deadlineAt: null,
        expiresAt: null,
        traceparent: null,
      }),
    ),
  ]);
  for (const answer of answers) {
    if (answer === null || answer.success) continue;
    expect(['ACCOUNT_NOT_FOUND', 'NOT_HELD', 'LEASE_LOST']).toContain(answer.error.code);
  }
  expect((await harness.query('SELECT 1 FROM usage_windows WHERE account_id = $1', [accountId])).length).toBe(0);
});
