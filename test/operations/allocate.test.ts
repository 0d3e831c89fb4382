import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { DEFAULT_LIMITS } from '../../src/decide/limits/limits-policy.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';
import { requestOf } from '../support/request-of.js';
import { seedAccounts } from '../support/seed-accounts.js';

let harness: OperationsHarness;
let nextUser = 1;
const newUser = () => nextUser++;
const wish = (userId: number, more: Record<string, unknown> = {}) => ({
  user_id: userId,
  purpose: 'general',
  service_name: 'invite-service',
  ...more,
});

/** Only the daily rule refuses an invite: late in the evening the hour and the burst would end after midnight. */
const invite = { ...DEFAULT_LIMITS.invite, cooldownSeconds: null, burstLimit: null, hourlyLimit: null };

beforeAll(async () => {
  harness = await startOperations({ policy: { ...DEFAULT_LIMITS, invite } });
});
afterAll(() => harness.close());

test('grants an account with its session, limits and usage', async () => {
  const user = newUser();
  const [accountId] = await harness.registerAccounts(user, 1);
  const { allocation } = await harness.succeed('account.allocate', wish(user, { purpose: 'invite_campaign' }));
  expect(allocation).toMatchObject({
    account_id: accountId,
    user_id: user,
    allocated_by: 'invite-service',
    purpose: 'invite_campaign',
    fence: 1,
    limits: {
      daily_invite_limit: 30,
      daily_message_limit: 30,
      contacts_daily_limit: 15,
      per_channel_invite_limit: 15,
      max_per_channel_total: 200,
    },
    current_usage: { invites_today: 0, messages_today: 0, contacts_today: 0 },
    selection: { reason: 'best_available', candidates: 1 },
  });
  expect(allocation.session_data).toMatch(/^1/);
  expect(allocation.phone).toMatch(/^\+\d+$/);
  expect(Date.parse(allocation.expires_at) - Date.parse(allocation.allocated_at)).toBe(30 * 60_000);
});

test('a repeat gets the first answer, session included, and no second account', async () => {
  const user = newUser();
  await harness.registerAccounts(user, 3);
  const messageId = randomUUID();
  const first = await harness.succeed('account.allocate', wish(user), { messageId });
  const second = await harness.succeed('account.allocate', wish(user), { messageId });
  expect(second).toEqual(first);
  const [{ count } = { count: -1 }] = await harness.query<{ count: number }>(
    'SELECT count(*)::int FROM leases WHERE user_id = $1',
    [user],
  );
  expect(count).toBe(1);
  const stored = await harness.query<{ reply: unknown }>('SELECT reply FROM answered_requests WHERE message_id = $1', [
    messageId,
  ]);
  expect(JSON.stringify(stored)).not.toContain(first.allocation.session_data);
  expect(JSON.stringify(stored)).not.toContain(first.allocation.phone);
  const conflict = await harness.refusal('account.allocate', wish(user, { purpose: 'parsing' }), { messageId });
  expect(conflict.code).toBe('IDEMPOTENCY_CONFLICT');
});

test('300 wishes of one service through two processes on 50 accounts: 50 grants, none twice, 250 ALL_BUSY', async () => {
  const user = newUser();
  await harness.registerAccounts(user, 50);
  const [first, second] = [harness.dispatch, harness.another()];
  const replies = await Promise.all(
    Array.from({ length: 300 }, (_, index) => {
      const messageId = randomUUID();
      const request = {
        operation: 'account.allocate',
        messageId,
        requestId: messageId,
        caller: null,
        deadlineAt: null,
        expiresAt: null,
        traceparent: null,
      };
      return (index % 2 === 0 ? first : second)({ ...request, body: wish(user) });
    }),
  );
  const granted = replies.flatMap((reply) =>
    reply.success ? [(reply.allocation as { account_id: string }).account_id] : [],
  );
  const refused = replies.flatMap((reply) => (!reply.success ? [reply.error.code] : []));
  expect(granted.length).toBe(50);
  expect(new Set(granted).size).toBe(50);
  expect(refused).toEqual(Array(250).fill('ALL_BUSY'));
});

