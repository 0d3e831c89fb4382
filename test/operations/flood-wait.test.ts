import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { ask } from '../support/ask.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';

let harness: OperationsHarness;
beforeAll(async () => {
  harness = await startOperations();
});
afterAll(() => harness.close());

const newAccount = async (error_message?: string) => {
  const [accountId = ''] = await harness.registerAccounts(1, 1);
  if (error_message === undefined) return { accountId, until: null };
  const { result } = await ask(harness, 'account.error', { account_id: accountId, error_message });
  return { accountId, until: result.recovery_time };
};
const floodWaitOf = (accountId: string) => ask(harness, 'query.flood-wait', { account_id: accountId });

test('a flood wait is told with its end and what is left of it', async () => {
  const { accountId, until } = await newAccount('FLOOD_WAIT_300');
  const reply = await floodWaitOf(accountId);
  expect(reply).toEqual({
    flood_wait_active: true,
    flood_wait: { account_id: accountId, flood_wait_until: until, remaining_seconds: expect.any(Number) },
  });
  expect(reply.flood_wait?.remaining_seconds).toBeGreaterThan(350);
  expect(reply.flood_wait?.remaining_seconds).toBeLessThanOrEqual(360);
});

test('neither a block nor a wait that is over is one', async () => {
  const blocked = await newAccount('PEER_FLOOD');
  const recovered = await newAccount('FLOOD_WAIT_300');
  await harness.query(`UPDATE telegram_sessions SET flood_wait_until = now() WHERE id = $1`, [recovered.accountId]);
  for (const { accountId } of [blocked, recovered, await newAccount()])
    expect(await floodWaitOf(accountId)).toEqual({ flood_wait_active: false });
});

test('it goes on while the account is disabled', async () => {
  const { accountId, until } = await newAccount('FLOOD_WAIT_300');
  await ask(harness, 'admin.set-status', { account_id: accountId, status: 'disabled', reason: 'for now' });
  expect(await floodWaitOf(accountId)).toMatchObject({ flood_wait: { flood_wait_until: until } });
});

test('refuses an unknown account', async () => {
  expect((await harness.refusal('query.flood-wait', { account_id: randomUUID() })).code).toBe('ACCOUNT_NOT_FOUND');
});
