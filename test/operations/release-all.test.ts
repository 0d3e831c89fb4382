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

const lease = async (userId: number, service: string, caller: string | null = null) => {
  const wish = { user_id: userId, purpose: 'general', service_name: service };
  return (await ask(harness, 'account.allocate', wish, { caller })).allocation;
};
const openLeases = async (service: string): Promise<number> =>
  (await harness.query('SELECT 1 FROM leases WHERE service_name = $1 AND ended_at IS NULL', [service])).length;

test('gives back everything the service holds, and nothing of others', async () => {
  await harness.registerAccounts(1, 4);
  const held = [await lease(1, 'crashed'), await lease(1, 'crashed'), await lease(1, 'crashed')];
  const other = await lease(1, 'other');
  const messageId = randomUUID();
  const reply = await ask(harness, 'account.release-all', { service_name: 'crashed', force: null }, { messageId });
  expect(reply.released_count).toBe(3);
  expect(await openLeases('crashed')).toBe(0);
  expect(await openLeases('other')).toBe(1);

  for (const { account_id: accountId, lease_id, fence } of held) {
    const [, released] = await eventsOf(harness, accountId);
    expect(released).toEqual({
      type: 'account.released',
      data: {
        lease_id,
        fence,
        service_name: 'crashed',
        ended_at: reply.released_at,
        counted: { invites: 0, messages: 0, contacts: 0 },
        release_all: true,
      },
    });
    const renewal = { account_id: accountId, service_name: 'crashed', lease_id, fence };
    expect((await harness.refusal('account.renew', renewal)).code).toBe('LEASE_LOST');
  }
  expect(await eventsOf(harness, other.account_id)).toHaveLength(1);

  // Their locks are gone too: all three can be had again, and the repeat takes none of them away.
  for (const _ of held) await lease(1, 'crashed');
  expect(await ask(harness, 'account.release-all', { service_name: 'crashed', force: null }, { messageId })).toEqual(
    reply,
  );
  expect(await openLeases('crashed')).toBe(3);
});

test('with a checked identity only what that identity holds', async () => {
  await harness.registerAccounts(2, 3);
  await lease(2, 'shared-name', 'worker-1');
  await lease(2, 'shared-name', 'worker-2');
  await lease(2, 'shared-name');
  const first = await ask(harness, 'account.release-all', { service_name: 'shared-name' }, { caller: 'worker-1' });
  expect(first.released_count).toBe(2); // its own, and the one that nobody identified took
  expect(await openLeases('shared-name')).toBe(1);
});

test('a service that holds nothing, and leases that are over', async () => {
  expect((await ask(harness, 'account.release-all', { service_name: 'nobody' })).released_count).toBe(0);
  const [accountId = ''] = await harness.registerAccounts(3, 1);
  await lease(3, 'late');
  await harness.query(
    `UPDATE leases SET allocated_at = allocated_at - interval '1 hour', expires_at = now() - interval '1 second' WHERE account_id = $1`,
    [accountId],
  );
  expect((await ask(harness, 'account.release-all', { service_name: 'late' })).released_count).toBe(0);
  expect((await eventsOf(harness, accountId)).map(({ type }) => type)).toEqual([
    'account.allocated',
    'account.lease_expired',
  ]);
});

test('actions counted during the lease stay counted', async () => {
  const [accountId = ''] = await harness.registerAccounts(4, 1);
  await lease(4, 'counting');
  await ask(harness, 'action.acquire', { account_id: accountId, action_type: 'invite', service_name: 'counting' });
  await ask(harness, 'account.release-all', { service_name: 'counting' });
  const { status } = await ask(harness, 'query.limits', { account_id: accountId });
  expect(status.daily_limits.invite.used).toBe(1);
  expect(status.is_available).toBe(true);
});

test('600 leases at once, while two processes allocate and release all the time', async () => {
  const user = 5;
  for (let part = 0; part < 3; part++) await harness.registerAccounts(user, 200);
  const second = harness.another();
  const dispatch = (operation: string, body: Record<string, unknown>, through = harness.dispatch) => {
    const messageId = randomUUID();
    return through({
      operation,
      body,
      messageId,
      requestId: messageId,
      caller: null,
      deadlineAt: null,
      expiresAt: null,
      traceparent: null,
    });
  };
  const wish = { user_id: user, purpose: 'general', service_name: 'many' };
  await Promise.all(Array.from({ length: 600 }, () => dispatch('account.allocate', wish)));
  expect(await openLeases('many')).toBe(600);

  const others = Array.from({ length: 100 }, () =>
    dispatch('account.allocate', { ...wish, service_name: 'beside' }, second),
  );
  const [one, two] = await Promise.all([
    dispatch('account.release-all', { service_name: 'many' }),
    dispatch('account.release-all', { service_name: 'many' }, second),
  ]);
  await Promise.all(others);
  const counts = [one, two].map((reply) => (reply.success ? reply.released_count : reply.error));
  expect(Number(counts[0]) + Number(counts[1])).toBe(600);
  expect(await openLeases('many')).toBe(0);
});
