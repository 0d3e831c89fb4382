import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import pg from 'pg';
import { createAccountMemory } from '../../src/accounts/account-memory.js';
import { recollectWork } from '../../src/accounts/recollect.js';
import { DEFAULT_LIMITS } from '../../src/decide/limits/limits-policy.js';
import { loadCountedInLeases } from '../../src/store/accounts/load-counted-in-leases.js';
import { loadPermits } from '../../src/store/accounts/load-permits.js';
import { readAccounts } from '../../src/store/accounts/read-accounts.js';
import { createDatabase as connectDatabase, type Database } from '../../src/store/database.js';
import type { Dispatch, Reply } from '../../src/requests/request.js';
import { lockKey } from '../../src/redis/lease-locks.js';
import { holdAccount, letLeaseEnd, newUser } from '../support/held-account.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';
import { eventually } from '../support/eventually.js';
import { connectPatiently } from '../support/redis.js';
import { requestOf } from '../support/request-of.js';

const unlimited = { cooldownSeconds: null, burstLimit: null, burstCooldownSeconds: null, hourlyLimit: 50 };
const policy = { ...DEFAULT_LIMITS, invite: { ...DEFAULT_LIMITS.invite, ...unlimited } };
const ACCOUNTS = 3;
const noUsage = { invites_sent: 0, messages_sent: 0, contacts_added: 0, success: true };

let harness: OperationsHarness;
let other: Dispatch;
let database: Database;
beforeAll(async () => {
  harness = await startOperations({ policy });
  other = harness.another();
  database = connectDatabase({ url: harness.databaseUrl, poolSize: 2, onConnectionError: () => {} });
});
afterAll(async () => {
  await database.close();
  await harness.close();
});

/** How many batches ended so, since the last time it was asked. */
const outcomes = async (): Promise<Record<string, number>> => {
  const { values } = await harness.metrics.memoryBatches.get();
  harness.metrics.memoryBatches.reset();
  return Object.fromEntries(values.map(({ labels, value }) => [labels.outcome, value]));
};

const step = fc.record({
  kind: fc.constantFrom('allocate', 'acquire', 'acquire', 'record', 'settle', 'release', 'renew', 'error', 'flood'),
  account: fc.nat(ACCOUNTS - 1),
  channel: fc.constantFrom('foo', 'bar', undefined),
  sent: fc.nat(3),
});

/** One step on a user's accounts; answers whether it succeeded. */
async function take(
  user: number,
  accountId: string,
  { kind, channel, sent }: { kind: string; channel: string | undefined; sent: number },
  known: { holders: Map<string, Record<string, unknown>>; permits: Map<string, string> },
): Promise<boolean> {
  const holder = known.holders.get(accountId) ?? { account_id: accountId, service_name: 's' };
  const target = channel === undefined ? {} : { target_channel_id: channel };
  const action = { ...holder, action_type: 'invite', ...target };
  const { fence: _, ...recorded } = action as Record<string, unknown>;
  switch (kind) {
    case 'allocate': {
      const wish = { user_id: user, purpose: 'invite_campaign', service_name: 's', ...target };
      const reply = await harness.call('account.allocate', wish);
      if (!reply.success) return false;
      const { account_id, lease_id, fence } = reply.allocation;
      known.holders.set(account_id, { account_id, service_name: 's', lease_id, fence });
      return true;
    }
    case 'acquire': {
      const reply = await harness.call('action.acquire', action);
      if (reply.success && reply.permit_id !== undefined) known.permits.set(accountId, reply.permit_id);
      return reply.success;
    }
    case 'settle': {
      const settled = { ...recorded, permit_id: known.permits.get(accountId), success: true };
      return (await harness.call('action.record', settled)).success;
    }
    case 'record':
      return (await harness.call('action.record', { ...recorded, success: true })).success;
    case 'renew':
      return (await harness.call('account.renew', { ...holder, timeout_minutes: 10 })).success;
    case 'release': {
      const usage_stats = { ...noUsage, invites_sent: sent, channels_used: channel === undefined ? [] : [channel] };
      return (await harness.call('account.release', { ...holder, usage_stats })).success;
    }
    case 'flood':
      return (
        await harness.call('account.error', {
          ...holder,
          error_type: 'FloodWaitError',
          error_message: 'A wait of 30 seconds is required',
        })
      ).success;
    default:
      return (await harness.call('account.error', { ...holder, error_type: 'TimeoutError', error_message: 'x' }))
        .success;
  }
}

