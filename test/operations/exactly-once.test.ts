import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { OperationName } from '../../contracts/operations.js';
import type { Dispatch, IncomingRequest, Reply } from '../../src/requests/request.js';
import { openPool } from '../support/database.js';
import { eventsOf, holdAccount, letLeaseEnd, newUser, rowsOf } from '../support/held-account.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';
import { requestOf } from '../support/request-of.js';
import { telethonSession } from '../support/session-strings.js';

let harness: OperationsHarness;
let another: Dispatch;
beforeAll(async () => {
  harness = await startOperations();
  another = harness.another();
});
afterAll(() => harness.close());

const noUsage = { invites_sent: 0, messages_sent: 0, contacts_added: 0, success: true };

/** Sends the same request `times` times at once, to both processes in turn. */
const repeat = (times: number, request: IncomingRequest): Promise<Reply[]> =>
  Promise.all(Array.from({ length: times }, (_, index) => (index % 2 === 0 ? harness.dispatch : another)(request)));

interface Case {
  body: Record<string, unknown>;
  /** The account whose events tell of the effect. */
  accountId: string;
  /** The event that tells of it; null: none does. */
  event: string | null;
}

/** Each operation that changes state, ready to be sent. */
const cases: [OperationName, () => Promise<Case>][] = [
  [
    'account.allocate',
    async () => {
      const user = newUser();
      const [accountId = ''] = await harness.registerAccounts(user, 1);
      const body = { user_id: user, purpose: 'general', service_name: 'invite-service' };
      return { body, accountId, event: 'account.allocated' };
    },
  ],
  [
    'account.renew',
    async () => {
      const { accountId, holder } = await holdAccount(harness);
      return { body: holder, accountId, event: 'account.renewed' };
    },
  ],
  [
    'account.release',
    async () => {
      const { accountId, holder } = await holdAccount(harness);
      return {
        body: { ...holder, usage_stats: { ...noUsage, invites_sent: 3 } },
        accountId,
        event: 'account.released',
      };
    },
  ],
  [
    'account.error',
    async () => {
      const { accountId, holder } = await holdAccount(harness);
      return { body: { ...holder, error_type: 'FLOOD_WAIT_300' }, accountId, event: 'account.flood_wait' };
    },
  ],
  [
    'action.acquire',
    async () => {
      const { accountId, holder } = await holdAccount(harness);
      return { body: { ...holder, action_type: 'parse' }, accountId, event: null };
    },
  ],
  [
    'action.record',
    async () => {
      const { accountId } = await holdAccount(harness);
      return { body: { account_id: accountId, action_type: 'parse' }, accountId, event: null };
    },
  ],
  [
    'admin.register',
    async () => {
      const { user, accountId, allocation } = await holdAccount(harness);
      const accounts = [{ user_id: user, phone: allocation.phone, session_data: telethonSession() }];
      return { body: { accounts }, accountId, event: 'account.registered' };
    },
  ],
];

describe('a hundred repeats through two processes have one effect, one event and one answer', () => {
  test.each(cases)('%s', async (operation, prepare) => {
    const { body, accountId, event } = await prepare();
    const before = await rowsOf(harness, accountId);
    const request = requestOf(operation, body);
    const replies = await repeat(100, request);
    expect(replies[0]?.success).toBe(true);
    for (const reply of replies) expect(reply).toEqual(replies[0]);

    const after = await rowsOf(harness, accountId);
    const added = (table: string) => (after[table]?.length ?? 0) - (before[table]?.length ?? 0);
    expect(added('events')).toBe(event === null ? 0 : 1);
    if (event !== null) expect((await eventsOf(harness, accountId)).at(-1)?.type).toBe(event);
    if (operation.startsWith('action.')) expect(added('counted_actions')).toBe(1);
    if (operation === 'account.release') expect(after.counted_actions).toMatchObject([{ row: { quantity: 3 } }]);

    // A later repeat, too, and from then on nothing has moved.
    expect(await another(request)).toEqual(replies[0]);
    expect(await rowsOf(harness, accountId)).toEqual(after);
    const stored = await harness.query('SELECT 1 FROM answered_requests WHERE message_id = $1', [request.messageId]);
    expect(stored).toHaveLength(1);
  });
});

