import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { FIRST_ID } from '../../src/store/accounts/account-record.js';
import { type Database, createDatabase } from '../../src/store/database.js';
import { loadNextRecovery, loadRecoveries } from '../../src/store/accounts/load-recoveries.js';
import { lockEndedWaits } from '../../src/store/accounts/lock-ended.js';
import { resetCounters } from '../../src/store/fleet/reset-counters.js';
import { lockSealedBy } from '../../src/store/sessions/session-keys.js';
import { createDatabase as createTestDatabase, type TestDatabase } from '../support/database.js';
import { captureStatements, explain } from '../support/query-plans.js';

let testDatabase: TestDatabase;
let database: Database;
let client: pg.Client;

const ACCOUNTS = 5_000;
/** In the middle of the ids. */
const MIDDLE = '80000000-0000-0000-0000-000000000000';

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = createDatabase({ url: testDatabase.url, poolSize: 1, onConnectionError: () => {} });
  client = new pg.Client({ connectionString: testDatabase.url });
  await client.connect();
  // As the service's own sessions are set.
  await client.query('SET enable_seqscan = off; SET jit = off');
  await client.query(
    `INSERT INTO telegram_sessions (id, user_id, phone, session_data, session_key_id, session_fingerprint, status, flood_wait_until)
     SELECT gen_random_uuid(), n % 50, n, '', 'old', n, 'flood_wait', now() + (n - 1000) * interval '1 minute'
     FROM generate_series(1, $1) n`,
    [ACCOUNTS],
  );
  await client.query('VACUUM ANALYZE telegram_sessions');
});
afterAll(async () => {
  await client.end();
  await database.close();
  await testDatabase.drop();
});

const pages: [what: string, rows: number, work: () => Promise<unknown>][] = [
  ['ends of waits', 100, () => database.transaction((sql) => lockEndedWaits(sql, 100))],
  ['the next recovery', 1, () => loadNextRecovery(database.reader)],
  ['recoveries', 1_000, () => loadRecoveries(database.reader).next()],
  ['recoveries of soon', 1_000, () => loadRecoveries(database.reader, 90_000).next()],
  [
    'sessions to seal anew',
    100,
    () => database.transaction((sql) => lockSealedBy(sql, { keyIds: ['old'], afterId: MIDDLE, limit: 100 })),
  ],
  // Looked at, locked, and written.
  [
    'counters to reset',
    3 * 100,
    () => resetCounters(database.reader, { day: '2026-03-01', afterId: MIDDLE, limit: 100 }),
  ],
];
test.each(pages)('%s: a chunk costs as much as it holds, however large the fleet', async (_what, rows, work) => {
  const statements = await captureStatements(work);
  const { text, values } = statements.find((statement) => statement.text.includes('telegram_sessions'))!;
  const { nodes, rowsFetched, text: plan } = await explain(client, text, values);
  expect(nodes.map((node) => node['Node Type'])).not.toContain('Seq Scan');
  // A sort of what is in order but for its last column fetches one row more.
  if (rowsFetched > rows + 2) throw new Error(plan);
});

test('every recovery is on one page', async () => {
  const ids: string[] = [];
  for await (const page of loadRecoveries(database.reader)) ids.push(...page.map(({ accountId }) => accountId));
  expect(ids.length).toBe(ACCOUNTS);
  expect(new Set(ids).size).toBe(ACCOUNTS);
  expect(ids).not.toContain(FIRST_ID);
});
