import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { createRecentEvents } from '../../src/store/history/recent-events.js';
import { createOutboxRelay } from '../../src/broker/outbox-relay.js';
import { loadAnsweredRequests } from '../../src/store/history/answered-requests.js';
import { lockCandidates } from '../../src/store/accounts/claim-candidates.js';
import { applyChanges, noChanges } from '../../src/store/accounts/changes.js';
import { countAccounts } from '../../src/store/accounts/count-accounts.js';
import { createDatabase as connectDatabase, type Database, type Sql } from '../../src/store/database.js';
import { loadOutboxState } from '../../src/store/fleet/fleet-state.js';
import { loadAccountHeads } from '../../src/store/accounts/load-account-heads.js';
import { loadAccounts } from '../../src/store/accounts/load-accounts.js';
import { lockAccounts } from '../../src/store/accounts/locks.js';
import { loadHistory } from '../../src/store/history/load-history.js';
import { loadCountedInLeases } from '../../src/store/accounts/load-counted-in-leases.js';
import { loadPermits } from '../../src/store/accounts/load-permits.js';
import { loadGranted } from '../../src/store/sessions/load-granted.js';
import { loadSessions } from '../../src/store/sessions/load-sessions.js';
import { loadEveryChannel, loadNamedChannels, loadWindows } from '../../src/store/accounts/load-windows.js';
import { removeChannelUsage } from '../../src/store/history/remove-old.js';
import { findKnownAccounts } from '../../src/store/accounts/register-accounts.js';
import { createLog } from '../../src/telemetry/log.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { captureStatements, explain, type QueryPlan, type SentStatement, toLiteral } from '../support/query-plans.js';

/** Has 40,000 of the 100,000 accounts; users 2 to 601 have 100 each. */
const BIG_USER = 1;
/** Has 500 more, all of them leased or waiting. */
const BUSY_USER = 1000;
const FREE_OF_BIG_USER = 800;

let testDatabase: TestDatabase;
let database: Database;
let client: pg.Client;
let sample: { accounts: string[]; leases: string[]; permits: string[]; messages: string[]; phones: string[] };

beforeAll(async () => {
  testDatabase = await createDatabase();
  database = connectDatabase({ url: testDatabase.url, poolSize: 2, onConnectionError: () => {} });
  client = new pg.Client({ connectionString: testDatabase.url });
  await client.connect();
  await fill();
  sample = await takeSample();
});

afterAll(async () => {
  await client.end();
  await database.close();
  await testDatabase.drop();
});

/**
 * 85 % of each user's accounts are leased, 10 % wait, 1 % is disabled, 2 % are free. The lease of 1 % is over, and so
 * is the wait of 1 %. The first account of the sample has 10,000 channels.
 */
