import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { DEFAULT_LIMITS, type LimitsPolicy } from '../../src/decide/limits/limits-policy.js';
import { eventsOf, type Holder, holdAccount, letLeaseEnd, letUsageAge, rowsOf } from '../support/held-account.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';
import { telethonSession } from '../support/session-strings.js';

const withoutPauses: LimitsPolicy = {
  ...DEFAULT_LIMITS,
  invite: { ...DEFAULT_LIMITS.invite, cooldownSeconds: null, burstLimit: null },
  message: { ...DEFAULT_LIMITS.message, cooldownSeconds: null, burstLimit: null },
};

let harness: OperationsHarness;
beforeAll(async () => {
  harness = await startOperations({ policy: withoutPauses });
});
afterAll(() => harness.close());

const usage = (invites: number, more: Record<string, unknown> = {}) => ({
  usage_stats: { invites_sent: invites, messages_sent: 0, contacts_added: 0, success: true, ...more },
});

const usedInvites = async (accountId: string) =>
  (await harness.succeed('query.limits', { account_id: accountId })).status.daily_limits.invite.used;

/** Today and ever, by channel, as `query.limits` tells it. */
async function invitesByChannel(accountId: string): Promise<Record<string, [today: number, ever: number]>> {
  const { status } = await harness.succeed('query.limits', { account_id: accountId });
  return Object.fromEntries(
    Object.entries(status.per_channel_limits.invite).map(([channel, { used, total }]) => [channel, [used, total.used]]),
  );
}

test('ends the lease, frees the account and says so', async () => {
  const { user, accountId, holder } = await holdAccount(harness);
  const reply = await harness.succeed('account.release', { ...holder, ...usage(2, { messages_sent: 1 }) });
  expect(reply).toMatchObject({ counted: { invites: 2, messages: 1, contacts: 0 }, fence: 1 });
  expect(Math.abs(Date.parse(reply.released_at) - Date.now())).toBeLessThan(10_000);

  const leases = await harness.query('SELECT end_reason, ended_at FROM leases WHERE account_id = $1', [accountId]);
  expect(leases).toEqual([{ end_reason: 'released', ended_at: new Date(reply.released_at) }]);
  const [account] = await harness.query('SELECT * FROM telegram_sessions WHERE id = $1', [accountId]);
  expect(account).toMatchObject({
    locked: false,
    locked_by: null,
    locked_until: null,
    lease_id: null,
    fence: '1',
    used_invites_today: 2,
    used_messages_today: 1,
  });
  expect((await eventsOf(harness, accountId)).at(-1)).toMatchObject({
    type: 'account.released',
    data: { lease_id: holder.lease_id, fence: 1, counted: { invites: 2, messages: 1, contacts: 0 }, success: true },
  });
  const wish = { user_id: user, purpose: 'general', service_name: 'other' };
  expect((await harness.succeed('account.allocate', wish)).allocation.fence).toBe(2);
});