describe('a repeated request', () => {
  test('is known by its caller, its message id and the meaning of its body, not by the spelling', async () => {
    const { accountId } = await holdAccount(harness);
    const messageId = randomUUID();
    const send = (body: Record<string, unknown>, caller: string | null = null) =>
      harness.call('action.record', body, { messageId, caller });
    const body = { account_id: accountId, action_type: 'parse', target_channel_id: '@Foo' };
    const first = await send(body);
    const spelled = {
      success: true,
      target_channel_id: 'https://t.me/foo',
      permit_id: null,
      action_type: 'parse',
      account_id: accountId.toUpperCase(),
    };
    expect(await send(spelled)).toEqual(first);
    expect(await send({ ...body, target_channel_id: 'bar' })).toMatchObject({
      success: false,
      error: { code: 'IDEMPOTENCY_CONFLICT' },
    });
    // Another caller's ids are its own.
    expect(await send(body, 'other-login')).toMatchObject({ success: true });
    const { counted_actions } = await rowsOf(harness, accountId);
    expect(counted_actions).toHaveLength(2);
  });

  test('is another request under another operation', async () => {
    const { accountId, holder } = await holdAccount(harness);
    const messageId = randomUUID();
    const body = { account_id: accountId, action_type: 'parse' };
    const replies = await Promise.all([
      harness.call('action.acquire', body, { messageId }),
      harness.call('action.record', body, { messageId }),
      another(requestOf('account.renew', holder, { messageId })),
    ]);
    expect(replies.filter(({ success }) => success)).toHaveLength(1);
    for (const reply of replies)
      if (!reply.success) expect(reply.error).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
  });

  test('different bodies at once: one is done, the others are in conflict', async () => {
    const { accountId } = await holdAccount(harness);
    const messageId = randomUUID();
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, index) => {
        const body = { account_id: accountId, action_type: 'parse', target_channel_id: `channel_${index}` };
        return (index % 2 === 0 ? harness.dispatch : another)(requestOf('action.record', body, { messageId }));
      }),
    );
    expect(replies.filter(({ success }) => success)).toHaveLength(1);
    const { counted_actions } = await rowsOf(harness, accountId);
    expect(counted_actions).toHaveLength(1);
  });
});

describe('a refusal is remembered too', () => {
  test('ALL_BUSY stays ALL_BUSY under its message id, though an account is free by now', async () => {
    const { user, holder } = await holdAccount(harness);
    const request = requestOf('account.allocate', { user_id: user, purpose: 'general', service_name: 'other' });
    const [first] = await repeat(10, request);
    expect(first).toMatchObject({ success: false, error: { code: 'ALL_BUSY' } });
    await harness.succeed('account.release', { ...holder, usage_stats: noUsage });
    expect(await harness.dispatch(request)).toEqual(first);
    expect(await harness.dispatch({ ...request, messageId: randomUUID() })).toMatchObject({ success: true });
  });

  test.each([
    ['account.release', { usage_stats: noUsage }, 'NOT_HELD'],
    ['action.acquire', { action_type: 'parse' }, 'NOT_HELD'],
    ['account.renew', {}, 'NOT_HELD'],
    ['action.record', { action_type: 'parse', permit_id: randomUUID() }, 'VALIDATION_FAILED'],
  ] as const)('%s', async (operation, body, code) => {
    const { accountId, holder } = await holdAccount(harness);
    const claim = operation === 'action.record' ? { account_id: accountId } : { ...holder, service_name: 'other' };
    const request = requestOf(operation, { ...claim, ...body });
    const [first] = await repeat(4, request);
    expect(first).toMatchObject({ success: false, error: { code } });
    await harness.query(`UPDATE leases SET service_name = 'other' WHERE account_id = $1`, [accountId]);
    expect(await harness.dispatch(request)).toEqual(first);
  });
});