test('tells the refusals apart, with counts and the next instant', async () => {
  const nobody = await harness.refusal('account.allocate', wish(newUser()));
  expect(nobody.code).toBe('NO_ACCOUNTS');

  const user = newUser();
  const [accountId] = await harness.registerAccounts(user, 1);
  await harness.succeed('account.allocate', wish(user));
  const busy = await harness.refusal('account.allocate', wish(user));
  expect(busy).toMatchObject({ code: 'ALL_BUSY', retryable: true, details: { counts: { total: 1, leased: 1 } } });
  expect(busy.retry_after_ms).toBeGreaterThan(29 * 60_000);

  const usage = { invites_sent: 30, messages_sent: 0, contacts_added: 0, success: true };
  await harness.succeed('account.release', {
    account_id: accountId,
    service_name: 'invite-service',
    usage_stats: usage,
  });
  const limited = await harness.refusal('account.allocate', wish(user, { purpose: 'invite_campaign' }));
  expect(limited).toMatchObject({ code: 'ALL_LIMITED', details: { counts: { limited: 1 } } });
  expect(String(limited.details?.next_available_at)).toMatch(/T00:00:00.000Z$/);

  await harness.succeed('account.error', { account_id: accountId, error_message: 'FLOOD_WAIT_300' });
  const restricted = await harness.refusal('account.allocate', wish(user));
  expect(restricted).toMatchObject({ code: 'ALL_RESTRICTED', details: { counts: { flood_wait: 1 } } });
  expect(restricted.retry_after_ms).toBeGreaterThan(355_000);
});

test('a lease that is over is taken over, and the old holder is refused', async () => {
  const user = newUser();
  const [accountId] = await harness.registerAccounts(user, 1);
  const { allocation: old } = await harness.succeed('account.allocate', wish(user, { timeout_minutes: 1 }));
  await harness.query(`UPDATE telegram_sessions SET locked_until = now() - interval '1 second' WHERE id = $1`, [
    accountId,
  ]);
  await harness.query(
    `UPDATE leases SET allocated_at = allocated_at - interval '1 hour', expires_at = now() - interval '1 second' WHERE account_id = $1`,
    [accountId],
  );
  const stale = { account_id: accountId, service_name: 'invite-service', lease_id: old.lease_id, fence: old.fence };
  const usage_stats = { invites_sent: 1, messages_sent: 0, contacts_added: 0, success: true };
  expect((await harness.refusal('account.renew', stale)).code).toBe('LEASE_LOST');
  const { allocation: next } = await harness.succeed('account.allocate', wish(user, { service_name: 'other' }));
  expect(next.fence).toBe(old.fence + 1);
  expect((await harness.refusal('account.release', { ...stale, usage_stats })).code).toBe('LEASE_LOST');
  const byName = { account_id: accountId, service_name: 'invite-service' };
  expect((await harness.refusal('account.release', { ...byName, usage_stats })).code).toBe('NOT_HELD');
  expect((await harness.refusal('action.acquire', { ...stale, action_type: 'invite' })).code).toBe('LEASE_LOST');
  const events = await harness.query<{ type: string }>(
    'SELECT type FROM events WHERE account_id = $1 ORDER BY sequence',
    [accountId],
  );
  expect(events.map((event) => event.type)).toEqual([
    'account.registered',
    'account.allocated',
    'account.lease_expired',
    'account.allocated',
  ]);
});

test('prefers, and requires, a certain account', async () => {
  const user = newUser();
  const ids = await harness.registerAccounts(user, 3);
  const preferred_account_id = ids[2];
  const first = await harness.succeed('account.allocate', wish(user, { preferred_account_id }));
  expect(first.allocation).toMatchObject({
    account_id: preferred_account_id,
    selection: { reason: 'preferred', preferred_honoured: true },
  });
  const preferred = { preferred_account_id, preferred_mode: 'prefer' };
  const second = await harness.succeed('account.allocate', wish(user, preferred));
  expect(second.allocation.selection).toMatchObject({ reason: 'best_available', preferred_honoured: false });
  const refused = await harness.refusal(
    'account.allocate',
    // It is required unless the caller says otherwise.
    wish(user, { preferred_account_id, preferred_mode: null }),
  );
  expect(refused).toMatchObject({ code: 'PREFERRED_UNAVAILABLE', details: { reason: 'leased' } });
  const spy = jest.spyOn(pg.Client.prototype, 'query');
  await harness.refusal('account.allocate', wish(user, { preferred_account_id, preferred_mode: 'require' }));
  const sent = (spy.mock.calls as unknown[][]).map(([statement]) => statement);
  spy.mockRestore();
  // Others of the user are free, but to ask again would find nothing else.
  expect(sent.filter((statement) => statement === 'COMMIT')).toHaveLength(1);
  const [foreign] = await harness.registerAccounts(newUser(), 1);
  const notOwn = await harness.refusal(
    'account.allocate',
    wish(user, { preferred_account_id: foreign, preferred_mode: 'require' }),
  );
  expect(notOwn).toMatchObject({ code: 'PREFERRED_UNAVAILABLE', details: { reason: 'not_found' } });
});

