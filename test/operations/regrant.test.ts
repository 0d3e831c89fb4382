import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { parseAccess } from '../../src/decide/access/access-policy.js';
import { lockKey } from '../../src/redis/lease-locks.js';
import { eventsOf, letLeaseEnd, newUser, rowsOf } from '../support/held-account.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';
import { connectPatiently } from '../support/redis.js';
import { telethonSession } from '../support/session-strings.js';
import { eventually } from '../support/eventually.js';

const parsed = parseAccess(
  {
    services: [
      { name: 'worker', users: '*', reentry: true },
      { name: 'strict', users: '*', lease_required: true },
      { name: 'other', users: '*' },
      { name: 'ops', role: 'operator', users: '*' },
    ],
  },
  null,
);
if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));

let harness: OperationsHarness;
beforeAll(async () => {
  harness = await startOperations({ access: parsed.policy });
});
afterAll(() => harness.close());

const ask = (user: number, caller: string, more: Record<string, unknown> = {}) =>
  harness.call('account.allocate', { user_id: user, purpose: 'general', service_name: caller, ...more }, { caller });

async function get(user: number, caller: string, more: Record<string, unknown> = {}) {
  const reply = await ask(user, caller, more);
  if (!reply.success) throw new Error(JSON.stringify(reply.error));
  return reply.allocation;
}

async function ownAccounts(user: number, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n++) {
    const accounts = [
      { user_id: user, phone: `+4916${String(user).padStart(5, '0')}${n}`, session_data: telethonSession() },
    ];
    const { accounts: registered } = await harness.succeed('admin.register', { accounts }, { caller: 'ops' });
    ids.push(registered[0]?.account_id ?? '');
  }
  return ids;
}

describe('a caller that works with one account each', () => {
  test('gets the account it holds under a new lease; the old one is superseded and worth nothing', async () => {
    const user = newUser();
    const [accountId = ''] = await ownAccounts(user, 2);
    const first = await get(user, 'worker', { preferred_account_id: accountId });
    const second = await get(user, 'worker');
    expect(second).toMatchObject({ account_id: accountId, fence: first.fence + 1, session_data: first.session_data });
    expect(second.lease_id).not.toBe(first.lease_id);

    const { leases } = await rowsOf(harness, accountId);
    const ends = leases?.map((row) => (row as { row: { end_reason: string | null } }).row.end_reason);
    expect(new Set(ends)).toEqual(new Set(['superseded', null]));
    const old = { account_id: accountId, service_name: 'worker', lease_id: first.lease_id, fence: first.fence };
    for (const [operation, more] of [
      ['account.renew', {}],
      ['account.release', { usage_stats: {} }],
      ['action.acquire', { action_type: 'message' }],
      ['account.error', { error_type: 'PEER_FLOOD' }],
    ] as const) {
      expect((await harness.refusal(operation, { ...old, ...more }, { caller: 'worker' })).code).toBe('LEASE_LOST');
    }
    expect((await eventsOf(harness, accountId)).slice(-2)).toMatchObject([
      { type: 'account.released', data: { lease_id: first.lease_id, superseded: true } },
      { type: 'account.allocated', data: { lease_id: second.lease_id } },
    ]);
    const present = { ...old, lease_id: second.lease_id, fence: second.fence };
    await harness.succeed('account.release', { ...present, usage_stats: {} }, { caller: 'worker' });
  });

  test('gets the one it has held longest for the purpose where it names none, and the one it names', async () => {
    const user = newUser();
    const ids = await ownAccounts(user, 4);
    const held: string[] = [];
    for (const [index, preferred_account_id] of ids.slice(0, 3).entries()) {
      const purpose = index === 0 ? 'parsing' : 'general';
      held.push((await get(user, 'worker', { preferred_account_id, purpose })).account_id);
    }
    expect((await get(user, 'worker')).account_id).toBe(held[1]);
    // Which is now the one it has held shortest.
    expect((await get(user, 'worker')).account_id).toBe(held[2]);
    expect((await get(user, 'worker', { purpose: 'parsing' })).account_id).toBe(held[0]);
    expect((await get(user, 'worker', { preferred_account_id: held[2] })).account_id).toBe(held[2]);
    // Nothing is held for this purpose yet.
    expect((await get(user, 'worker', { purpose: 'channel_management' })).account_id).toBe(ids[3]);
  });

  test('does not get what somebody else holds, nor what it may not use now', async () => {
    const user = newUser();
    const [accountId = ''] = await ownAccounts(user, 1);
    await get(user, 'other');
    expect(await ask(user, 'worker')).toMatchObject({ error: { code: 'ALL_BUSY' } });
    await harness.succeed('account.release-all', { service_name: 'other' }, { caller: 'other' });
    await get(user, 'worker');
    await harness.succeed('account.error', { account_id: accountId, error_type: 'PEER_FLOOD' }, { caller: 'worker' });
    expect(await ask(user, 'worker')).toMatchObject({ error: { code: 'ALL_RESTRICTED' } });
  });

  test('that asks twice at once gets it twice, one after the other', async () => {
    const user = newUser();
    const [accountId = ''] = await ownAccounts(user, 1);
    await get(user, 'worker');
    const grants = await Promise.all([get(user, 'worker'), get(user, 'worker'), get(user, 'worker')]);
    expect(grants.map(({ account_id }) => account_id)).toEqual([accountId, accountId, accountId]);
    expect(grants.map(({ fence }) => fence).sort()).toEqual([2, 3, 4]);
    const open = await harness.query('SELECT fence::int FROM leases WHERE account_id = $1 AND ended_at IS NULL', [
      accountId,
    ]);
    expect(open).toEqual([{ fence: 4 }]);
  });

  test('that asks while its lease is released or expires gets the account, whichever comes first', async () => {
    for (const end of ['release', 'expiry'] as const) {
      const user = newUser();
      const [accountId = ''] = await ownAccounts(user, 1);
      const { lease_id, fence } = await get(user, 'worker');
      const holder = { account_id: accountId, service_name: 'worker', lease_id, fence };
      const [next] = await Promise.all([
        get(user, 'worker', { wait_ms: 5_000 }),
        end === 'release'
          ? harness.call('account.release', { ...holder, usage_stats: {} }, { caller: 'worker' })
          : letLeaseEnd(harness, accountId),
      ]);
      expect(next.account_id).toBe(accountId);
    }
  });

  test('keeps the lock of its account in Redis', async () => {
    const user = newUser();
    const [accountId = ''] = await ownAccounts(user, 1);
    const redis = connectPatiently(harness.redis.url, 'locks');
    const lockOf = () => redis.client.get(lockKey(accountId));
    const first = await get(user, 'worker');
    await eventually('it is locked', async () => (await lockOf()) !== null);
    const value = await lockOf();
    const { lease_id, fence } = await get(user, 'worker', { timeout_minutes: 60 });
    await eventually('the lock has its time', async () => (await redis.client.pttl(lockKey(accountId))) > 31 * 60_000);
    expect(await lockOf()).toBe(value);
    expect(fence).toBe(first.fence + 1);
    const holder = { account_id: accountId, service_name: 'worker', lease_id, fence };
    await harness.succeed('account.release', { ...holder, usage_stats: {} }, { caller: 'worker' });
    await eventually('the lock is gone', async () => (await lockOf()) === null);
    redis.close();
  });
});

