import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { DEFAULT_LIMITS } from '../../src/decide/limits/limits-policy.js';
import type { Dispatch } from '../../src/requests/request.js';
import { eventsOf, holdAccount, letLeaseEnd, newUser } from '../support/held-account.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';
import { requestOf } from '../support/request-of.js';

const HOURLY_LIMIT = 5;
const unlimited = { ...DEFAULT_LIMITS.invite, cooldownSeconds: null, burstLimit: null };
const policy = {
  ...DEFAULT_LIMITS,
  invite: { ...unlimited, hourlyLimit: HOURLY_LIMIT },
  message: { ...unlimited, hourlyLimit: null, dailyLimit: null, perChannelDaily: 7 },
  parse: { ...unlimited, hourlyLimit: null, dailyLimit: 11 },
};

let harness: OperationsHarness;
let processes: [Dispatch, Dispatch];
beforeAll(async () => {
  harness = await startOperations({ policy });
  processes = [harness.dispatch, harness.another()];
});
afterAll(() => harness.close());

const noUsage = { invites_sent: 0, messages_sent: 0, contacts_added: 0, success: true };

/** Calls an operation in one of the two processes. */
const callIn = (index: number, ...[operation, body]: Parameters<typeof requestOf>) =>
  (index % 2 === 0 ? processes[0] : processes[1])(requestOf(operation, body));

test.each([
  ['an hourly limit', 'invite', HOURLY_LIMIT],
  ['a channel’s daily limit', 'message', 7],
  ['a daily limit', 'parse', 11],
] as const)('200 at once against %s: exactly as many as it allows', async (_limit, action_type, allowed) => {
  const { accountId, holder } = await holdAccount(harness);
  const spellings = ['@Foo', 'foo', 'https://t.me/Foo', 't.me/FOO/12'];
  const replies = await Promise.all(
    Array.from({ length: 200 }, (_, index) =>
      callIn(index, 'action.acquire', { ...holder, action_type, target_channel_id: spellings[index % 4] }),
    ),
  );
  expect(replies.filter((reply) => reply.success && reply.allowed === true)).toHaveLength(allowed);
  expect(replies.filter((reply) => reply.success && reply.allowed === false)).toHaveLength(200 - allowed);
  const counted = await harness.query('SELECT 1 FROM counted_actions WHERE account_id = $1', [accountId]);
  expect(counted).toHaveLength(allowed);
});

test('a clock set back over midnight opens no channel’s daily limit', async () => {
  const { accountId, holder } = await holdAccount(harness);
  // As the account stands when its last action was after a midnight that is still to come.
  await harness.query(
    `INSERT INTO usage_windows (account_id, action_type, last_action_at, day, day_count, burst_count)
     VALUES ($1, 'message', CURRENT_DATE + 2, CURRENT_DATE + 2, 1, 1)`,
    [accountId],
  );
  const wish = { ...holder, action_type: 'message', target_channel_id: 'foo' };
  const replies = await Promise.all(Array.from({ length: 10 }, (_, index) => callIn(index, 'action.acquire', wish)));
  expect(replies.filter((reply) => reply.success && reply.allowed === true)).toHaveLength(7);
});

test('checks, records, permits and the release at once count every action once', async () => {
  const { accountId, holder } = await holdAccount(harness);
  const { lease_id, service_name } = holder;
  const work = Array.from({ length: 60 }, (_, index) => {
    if (index % 3 === 0) return callIn(index, 'action.check', { account_id: accountId, action_type: 'message' });
    if (index % 3 === 1) return callIn(index, 'action.acquire', { ...holder, action_type: 'message' });
    const record = { account_id: accountId, action_type: 'message', service_name, lease_id };
    return callIn(index, 'action.record', record);
  });
  const replies = await Promise.all(work);
  expect(replies.filter(({ success }) => !success)).toEqual([]);
  const release = { ...holder, usage_stats: { ...noUsage, messages_sent: 45 } };
  expect(await callIn(1, 'account.release', release)).toMatchObject({ counted: { messages: 5 } });
  const { status } = await harness.succeed('query.limits', { account_id: accountId });
  expect(status.daily_limits.message.used).toBe(45);
});

