import path from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type OpenService, openService } from '../conformance/open-service.js';
import { findPython, runPython } from '../support/python.js';
import { telethonSession } from '../support/session-strings.js';

// The services that called the predecessor, with httpx as they do: see callers.py.

const PROGRAM = path.join(import.meta.dirname, 'callers.py');
const python = findPython(['httpx'], ['python3-httpx']);
/** Says so and does nothing where there is no Python and none may be installed. */
const withPython = python === null ? test.skip : test;

// Each scenario starts an interpreter.
jest.setTimeout(180_000);

interface Played {
  calls: { call: string; status: number; code?: string }[];
  result: Record<string, unknown>;
}

let open: OpenService;
let nextUser = 8_000_000;
beforeAll(async () => {
  open = await openService({ HTTP_HOST: '0.0.0.0', NETWORK_IS_TRUSTED: 'true' });
});
afterAll(() => open.close());

/** Plays a scenario of the program against the service. */
async function play(scenario: string, given: Record<string, unknown>): Promise<Played> {
  const baseUrl = `${open.service.httpUrl}/api/v1/account-manager`;
  return JSON.parse(await runPython(python ?? '', [PROGRAM, baseUrl, scenario, JSON.stringify(given)])) as Played;
}

/** A user with accounts; answers the ids in the order of registration. */
async function newFleet(size: number): Promise<{ user_id: number; ids: string[]; sessions: string[] }> {
  const user_id = nextUser++;
  const accounts = Array.from({ length: size }, (_, n) => ({
    user_id,
    phone: `+${user_id}${n}`,
    session_data: telethonSession(),
  }));
  const { reply } = await open.send('http', 'admin.register', { accounts });
  const registered = (reply as unknown as { accounts: { account_id: string }[] }).accounts;
  return {
    user_id,
    ids: registered.map(({ account_id }) => account_id),
    sessions: accounts.map(({ session_data }) => session_data),
  };
}

const statuses = ({ calls }: Played): string[] => calls.map(({ call, status }) => `${call} ${status}`);
const leased = async (ids: readonly string[]): Promise<number> => {
  const [row] = await open.query<{ count: number }>(
    'SELECT count(*)::int FROM telegram_sessions WHERE id = ANY($1::uuid[]) AND locked',
    [ids],
  );
  return row?.count ?? -1;
};

withPython('an invite campaign takes an account, invites, gives it back, and waits where a limit says so', async () => {
  const { user_id, ids } = await newFleet(2);
  const group = ' https://t.me/Invite_Group ';
  const first = await play('invite_batch', { user_id, group });
  expect(statuses(first)).toEqual([
    'GET accounts 200',
    'POST allocate 200',
    'POST rate-limit 200',
    'POST rate-limit 200',
    'POST release 200',
  ]);
  expect(first.result).toMatchObject({ counts: [2, 2, 2], recorded: true, released: true });
  const used = String(first.result.account_id);
  // The campaign may use this account alone: it is within its cooldown now.
  const second = await play('invite_batch', { user_id, group, allowed: [used] });
  expect(second.result).toMatchObject({ account_id: used, released: true });
  expect(Number(second.result.wait)).toBeGreaterThan(0);
  expect(Number(second.result.wait)).toBeLessThanOrEqual(120);
  expect(await leased(ids)).toBe(0);
  const { reply } = await open.send('http', 'query.limits', { account_id: used });
  expect(reply).toMatchObject({
    status: { daily_limits: { invite: { used: 1 } }, per_channel_limits: { invite: { invite_group: { used: 1 } } } },
  });
});

withPython('a campaign invites from no account that it has excluded', async () => {
  const { user_id, ids } = await newFleet(3);
  const wish = { user_id, purpose: 'general', service_name: 'somebody', preferred_account_id: ids[1] };
  await open.send('http', 'account.allocate', wish);
  const played = await play('invite_batch', { user_id, group: '@group', allowed: [ids[1]] });
  expect(statuses(played)).toEqual(['POST allocate 409']);
  expect(played.calls[0]?.code).toBe('PREFERRED_UNAVAILABLE');
  expect(played.result.account_id).toBeNull();
  expect(await leased(ids)).toBe(1);
});

