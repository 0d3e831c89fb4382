import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { eventsOf, type Holder, holdAccount, letLeaseEnd, newUser, rowsOf } from '../support/held-account.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';

let harness: OperationsHarness;
beforeAll(async () => {
  harness = await startOperations();
});
afterAll(() => harness.close());

const HOUR_SECONDS = 3_600;
/** How far a wait reaches from now, rounded to ten seconds. */
const secondsFromNow = (instant: string | null) => Math.round((Date.parse(instant ?? '') - Date.now()) / 10_000) * 10;

const report = async (holder: Holder, error: Record<string, unknown>) =>
  (await harness.succeed('account.error', { ...holder, ...error })).result;

async function stateOf(accountId: string) {
  const [row] = await harness.query<{
    status: string;
    disabled_reason: string | null;
    flood_wait_until: Date | null;
    blocked_until: Date | null;
    error_count: number;
  }>(
    'SELECT status, disabled_reason, flood_wait_until, blocked_until, error_count FROM telegram_sessions WHERE id = $1',
    [accountId],
  );
  return row;
}

describe('the effect of an error on the account', () => {
  test.each([
    [{ error_type: 'flood_wait', seconds: 300 }, 'flood_wait', 'wait_started', 'flood_wait', 360, true],
    [{ error_message: 'A wait of 7 seconds is required' }, 'flood_wait', 'wait_started', 'flood_wait', 70, true],
    [{ error_code: 420, error_message: 'FLOOD_WAIT_3600' }, 'flood_wait', 'wait_started', 'flood_wait', 3660, true],
    [{ error_type: 'PEER_FLOOD' }, 'peer_flood', 'blocked', 'blocked', 24 * HOUR_SECONDS, true],
    [{ error_type: 'phone_number_banned' }, 'banned', 'disabled', 'disabled', null, false],
    [{ error_type: 'user_deactivated' }, 'deactivated', 'disabled', 'disabled', null, false],
    [{ error_type: 'auth_key_error' }, 'auth', 'disabled', 'disabled', null, false],
    [{ error_type: 'session_password_needed' }, 'auth', 'disabled', 'disabled', null, false],
    [{ error_type: 'unknown_error' }, 'other', 'error_counted', 'active', null, false],
    [{ error_type: 'network_error' }, 'transient', 'error_counted', 'active', null, true],
  ])('%j', async (error, classified_as, action_taken, new_status, waitSeconds, should_retry) => {
    const { accountId, holder } = await holdAccount(harness);
    const result = await report(holder, error);
    expect(result).toMatchObject({ account_id: accountId, classified_as, action_taken, new_status, should_retry });
    if (waitSeconds === null) expect(result.recovery_time).toBeNull();
    else expect(secondsFromNow(result.recovery_time)).toBe(waitSeconds);
    expect((await stateOf(accountId))?.status).toBe(new_status);
  });

  test.each([
    'INPUT_USER_DEACTIVATED',
    'USER_PRIVACY_RESTRICTED',
    'privacy_restricted',
    'CHAT_WRITE_FORBIDDEN',
  ])('nothing, where it is the target’s or the request’s: %s', async (error_type) => {
    const { accountId, holder } = await holdAccount(harness);
    const before = await rowsOf(harness, accountId);
    expect(await report(holder, { error_type })).toMatchObject({ action_taken: 'none', new_status: 'active' });
    expect(await rowsOf(harness, accountId)).toEqual(before);
  });

  test.each(['error_type', 'error_message', 'error_code'])('the same, where no store keeps the %s', async (field) => {
    const texts = [
      'FLOOD_WAIT_300 \0',
      'FLOOD_WAIT_300 "Sale \ud83d',
      '\ude00 FLOOD_WAIT_300',
      'FLOOD_WAIT_300 \u{1f600}',
    ];
    for (const text of texts) {
      const { holder } = await holdAccount(harness);
      const context = { [text]: [text] };
      const result = await report(holder, { [field]: text, context });
      expect(result).toMatchObject({ classified_as: 'flood_wait', new_status: 'flood_wait' });
      expect(secondsFromNow(result.recovery_time)).toBe(360);
      const cut = text.replace(/[\0\ud83d\ude00]/, '\ufffd');
      if (field === 'error_type') expect(result.error_type).toBe(text.includes('\u{1f600}') ? text : cut);
    }
  });

  test('the same, however long the reported type: its beginning is echoed', async () => {
    const { holder } = await holdAccount(harness);
    const error_type = `${'  File "/app/invite.py", line 3, in invite\n'.repeat(500)}PEER_FLOOD`;
    const result = await report(holder, { error_type });
    expect(result).toMatchObject({ classified_as: 'peer_flood', error_type: error_type.slice(0, 200) });
  });

  test('an unknown text neither bans nor waits', async () => {
    const { accountId, holder } = await holdAccount(harness);
    const result = await report(holder, { error_message: 'the account was banned from the disco for 3600 seconds' });
    expect(result).toMatchObject({ new_status: 'active', recovery_time: null });
    expect(await stateOf(accountId)).toMatchObject({ status: 'active', disabled_reason: null });
  });
});

