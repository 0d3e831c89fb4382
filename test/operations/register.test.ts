import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventsOf, holdAccount, newUser, rowsOf } from '../support/held-account.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';
import { requestOf } from '../support/request-of.js';
import { telethonSession } from '../support/session-strings.js';

let harness: OperationsHarness;
beforeAll(async () => {
  harness = await startOperations();
});
afterAll(() => harness.close());

let nextPhone = 1_000_000;
const newAccount = (more: Record<string, unknown> = {}) => ({
  user_id: newUser(),
  phone: `+${nextPhone++}`,
  session_data: telethonSession(),
  ...more,
});
const register = async (...accounts: Record<string, unknown>[]) =>
  (await harness.succeed('admin.register', { accounts })).accounts;
const stored = async (accountId: string | undefined) =>
  (
    await harness.query<Record<string, unknown> & { session_data: Buffer }>(
      'SELECT * FROM telegram_sessions WHERE id = $1',
      [accountId],
    )
  )[0];

test('a new account is kept with its session sealed, and announced without it', async () => {
  const account = newAccount({ phone: String(nextPhone++), metadata: { proxy: 'socks5://one' } });
  const [result] = await register(account);
  expect(result).toEqual({ index: 0, account_id: expect.any(String), outcome: 'created' });
  const row = await stored(result?.account_id);
  expect(row).toMatchObject({
    phone: `+${account.phone}`,
    status: 'active',
    is_active: true,
    fence: '0',
    session_metadata: { proxy: 'socks5://one' },
  });
  expect(row?.session_data.includes(Buffer.from(account.session_data.slice(1), 'base64url'))).toBe(false);
  expect(row?.session_data.includes(account.session_data)).toBe(false);
  const [event] = await eventsOf(harness, result?.account_id ?? '');
  expect(event).toMatchObject({ type: 'account.registered', sequence: 1, data: { outcome: 'created' } });
  const wish = { user_id: account.user_id, purpose: 'general', service_name: 'invite-service' };
  const { allocation } = await harness.succeed('account.allocate', wish);
  expect(allocation).toMatchObject({ session_data: account.session_data, phone: `+${account.phone}` });
});

test('a known phone number gets the new session, and keeps its lease, its counters and its metadata', async () => {
  const { user, accountId, holder, allocation } = await holdAccount(harness);
  await harness.query(`UPDATE telegram_sessions SET session_metadata = '{"proxy": "two"}' WHERE id = $1`, [accountId]);
  const before = await stored(accountId);
  const session_data = telethonSession();
  const [result] = await register({ user_id: user, phone: allocation.phone, session_data });
  expect(result).toEqual({ index: 0, account_id: accountId, outcome: 'updated' });
  const after = await stored(accountId);
  expect(after).toEqual({
    ...before,
    session_data: expect.anything(),
    session_fingerprint: expect.anything(),
    event_sequence: '3',
  });
  expect(after?.session_fingerprint).not.toBe(before?.session_fingerprint);
  await harness.succeed('account.renew', holder);
});

test('each account is judged alone, and told precisely why it is refused', async () => {
  const known = newAccount();
  await register(known);
  const good = newAccount();
  const stranger = newUser();
  const faults: [Record<string, unknown>, RegExp][] = [
    [newAccount({ session_data: '' }), /^session_data: /],
    [newAccount({ session_data: 'not a session' }), /^session_data: /],
    [newAccount({ session_data: known.session_data }), /^session_data: its key is registered already/],
    [{ ...known, user_id: stranger }, /^phone: registered already, for another user/],
    [newAccount({ phone: good.phone }), /^phone: stands at index 0/],
    [newAccount({ session_data: good.session_data }), /^session_data: its key is registered already/],
    [newAccount({ metadata: { note: 'NUL \0' } }), /^metadata: /],
    [newAccount({ metadata: { note: ['half of a pair \ud83d'] } }), /^metadata: /],
    [newAccount({ metadata: { 'key \0': 1 } }), /^metadata: /],
    [newAccount({ metadata: 'a text' }), /^metadata: /],
    [newAccount({ phone: '+1 (500) 555-CALL' }), /^phone: must be 5 to 20 digits/],
    [newAccount({ phone: 15005550006 }), /^phone: /],
    [newAccount({ phone: '12+345' }), /^phone: /],
    [newAccount({ user_id: -1 }), /^user_id: /],
    [newAccount({ user_id: undefined }), /^user_id: /],
    [newAccount({ account_id: 'seven' }), /^account_id: /],
    [newAccount({ session_data: 'x'.repeat(5000) }), /^session_data: /],
    [newAccount({ proxy: 'socks5://one' }), /^proxy: is not a field/],
  ];
  const last = newAccount({ metadata: { note: 'both halves \u{1f600}' } });
  const results = await register(good, ...faults.map(([account]) => account), last);
  expect(results.map(({ outcome }) => outcome)).toEqual(['created', ...faults.map(() => 'rejected'), 'created']);
  faults.forEach(([account, reason], index) => {
    const field = /\w+/.exec(reason.source)?.[0];
    expect(results[index + 1]).toEqual({
      index: index + 1,
      outcome: 'rejected',
      reason: expect.stringMatching(reason),
      field,
    });
    if (account.session_data !== '') expect(results[index + 1]?.reason).not.toContain(account.session_data);
  });
  const strangers = await harness.query('SELECT 1 FROM telegram_sessions WHERE user_id = $1', [stranger]);
  expect(strangers).toEqual([]);
});

