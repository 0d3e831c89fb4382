import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Reply } from '../../src/requests/request.js';
import type { RunningService } from '../support/service.js';
import { type Installation, startInstallation } from './installation.js';

let installation: Installation;
let services: RunningService[];
beforeAll(async () => {
  installation = await startInstallation();
  services = await Promise.all([installation.start(), installation.start()]);
});
afterAll(() => installation.close());

/** Both processes had their share, or the test says nothing. */
function expectBothServed(operation: string): void {
  for (const service of services) expect(service.log()).toContain(`"operation":"${operation}"`);
}

const codeOf = (reply: Reply) => (reply.success ? 'success' : reply.error.code);

/** How often each occurs. */
function tally(keys: string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const key of keys) counts[key] = (counts[key] ?? 0) + 1;
  return counts;
}

test('300 want one of 50 accounts at once, of two processes: each account is granted once', async () => {
  const { client, register, query } = installation;
  const accountIds = await register(1, 50);
  const wish = { user_id: 1, purpose: 'general', service_name: 'invite-service' };
  const replies = await Promise.all(Array.from({ length: 300 }, () => client.call('account.allocate', wish)));

  expect(tally(replies.map(codeOf))).toEqual({ success: 50, ALL_BUSY: 250 });
  const granted = replies.flatMap((reply) => (reply.success ? [reply.allocation as Record<string, string>] : []));
  expect(granted.map(({ account_id: id }) => id).sort()).toEqual(accountIds.sort());
  expect(new Set(granted.map(({ lease_id: id }) => id)).size).toBe(50);
  const open = await query('SELECT id FROM leases WHERE ended_at IS NULL');
  expect(open).toHaveLength(50);
  const busy = replies.find((reply) => !reply.success);
  expect(busy).toMatchObject({ error: { retryable: true, retry_after_ms: expect.any(Number) } });
  expectBothServed('account.allocate');
});

test('200 want to act at once where five in an hour are allowed, of two processes: five may', async () => {
  const { client, register, query } = installation;
  const [accountId] = await register(2, 1);
  const wish = { account_id: accountId, action_type: 'invite' };
  const verdicts = await Promise.all(Array.from({ length: 200 }, () => client.call('action.acquire', wish)));

  expect(tally(verdicts.map((reply) => JSON.stringify(reply.success && reply.reason)))).toEqual({
    null: 5,
    '"hourly"': 195,
  });
  const permits = verdicts.flatMap((reply) => (reply.success && reply.allowed === true ? [reply.permit_id] : []));
  expect(new Set(permits).size).toBe(5);
  expect(await query('SELECT 1 FROM counted_actions WHERE account_id = $1', [accountId])).toHaveLength(5);
  expectBothServed('action.acquire');
});
