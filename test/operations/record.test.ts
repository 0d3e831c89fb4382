import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { eventsOf, holdAccount, newUser, rowsOf } from '../support/held-account.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';

let harness: OperationsHarness;
/** Failed attempts do not count. */
let lenient: OperationsHarness;
beforeAll(async () => {
  [harness, lenient] = await Promise.all([startOperations(), startOperations({ countFailedAttempts: false })]);
});
afterAll(() => Promise.all([harness.close(), lenient.close()]));

const usedInvites = async (where: OperationsHarness, accountId: string) =>
  (await where.succeed('query.limits', { account_id: accountId })).status.daily_limits.invite.used;

test('counts what has happened, whoever did it, beyond any limit, and warns', async () => {
  const { accountId } = await holdAccount(harness);
  const action = { account_id: accountId, action_type: 'invite', target_channel_id: '@Foo' };
  const replies = [];
  for (let count = 1; count <= 16; count++) replies.push(await harness.succeed('action.record', action));
  // Five an hour are allowed, fifteen a day in one channel.
  expect(replies.map((reply) => reply.over_limit)).toEqual([...Array(5).fill(false), ...Array(11).fill(true)]);
  expect(await usedInvites(harness, accountId)).toBe(16);
  const events = await eventsOf(harness, accountId);
  expect(events.filter(({ type }) => type === 'limit.exceeded')).toHaveLength(11);
  expect(events.at(-1)?.data).toEqual({
    action_type: 'invite',
    limits: [
      { limit: 'hourly', used: 16, allowed: 5 },
      { limit: 'per_channel_daily', used: 16, allowed: 15, target_channel_id: 'foo' },
    ],
  });
  expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_event, index) => index + 1));
});

test('an alert is raised once while the limit is exceeded, and says until when', async () => {
  const { accountId, user } = await holdAccount(harness);
  const alerts = () =>
    harness.query<{ data: Record<string, unknown> }>(
      `SELECT data FROM events WHERE type = 'alert.warning' AND data ->> 'account_id' = $1 ORDER BY id`,
      [accountId],
    );
  const record = (action_type: string) => harness.succeed('action.record', { account_id: accountId, action_type });
  for (let count = 1; count <= 5; count++) await record('invite');
  expect(await alerts()).toEqual([]);
  for (let count = 6; count <= 8; count++) await record('invite');
  const [first, ...others] = await alerts();
  expect(others).toEqual([]);
  const { data } = first!;
  expect(data).toEqual({
    alert: 'limit_exceeded',
    alert_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    subject: `${accountId} invite`,
    state: 'raised',
    account_id: accountId,
    user_id: user,
    action_type: 'invite',
    limits: [{ limit: 'hourly', used: 6, allowed: 5 }],
    until: expect.any(String),
  });
  // There is room for one more once the second of the six has left the hour.
  const endsInMs = Date.parse(String(data.until)) - Date.now();
  expect(endsInMs).toBeGreaterThan(3_500_000);
  expect(endsInMs).toBeLessThanOrEqual(3_600_000);
  const stored = await harness.query('SELECT id, data FROM alerts WHERE subject = $1', [data.subject]);
  expect(stored).toMatchObject([{ id: data.alert_id, data: { limits: [{ used: 8 }] } }]);

  for (let count = 1; count <= 4; count++) await record('add_contact');
  expect((await alerts()).map((alert) => alert.data.subject)).toEqual([data.subject, `${accountId} add_contact`]);
});

test('a recorded action counts against the next permit', async () => {
  const { accountId, holder } = await holdAccount(harness);
  await harness.succeed('action.record', { account_id: accountId, action_type: 'invite' });
  expect(await harness.succeed('action.acquire', { ...holder, action_type: 'invite' })).toMatchObject({
    allowed: false,
    reason: 'cooldown',
  });
});

describe('a permit', () => {
  test('is settled once and counted no more', async () => {
    const { accountId, holder } = await holdAccount(harness);
    const { permit_id } = await harness.succeed('action.acquire', { ...holder, action_type: 'invite' });
    const settle = { account_id: accountId, action_type: 'invite', permit_id, success: false };
    const [one, two] = await Promise.all([
      harness.succeed('action.record', settle),
      harness.succeed('action.record', settle),
    ]);
    expect([one, two].filter(({ message }) => message.includes('before'))).toHaveLength(1);
    expect(await harness.succeed('action.record', { ...settle, success: true })).toMatchObject({
      message: 'the permit was settled before',
      over_limit: false,
    });
    expect(await usedInvites(harness, accountId)).toBe(1);
    const permits = await harness.query('SELECT id, success, settled_at IS NOT NULL AS settled FROM counted_actions');
    expect(permits).toContainEqual({ id: permit_id, success: false, settled: true });
  });

  test.each([
    ['of another action', (own: string) => ({ permit_id: own, action_type: 'message' })],
    ['that is none', () => ({ permit_id: randomUUID(), action_type: 'invite' })],
  ])('%s is refused, names the field and counts nothing', async (_what, claim) => {
    const { accountId, holder } = await holdAccount(harness);
    const { permit_id = '' } = await harness.succeed('action.acquire', { ...holder, action_type: 'invite' });
    const before = await rowsOf(harness, accountId);
    const refused = await harness.refusal('action.record', { account_id: accountId, ...claim(permit_id) });
    expect(refused).toMatchObject({ code: 'VALIDATION_FAILED', details: { issues: [{ path: 'permit_id' }] } });
    expect(await rowsOf(harness, accountId)).toEqual(before);
  });

  test('of another account is refused too', async () => {
    const { holder } = await holdAccount(harness);
    const { permit_id } = await harness.succeed('action.acquire', { ...holder, action_type: 'invite' });
    const other = await holdAccount(harness);
    const refused = await harness.refusal('action.record', {
      account_id: other.accountId,
      action_type: 'invite',
      permit_id,
    });
    expect(refused.code).toBe('VALIDATION_FAILED');
  });
});

test('failed attempts count, unless the policy says otherwise', async () => {
  const failed = { action_type: 'invite', success: false };
  const usage_stats = { invites_sent: 3, messages_sent: 0, contacts_added: 0, success: false };

  const strict = await holdAccount(harness);
  await harness.succeed('action.record', { account_id: strict.accountId, ...failed });
  expect(await harness.succeed('account.release', { ...strict.holder, usage_stats })).toMatchObject({
    counted: { invites: 2 },
  });
  expect(await usedInvites(harness, strict.accountId)).toBe(3);

  const mild = await holdAccount(lenient);
  await lenient.succeed('action.record', { account_id: mild.accountId, ...failed });
  expect(await lenient.succeed('account.release', { ...mild.holder, usage_stats })).toMatchObject({
    counted: { invites: 0 },
  });
  expect(await usedInvites(lenient, mild.accountId)).toBe(0);
});

test('an account that nobody holds is counted on; one that does not exist is not found', async () => {
  const [accountId = ''] = await harness.registerAccounts(newUser(), 1);
  const action = {
    account_id: accountId,
    action_type: 'message',
    service_name: 'invite-service',
    lease_id: randomUUID(),
  };
  await harness.succeed('action.record', action);
  const counted = await harness.query('SELECT lease_id, service_name FROM counted_actions WHERE account_id = $1', [
    accountId,
  ]);
  expect(counted).toEqual([{ lease_id: null, service_name: 'invite-service' }]);
  const unknown = { ...action, account_id: randomUUID() };
  expect((await harness.refusal('action.record', unknown)).code).toBe('ACCOUNT_NOT_FOUND');
});