withPython('where no account may invite today one is had for any purpose, and given back', async () => {
  const { user_id, ids } = await newFleet(1);
  await open.query(
    `INSERT INTO usage_windows (account_id, action_type, day, day_count, last_action_at)
     VALUES ($1, 'invite', (now() AT TIME ZONE 'UTC')::date, 30, now() - interval '2 hours')`,
    [ids[0]],
  );
  const played = await play('invite_fallback', { user_id, group: '@group' });
  expect(played.calls.map(({ call, code }) => [call, code ?? null])).toEqual([
    ['GET accounts', null],
    ['POST allocate', 'ALL_LIMITED'],
    ['POST allocate', null],
    ['POST rate-limit', null],
    ['POST release', null],
  ]);
  const check = { allowed: false, reason: 'daily' };
  expect(played.result).toMatchObject({ account_id: ids[0], check, released: true });
  expect(await leased(ids)).toBe(0);
});

withPython('addresses that no version has served are answered so', async () => {
  const { user_id } = await newFleet(1);
  const played = await play('missing', { user_id });
  expect(played.calls.map(({ status, code }) => [status, code])).toEqual(Array(2).fill([404, 'UNKNOWN_OPERATION']));
  expect(played.result).toEqual({ available: null, health: null });
});

withPython('a cancelled campaign and every error of the invite worker leave no account leased', async () => {
  const cancelled = await newFleet(1);
  expect((await play('invite_cancelled', { user_id: cancelled.user_id })).result).toEqual({ released: true });
  const failed = await newFleet(5);
  const { result, calls } = await play('invite_errors', { user_id: failed.user_id });
  expect(result).toEqual({
    flood_wait: 'wait_started',
    peer_flood: 'blocked',
    deactivated: 'disabled',
    auth_key: 'disabled',
    blocked: 'error_counted',
  });
  expect(calls.every(({ status }) => status === 200)).toBe(true);
  expect(await leased([...cancelled.ids, ...failed.ids])).toBe(0);
});

withPython('the look for administrators’ rights sees all accounts, and has each of them in turn', async () => {
  const { user_id, ids } = await newFleet(3);
  await open.send('http', 'account.error', { account_id: ids[0], error_type: 'FLOOD_WAIT_300' });
  const { result } = await play('admin_rights', { user_id, group: 'https://t.me/+AbCdEfGhIjKlMn12' });
  const accounts = result.accounts as Record<string, unknown>[];
  expect(accounts.map(({ account_id }) => account_id)).toEqual(ids.toSorted());
  expect(accounts.find(({ account_id }) => account_id === ids[0])).toMatchObject({
    status: 'flood_wait',
    flood_wait_until: expect.any(String),
    blocked_until: null,
    phone: expect.any(String),
  });
  expect(result.aggregates).toMatchObject({ capacity_today_by_channel: 45, can_invite_in_channel_true: 2 });
  // Two that can be had, and the fallback.
  expect(result.released).toEqual([true, true, true]);
  expect(await leased(ids)).toBe(0);
});