test('an account is remembered as the database has it, whatever was done', async () => {
  const succeeded = new Set<string>();
  let events = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
      const user = newUser();
      const ids = await harness.registerAccounts(user, ACCOUNTS);
      const known = { holders: new Map<string, Record<string, unknown>>(), permits: new Map<string, string>() };
      for (const one of steps) if (await take(user, ids[one.account]!, one, known)) succeeded.add(one.kind);
      await expectRemembered(ids);
      events += await expectEventsKept(ids);
    }),
    { numRuns: 25 },
  );
  expect([...succeeded].sort()).toEqual([
    'acquire',
    'allocate',
    'error',
    'flood',
    'record',
    'release',
    'renew',
    'settle',
  ]);
  const { written = 0, stale = 0 } = await outcomes();
  expect(written).toBeGreaterThan(100);
  expect(stale).toBe(0);
  expect(events).toBeGreaterThan(40);
}, 120_000);

async function expectRemembered(ids: readonly string[]): Promise<void> {
  const sql = database.unlocked.sql;
  const { accounts } = await readAccounts(sql, { accountIds: ids, channels: [], candidates: [] });
  const counted = await loadCountedInLeases(sql, ids);
  for (const accountId of ids) {
    const remembered = harness.memory.take(accountId);
    if (remembered === undefined) continue;
    const fresh = accounts.get(accountId)!;
    expect(sorted(remembered.record)).toEqual(sorted(fresh.record));
    expect(remembered.connection).toEqual(fresh.connection);
    const { lease } = remembered.record;
    if (lease !== null && remembered.counted !== null)
      expect(new Set(remembered.counted)).toEqual(new Set(counted.get(lease.leaseId) ?? []));
    expect(remembered.permits).toEqual(new Map(await loadPermits(sql, [...remembered.permits.keys()])));
    harness.memory.keep([remembered]);
  }
}

/** Answers how many events of these accounts are kept, each as the database has it. */
async function expectEventsKept(ids: readonly string[]): Promise<number> {
  const stored = await harness.query<{ id: string; data: Record<string, unknown> }>(
    `SELECT id::text, event_id AS "eventId", type, account_id AS "accountId", user_id::float8 AS "userId",
       sequence::float8 AS "sequence", data, (extract(epoch FROM occurred_at) * 1000)::float8 AS "occurredAt",
       request_id AS "requestId", traceparent
     FROM events WHERE account_id = ANY($1::uuid[])`,
    [ids],
  );
  const kept = harness.recentEvents.take(stored.map(({ id }) => id));
  const byId = new Map(stored.map((row) => [row.id, row]));
  for (const row of kept) expect(JSON.parse(JSON.stringify(row))).toEqual(byId.get(row.id));
  return kept.length;
}

const sorted = <R extends { windows: Map<string, unknown>; channels: Map<string, unknown> }>(record: R) => ({
  ...record,
  windows: Object.fromEntries(record.windows),
  channels: Object.fromEntries(record.channels),
});