async function fill(): Promise<void> {
  await client.query(`SET session_replication_role = replica;
    INSERT INTO telegram_sessions (id, user_id, phone, session_data, session_key_id, session_fingerprint, is_active,
      status, disabled_reason, flood_wait_until, blocked_until, locked, locked_by, locked_until, lease_id, fence, last_used_at)
    SELECT gen_random_uuid(), user_id, '+' || i, '\\x00', 'key', 'fingerprint ' || i,
      kind <> 95,
      (CASE WHEN kind = 95 THEN 'disabled' WHEN NOT waits THEN 'active' WHEN i % 3 = 0 THEN 'blocked' ELSE 'flood_wait' END)::account_status,
      CASE WHEN kind = 95 THEN 'manual' END,
      CASE WHEN waits THEN ends END, CASE WHEN waits AND i % 3 = 0 THEN ends END,
      leased, CASE WHEN leased THEN 'service-' || i % 7 END, CASE WHEN leased THEN ends END,
      CASE WHEN leased THEN gen_random_uuid() END, 1,
      CASE WHEN i % 5 > 0 THEN now() - random() * interval '1 day' END
    FROM (SELECT i, user_id, kind, kind < 85 OR kind = 96 AS leased, kind BETWEEN 85 AND 94 OR kind = 97 AS waits,
        now() + CASE WHEN kind > 95 THEN -1 ELSE 1 END * (interval '1 minute' + random() * interval '1 hour') AS ends
      FROM (SELECT i, CASE WHEN i <= 40000 THEN ${BIG_USER} ELSE 2 + (i % 60000) / 100 END AS user_id, i % 100 AS kind
        FROM generate_series(1, 100000) i
        UNION ALL SELECT i, ${BUSY_USER}, i % 95 FROM generate_series(100001, 100500) i) numbered) kinds;
    INSERT INTO leases (id, account_id, user_id, service_name, purpose, fence, lock_value, allocated_at, expires_at)
    SELECT lease_id, id, user_id, locked_by, 'general', 1, 'lock ' || id, locked_until - interval '3 hours', locked_until
    FROM telegram_sessions WHERE locked AND user_id BETWEEN 2 AND 300;
    INSERT INTO leases (id, account_id, user_id, service_name, purpose, fence, lock_value, allocated_at, expires_at, ended_at, end_reason)
    SELECT gen_random_uuid(), id, user_id, 'past', 'general', 0, 'past lock ' || id, now() - interval '3 days', now() - interval '2 days',
      now() - interval '2 days', 'released'
    FROM telegram_sessions WHERE user_id BETWEEN 2 AND 100;
    INSERT INTO usage_windows (account_id, action_type, recent, burst_count, last_action_at, day, day_count)
    SELECT id, 'invite', ARRAY[now()], 1, now(), CURRENT_DATE, 1 FROM telegram_sessions WHERE user_id BETWEEN 2 AND 300;
    INSERT INTO channel_usage (account_id, action_type, channel, day, day_count, total)
    SELECT id, 'invite', 'channel_' || n, CURRENT_DATE, 1, 1 FROM telegram_sessions, generate_series(1, 2) n WHERE user_id BETWEEN 2 AND 200;
    INSERT INTO channel_usage (account_id, action_type, channel, day, day_count, total)
    SELECT id, (ARRAY['invite', 'message', 'parse'])[1 + n % 3], 'channel_' || n, CURRENT_DATE - n % 200, 1, 1
    FROM telegram_sessions, generate_series(1, 10000) n
    WHERE id = (SELECT id FROM telegram_sessions WHERE user_id BETWEEN 2 AND 300 ORDER BY id LIMIT 1);
    INSERT INTO counted_actions (id, account_id, lease_id, action_type, quantity, counted_at)
    SELECT gen_random_uuid(), id, lease_id, 'invite', 1, now() FROM telegram_sessions WHERE user_id BETWEEN 2 AND 300;
    INSERT INTO events (event_id, type, account_id, user_id, sequence, data, occurred_at)
    SELECT gen_random_uuid(), 'account.allocated', id, user_id, 1, '{}', now()
    FROM telegram_sessions WHERE user_id BETWEEN 2 AND 300;
    INSERT INTO events (event_id, type, account_id, user_id, sequence, data, occurred_at)
    SELECT gen_random_uuid(), 'account.renewed', id, user_id, n, '{}', now()
    FROM telegram_sessions, generate_series(2, 2000) n WHERE phone = '+41';
    INSERT INTO outbox SELECT id FROM events WHERE user_id = 7 AND sequence = 1;
    INSERT INTO counted_actions (id, account_id, action_type, quantity, counted_at, sequence, usage_version)
    SELECT gen_random_uuid(), id, 'parse', 1, now() - n * interval '1 second', 2 + n % 4, n
    FROM telegram_sessions, generate_series(1, 8000) n WHERE phone = '+41';
    INSERT INTO error_reports (account_id, sequence, reported_at, error_class, action_taken)
    SELECT id, n % 2000, now(), 'other', 'none' FROM telegram_sessions, generate_series(1, 2000) n WHERE phone = '+41';
    INSERT INTO answered_requests (caller, message_id, operation, body_hash, reply, answered_at)
    SELECT '', gen_random_uuid(), 'account.allocate', 'hash', '{}', now() FROM generate_series(1, 50000);
    ANALYZE;`);
}