describe('actions counted during the lease are not counted again', () => {
  test.each([
    ['acquired', 'action.acquire'],
    ['recorded', 'action.record'],
  ] as const)('%s, then reported', async (_how, operation) => {
    const { accountId, holder } = await holdAccount(harness);
    const { fence, ...recorder } = holder;
    const caller = operation === 'action.acquire' ? { ...recorder, fence } : recorder;
    for (const target_channel_id of ['@Foo', 'foo', 'https://t.me/Foo'])
      await harness.succeed(operation, { ...caller, action_type: 'invite', target_channel_id });
    await harness.succeed(operation, { ...caller, action_type: 'message' });
    const stats = usage(5, { messages_sent: 1, contacts_added: 1, channel_usage: { 't.me/foo': 3, 'other.t.me': 2 } });
    const { counted } = await harness.succeed('account.release', { ...holder, ...stats });
    expect(counted).toEqual({ invites: 2, messages: 0, contacts: 1 });
    expect(await usedInvites(accountId)).toBe(5);
    expect(await invitesByChannel(accountId)).toEqual({ foo: [3, 3], other: [2, 2] });
  });

  test('of an earlier lease it stays apart', async () => {
    const { user, accountId, holder } = await holdAccount(harness);
    await harness.succeed('action.acquire', { ...holder, action_type: 'invite' });
    await harness.succeed('account.release', { ...holder, ...usage(1) });
    const wish = { user_id: user, purpose: 'general', service_name: 'invite-service' };
    const { allocation } = await harness.succeed('account.allocate', wish);
    const next = { ...holder, lease_id: allocation.lease_id, fence: allocation.fence };
    const { counted } = await harness.succeed('account.release', { ...next, ...usage(2) });
    expect(counted.invites).toBe(2);
    expect(await usedInvites(accountId)).toBe(3);
  });

  test('a record under the name of another account’s lease hides nothing there', async () => {
    const one = await holdAccount(harness);
    const two = await holdAccount(harness);
    await harness.succeed('action.record', {
      account_id: one.accountId,
      action_type: 'invite',
      lease_id: two.holder.lease_id,
    });
    const { counted } = await harness.succeed('account.release', { ...two.holder, ...usage(1) });
    expect(counted.invites).toBe(1);
    expect(await usedInvites(two.accountId)).toBe(1);
  });
});

test('a replayed release counts once', async () => {
  const { accountId, holder } = await holdAccount(harness);
  const messageId = randomUUID();
  const body = { ...holder, ...usage(3) };
  const first = await harness.succeed('account.release', body, { messageId });
  expect(await harness.succeed('account.release', body, { messageId })).toEqual(first);
  expect((await harness.refusal('account.release', body)).code).toBe('LEASE_LOST');
  const { lease_id, fence, ...predecessor } = body;
  expect([lease_id, fence]).toEqual([holder.lease_id, holder.fence]);
  expect((await harness.refusal('account.release', predecessor)).code).toBe('NOT_HELD');
  expect(await usedInvites(accountId)).toBe(3);
});

describe('channels', () => {
  test('named without a split are each charged the whole uncounted amount', async () => {
    const { accountId, holder } = await holdAccount(harness);
    await harness.succeed('action.acquire', { ...holder, action_type: 'invite', target_channel_id: '@Foo' });
    const stats = usage(4, { channels_used: ['FOO', '@bar', 't.me/bar', -1001234567890] });
    const { counted } = await harness.succeed('account.release', { ...holder, ...stats });
    expect(counted.invites).toBe(3);
    expect(await usedInvites(accountId)).toBe(4);
    expect(await invitesByChannel(accountId)).toEqual({ foo: [4, 4], bar: [3, 3], '1234567890': [3, 3] });
  });

  test('unnamed, the lease’s own is charged', async () => {
    const { accountId, holder } = await holdAccount(harness, {
      purpose: 'invite_campaign',
      target_channel_id: 'https://t.me/Foo',
    });
    await harness.succeed('account.release', { ...holder, ...usage(4) });
    expect(await invitesByChannel(accountId)).toEqual({ foo: [4, 4] });
    const [account] = await harness.query('SELECT per_channel_invites FROM telegram_sessions WHERE id = $1', [
      accountId,
    ]);
    expect(account).toEqual({ per_channel_invites: { foo: 4 } });
  });

  test('keep their lifetime totals when a new day begins', async () => {
    const { user, accountId, holder } = await holdAccount(harness);
    await harness.succeed('account.release', { ...holder, ...usage(10, { channel_usage: { foo: 10 } }) });
    await letUsageAge(harness, accountId, '1 day');
    expect(await invitesByChannel(accountId)).toEqual({ foo: [0, 10] });
    expect(await usedInvites(accountId)).toBe(0);

    const wish = { user_id: user, purpose: 'general', service_name: 'invite-service' };
    const { allocation } = await harness.succeed('account.allocate', wish);
    expect(allocation.current_usage.invites_today).toBe(0);
    const next = { ...holder, lease_id: allocation.lease_id, fence: allocation.fence };
    await harness.succeed('account.release', { ...next, ...usage(2, { channel_usage: { foo: 2 } }) });
    expect(await invitesByChannel(accountId)).toEqual({ foo: [2, 12] });
    const [account] = await harness.query(
      'SELECT used_invites_today, per_channel_invites FROM telegram_sessions WHERE id = $1',
      [accountId],
    );
    expect(account).toEqual({ used_invites_today: 2, per_channel_invites: { foo: 2 } });
  });
});