test('a change by another instance is found before anything is answered', async () => {
  const { user, accountId, holder } = await holdAccount(harness);
  await harness.succeed('action.acquire', { ...holder, action_type: 'invite' });
  await outcomes();
  const release = await other(requestOf('account.release', { ...holder, usage_stats: noUsage }));
  expect(release.success).toBe(true);
  const granted = await other(
    requestOf('account.allocate', { user_id: user, purpose: 'general', service_name: 'another' }),
  );
  const { lease_id, fence } = (granted as Extract<Reply, { success: true }>).allocation as Record<string, unknown>;
  // The first instance remembers the lease that has ended.
  expect((await harness.refusal('action.acquire', { ...holder, action_type: 'invite' })).code).toBe('LEASE_LOST');
  const present = { account_id: accountId, service_name: 'another', lease_id, fence, action_type: 'invite' };
  expect(await harness.succeed('action.acquire', present)).toMatchObject({ allowed: true });
  expect(await outcomes()).toMatchObject({ stale: 1 });
});

test('a refusal is not given on what is out of date', async () => {
  const { accountId, holder } = await holdAccount(harness);
  await harness.succeed('account.release', { ...holder, usage_stats: noUsage });
  const user = (
    await harness.query<{ user_id: string }>('SELECT user_id FROM telegram_sessions WHERE id = $1', [accountId])
  )[0]!;
  const granted = await other(
    requestOf('account.allocate', { user_id: Number(user.user_id), purpose: 'general', service_name: 'x' }),
  );
  const { lease_id, fence } = (granted as Extract<Reply, { success: true }>).allocation as Record<string, unknown>;
  // It remembers the account as free, and would refuse with NOT_HELD.
  const claim = { account_id: accountId, service_name: 'x', lease_id, fence };
  expect(await harness.succeed('account.release', { ...claim, usage_stats: noUsage })).toMatchObject({ fence });
});

test('a counter that was changed by hand counts at once', async () => {
  const { accountId, holder } = await holdAccount(harness);
  const invite = { ...holder, action_type: 'invite' };
  await harness.succeed('action.acquire', invite);
  await harness.query('UPDATE usage_windows SET day_count = 30, day = CURRENT_DATE WHERE account_id = $1', [accountId]);
  expect(await harness.succeed('action.acquire', invite)).toMatchObject({ allowed: false, reason: 'daily' });
});

test('two instances that serve the same accounts grant each of them once at a time', async () => {
  const user = newUser();
  await harness.registerAccounts(user, 5);
  const holding = new Map<string, number>();
  const worker = async (index: number): Promise<void> => {
    for (let round = 0; round < 25; round++) {
      const dispatch = (index + round) % 2 === 0 ? harness.dispatch : other;
      const wish = { user_id: user, purpose: 'general', service_name: `w${index}`, wait_ms: 5_000 };
      const reply = (await dispatch(requestOf('account.allocate', wish))) as Extract<Reply, { success: true }>;
      expect(reply).toMatchObject({ success: true });
      const { account_id, lease_id } = reply.allocation as Record<string, string>;
      holding.set(account_id!, (holding.get(account_id!) ?? 0) + 1);
      expect(holding.get(account_id!)).toBe(1);
      holding.set(account_id!, 0);
      const claim = { account_id, lease_id, service_name: `w${index}`, usage_stats: noUsage };
      expect(await (round % 3 === 0 ? other : harness.dispatch)(requestOf('account.release', claim))).toMatchObject({
        success: true,
      });
    }
  };
  await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map(worker));
}, 60_000);

test('an account that was given back since a batch began is not granted by it', async () => {
  const user = newUser();
  const [first = '', second = ''] = await harness.registerAccounts(user, 2);
  const memory = createAccountMemory();
  const nothing = { accountIds: [], channels: [], permitIds: [], countedOf: [], lastLeaseOf: [] };
  const candidates = [{ userId: user, count: 1, least: 1 }];
  const batch = await recollectWork(memory, database.unlocked.sql, { ...nothing, candidates });
  if (batch === null) throw new Error('the batch needs locks');
  const [spare] = (memory.lines.of(user)?.ids ?? []).flatMap((id) => memory.take(id) ?? []);
  expect([first, second]).toContain(spare?.record.accountId);
  spare!.record.lastUsedAt = batch.work.now + 1;
  memory.keep([spare!]);
  expect(batch.moreCandidates(user, 1)).toBe(0);

  memory.lines.lineUp(user, [spare!.record.accountId], { isWhole: true });
  spare!.record.lastUsedAt = batch.work.now;
  memory.keep([spare!]);
  expect(batch.moreCandidates(user, 1)).toBe(1);
});