test('without that right nobody is given what is held, the holder included', async () => {
  const user = newUser();
  await ownAccounts(user, 1);
  await get(user, 'other');
  expect(await ask(user, 'other')).toMatchObject({ error: { code: 'ALL_BUSY' } });
});

describe('a caller that must name its lease', () => {
  const named = { lease_id: randomUUID(), fence: 1 };

  test.each([
    ['account.release', { usage_stats: {} }],
    ['account.error', { error_type: 'PEER_FLOOD' }],
    ['action.acquire', { action_type: 'message' }],
    ['action.record', { action_type: 'message' }],
  ] as const)('is refused %s without it, and nothing is done', async (operation, more) => {
    const user = newUser();
    const [account_id = ''] = await ownAccounts(user, 1);
    await get(user, 'strict');
    const before = await rowsOf(harness, account_id);
    const body = { account_id, service_name: 'strict', ...more };
    for (const claim of [{}, { lease_id: null }]) {
      expect(await harness.refusal(operation, { ...body, ...claim }, { caller: 'strict' })).toMatchObject({
        code: 'VALIDATION_FAILED',
        details: { issues: [{ path: 'lease_id' }] },
      });
    }
    expect(await rowsOf(harness, account_id)).toEqual(before);
  });

  test('is served with it, as others are without', async () => {
    const user = newUser();
    const [account_id = ''] = await ownAccounts(user, 1);
    const { lease_id, fence } = await get(user, 'strict');
    const holder = { account_id, service_name: 'strict', lease_id };
    await harness.succeed('action.acquire', { ...holder, fence, action_type: 'message' }, { caller: 'strict' });
    await harness.succeed('account.release', { ...holder, fence, usage_stats: {} }, { caller: 'strict' });
    const lost = { account_id, service_name: 'strict', ...named, usage_stats: {} };
    expect((await harness.refusal('account.release', lost, { caller: 'strict' })).code).toBe('LEASE_LOST');
    await get(user, 'other');
    const other = { account_id, service_name: 'other', usage_stats: {} };
    await harness.succeed('account.release', other, { caller: 'other' });
  });
});