describe('who may release', () => {
  test('callers of the predecessor: the service that holds it, whichever worker', async () => {
    const { accountId } = await holdAccount(harness);
    const body = { account_id: accountId, service_name: 'invite-service', ...usage(1) };
    expect(await harness.succeed('account.release', body)).toMatchObject({ counted: { invites: 1 } });
  });

  test.each([
    ['another service', { service_name: 'other' }, null, 'NOT_HELD'],
    ['another service with the lease’s id', { service_name: 'other', keep: true }, null, 'NOT_HELD'],
    ['an old fence', { fence: 0 }, null, 'LEASE_LOST'],
    ['a later fence', { fence: 2 }, null, 'LEASE_LOST'],
    ['another lease', { lease_id: randomUUID() }, null, 'LEASE_LOST'],
    ['another checked identity', {}, 'other-login', 'NOT_HELD'],
  ])('%s is refused and changes nothing', async (_who, { keep, ...more }: Record<string, unknown>, caller, code) => {
    const user = 1_000_000 + Math.floor(Math.random() * 1e9);
    await harness.registerAccounts(user, 1);
    const wish = { user_id: user, purpose: 'general', service_name: 'invite-service' };
    const { allocation } = await harness.succeed('account.allocate', wish, { caller: 'login' });
    const { account_id, lease_id, fence } = allocation;
    const before = await rowsOf(harness, account_id);
    const body = { account_id, service_name: 'invite-service', ...(keep === true && { lease_id, fence }), ...more };
    expect((await harness.refusal('account.release', { ...body, ...usage(5) }, { caller })).code).toBe(code);
    expect(await rowsOf(harness, account_id)).toEqual(before);
    const own = { account_id, service_name: 'invite-service', ...usage(0) };
    await harness.succeed('account.release', own, { caller: 'login' });
  });

  test('nobody, once the lease has ended, though no job has run', async () => {
    const { accountId, holder } = await holdAccount(harness);
    await letLeaseEnd(harness, accountId);
    expect((await harness.refusal('account.release', { ...holder, ...usage(5) })).code).toBe('LEASE_LOST');
    expect(await usedInvites(accountId)).toBe(0);
    const leases = await harness.query('SELECT end_reason FROM leases WHERE account_id = $1', [accountId]);
    expect(leases).toEqual([{ end_reason: 'expired' }]);
    expect((await eventsOf(harness, accountId)).at(-1)?.type).toBe('account.lease_expired');
  });
});

test.each(['error_type', 'error_message'])('an %s that no store keeps is taken, and the lease ends', async (field) => {
  const { accountId, holder } = await holdAccount(harness);
  const stats = usage(0, {
    success: false,
    [field]: 'FLOOD_WAIT_3540 (caused by SendMessageRequest), chat "Sale \ud83d',
  });
  await harness.succeed('account.release', { ...holder, ...stats });
  const [account] = await harness.query('SELECT status, locked FROM telegram_sessions WHERE id = $1', [accountId]);
  expect(account).toEqual({ status: 'flood_wait', locked: false });
});