describe('replies that may not be remembered', () => {
  test('a repeat of a grant gets the session and the metadata again only while the lease lives', async () => {
    const user = newUser();
    const metadata = { proxy: 'socks5://one:secret@proxy.internal', labels: ['old', { country: 'de' }] };
    const account = { user_id: user, phone: `+888${user}000`, session_data: telethonSession(), metadata };
    await harness.succeed('admin.register', { accounts: [account] });
    const request = requestOf('account.allocate', { user_id: user, purpose: 'general', service_name: 'one' });
    type Granted = { allocation: { account_id: string; session_data: string | null; phone: string } };
    const first = (await harness.dispatch(request)) as unknown as Granted;
    expect(first.allocation.session_data).toMatch(/^1/);
    expect(first.allocation).toMatchObject({ metadata });
    expect(first.allocation).not.toHaveProperty('ended_at');
    expect(await harness.dispatch(request)).toEqual(first);
    const stored = await harness.query('SELECT reply FROM answered_requests WHERE message_id = $1', [
      request.messageId,
    ]);
    expect(JSON.stringify(stored)).not.toMatch(/secret|proxy/);
    const { account_id } = first.allocation;
    const { released_at } = await harness.succeed('account.release', {
      account_id,
      service_name: 'one',
      usage_stats: noUsage,
    });
    const over = { ...first.allocation, session_data: null, phone: '', metadata: {}, ended_at: released_at };
    expect(((await another(request)) as unknown as Granted).allocation).toEqual(over);
    await harness.succeed('account.allocate', { user_id: user, purpose: 'general', service_name: 'two' });
    expect(((await another(request)) as unknown as Granted).allocation).toEqual(over);
  });

  test('a repeat of a grant tells the end of a lease that has expired, met or not yet', async () => {
    const user = newUser();
    const [accountId = ''] = await harness.registerAccounts(user, 1);
    const request = requestOf('account.allocate', { user_id: user, purpose: 'general', service_name: 'one' });
    await harness.dispatch(request);
    await letLeaseEnd(harness, accountId);
    const endedAt = async () => {
      const { allocation } = (await harness.dispatch(request)) as unknown as { allocation: { ended_at?: string } };
      return allocation.ended_at;
    };
    const unmet = await endedAt();
    expect(Date.parse(unmet ?? '')).toBeLessThan(Date.now());
    await harness.succeed('account.allocate', { user_id: user, purpose: 'general', service_name: 'two' });
    expect(await endedAt()).toBe(unmet);
    // Not even the lease is known any more.
    await harness.query('DELETE FROM leases WHERE account_id = $1 AND ended_at IS NOT NULL', [accountId]);
    expect(await endedAt()).toMatch(/Z$/);
  });

  test('a request past its deadline has no effect and is not remembered', async () => {
    const { accountId, holder } = await holdAccount(harness);
    const before = await rowsOf(harness, accountId);
    const messageId = randomUUID();
    const late = requestOf('account.renew', holder, { messageId, deadlineAt: Date.now() - 1_000 });
    for (const reply of await repeat(4, late))
      expect(reply).toMatchObject({ success: false, error: { code: 'DEADLINE_EXCEEDED', retryable: true } });
    expect(await harness.call('action.check', { account_id: accountId, action_type: 'parse' }, late)).toMatchObject({
      error: { code: 'DEADLINE_EXCEEDED' },
    });
    expect(await rowsOf(harness, accountId)).toEqual(before);
    const inTime = { ...late, deadlineAt: Date.now() + 60_000 };
    const done = await harness.dispatch(inTime);
    expect(done).toMatchObject({ success: true });
    // A request done in time is answered as such, however late the repeat.
    expect(await harness.dispatch(late)).toEqual(done);
  });

  test('a time to live is over when it is, however wrong this machine’s clock is', async () => {
    const { holder } = await holdAccount(harness);
    jest.spyOn(Date, 'now').mockReturnValue(Date.now() - 3_600_000);
    try {
      const replies = await Promise.all(
        [-1, 60_000].map((ms) =>
          harness.dispatch(requestOf('account.renew', holder, { expiresAt: performance.now() + ms })),
        ),
      );
      expect(replies.map(({ success }) => success)).toEqual([false, true]);
    } finally {
      jest.restoreAllMocks();
    }
  });

  test('late and timely requests in one batch are told apart', async () => {
    const { holder } = await holdAccount(harness);
    const replies = await Promise.all(
      [-1_000, 60_000, -1_000, 60_000].map((inMs) =>
        harness.dispatch(requestOf('account.renew', holder, { deadlineAt: Date.now() + inMs })),
      ),
    );
    expect(replies.map(({ success }) => success)).toEqual([false, true, false, true]);
  });
});