test('the preferred account is had though its lease has only just run out and nothing of it is remembered', async () => {
  const { accountId, user } = await holdAccount(harness);
  await harness.registerAccounts(user, 1);
  await letLeaseEnd(harness, accountId);
  const wish = { user_id: user, purpose: 'general', service_name: 's', preferred_account_id: accountId };
  const reply = await other(requestOf('account.allocate', { ...wish, preferred_mode: 'prefer' }));
  expect(reply).toMatchObject({ success: true, allocation: { account_id: accountId } });
});

test('of two instances that settle a permit, at once or one after the other, one is told that it settled it', async () => {
  const { accountId, holder } = await holdAccount(harness);
  const acquire = async (): Promise<unknown> => {
    const reply = await harness.succeed('action.acquire', { ...holder, action_type: 'invite' });
    return reply.permit_id;
  };
  const settle = async (dispatch: Dispatch, permitId: unknown): Promise<unknown> => {
    const body = { account_id: accountId, action_type: 'invite', permit_id: permitId, success: true };
    return ((await dispatch(requestOf('action.record', body))) as { message?: string }).message;
  };
  const [first, before] = [
    'permit settled; the action was counted when it was acquired',
    'the permit was settled before',
  ];
  const one = await acquire();
  expect(await settle(other, one)).toBe(first);
  expect(await settle(harness.dispatch, one)).toBe(before);
  for (let round = 0; round < 20; round++) {
    const permit = await acquire();
    const told = await Promise.all([harness.dispatch, other].map((dispatch) => settle(dispatch, permit)));
    expect(told.sort()).toEqual([first, before]);
  }
});

test('a new account is preferred to those that are remembered', async () => {
  const user = newUser();
  await harness.registerAccounts(user, 3);
  const wish = { user_id: user, purpose: 'general', service_name: 's' };
  await harness.succeed('account.allocate', wish);
  const { allocation: used } = await harness.succeed('account.allocate', wish);
  const { account_id, lease_id } = used;
  await harness.succeed('account.release', { account_id, lease_id, service_name: 's', usage_stats: noUsage });
  const left = (await harness.succeed('account.allocate', wish)).allocation;
  await harness.succeed('account.release', {
    account_id: left.account_id,
    lease_id: left.lease_id,
    service_name: 's',
    usage_stats: noUsage,
  });
  const [fresh] = await harness.registerAccounts(user, 1);
  expect((await harness.succeed('account.allocate', wish)).allocation.account_id).toBe(fresh);
});

test('accounts that are given back are granted again in the order of their rest, one that is blocked is not', async () => {
  const user = newUser();
  await harness.registerAccounts(user, 3);
  const allocate = async () =>
    (await harness.succeed('account.allocate', { user_id: user, purpose: 'general', service_name: 's' })).allocation;
  const release = async ({ account_id, lease_id }: { account_id: string; lease_id: string }, stats = {}) => {
    const usage_stats = { ...noUsage, ...stats };
    await harness.succeed('account.release', { account_id, lease_id, service_name: 's', usage_stats });
  };
  const [first, second, third] = [await allocate(), await allocate(), await allocate()];
  for (const lease of [second, third, first]) await release(lease);
  // Read anew, so that the order is the database's.
  harness.memory.lines.forget(user);
  const order = [second, third, first, second, third].map(({ account_id }) => account_id);
  for (const expected of order) {
    const lease = await allocate();
    expect(lease.account_id).toBe(expected);
    await release(lease);
  }

  // Lines live for seconds: this one is new.
  harness.memory.lines.forget(user);
  await release(await allocate());
  expect(harness.memory.lines.of(user)?.ids.at(-1)).toBe(first.account_id);

  harness.memory.lines.forget(user);
  const blocked = await allocate();
  expect(blocked.account_id).toBe(second.account_id);
  await release(blocked, { error_type: 'PeerFloodError', error_message: 'PEER_FLOOD' });
  expect(harness.memory.lines.of(user)?.ids).toEqual([third, first].map(({ account_id }) => account_id));
  await outcomes();
  await allocate();
  await allocate();
  expect(await outcomes()).toEqual({ written: 2 });
});