describe('waits', () => {
  test('are never shortened, and are lengthened', async () => {
    const { accountId, holder } = await holdAccount(harness);
    const long = await report(holder, { error_type: 'FLOOD_WAIT_3000' });
    const short = await report(holder, { error_type: 'FLOOD_WAIT_30' });
    expect(short).toMatchObject({ action_taken: 'none', recovery_time: long.recovery_time });
    expect((await stateOf(accountId))?.flood_wait_until?.toISOString()).toBe(long.recovery_time);
    const longer = await report(holder, { error_type: 'FLOOD_WAIT_5000' });
    expect(secondsFromNow(longer.recovery_time)).toBe(5060);
  });

  test('stand beside a block; the later end counts', async () => {
    const { accountId, holder } = await holdAccount(harness);
    await report(holder, { error_type: 'PEER_FLOOD' });
    const result = await report(holder, { error_type: 'flood_wait', seconds: 48 * HOUR_SECONDS });
    expect(result.new_status).toBe('blocked');
    expect(secondsFromNow(result.recovery_time)).toBe(48 * HOUR_SECONDS + 60);
    await harness.query(`UPDATE telegram_sessions SET blocked_until = now() - interval '1 second' WHERE id = $1`, [
      accountId,
    ]);
    expect(await report(holder, { error_type: 'USER_PRIVACY_RESTRICTED' })).toMatchObject({ new_status: 'flood_wait' });
  });

  test('end at their instant, without any job: the next allocation takes the account', async () => {
    const { user, accountId, holder } = await holdAccount(harness);
    await report(holder, { error_type: 'FLOOD_WAIT_300' });
    await report(holder, { error_type: 'unknown_error' });
    const usage_stats = { invites_sent: 0, messages_sent: 0, contacts_added: 0, success: false };
    await harness.succeed('account.release', { ...holder, usage_stats });
    const wish = { user_id: user, purpose: 'general', service_name: 'other' };
    expect((await harness.refusal('account.allocate', wish)).code).toBe('ALL_RESTRICTED');
    const moveEnd = (to: string) =>
      harness.query(`UPDATE telegram_sessions SET flood_wait_until = now() + $2::interval WHERE id = $1`, [
        accountId,
        to,
      ]);
    await moveEnd('1 minute');
    expect((await harness.refusal('account.allocate', wish)).code).toBe('ALL_RESTRICTED');
    await moveEnd('-1 ms');
    const { stats } = await harness.succeed('query.recovery-stats', {});
    expect(stats.recovery_queue_size).toBeGreaterThanOrEqual(1);
    const { allocation } = await harness.succeed('account.allocate', wish);
    expect(allocation.account_id).toBe(accountId);
    expect(await stateOf(accountId)).toMatchObject({ status: 'active', flood_wait_until: null, error_count: 0 });
    expect((await eventsOf(harness, accountId)).map(({ type }) => type).slice(-3)).toEqual([
      'account.released',
      'account.recovered',
      'account.allocated',
    ]);
  });

  test('for a peer flood grow while they come soon one after the other', async () => {
    const { accountId, holder } = await holdAccount(harness);
    const block = async () => secondsFromNow((await report(holder, { error_type: 'PEER_FLOOD' })).recovery_time);
    const letBlockEnd = (ago: string) =>
      harness.query(`UPDATE telegram_sessions SET blocked_until = now() - $2::interval WHERE id = $1`, [
        accountId,
        ago,
      ]);
    expect(await block()).toBe(24 * HOUR_SECONDS);
    expect(await report(holder, { error_type: 'PEER_FLOOD' })).toMatchObject({ action_taken: 'none' });
    await letBlockEnd('6 days');
    expect(await block()).toBe(72 * HOUR_SECONDS);
    await letBlockEnd('1 second');
    expect(await block()).toBe(168 * HOUR_SECONDS);
    await letBlockEnd('6 days');
    expect(await block()).toBe(168 * HOUR_SECONDS);
    await letBlockEnd('8 days');
    expect(await block()).toBe(24 * HOUR_SECONDS);
  });
});