test('the one account with room is found behind any number of others, and told is who has it first', async () => {
  const user = newUser();
  const ids = await seedAccounts(harness, user, 120);
  // Rested longest first: all have invited as often as they may, the first today, the others tomorrow (a clock was set back).
  await harness.query(
    `WITH given AS (SELECT id, n FROM unnest($1::uuid[]) WITH ORDINALITY AS u(id, n)), used AS (
       INSERT INTO usage_windows (account_id, action_type, day, day_count)
       SELECT id, 'invite', CURRENT_DATE + least(n::int - 1, 1), 30 FROM given WHERE n < 120)
     UPDATE telegram_sessions s SET last_used_at = now() - interval '1 day' + n * interval '1 minute'
     FROM given WHERE s.id = given.id`,
    [ids],
  );
  const invite = wish(user, { purpose: 'invite_campaign', include_session: false });
  const { allocation } = await harness.succeed('account.allocate', invite);
  expect(allocation).toMatchObject({ account_id: ids.at(-1), selection: { candidates: 1 } });
  await harness.query(
    'UPDATE telegram_sessions SET status = $2, is_active = false, disabled_reason = $3 WHERE id = $1',
    [ids.at(-1), 'disabled', 'manual'],
  );
  const refused = await harness.refusal('account.allocate', invite);
  const [{ midnight } = {}] = await harness.query<{ midnight: Date }>(
    'SELECT (CURRENT_DATE + 1)::timestamptz AS midnight',
  );
  expect(refused).toMatchObject({
    code: 'ALL_LIMITED',
    details: { counts: { limited: 119 }, next_available_at: midnight?.toISOString() },
  });
});

test('with wait_ms the wish is granted as soon as an account is free, and refused when the time is over', async () => {
  const user = newUser();
  const [accountId] = await harness.registerAccounts(user, 1);
  await harness.succeed('account.allocate', wish(user));
  const waiting = harness.call('account.allocate', wish(user, { wait_ms: 20_000, service_name: 'patient' }));
  const impatient = await harness.refusal('account.allocate', wish(user, { wait_ms: 50 }));
  expect(impatient.code).toBe('ALL_BUSY');
  const usage_stats = { invites_sent: 0, messages_sent: 0, contacts_added: 0, success: true };
  await harness.succeed('account.release', { account_id: accountId, service_name: 'invite-service', usage_stats });
  expect(await waiting).toMatchObject({
    success: true,
    allocation: { account_id: accountId, allocated_by: 'patient' },
  });
});

test('who has gone while waiting gets no account, and may come back for it', async () => {
  const user = newUser();
  const [accountId] = await harness.registerAccounts(user, 1);
  await harness.succeed('account.allocate', wish(user));
  const leaving = new AbortController();
  const request = requestOf('account.allocate', wish(user, { wait_ms: 20_000 }), { gone: leaving.signal });
  const waiting = harness.dispatch(request);
  await harness.refusal('account.allocate', wish(user, { wait_ms: 50 }));
  leaving.abort();
  const usage_stats = { invites_sent: 0, messages_sent: 0, contacts_added: 0, success: true };
  await harness.succeed('account.release', { account_id: accountId, service_name: 'invite-service', usage_stats });
  expect(await waiting).toMatchObject({ success: false, error: { code: 'ALL_BUSY' } });
  expect(await harness.query('SELECT locked FROM telegram_sessions WHERE id = $1', [accountId])).toEqual([
    { locked: false },
  ]);
  // Nothing was kept of it.
  const { gone: _, ...again } = request;
  expect(await harness.dispatch(again)).toMatchObject({ success: true, allocation: { account_id: accountId } });
});

test('a wait ends at the deadline', async () => {
  const user = newUser();
  await harness.registerAccounts(user, 1);
  await harness.succeed('account.allocate', wish(user));
  const deadlineAt = Date.now() + 300;
  const reply = await harness.dispatch(requestOf('account.allocate', wish(user, { wait_ms: 20_000 }), { deadlineAt }));
  expect(reply).toMatchObject({ success: false, error: { code: 'DEADLINE_EXCEEDED' } });
  // Without regard to it the next look comes after two seconds.
  expect(Date.now() - deadlineAt).toBeLessThan(1_500);
});
