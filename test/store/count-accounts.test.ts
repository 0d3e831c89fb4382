import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import pg from 'pg';
import { type AccountCounts, countAccounts } from '../../src/store/accounts/count-accounts.js';
import { createDatabase as connectDatabase, type Database } from '../../src/store/database.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { captureStatements, explain } from '../support/query-plans.js';

let testDatabase: TestDatabase;
let database: Database;
let client: pg.Client;
let nextUser = 1;

beforeAll(async () => {
  testDatabase = await createDatabase();
  database = connectDatabase({ url: testDatabase.url, poolSize: 1, onConnectionError: () => {} });
  client = new pg.Client({ connectionString: testDatabase.url });
  await client.connect();
});

afterAll(async () => {
  await client.end();
  await database.close();
  await testDatabase.drop();
});

const NOW = Date.parse('2026-03-02T12:00:00.000Z');

/** Milliseconds from now; several ends fall on the instant itself, which is over by then. */
const end = fc.constantFrom(-5_000, -1, 0, 1, 7_000, 9_000);
const account = fc
  .record({
    status: fc.constantFrom('active', 'flood_wait', 'blocked', 'draining', 'disabled'),
    lease: fc.option(end, { nil: null }),
    flood: fc.option(end, { nil: null }),
    block: fc.option(end, { nil: null }),
  })
  // As the table's constraints have it.
  .map(({ status, lease, flood, block }) => ({
    status,
    lease,
    flood: status === 'active' ? null : status === 'flood_wait' ? (flood ?? 1) : flood,
    block: status === 'active' ? null : status === 'blocked' ? (block ?? 1) : block,
  }));
type Account = typeof account extends fc.Arbitrary<infer T> ? T : never;

/** How an account stands, by the sentences of `AccountCounts`. */
function stateOf({
  status,
  lease,
  flood,
  block,
}: Account): 'leased' | 'floodWait' | 'blocked' | 'draining' | 'disabled' | 'free' {
  const goesOn = (end: number | null) => end !== null && end > 0;
  if (status === 'draining' || status === 'disabled') return status;
  if (goesOn(block)) return 'blocked';
  if (goesOn(flood)) return 'floodWait';
  return goesOn(lease) ? 'leased' : 'free';
}

function count(accounts: readonly Account[]): AccountCounts {
  const inState = (...states: string[]) => accounts.filter((one) => states.includes(stateOf(one)));
  const first = (ends: readonly number[]) => (ends.length === 0 ? null : NOW + Math.min(...ends));
  return {
    total: accounts.length,
    leased: inState('leased').length,
    floodWait: inState('floodWait').length,
    blocked: inState('blocked').length,
    draining: inState('draining').length,
    disabled: inState('disabled').length,
    free: inState('free').length,
    earliestLeaseEndAt: first(inState('leased').map(({ lease }) => lease ?? 0)),
    earliestRecoveryAt: first(
      inState('floodWait', 'blocked').map(({ flood, block }) => Math.max(flood ?? 0, block ?? 0)),
    ),
  };
}

async function store(user: number, accounts: readonly Account[]): Promise<void> {
  const instant = (ms: number | null) => (ms === null ? null : new Date(NOW + ms).toISOString());
  const rows = accounts.map(({ status, lease, flood, block }) => ({
    id: randomUUID(),
    status,
    locked_until: instant(lease),
    flood_wait_until: instant(flood),
    blocked_until: instant(block),
  }));
  await client.query(
    `INSERT INTO telegram_sessions (id, user_id, session_data, session_key_id, session_fingerprint, status, is_active,
       disabled_reason, locked, locked_by, lease_id, locked_until, flood_wait_until, blocked_until)
     SELECT id, $1, '\\x00', 'key', id, status, status <> 'disabled', CASE WHEN status = 'disabled' THEN 'manual' END,
       locked_until IS NOT NULL, CASE WHEN locked_until IS NOT NULL THEN 'service' END,
       CASE WHEN locked_until IS NOT NULL THEN id END, locked_until, flood_wait_until, blocked_until
     FROM jsonb_to_recordset($2) AS r(id uuid, status account_status, locked_until timestamptz,
       flood_wait_until timestamptz, blocked_until timestamptz)`,
    [user, JSON.stringify(rows)],
  );
}

test('accounts are counted by what keeps them from being granted, whatever is stored', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(account, { minLength: 1, maxLength: 40 }), async (accounts) => {
      const user = nextUser++;
      await store(user, accounts);
      const counts = await countAccounts(database.reader, [user, user + 1_000_000], NOW);
      expect([...counts]).toEqual([[user, count(accounts)]]);
    }),
    { numRuns: 100 },
  );
});

test('the accounts of a user with very many are counted from indexes', async () => {
  const user = 2_000_000;
  await client.query(
    `INSERT INTO telegram_sessions (id, user_id, session_data, session_key_id, session_fingerprint, status, flood_wait_until,
       locked, locked_by, locked_until, lease_id)
     SELECT gen_random_uuid(), $1, '\\x00', 'key', 'many ' || n,
       (CASE WHEN n % 3 = 0 THEN 'flood_wait' ELSE 'active' END)::account_status,
       CASE WHEN n % 3 = 0 THEN now() + interval '1 hour' END, n % 3 = 1, CASE WHEN n % 3 = 1 THEN 'service' END,
       CASE WHEN n % 3 = 1 THEN now() + interval '1 hour' END, CASE WHEN n % 3 = 1 THEN gen_random_uuid() END
     FROM generate_series(1, 9000) n`,
    [user],
  );
  await client.query('VACUUM ANALYZE telegram_sessions');
  await client.query('SET enable_seqscan = off');
  const [sent] = await captureStatements(() => countAccounts(database.reader, [user], Date.now()));
  const { nodes } = await explain(client, sent?.text ?? '', sent?.values);
  const indexes = nodes.flatMap((node) => node['Index Name'] ?? []);
  expect(indexes.sort()).toEqual([
    'free_accounts',
    'leases_by_end',
    'leases_by_end',
    'telegram_sessions_user_id_status_idx',
    'two_waits_by_user',
    'waits_by_end',
    'waits_by_end',
  ]);
});