test('of many who release one lease at once one does, and the rest are refused', async () => {
  const { accountId, holder } = await holdAccount(harness);
  const body = { ...holder, usage_stats: { ...noUsage, invites_sent: 2 } };
  const replies = await Promise.all(Array.from({ length: 40 }, (_, index) => callIn(index, 'account.release', body)));
  expect(replies.filter(({ success }) => success)).toHaveLength(1);
  for (const reply of replies) if (!reply.success) expect(reply.error.code).toBe('LEASE_LOST');
  const { status } = await harness.succeed('query.limits', { account_id: accountId });
  expect(status.daily_limits.invite.used).toBe(2);
});

test('a lease that is over goes to one of many, and its old holder neither renews nor releases nor acts, but may report', async () => {
  for (let round = 0; round < 5; round++) {
    const { user, accountId, holder } = await holdAccount(harness);
    await letLeaseEnd(harness, accountId);
    const wish = { user_id: user, purpose: 'general', service_name: 'invite-service' };
    const [allocations, old] = await Promise.all([
      Promise.all(Array.from({ length: 10 }, (_, index) => callIn(index, 'account.allocate', wish))),
      Promise.all([
        callIn(0, 'account.renew', holder),
        callIn(1, 'account.release', { ...holder, usage_stats: noUsage }),
        callIn(0, 'action.acquire', { ...holder, action_type: 'invite' }),
        callIn(1, 'account.error', { ...holder, error_type: 'PEER_FLOOD' }),
      ]),
    ]);
    const report = old.pop();
    for (const reply of old) expect(reply).toMatchObject({ success: false, error: { code: 'LEASE_LOST' } });
    // It counts where nobody has got the account before.
    const isTaken = report?.success === true;
    if (!isTaken) expect(report).toMatchObject({ error: { code: 'LEASE_LOST' } });
    expect(allocations.filter(({ success }) => success)).toHaveLength(isTaken ? 0 : 1);
    expect((await eventsOf(harness, accountId)).map(({ type }) => type)).toEqual([
      'account.registered',
      'account.allocated',
      'account.lease_expired',
      isTaken ? 'account.blocked' : 'account.allocated',
    ]);
  }
});

test('a storm of workers of one service, with a Redis that forgets: one holder at any moment, no gap in any count', async () => {
  const user = newUser();
  const accounts = await harness.registerAccounts(user, 6);
  let holders = 0;
  let mostHolders = 0;
  const held = new Set<string>();
  let grants = 0;

  async function worker(index: number): Promise<void> {
    for (let cycle = 0; cycle < 8; cycle++) {
      const wish = { user_id: user, purpose: 'general', service_name: 'invite-service', wait_ms: 30_000 };
      const reply = await callIn(index, 'account.allocate', wish);
      if (!reply.success) continue;
      const { account_id, lease_id, fence } = reply.allocation as Record<'account_id' | 'lease_id', string> & {
        fence: number;
      };
      expect(held.has(account_id)).toBe(false);
      held.add(account_id);
      grants += 1;
      mostHolders = Math.max(mostHolders, ++holders);
      const holder = { account_id, service_name: 'invite-service', lease_id, fence };
      const acted = await callIn(index + 1, 'action.acquire', { ...holder, action_type: 'message' });
      expect(acted).toMatchObject({ success: true, allowed: true });
      held.delete(account_id);
      holders -= 1;
      const released = await callIn(index + cycle, 'account.release', { ...holder, usage_stats: noUsage });
      expect(released).toMatchObject({ success: true });
    }
  }

  const forgetting = setInterval(() => void harness.redis.flush(), 50);
  await Promise.all(Array.from({ length: 12 }, (_, index) => worker(index))).finally(() => clearInterval(forgetting));
  expect(grants).toBe(12 * 8);
  expect(mostHolders).toBe(6);

  const leases = await harness.query<{ account_id: string; fence: string; overlaps: boolean; allocated_at: Date }>(
    `SELECT account_id, fence, allocated_at,
       allocated_at < lag(ended_at) OVER (PARTITION BY account_id ORDER BY fence) AS overlaps
     FROM leases WHERE user_id = $1 ORDER BY account_id, fence`,
    [user],
  );
  expect(leases).toHaveLength(grants);
  expect(leases.filter(({ overlaps }) => overlaps)).toEqual([]);
  for (const accountId of accounts) {
    const own = leases.filter(({ account_id }) => account_id === accountId);
    expect(own.map(({ fence }) => Number(fence))).toEqual(own.map((_lease, index) => index + 1));
    const events = await eventsOf(harness, accountId);
    expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_event, index) => index + 1));
    const { status } = await harness.succeed('query.limits', { account_id: accountId });
    expect(status.daily_limits.message.used).toBe(own.length);
  }
});
