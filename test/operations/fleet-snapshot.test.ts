import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createFleetSnapshot } from '../../src/accounts/fleet-totals.js';
import { createDatabase, type Database } from '../../src/store/database.js';
import { createDatabase as createTestDatabase, openPool, type TestDatabase } from '../support/database.js';
import { captureStatements } from '../support/query-plans.js';

let testDatabase: TestDatabase;
let database: Database;
beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = createDatabase({ url: testDatabase.url, poolSize: 1, onConnectionError: () => {} });
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});

async function register(from: number, to: number): Promise<void> {
  const pool = openPool(testDatabase.url);
  await pool.query(
    `INSERT INTO telegram_sessions (id, user_id, phone, session_data, session_key_id, session_fingerprint)
     SELECT gen_random_uuid(), 1, n, '', 'key', n FROM generate_series($1::integer, $2::integer) n`,
    [from, to],
  );
  await pool.end();
}

test('a small fleet is read for everybody, a large one for all who ask soon after', async () => {
  const readFleet = createFleetSnapshot(database.reader);
  const readings = async (): Promise<number> => (await captureStatements(readFleet)).length;
  const active = async (): Promise<number> => (await readFleet()).byStatus.active;

  await register(1, 2_000);
  expect(await active()).toBe(2_000);
  expect([await readings(), await readings()]).toEqual([1, 1]);
  await register(2_001, 2_001);
  expect(await active()).toBe(2_001);
  expect(await readings()).toBe(0);
});