describe('one bad item in a batch', () => {
  /** A counter at the end of its column: one more does not fit. */
  async function poison(accountId: string): Promise<void> {
    await harness.query(
      `INSERT INTO usage_windows (account_id, action_type, day, day_count) VALUES ($1, 'invite', CURRENT_DATE, 2147483647)
       ON CONFLICT (account_id, action_type) DO UPDATE SET day_count = EXCLUDED.day_count`,
      [accountId],
    );
  }

  test('is answered INTERNAL alone, is not remembered, and changes nothing', async () => {
    const bad = await holdAccount(harness);
    await poison(bad.accountId);
    const good = await Promise.all(Array.from({ length: 5 }, () => holdAccount(harness)));
    const before = await rowsOf(harness, bad.accountId);
    const record = (accountId: string) => requestOf('action.record', { account_id: accountId, action_type: 'invite' });
    const badRequest = record(bad.accountId);
    const requests = [...good.slice(0, 2).map(({ accountId }) => record(accountId)), badRequest];
    requests.push(...good.slice(2).map(({ accountId }) => record(accountId)));
    const replies = await Promise.all(requests.map(harness.dispatch));
    expect(replies.map((reply) => (reply.success ? 'done' : reply.error.code))).toEqual([
      'done',
      'done',
      'INTERNAL',
      'done',
      'done',
      'done',
    ]);
    expect(replies[2]).toMatchObject({ error: { retryable: true, details: { error_id: expect.any(String) } } });
    expect(await rowsOf(harness, bad.accountId)).toEqual(before);
    for (const { accountId } of good) expect((await rowsOf(harness, accountId)).counted_actions).toHaveLength(1);

    await harness.query('UPDATE usage_windows SET day_count = 0 WHERE account_id = $1', [bad.accountId]);
    expect(await harness.dispatch(badRequest)).toMatchObject({ success: true });
  });

  test('whose account somebody keeps locked is UNAVAILABLE, and its neighbours are served meanwhile', async () => {
    const bad = await holdAccount(harness);
    const good = await Promise.all(Array.from({ length: 5 }, () => holdAccount(harness)));
    const before = await rowsOf(harness, bad.accountId);
    const requests = [bad, ...good].map(({ holder }) =>
      requestOf('action.acquire', { ...holder, action_type: 'parse' }),
    );
    const operator = openPool(harness.databaseUrl);
    const psql = await operator.connect();
    try {
      await psql.query('BEGIN');
      await psql.query('SELECT 1 FROM telegram_sessions WHERE id = $1 FOR UPDATE', [bad.accountId]);
      const replies = await Promise.all(requests.map(harness.dispatch));
      expect(replies.map((reply) => (reply.success ? 'done' : reply.error.code))).toEqual([
        'UNAVAILABLE',
        ...good.map(() => 'done'),
      ]);
    } finally {
      await psql.query('ROLLBACK');
      psql.release();
      await operator.end();
    }
    expect(await rowsOf(harness, bad.accountId)).toEqual(before);
    expect(await harness.dispatch(requests[0]!)).toMatchObject({ success: true, allowed: true });
  });

  test('a fence that was set back cannot be granted twice: INTERNAL, and the neighbours are served', async () => {
    const bad = await holdAccount(harness);
    await harness.succeed('account.release', { ...bad.holder, usage_stats: noUsage });
    await harness.query('UPDATE telegram_sessions SET fence = 0 WHERE id = $1', [bad.accountId]);
    const goodUser = newUser();
    await harness.registerAccounts(goodUser, 1);
    const replies = await Promise.all(
      [bad.user, goodUser].map((user_id) =>
        harness.call('account.allocate', { user_id, purpose: 'general', service_name: 'invite-service' }),
      ),
    );
    expect(replies.map((reply) => (reply.success ? 'done' : reply.error.code))).toEqual(['INTERNAL', 'done']);
    const open = await harness.query('SELECT 1 FROM leases WHERE account_id = $1 AND ended_at IS NULL', [
      bad.accountId,
    ]);
    expect(open).toEqual([]);
    // The lock it took on the way is given back: the account can be granted as soon as it is mended.
    await harness.query('UPDATE telegram_sessions SET fence = 1 WHERE id = $1', [bad.accountId]);
    const wish = { user_id: bad.user, purpose: 'general', service_name: 'invite-service' };
    expect((await harness.succeed('account.allocate', wish)).allocation.fence).toBe(2);
  });
});