test('the same account registered at once by many is one account', async () => {
  const account = newAccount();
  const another = harness.another();
  const replies = await Promise.all(
    Array.from({ length: 20 }, (_, index) => {
      const dispatch = index % 2 === 0 ? harness.dispatch : another;
      return dispatch(requestOf('admin.register', { accounts: [newAccount(), account, newAccount()] }));
    }),
  );
  const outcomes = replies.map((reply) =>
    reply.success ? (reply.accounts as { outcome: string }[]).map(({ outcome }) => outcome) : reply,
  );
  expect(outcomes.filter((outcome) => JSON.stringify(outcome) === '["created","created","created"]')).toHaveLength(1);
  expect(outcomes.filter((outcome) => JSON.stringify(outcome) === '["created","updated","created"]')).toHaveLength(19);
  const accounts = await harness.query<{ id: string }>('SELECT id FROM telegram_sessions WHERE phone = $1', [
    account.phone,
  ]);
  expect(accounts).toHaveLength(1);
  const { events } = await rowsOf(harness, accounts[0]?.id ?? '');
  expect(events).toHaveLength(20);
});

test('a thousand accounts in one request', async () => {
  const accounts = Array.from({ length: 1000 }, () => newAccount());
  const results = await register(...accounts);
  expect(results).toHaveLength(1000);
  expect(results.every(({ outcome, index }, position) => outcome === 'created' && index === position)).toBe(true);
});

test('an element that is no account is rejected alone, and only a wrong frame is refused whole', async () => {
  const good = newAccount();
  const unstorable = { ...newAccount(), 'no\0field': 1 };
  const { accounts } = await harness.succeed('admin.register', {
    accounts: [null, 7, 'account', [], unstorable, good],
  });
  expect(accounts.slice(0, 4)).toEqual(
    [0, 1, 2, 3].map((index) => ({ index, outcome: 'rejected', reason: 'must be an object' })),
  );
  expect(accounts[4]).toMatchObject({ outcome: 'rejected', field: 'no field' });
  expect(accounts[5]?.outcome).toBe('created');
  for (const frame of [{}, { accounts: [] }, { accounts: {} }, { accounts: [good], more: 1 }]) {
    expect((await harness.refusal('admin.register', frame)).code).toBe('VALIDATION_FAILED');
  }
});

test('a phone number is taken under its digits, however people write it', async () => {
  const digits = String(nextPhone++).padStart(11, '1');
  const first = newAccount({ phone: `+${digits[0]} (${digits.slice(1, 4)}) ${digits.slice(4, 7)}-${digits.slice(7)}` });
  const [created] = await register(first);
  expect(await stored(created?.account_id)).toMatchObject({ phone: `+${digits}` });
  const spellings = [digits, `+${digits}`, ` ${digits} `, digits.split('').join('.'), digits.split('').join('\u2011')];
  for (const phone of spellings) {
    const [again] = await register({ ...first, phone, session_data: telethonSession() });
    expect(again).toEqual({ index: 0, account_id: created?.account_id, outcome: 'updated' });
  }
});

describe('an id that is given', () => {
  test('is kept, also when the account is registered again with it or without', async () => {
    const account = newAccount({ account_id: randomUUID() });
    const { account_id } = account as { account_id?: string };
    expect(await register({ ...account, account_id: account_id?.toUpperCase() })).toEqual([
      { index: 0, account_id, outcome: 'created' },
    ]);
    expect(await register(account)).toEqual([{ index: 0, account_id, outcome: 'updated' }]);
    expect(await register({ ...account, account_id: null })).toEqual([{ index: 0, account_id, outcome: 'updated' }]);
    const wish = {
      user_id: account.user_id,
      purpose: 'general',
      service_name: 'one',
      preferred_account_id: account_id,
    };
    const { allocation } = await harness.succeed('account.allocate', wish);
    expect(allocation).toMatchObject({ account_id, session_data: account.session_data });
  });

  test('is refused for that account where it is another’s, or the phone is known under another', async () => {
    const [known] = await register(newAccount());
    const taken = newAccount({ account_id: known?.account_id });
    const renamed = newAccount();
    const [first] = await register(renamed);
    const twice = randomUUID();
    const results = await register(
      taken,
      { ...renamed, account_id: randomUUID() },
      newAccount({ account_id: twice }),
      newAccount({ account_id: twice }),
      newAccount(),
    );
    expect(results.map(({ outcome }) => outcome)).toEqual(['rejected', 'rejected', 'created', 'rejected', 'created']);
    for (const index of [0, 1, 3]) {
      expect(results[index]).toMatchObject({ field: 'account_id', reason: expect.stringMatching(/^account_id: /) });
    }
    expect(await stored(first?.account_id)).toMatchObject({ phone: renamed.phone });
  });
});