withPython.each([
  'https://t.me/joinchat/AbCdEfGhIjKlMn12',
  ' https://t.me/s/channel ',
  'https://t.me/c/1234567890/5',
  '@channel',
  'https://web.telegram.org/k/#@channel',
])('a parsing task of %j checks, and gives its account back', async (link) => {
  const { user_id, ids, sessions } = await newFleet(1);
  const { result, calls } = await play('parse_task', { user_id, link });
  expect(calls.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(result).toMatchObject({ session: sessions[0], released: true });
  expect(result.check).toMatchObject({ allowed: true, details: { cooldown_remaining: 0 } });
  expect(await leased(ids)).toBe(0);
});

withPython('a parsing worker that failed leaves its accounts to release-all', async () => {
  const { user_id, ids } = await newFleet(4);
  const { result } = await play('parse_failures', { user_id });
  expect(result.taken).toEqual({
    unknown_error: expect.any(String),
    flood_wait: 'wait_started',
    peer_flood: 'blocked',
    auth_key_error: 'disabled',
  });
  expect(result.released_count).toBe(4);
  expect(await leased(ids)).toBe(0);
});

withPython('purposes that the predecessor refused are refused', async () => {
  const { user_id } = await newFleet(1);
  expect(statuses(await play('refused_purposes', { user_id }))).toEqual(Array(3).fill('POST allocate 422'));
});

withPython('the scripts find what they read', async () => {
  const { user_id, ids } = await newFleet(1);
  const { result, calls } = await play('scripts', { user_id });
  expect(calls.every(({ status }) => status === 200)).toBe(true);
  expect(result).toMatchObject({
    stats: { stats: { healthy_accounts: expect.any(Number) } },
    health: { health: { account_id: ids[0], is_healthy: true, issues: [] } },
    check: { allowed: true, checks: { daily: { limit: 30 } } },
    limits: { status: { per_channel_limits: { invite: { testchannel: { used: 1 } } } } },
    flood: { flood_wait_active: false },
    released: true,
    status: { total_accounts: expect.any(Number), locked_by_service: expect.any(Object) },
  });
});

withPython('an operator’s calls with their fields in the query string', async () => {
  const { ids } = await newFleet(1);
  await open.send('http', 'account.error', { account_id: ids[0], error_type: 'FLOOD_WAIT_300' });
  const { result, calls } = await play('maintenance', { account_id: ids[0] });
  expect(calls.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  expect(result.schedule).toMatchObject({ status: 'flood_wait', recovery_time: '2030-01-01T00:00:00.000Z' });
  for (const job of ['recoveries', 'reset', 'cleanup']) expect(result[job]).toMatchObject({ success: true });
});

test('they come from other machines: the network is trusted, which is said loudly and in query.status', async () => {
  expect(open.service.log()).toMatch(/"level":"warn".*IDENTITY IS OFF/);
  expect(open.service.log()).toMatch(/"level":"warn".*THE NETWORK IS TRUSTED/);
  const other = open.service.httpUrl.replace('127.0.0.1', '127.0.0.2');
  const response = await fetch(`${other}/api/v1/account-manager/status`);
  expect(await response.json()).toMatchObject({ success: true, identity: 'off', network_is_trusted: true });
});

test.each(['amqp', 'http'] as const)('over %s an import may have 4 MiB, and no other request', async (door) => {
  const user_id = nextUser++;
  const account = (n: number) => ({
    user_id,
    phone: `+${user_id}${String(n).padStart(4, '0')}`,
    session_data: telethonSession(),
    metadata: { note: 'x'.repeat(3_000) },
  });
  const accounts = Array.from({ length: 1_000 }, (_, n) => account(n));
  // One bad text must not keep the others out either.
  accounts[7] = { ...account(7), metadata: { note: 'NUL \0' } };
  const { reply } = await open.send(door, 'admin.register', { accounts });
  const outcomes = (reply as unknown as { accounts: { outcome: string; field?: string }[] }).accounts;
  expect(outcomes.filter(({ outcome }) => outcome === 'created')).toHaveLength(999);
  expect(outcomes[7]).toMatchObject({ outcome: 'rejected', field: 'metadata' });
  const tooLarge = { accounts: [{ ...account(0), metadata: { note: 'x'.repeat(4 * 1024 * 1024) } }] };
  expect((await open.send(door, 'admin.register', tooLarge)).reply).toMatchObject({
    error: { code: 'MALFORMED_MESSAGE', message: expect.stringMatching(/4194304 bytes/) },
  });
  const other = { account_id: '00000000-0000-4000-8000-000000000000', error_message: 'x'.repeat(300_000) };
  expect((await open.send(door, 'account.error', other)).reply).toMatchObject({
    error: { code: 'MALFORMED_MESSAGE', message: expect.stringMatching(/262144 bytes/) },
  });
});