test('a repeat that comes too late is told what was done, also beside requests in time', async () => {
  const { accountId } = await holdAccount(harness);
  const { accountId: neighbour } = await holdAccount(harness);
  const messageId = randomUUID();
  const body = { account_id: accountId, action_type: 'invite', success: true };
  const first = await harness.call('action.record', body, { messageId });
  const late = { messageId, deadlineAt: Date.now() - 60_000 };
  const [again, inTime, changed] = await Promise.all([
    harness.call('action.record', body, late),
    harness.call('action.record', { ...body, account_id: neighbour }),
    harness.call('action.record', { ...body, action_type: 'parse' }, late),
  ]);
  expect(first).not.toHaveProperty('error');
  expect(again).toEqual(first);
  expect(inTime).not.toHaveProperty('error');
  expect(changed).toMatchObject({ error: { code: 'IDEMPOTENCY_CONFLICT' } });
});

/** Keeps back the next statement that contains the text. */
function holdNextQuery(text: string): { reached: Promise<void>; letGo: () => void } {
  let letGo = (): void => {};
  let isReached = (): void => {};
  const reached = new Promise<void>((resolve) => (isReached = resolve));
  const prototype = pg.Client.prototype as unknown as { query: (...sent: unknown[]) => unknown };
  const { query } = prototype;
  prototype.query = function (...sent) {
    if ((sent[0] as { text?: string }).text?.includes(text) !== true) return query.apply(this, sent);
    prototype.query = query;
    letGo = () => void query.apply(this, sent);
    isReached();
    return undefined;
  };
  return { reached, letGo: () => letGo() };
}

test('the actions of a lease are read no earlier than its account', async () => {
  const { accountId, holder } = await holdAccount(harness);
  harness.memory.forget([accountId]);
  const acquire = requestOf('action.acquire', { ...holder, action_type: 'invite' });
  const hold = holdNextQuery('pg_postmaster_start_time()::text AS server');
  // Another instance counts an action just before the account is read.
  void hold.reached.then(async () => {
    await other(acquire);
    hold.letGo();
  });
  const usage_stats = { ...noUsage, invites_sent: 1 };
  const released = await harness.succeed('account.release', { ...holder, usage_stats });
  expect(released.counted).toMatchObject({ invites: 0 });
  const counted = await harness.query('SELECT source FROM counted_actions WHERE account_id = $1', [accountId]);
  expect(counted).toEqual([{ source: 'acquired' }]);
});

test('the lock of a lease that another instance has renewed stays', async () => {
  const { user, accountId, holder } = await holdAccount(harness, { timeout_minutes: 1 });
  expect((await other(requestOf('account.renew', { ...holder, timeout_minutes: 60 }))).success).toBe(true);
  // As a minute later.
  const remembered = harness.memory.take(accountId)!;
  remembered.record.lease!.expiresAt = Date.now() - 1_000;
  harness.memory.keep([remembered]);
  const locks = connectPatiently(harness.redis.url, 'locks');
  locks.open();
  const wish = { user_id: user, purpose: 'general', service_name: 'x', preferred_account_id: accountId };
  const refused = await harness.refusal('account.allocate', { ...wish, preferred_mode: 'require' });
  expect(refused.code).toBe('PREFERRED_UNAVAILABLE');
  await new Promise((resolve) =>
    locks.client.status === 'ready' ? resolve(null) : locks.client.once('ready', resolve),
  );
  await eventually('the lock has its time', async () => (await locks.client.pttl(lockKey(accountId))) > 30 * 60_000);
  locks.close();
});
