import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { createDatabase, type Database } from '../../src/store/database.js';
import { ANY_ACCOUNT, matchAccounts } from '../../src/store/accounts/match-accounts.js';
import { readSearch } from '../../src/store/accounts/search-terms.js';
import { countLeases, listLeases } from '../../src/store/fleet/list-leases.js';
import { listRecoveries } from '../../src/store/fleet/list-recoveries.js';
import { createDatabase as createTestDatabase, type TestDatabase } from '../support/database.js';
import { captureStatements, explain } from '../support/query-plans.js';

// A page of a view costs as much as it holds, however large the fleet.

let testDatabase: TestDatabase;
let database: Database;
let client: pg.Client;

const ACCOUNTS = 5_000;
const LIMIT = 50;
/** In the middle of every list. */
const MIDDLE = { at: Date.now() + 60 * 60_000, id: '80000000-0000-0000-0000-000000000000' };

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = createDatabase({ url: testDatabase.url, poolSize: 1, onConnectionError: () => {} });
  client = new pg.Client({ connectionString: testDatabase.url });
  await client.connect();
  // As the service's own sessions are set.
  await client.query('SET enable_seqscan = off; SET jit = off');
  await client.query(
    `INSERT INTO telegram_sessions (id, user_id, phone, session_data, session_key_id, session_fingerprint, status, flood_wait_until)
     SELECT gen_random_uuid(), n % 50, n, '', 'key', n, 'flood_wait', now() + interval '10 minutes' + n * interval '1 second'
     FROM generate_series(1, $1) n`,
    [ACCOUNTS],
  );
  // Ten times as many that wait for nothing.
  await client.query(
    `INSERT INTO telegram_sessions (id, user_id, phone, session_data, session_key_id, session_fingerprint)
     SELECT gen_random_uuid(), 50 + n % 500, $1 + n, '', 'key', $1 + n FROM generate_series(1, $1 * 10) n`,
    [ACCOUNTS],
  );
  await client.query(
    `INSERT INTO leases (id, account_id, user_id, service_name, purpose, fence, allocated_at, expires_at, ended_at, end_reason)
     SELECT gen_random_uuid(), s.id, user_id, 'service-' || user_id % 5, 'general', nth, now(), flood_wait_until,
       CASE WHEN nth < 3 THEN now() END, CASE WHEN nth < 3 THEN 'released' END
     FROM telegram_sessions s, generate_series(1, 3) nth WHERE flood_wait_until IS NOT NULL`,
  );
  for (const table of ['telegram_sessions', 'leases', 'account_phones']) await client.query(`VACUUM ANALYZE ${table}`);
});
afterAll(async () => {
  await client.end();
  await database.close();
  await testDatabase.drop();
});

const leasesOf = { users: null, serviceName: null, accountId: null };
const after = { afterId: MIDDLE.id, limit: LIMIT };
const pages: [what: string, table: string, users: number, work: () => Promise<unknown>][] = [
  ['leases', 'leases', 1, () => listLeases(database.reader, leasesOf, MIDDLE, LIMIT)],
  ['leases of a user', 'leases', 1, () => listLeases(database.reader, { ...leasesOf, users: [7] }, MIDDLE, LIMIT)],
  ['leases of users', 'leases', 3, () => listLeases(database.reader, { ...leasesOf, users: [7, 8, 9] }, MIDDLE, LIMIT)],
  [
    'leases of a service',
    'leases',
    1,
    () => listLeases(database.reader, { ...leasesOf, serviceName: 'service-2' }, MIDDLE, LIMIT),
  ],
  [
    'recoveries',
    'telegram_sessions',
    1,
    () => listRecoveries(database.reader, { users: null, withinMs: null }, MIDDLE, LIMIT),
  ],
  [
    'recoveries of users',
    'telegram_sessions',
    3,
    () => listRecoveries(database.reader, { users: [7, 8, 9], withinMs: null }, MIDDLE, LIMIT),
  ],
  ['accounts', 'telegram_sessions', 0, () => matchAccounts(database.reader, ANY_ACCOUNT, after)],
  ...(['active', 'flood_wait', 'blocked'] as const).map((status): (typeof pages)[number] => [
    `accounts that are ${status}`,
    'telegram_sessions',
    1,
    () => matchAccounts(database.reader, { ...ANY_ACCOUNT, status }, after),
  ]),
  [
    'accounts by a part of a phone number',
    'telegram_sessions',
    1,
    () => matchAccounts(database.reader, { ...ANY_ACCOUNT, search: readSearch('4321') }, after),
  ],
];
test.each(pages)('%s: a page is read by an index', async (_what, table, users, work) => {
  const statements = await captureStatements(work);
  const { text, values } = statements.find((statement) => statement.text.includes(table))!;
  const { nodes, rowsFetched, text: plan } = await explain(client, text, values);
  expect(nodes.map((node) => node['Node Type'])).not.toContain('Seq Scan');
  // Each row with its account; a user whose list is merged with others' is read as far as a page.
  if (rowsFetched > LIMIT * (users + 1) + 10) throw new Error(plan);
});

test('the total is counted no further than it is told', async () => {
  const statements = await captureStatements(() => countLeases(database.reader, leasesOf));
  const { text, values } = statements.find((statement) => statement.text.includes('leases'))!;
  const { rowsFetched } = await explain(client, text, values);
  expect(rowsFetched).toBe(ACCOUNTS);
});