test('disabled stays, whatever is reported and however much time passes', async () => {
  const { user, accountId, holder } = await holdAccount(harness);
  await report(holder, { error_type: 'FLOOD_WAIT_300' });
  await report(holder, { error_type: 'AUTH_KEY_UNREGISTERED' });
  expect(await stateOf(accountId)).toMatchObject({ status: 'disabled', disabled_reason: 'needs_reauth' });
  await report(holder, { error_type: 'FLOOD_WAIT_30' });
  await report(holder, { error_type: 'PEER_FLOOD' });
  await report(holder, { error_type: 'USER_DEACTIVATED_BAN' });
  await report(holder, { error_type: 'AUTH_KEY_UNREGISTERED' });
  expect(await stateOf(accountId)).toMatchObject({ status: 'disabled', disabled_reason: 'banned' });
  await harness.query(
    `UPDATE telegram_sessions SET flood_wait_until = now() - interval '1 hour', blocked_until = now() - interval '1 hour' WHERE id = $1`,
    [accountId],
  );
  const result = await report(holder, { error_type: 'USER_PRIVACY_RESTRICTED' });
  expect(result).toMatchObject({ new_status: 'disabled', recovery_time: null, should_retry: false });
  await letLeaseEnd(harness, accountId);
  const wish = { user_id: user, purpose: 'general', service_name: 'invite-service' };
  expect(await harness.refusal('account.allocate', wish)).toMatchObject({
    code: 'ALL_RESTRICTED',
    details: { counts: { disabled: 1 } },
  });
});

test('events come in order, without gaps, and never carry the text', async () => {
  const { accountId, holder } = await holdAccount(harness);
  const secret = 'Wendelin +4915112345678';
  const texts = [
    'FLOOD_WAIT_30',
    'FLOOD_WAIT_300',
    'whatever',
    'PEER_FLOOD',
    'USER_PRIVACY_RESTRICTED',
    'USER_DEACTIVATED',
  ];
  for (const name of texts) {
    await report(holder, { error_message: `${name} (${secret})`, context: { secret } });
    await report(holder, { error_type: name, error_message: secret, error_code: secret });
  }
  const events = await eventsOf(harness, accountId);
  expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_event, index) => index + 1));
  expect(events.map(({ type }) => type)).toEqual([
    'account.registered',
    'account.allocated',
    ...Array<string>(4).fill('account.flood_wait'),
    'account.blocked',
    'account.disabled',
  ]);
  const [{ stored } = { stored: '' }] = await harness.query<{ stored: string }>(
    `SELECT (SELECT string_agg(e::text, '') FROM events e WHERE account_id = $1) ||
      (SELECT string_agg(a::text, '') FROM answered_requests a WHERE operation = 'account.error') AS stored`,
    [accountId],
  );
  expect(stored).toContain('account.flood_wait');
  expect(stored).not.toContain('Wendelin');
  expect(stored).not.toContain('15112345678');
});