async function takeSample() {
  const texts = async (query: string) => (await client.query<{ text: string }>(query)).rows.map(({ text }) => text);
  return {
    accounts: await texts(
      'SELECT id::text AS text FROM telegram_sessions WHERE user_id BETWEEN 2 AND 300 ORDER BY id LIMIT 100',
    ),
    phones: await texts(
      'SELECT phone AS text FROM telegram_sessions WHERE user_id BETWEEN 2 AND 300 ORDER BY id LIMIT 100',
    ),
    leases: await texts('SELECT id::text AS text FROM leases WHERE ended_at IS NULL ORDER BY id LIMIT 100'),
    permits: await texts('SELECT id::text AS text FROM counted_actions ORDER BY id LIMIT 100'),
    messages: await texts('SELECT message_id::text AS text FROM answered_requests ORDER BY message_id LIMIT 100'),
  };
}

/** The statement in which `run` names its table. */
async function statementOf(run: (sql: Sql) => Promise<unknown>, fragment: string): Promise<SentStatement> {
  const sent = await captureStatements(() => database.transaction(run));
  const statement = sent.find(({ text }) => text.includes(fragment));
  if (statement === undefined) throw new Error(`no statement contains ${fragment}`);
  return statement;
}

const seqScans = (plan: QueryPlan): string[] =>
  plan.nodes.flatMap((node) => (node['Node Type'] === 'Seq Scan' ? [node['Relation Name'] ?? ''] : []));

/** Fails with the plan where it scans a table, or fetches or touches more than it may. */
function expectBounded(plan: QueryPlan, bounds: { rows: number; blocks: number }): void {
  const tooMuch = {
    seqScans: seqScans(plan),
    rows: plan.rowsFetched > bounds.rows ? plan.rowsFetched : 'few',
    blocks: plan.blocks > bounds.blocks ? plan.blocks : 'few',
  };
  if (JSON.stringify(tooMuch) === JSON.stringify({ seqScans: [], rows: 'few', blocks: 'few' })) return;
  throw new Error(`${JSON.stringify({ tooMuch, bounds })}\n${plan.text}`);
}

const claim = (wanted: { userId: number; count: number }[], seen: string[] = []) =>
  statementOf((sql) => lockCandidates(sql, wanted, seen), 'FOR UPDATE SKIP LOCKED');

test('a claim walks the partial indexes, as far as it wants accounts', async () => {
  const { text, values } = await claim([{ userId: BIG_USER, count: 33 }]);
  const plan = await explain(client, text, values);
  expectBounded(plan, { rows: 250, blocks: 1_000 });
  const indexes = plan.nodes.flatMap((node) => node['Index Name'] ?? []);
  expect(indexes.sort()).toEqual(['free_accounts', 'free_accounts', 'leases_by_end', 'waits_by_end']);
});

test.each([
  ['of many users', Array.from({ length: 40 }, (_, index) => ({ userId: index + 2, count: 33 })), 400],
  ['of a user whose accounts are all leased or waiting', [{ userId: BUSY_USER, count: 33 }], 10],
  ['of more than there are', [{ userId: BIG_USER, count: 1_000 }], 2 * (FREE_OF_BIG_USER + 800)],
  ['of a user without accounts', [{ userId: 5_000, count: 33 }], 0],
])('a claim %s is bounded too', async (_what, wanted, rows) => {
  const { text, values } = await claim(wanted);
  expectBounded(await explain(client, text, values), { rows, blocks: 12 * rows + 200 });
});

/** The plan as the service gets it: under its settings, prepared, and (`generic`) made without looking at the values. */
async function explainPrepared({ text, values }: SentStatement): Promise<{ weighed: QueryPlan; generic: QueryPlan }> {
  const execute = `EXECUTE prepared${values.length > 0 ? `(${values.map(toLiteral).join(', ')})` : ''}`;
  const planning = await database.reader.$queryRaw<{ name: string; setting: string }[]>`
    SELECT name, setting FROM pg_settings WHERE source = 'client' AND category LIKE 'Query Tuning%'`;
  try {
    for (const { name, setting } of planning) await client.query(`SET ${name} = ${pg.escapeLiteral(setting)}`);
    await client.query(`PREPARE prepared AS ${text}`);
    // From the sixth run on PostgreSQL weighs the generic plan against planning anew.
    for (let run = 1; run <= 6; run++) await client.query(`BEGIN; ${execute}; ROLLBACK`);
    const weighed = await explain(client, execute);
    await client.query('SET plan_cache_mode = force_generic_plan');
    return { weighed, generic: await explain(client, execute) };
  } finally {
    await client.query('ROLLBACK; DEALLOCATE ALL; RESET ALL');
  }
}

