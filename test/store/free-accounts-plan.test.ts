import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { lockCandidates } from '../../src/store/accounts/claim-candidates.js';
import { listFreeAccounts } from '../../src/store/accounts/list-free.js';
import { createDatabase as connectDatabase, type Database } from '../../src/store/database.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { captureStatements, explain, toLiteral } from '../support/query-plans.js';

/** Half of them have accounts that were all used, the other half accounts that never were. */
const USERS = 10;
const ACCOUNTS_OF_EACH = 5_000;
const WANTED = 5;
/** With so many counters of each account list-free.ts reads pages of so many accounts. */
const COUNTERS = 18;
const PAGE = 500;
const WANTED_OF_EACH = {
  windows: [{ action: 'invite' as const, hourlyLimit: 5 }],
  counters: Array.from({ length: COUNTERS }, (_, n) => ({ action: 'invite' as const, channel: `channel_${n}` })),
  blocksSince: 0,
};

let testDatabase: TestDatabase;
let database: Database;
let client: pg.Client;

beforeAll(async () => {
  testDatabase = await createDatabase();
  database = connectDatabase({ url: testDatabase.url, poolSize: 1, onConnectionError: () => {} });
  client = new pg.Client({ connectionString: testDatabase.url });
  await client.connect();
  await client.query(`
    INSERT INTO telegram_sessions (id, user_id, phone, session_data, session_key_id, session_fingerprint, last_used_at)
    SELECT gen_random_uuid(), i % ${USERS}, '+' || i, '\\x00', 'key', 'fingerprint ' || i,
      CASE WHEN i % ${USERS} < ${USERS / 2} THEN now() - i * interval '1 second' END
    FROM generate_series(1, ${USERS * ACCOUNTS_OF_EACH}) i`);
  await client.query('VACUUM ANALYZE telegram_sessions');
  // As in the service's own session.
  await client.query('SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan');
});

afterAll(async () => {
  await client.end();
  await database.close();
  await testDatabase.drop();
});

// A user all of whose accounts have been used has none that come first: the search for these must end at once. By the
// index of accounts by status it went through the active accounts of the whole fleet, for each user of each batch.
test('a claim looks at no account of other users, though the user has none that was never used', async () => {
  const wanted = Array.from({ length: 5 }, (_, userId) => ({ userId, count: WANTED }));
  const sent = await captureStatements(() => database.transaction((sql) => lockCandidates(sql, wanted, [])));
  const claim = sent.find(({ text }) => text.includes('FOR UPDATE SKIP LOCKED'));
  expect(claim).toBeDefined();
  await client.query(`PREPARE claim AS ${claim?.text}`);
  const plan = await explain(client, `EXECUTE claim(${claim?.values.map(toLiteral).join(', ')})`);
  const indexes = plan.nodes.flatMap((node) => node['Index Name'] ?? []);
  expect(indexes.sort()).toEqual(['free_accounts', 'free_accounts', 'leases_by_end', 'waits_by_end']);
  expect(plan.rowsFetched).toBeLessThanOrEqual(2 * wanted.length * WANTED);
});

test.each([
  ['that were used', 0],
  ['that never were', USERS - 1],
])('a page of free accounts %s is read in the order of their index', async (_which, userId) => {
  const listed: string[] = [];
  const sent = await captureStatements(() =>
    database.transaction(async (sql) => {
      for await (const { accounts } of listFreeAccounts(sql, userId, WANTED_OF_EACH)) {
        listed.push(...[...accounts].map(({ accountId }) => accountId));
      }
    }),
  );
  expect(new Set(listed).size).toBe(ACCOUNTS_OF_EACH);
  const pages = sent.filter(({ text }) => text.includes('usage_windows'));
  expect(pages.length).toBeGreaterThan(1);
  for (const { text, values } of pages) {
    const { nodes } = await explain(client, text, values);
    // Where little more than a page is left, sorting it may be as cheap.
    const sorted = nodes.filter((node) => node['Node Type'] === 'Sort').map((node) => node['Plan Rows']);
    expect(Math.max(0, ...sorted)).toBeLessThanOrEqual(2 * PAGE);
    const indexes = nodes.flatMap((node) => node['Index Name'] ?? []);
    const lookups = Array.from({ length: COUNTERS }, () => 'channel_usage_pkey');
    expect(indexes.sort()).toEqual([...lookups, 'free_accounts', 'usage_windows_pkey']);
  }
});
