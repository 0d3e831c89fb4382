import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { eventsOf } from '../support/account-events.js';
import { ask } from '../support/ask.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';
import { telethonSession } from '../support/session-strings.js';

let harness: OperationsHarness;
let nextUser = 1;
beforeAll(async () => {
  harness = await startOperations();
});
afterAll(() => harness.close());

const newAccount = async (error_message?: string) => {
  const userId = nextUser++;
  const [accountId = ''] = await harness.registerAccounts(userId, 1);
  if (error_message !== undefined) await ask(harness, 'account.error', { account_id: accountId, error_message });
  return { accountId, userId };
};
const reauthorize = (accountId: string, session_data: string, messageId = randomUUID()) =>
  ask(harness, 'admin.reauthorize', { account_id: accountId, session_data }, { caller: 'ops', messageId });
const allocate = async (userId: number) =>
  (await ask(harness, 'account.allocate', { user_id: userId, purpose: 'general', service_name: 'service' })).allocation;

test('a fresh session brings back an account that needed one; its user and phone number stay', async () => {
  const { accountId, userId } = await newAccount('AUTH_KEY_UNREGISTERED');
  const [before] = await harness.query('SELECT phone FROM telegram_sessions WHERE id = $1', [accountId]);
  const session = telethonSession();
  const messageId = randomUUID();
  const reply = await reauthorize(accountId, session, messageId);
  expect(reply).toEqual({
    account_id: accountId,
    status: 'active',
    previous_status: 'disabled',
    disabled_reason: null,
    recovery_time: null,
    changed: true,
  });
  expect(await reauthorize(accountId, session, messageId)).toEqual(reply);
  expect(await allocate(userId)).toMatchObject({ account_id: accountId, session_data: session, ...before });

  const events = await eventsOf(harness, accountId);
  expect(events.map(({ type }) => type)).toEqual([
    'account.disabled',
    'account.reauthorized',
    'account.recovered',
    'account.allocated',
  ]);
  expect(events[1]?.data).toEqual({ status: 'active', same_key: false, actor: 'ops' });
  const kept = await harness.query(
    `SELECT (SELECT jsonb_agg(e) FROM events e) AS events, (SELECT jsonb_agg(a) FROM answered_requests a) AS answers`,
  );
  expect(JSON.stringify(kept)).not.toContain(session);
});

test.each([
  ['USER_DEACTIVATED_BAN', 'disabled', 'banned'],
  ['FLOOD_WAIT_300', 'flood_wait', null],
  ['PEER_FLOOD', 'blocked', null],
  [undefined, 'active', null],
])('after %s the session is taken and the account stays %s', async (error, status, disabled_reason) => {
  const { accountId } = await newAccount(error);
  expect(await reauthorize(accountId, telethonSession())).toMatchObject({ status, disabled_reason, changed: false });
  expect((await eventsOf(harness, accountId)).at(-1)).toMatchObject({ type: 'account.reauthorized', data: { status } });
});

test('the same key once more is no offence; that of another account is', async () => {
  const one = await newAccount();
  const two = await newAccount();
  const session = telethonSession();
  await reauthorize(one.accountId, session);
  await reauthorize(one.accountId, session);
  expect((await eventsOf(harness, one.accountId)).map(({ data }) => data.same_key)).toEqual([false, true]);

  const { session_data: before } = await allocate(two.userId);
  const refused = await harness.refusal('admin.reauthorize', { account_id: two.accountId, session_data: session });
  expect(refused).toMatchObject({
    code: 'VALIDATION_FAILED',
    message: 'session_data: its key is registered already, for another account',
  });
  await ask(harness, 'admin.force-release', { account_id: two.accountId, reason: 'to look again' });
  expect((await allocate(two.userId)).session_data).toBe(before);
});

test('one key for two accounts at the same time: one of them gets it, in one batch or through two processes', async () => {
  const second = harness.another();
  for (const through of [harness.dispatch, second]) {
    const [one, two] = [await newAccount(), await newAccount()];
    const session_data = telethonSession();
    const request = (accountId: string) => {
      const messageId = randomUUID();
      return {
        operation: 'admin.reauthorize',
        body: { account_id: accountId, session_data },
        messageId,
        requestId: messageId,
        caller: null,
        deadlineAt: null,
        expiresAt: null,
        traceparent: null,
      };
    };
    const replies = await Promise.all([harness.dispatch(request(one.accountId)), through(request(two.accountId))]);
    expect(replies.map((reply) => (reply.success ? 'success' : reply.error.code)).sort()).toEqual([
      'VALIDATION_FAILED',
      'success',
    ]);
  }
});

test('names what is wrong with a session, never the session', async () => {
  const { accountId } = await newAccount();
  for (const session_data of ['', 'not a session', telethonSession().slice(0, -10), '+4915112345678']) {
    const { code, message } = await harness.refusal('admin.reauthorize', { account_id: accountId, session_data });
    expect([code, message.split(':')[0]]).toEqual(['VALIDATION_FAILED', 'session_data']);
    if (session_data !== '') expect(message).not.toContain(session_data);
  }
  const unknown = { account_id: randomUUID(), session_data: telethonSession() };
  expect((await harness.refusal('admin.reauthorize', unknown)).code).toBe('ACCOUNT_NOT_FOUND');
});