describe('an error that comes with a release that is late', () => {
  const flooded = usage(0, { success: false, error_message: 'PEER_FLOOD' });
  const statusOf = async (accountId: string) =>
    (await harness.query('SELECT status FROM telegram_sessions WHERE id = $1', [accountId]))[0]?.status;

  test.each([
    ['has expired', ({ account_id }: Holder) => letLeaseEnd(harness, account_id)],
    ['was released before', (holder: Holder) => harness.succeed('account.release', { ...holder, ...usage(0) })],
  ])('counts for the account though the release is refused, where the lease %s', async (_how, end) => {
    for (const keepsLease of [true, false]) {
      const { accountId, holder } = await holdAccount(harness);
      await end(holder);
      const { lease_id, fence, ...named } = holder;
      const late = { ...named, ...(keepsLease && { lease_id, fence }), ...flooded };
      const { code } = await harness.refusal('account.release', late);
      expect([code, await statusOf(accountId)]).toEqual([keepsLease ? 'LEASE_LOST' : 'NOT_HELD', 'blocked']);
      expect((await eventsOf(harness, accountId)).at(-1)?.type).toBe('account.blocked');
    }
  });

  test('does not where another has held the account since, or it was taken away by force', async () => {
    const { user, accountId, holder } = await holdAccount(harness);
    await letLeaseEnd(harness, accountId);
    await harness.succeed('account.allocate', { user_id: user, purpose: 'general', service_name: 'other' });
    expect((await harness.refusal('account.release', { ...holder, ...flooded })).code).toBe('LEASE_LOST');
    await harness.succeed('account.release-all', { service_name: 'other' });
    expect((await harness.refusal('account.release', { ...holder, ...flooded })).code).toBe('LEASE_LOST');
    expect(await statusOf(accountId)).toBe('active');

    const forced = await holdAccount(harness);
    await harness.succeed('admin.force-release', { account_id: forced.accountId, reason: 'hangs' });
    expect((await harness.refusal('account.release', { ...forced.holder, ...flooded })).code).toBe('LEASE_LOST');
    expect(await statusOf(forced.accountId)).toBe('active');
  });
});

test('a limit that was passed is announced once, with everything that was passed', async () => {
  const { accountId, holder } = await holdAccount(harness);
  const channels = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`channel_${index}`, 2]));
  await harness.succeed('account.release', { ...holder, ...usage(40, { channel_usage: { ...channels, big: 16 } }) });
  const events = await eventsOf(harness, accountId);
  expect(events.map(({ type }) => type)).toEqual([
    'account.registered',
    'account.allocated',
    'limit.exceeded',
    'account.released',
  ]);
  expect(events[2]?.data).toMatchObject({
    action_type: 'invite',
    limits: [
      { limit: 'daily', used: 56, allowed: 30 },
      { limit: 'hourly', used: 56, allowed: 5 },
      { limit: 'per_channel_daily', used: 16, allowed: 15, target_channel_id: 'big' },
    ],
  });
});

test('an error reported with the release takes effect, however long its traceback; its text is kept nowhere', async () => {
  const { accountId, holder } = await holdAccount(harness);
  const traceback = '  File "/app/invite.py", line 3, in invite\n    await client(request)\n'.repeat(1_000);
  const error_message = `${traceback}FLOOD_WAIT_300 while inviting Wendelin to our channel`;
  const stats = usage(1, { success: false, error_type: 'flood_wait', error_message });
  await harness.succeed('account.release', { ...holder, ...stats });
  const [account] = await harness.query('SELECT status, locked FROM telegram_sessions WHERE id = $1', [accountId]);
  expect(account).toEqual({ status: 'flood_wait', locked: false });
  const events = await eventsOf(harness, accountId);
  expect(events.map(({ type }) => type).slice(2)).toEqual(['account.flood_wait', 'account.released']);
  expect(JSON.stringify(events)).not.toContain('Wendelin');
});