test('a claim stays on its indexes when its plan is kept', async () => {
  const { weighed, generic } = await explainPrepared(await claim([{ userId: BIG_USER, count: 33 }]));
  expectBounded(weighed, { rows: 250, blocks: 1_000 });
  expectBounded(generic, { rows: 250, blocks: 1_000 });
});

test('accounts that were seen before are looked up by hash, however many they are', async () => {
  const { weighed, generic } = await explainPrepared(await claim([{ userId: BIG_USER, count: 33 }], sample.accounts));
  for (const { text } of [weighed, generic]) expect(text.match(/NOT \(?.*hashed SubPlan/g)).toHaveLength(4);
});

/** Two of the 10,000 channels that the first account has. */
const NAMED = ['channel_50', 'channel_7000'];
const inChannels = (accountIds: string[], channels: string[]) =>
  accountIds.flatMap((accountId) => channels.map((channel) => ({ accountId, channel })));

const hotQueries: [name: string, run: (sql: Sql) => Promise<unknown>, fragment: string][] = [
  ['lock by id', (sql) => lockAccounts(sql, sample.accounts), 'FOR UPDATE'],
  [
    'load by id',
    (sql) => loadAccounts(sql, { accountIds: sample.accounts, channels: ['channel_1'] }),
    'per_channel_invites',
  ],
  ['heads by id', (sql) => loadAccountHeads(sql, sample.accounts), 'usage_version'],
  ['sessions by id', (sql) => loadSessions(sql, sample.accounts), 'session_key_id'],
  ['secrets by lease', (sql) => loadGranted(sql, sample.leases), 'session_key_id'],
  ['windows by account', (sql) => loadWindows(sql, sample.accounts), 'usage_windows'],
  ['channels by account', (sql) => loadEveryChannel(sql, sample.accounts.slice(1)), 'channel_usage'],
  ['channels by name', (sql) => loadNamedChannels(sql, inChannels(sample.accounts, ['channel_1'])), 'channel_usage'],
  ['counted actions by lease', (sql) => loadCountedInLeases(sql, sample.accounts), 'counted_actions'],
  ['permits by id', (sql) => loadPermits(sql, sample.permits), 'counted_actions'],
  [
    'known accounts',
    (sql) => findKnownAccounts(sql, { phones: sample.phones, fingerprints: sample.phones, ids: sample.accounts }),
    'session_fingerprint',
  ],
  ['counts by user', (sql) => countAccounts(sql, [3], Date.now()), 'two_waits'],
  ['outbox', loadOutboxState, 'FROM outbox'],
  [
    'answered requests',
    (sql) =>
      loadAnsweredRequests(
        sql,
        sample.messages.map((messageId) => ({ caller: '', messageId })),
        { accountIds: sample.accounts, userIds: [] },
      ),
    'answered_requests',
  ],
];

test.each(hotQueries)('reading %s takes an index', async (_name, run, fragment) => {
  const statement = await statementOf(run, fragment);
  const { weighed, generic } = await explainPrepared(statement);
  for (const plan of [weighed, generic]) expectBounded(plan, { rows: 1_000, blocks: 3_000 });
});

test.each<[what: string, read: (sql: Sql, accountId: string) => Promise<unknown>, fragment: string]>([
  ['a batch', (sql, id) => loadAccounts(sql, { accountIds: [id], channels: NAMED }), 'per_channel_invites'],
  ['a check', (sql, id) => loadNamedChannels(sql, inChannels([id], NAMED)), 'channel_usage'],
])('however many channels an account has, %s reads few of them', async (_what, read, fragment) => {
  const [accountId = ''] = sample.accounts;
  const { weighed, generic } = await explainPrepared(await statementOf((sql) => read(sql, accountId), fragment));
  for (const plan of [weighed, generic]) expectBounded(plan, { rows: 110, blocks: 200 });
});

test('counters of channels that are kept long enough are found by their day', async () => {
  const remove = (sql: Sql) => removeChannelUsage(['message', 'parse'])(sql, Date.now() - 150 * 86_400_000, 100);
  const { weighed, generic } = await explainPrepared(await statementOf(remove, 'DELETE FROM channel_usage'));
  for (const plan of [weighed, generic]) expectBounded(plan, { rows: 2_500, blocks: 2_000 });
});

test.each([
  ['the newest', null],
  ['entries before a place', { sequence: 4, at: Date.now() - 1_000_000, kind: 1, number: 7 }],
])('a page of an account with a long history is bounded: %s', async (_which, before) => {
  const [account] = (await client.query<{ id: string }>(`SELECT id::text FROM telegram_sessions WHERE phone = '+41'`))
    .rows;
  const page = { accountId: account?.id ?? '', kinds: ['event', 'action', 'error'] as const, before, limit: 101 };
  const statement = await statementOf((sql) => loadHistory(sql, page), 'counted_actions');
  const { weighed, generic } = await explainPrepared(statement);
  for (const plan of [weighed, generic]) expectBounded(plan, { rows: 320, blocks: 1_000 });
});

test('the relay reads the outbox by its index', async () => {
  const sent = await captureStatements(async () => {
    let read = () => {};
    const hasRead = new Promise<void>((resolve) => (read = resolve));
    const publish = () => {
      read();
      return Promise.reject(new Error('away'));
    };
    const log = createLog({ level: 'error', instance: 'test' });
    const relay = createOutboxRelay({
      databaseUrl: testDatabase.url,
      publisher: { publish },
      recentEvents: createRecentEvents(),
      log,
    });
    relay.start();
    await hasRead;
    await relay.stop();
  });
  const statement = sent.find(({ text }) => text.includes('FROM outbox'));
  expect(statement).toBeDefined();
  // As in the relay's own session.
  await client.query('SET enable_seqscan = off');
  const plan = await explain(client, statement?.text ?? '', statement?.values);
  await client.query('RESET enable_seqscan');
  expectBounded(plan, { rows: 500, blocks: 600 });
});

test('writing a batch takes indexes', async () => {
  const sent = await captureStatements(() =>
    database
      .transaction(async (sql) => {
        await lockAccounts(sql, sample.accounts);
        const { now, accounts } = await loadAccounts(sql, { accountIds: sample.accounts, channels: ['channel_1'] });
        const changes = noChanges();
        for (const account of accounts.values()) {
          changes.accounts.add(account);
          changes.windows.set(account, new Set(['invite']));
          changes.channels.set(account, new Set([{ actionType: 'invite', channel: 'channel_1' }]));
          const { lease, accountId, userId } = account;
          if (lease === null) continue;
          // A lease that has ended is not prolonged.
          if (changes.leasesExtended.length < 40) changes.leasesExtended.push({ accountId, lease });
          else changes.leasesEnded.push({ accountId, userId, lease, reason: 'released', at: now });
        }
        changes.permitsSettled.push(...sample.permits.map((permitId) => ({ permitId, success: true })));
        await applyChanges(sql, changes, now);
        throw new Error('taken back');
      })
      .catch(() => {}),
  );
  const writes = sent.filter(({ text }) => /UPDATE|INSERT/.test(text) && !text.includes('FOR UPDATE'));
  expect(writes).toHaveLength(1);
  expect(writes[0]?.text.match(/(UPDATE|INSERT INTO) (?!SET)\w+/g)).toHaveLength(6);
  for (const statement of writes) {
    const { weighed, generic } = await explainPrepared(statement);
    for (const plan of [weighed, generic]) expectBounded(plan, { rows: 1_000, blocks: 10_000 });
  }
});

test('the bounds can fail: without its index a claim reads the leased accounts', async () => {
  const { text, values } = await claim([{ userId: BIG_USER, count: 33 }]);
  await client.query('SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off');
  const plan = await explain(client, text, values);
  await client.query('RESET enable_indexscan; RESET enable_bitmapscan; RESET enable_indexonlyscan');
  expect(() => expectBounded(plan, { rows: 250, blocks: 1_000 })).toThrow(/telegram_sessions/);
});