describe('who may report', () => {
  test('anybody on an account that nobody holds: it protects the account', async () => {
    const [account_id = ''] = await harness.registerAccounts(newUser(), 1);
    for (const claim of [{}, { service_name: 'invite-service' }]) {
      const reply = await harness.succeed('account.error', { account_id, ...claim, error_type: 'FLOOD_WAIT_300' });
      expect(reply.result.new_status).toBe('flood_wait');
    }
    const stale = { account_id, lease_id: randomUUID(), fence: 1, error_type: 'PEER_FLOOD' };
    expect((await harness.refusal('account.error', stale)).code).toBe('LEASE_LOST');
  });

  test.each([
    ['another service', { service_name: 'other' }, 'NOT_HELD'],
    ['an old fence', { service_name: 'invite-service', fence: 0 }, 'LEASE_LOST'],
    ['another lease', { lease_id: randomUUID() }, 'LEASE_LOST'],
  ])('not %s on an account that is held; it changes nothing', async (_who, claim, code) => {
    const { accountId } = await holdAccount(harness);
    const before = await rowsOf(harness, accountId);
    const body = { account_id: accountId, ...claim, error_type: 'PEER_FLOOD' };
    expect((await harness.refusal('account.error', body)).code).toBe(code);
    expect(await rowsOf(harness, accountId)).toEqual(before);
  });

  describe.each([
    ['was released', (holder: Holder) => harness.succeed('account.release', { ...holder, usage_stats: {} })],
    ['has expired', ({ account_id }: Holder) => letLeaseEnd(harness, account_id)],
    [
      'was given back with all others',
      () => harness.succeed('account.release-all', { service_name: 'invite-service' }),
    ],
  ])('the last holder, once its lease %s', (_how, end) => {
    test.each([
      ['FLOOD_WAIT_300', 'wait_started', 'flood_wait'],
      ['PEER_FLOOD', 'blocked', 'blocked'],
      ['USER_DEACTIVATED_BAN', 'disabled', 'disabled'],
      ['network_error', 'error_counted', 'active'],
    ])('with %s', async (error_type, action_taken, new_status) => {
      for (const claim of ['by lease and fence', 'by lease', 'by fence']) {
        const { accountId, holder } = await holdAccount(harness);
        await end(holder);
        const { lease_id, fence, ...named } = holder;
        const late = {
          ...named,
          ...(claim !== 'by fence' && { lease_id }),
          ...(claim !== 'by lease' && { fence }),
        };
        const { result } = await harness.succeed('account.error', { ...late, error_type });
        expect([claim, result.action_taken, result.new_status]).toEqual([claim, action_taken, new_status]);
        expect((await stateOf(accountId))?.status).toBe(new_status);
        const reports = await harness.query('SELECT lease_id FROM error_reports WHERE account_id = $1', [accountId]);
        expect(reports).toEqual([{ lease_id: claim === 'by fence' ? null : lease_id }]);
      }
    });

    test.each([
      ['under an old fence', { fence: 0 }, 'LEASE_LOST'],
      ['under a fence to come', { fence: 2 }, 'LEASE_LOST'],
      ['under another lease', { lease_id: randomUUID() }, 'LEASE_LOST'],
      ['by another service', { service_name: 'other' }, 'NOT_HELD'],
    ])('but not %s', async (_what, claim, code) => {
      const { accountId, holder } = await holdAccount(harness);
      await end(holder);
      const late = { ...holder, ...claim, error_type: 'PEER_FLOOD' };
      expect((await harness.refusal('account.error', late)).code).toBe(code);
      expect((await stateOf(accountId))?.status).toBe('active');
    });
  });

  test('nobody whose lease was not the last, though nobody holds the account now', async () => {
    const { user, accountId, holder } = await holdAccount(harness);
    await harness.succeed('account.release', { ...holder, usage_stats: {} });
    const wish = { user_id: user, purpose: 'general', service_name: 'other' };
    const { allocation } = await harness.succeed('account.allocate', wish);
    const { lease_id, fence } = allocation;
    const next = { account_id: accountId, service_name: 'other', lease_id, fence };
    await harness.succeed('account.release', { ...next, usage_stats: {} });
    const before = await rowsOf(harness, accountId);
    expect((await harness.refusal('account.error', { ...holder, error_type: 'PEER_FLOOD' })).code).toBe('LEASE_LOST');
    expect(await rowsOf(harness, accountId)).toEqual(before);
    expect((await report(next, { error_type: 'PEER_FLOOD' })).new_status).toBe('blocked');
  });

  test('not the holder of before', async () => {
    const { user, accountId, holder } = await holdAccount(harness);
    await letLeaseEnd(harness, accountId);
    await harness.succeed('account.allocate', { user_id: user, purpose: 'general', service_name: 'invite-service' });
    const before = await rowsOf(harness, accountId);
    expect((await harness.refusal('account.error', { ...holder, error_type: 'PEER_FLOOD' })).code).toBe('LEASE_LOST');
    expect(await rowsOf(harness, accountId)).toEqual(before);
  });
});

test('reply and history say what decided, in words of the table', async () => {
  const { accountId, holder } = await holdAccount(harness);
  const { evidence } = await report(holder, { error_message: '*acc 4* 400: PEER\\_FLOOD \\(token 4711\\)' });
  expect(evidence).toEqual({ decided_by: 'name', found: 'PEER_FLOOD' });
  const { entries } = await harness.succeed('query.history', { account_id: accountId });
  expect(entries.find(({ type }) => type === 'error.reported')?.details).toMatchObject(evidence);
});

test('a block ends when @SpamBot says, and a shorter one does not shorten it', async () => {
  const { accountId, holder } = await holdAccount(harness);
  const limited = 'Your account is now limited until 4 Jul 2099, 20:45 UTC.';
  const result = await report(holder, { error_message: limited });
  expect(result).toMatchObject({ classified_as: 'restricted', action_taken: 'blocked', new_status: 'blocked' });
  expect(result.recovery_time).toBe('2099-07-04T20:45:00.000Z');
  const again = await harness.succeed('account.error', {
    account_id: accountId,
    error_message: limited.replace('2099', '2098'),
  });
  expect(again.result).toMatchObject({ action_taken: 'none', recovery_time: '2099-07-04T20:45:00.000Z' });
});