describe('a release never fails for its statistics', () => {
  test('fields that nobody knows change nothing and are named', async () => {
    const { accountId, holder } = await holdAccount(harness);
    const more = { batch_completed: true, rate_limit_block: 'cooldown', nested: { deep: [1] }, nothing: null };
    const reply = await harness.succeed('account.release', { ...holder, ...usage(2, more) });
    expect(reply.counted.invites).toBe(2);
    expect(reply.ignored).toEqual(['batch_completed', 'rate_limit_block', 'nested', 'nothing']);
    expect(await usedInvites(accountId)).toBe(2);
    const { holder: next } = await holdAccount(harness);
    expect(await harness.succeed('account.release', { ...next, ...usage(1) })).not.toHaveProperty('ignored');
  });

  test('a channel is trimmed; one that cannot be read is charged under its own text', async () => {
    const { accountId, holder } = await holdAccount(harness);
    const channel_usage = { ' @Foo\n': 2, 'My Channel!': 3, '  My Channel! ': 1, 'b\u0007ar': 1, '\u0007': 9 };
    const reply = await harness.succeed('account.release', { ...holder, ...usage(7, { channel_usage }) });
    expect(reply.ignored).toEqual(['My Channel!', 'b ar', 'channel_usage.4']);
    expect(await invitesByChannel(accountId)).toEqual({ foo: [2, 2], 'My Channel!': [4, 4], 'b ar': [1, 1] });
  });

  test('of channels_used too, whatever stands there', async () => {
    const { accountId, holder } = await holdAccount(harness);
    const channels_used = ['foo ', 'https://example.com/x', null, 7.5, {}, '', ' ', `long ${'a b '.repeat(200)}`];
    const reply = await harness.succeed('account.release', { ...holder, ...usage(1, { channels_used }) });
    const long = `long ${'a b '.repeat(200)}`.slice(0, 256).trim();
    const unread = ['https://example.com/x', '7.5', long];
    expect(Object.keys(await invitesByChannel(accountId)).sort()).toEqual(['foo', ...unread].sort());
    expect(new Set(reply.ignored)).toEqual(
      new Set([
        unread[0],
        'channels_used.2',
        '7.5',
        'channels_used.4',
        'channels_used.5',
        'channels_used.6',
        long.slice(0, 100),
      ]),
    );
  });

  test('no phone number and no session string is kept in the place of a channel', async () => {
    const { accountId, holder } = await holdAccount(harness);
    const session = telethonSession();
    const channels_used = ['+1 555 555 5555', 't.me/+15555555555', session, `key ${session}`, '@foo'];
    const more = { channels_used, [session]: 1 };
    const reply = await harness.succeed('account.release', { ...holder, ...usage(1, more) });
    expect(await invitesByChannel(accountId)).toEqual({ foo: [1, 1] });
    const { channel_usage, counted_actions, events } = await rowsOf(harness, accountId);
    const kept = JSON.stringify([reply, channel_usage, counted_actions, events]);
    // Three such digits alone may stand in an id.
    expect(kept).not.toMatch(/555[ 5]5/);
    expect(kept).not.toContain(session.slice(1, 60));
    expect(reply.ignored).toHaveLength(5);
  });

  test('a thousand names are taken, more are refused; many ignored ones make no large reply', async () => {
    const { holder } = await holdAccount(harness);
    const named = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`channel no ${n}`, 0]));
    const refused = await harness.refusal('account.release', {
      ...holder,
      ...usage(1, { channel_usage: named(1001) }),
    });
    expect(refused).toMatchObject({ code: 'VALIDATION_FAILED', message: expect.stringMatching(/channel_usage.*1000/) });
    const reply = await harness.succeed('account.release', { ...holder, ...usage(1, { channel_usage: named(1000) }) });
    expect(reply.ignored).toHaveLength(20);
  });
});

test('releases that count in a thousand channels do not keep a renewal waiting', async () => {
  const held = await Promise.all(Array.from({ length: 8 }, () => holdAccount(harness)));
  const other = await holdAccount(harness);
  const answered: string[] = [];
  const channel_usage = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`@channel${index}`, 1]));
  const releases = held.map(async ({ holder }) => {
    await harness.succeed('account.release', { ...holder, ...usage(1_000, { channel_usage }) });
    answered.push('release');
  });
  await harness.succeed('account.renew', other.holder).then(() => answered.push('renew'));
  await Promise.all(releases);
  expect(answered.indexOf('renew')).toBeLessThan(held.length);
});
