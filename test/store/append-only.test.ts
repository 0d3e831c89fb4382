import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import pg from 'pg';
import { createDatabase, type TestDatabase } from '../support/database.js';

let testDatabase: TestDatabase;
let client: pg.Client;

beforeAll(async () => {
  testDatabase = await createDatabase();
  client = new pg.Client({ connectionString: testDatabase.url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await testDatabase.drop();
});
beforeEach(async () => {
  await client.query(`
    SET session_replication_role = replica;
    TRUNCATE events, outbox, counted_actions, error_reports, leases;
    INSERT INTO events (event_id, type, account_id, sequence, data, occurred_at)
      SELECT gen_random_uuid(), 'account.registered', gen_random_uuid(), n, '{}', now() - n * interval '1 hour'
      FROM unnest(ARRAY[1, 2, 48]) n;
    INSERT INTO outbox SELECT id FROM events WHERE sequence = 1;
    INSERT INTO counted_actions (id, account_id, action_type, quantity, counted_at, settled_at)
      SELECT gen_random_uuid(), gen_random_uuid(), 'invite', n, now() - n * interval '1 hour', CASE WHEN n > 1 THEN now() END
      FROM unnest(ARRAY[1, 2, 48]) n;
    INSERT INTO error_reports (account_id, sequence, reported_at, error_class, action_taken)
      SELECT gen_random_uuid(), n, now() - n * interval '1 hour', 'other', 'none' FROM unnest(ARRAY[1, 2, 48]) n;
    INSERT INTO leases (id, account_id, user_id, service_name, purpose, fence, allocated_at, expires_at, ended_at, end_reason)
      SELECT gen_random_uuid(), gen_random_uuid(), 1, 'one', 'general', n, now() - n * interval '1 hour', now(),
        CASE WHEN n > 1 THEN now() - (n - 1) * interval '1 hour' END, CASE WHEN n > 1 THEN 'released' END
      FROM unnest(ARRAY[1, 2, 48]) n;
    SET session_replication_role = origin`);
});

/** Runs the statement in a transaction of its own, with leave to remove history or without it; answers the rows changed. */
async function attempt(statement: string, { removal = false } = {}): Promise<number> {
  await client.query('BEGIN');
  try {
    if (removal) await client.query(`SELECT set_config('account_manager.removal', 'on', true)`);
    const { rowCount } = await client.query(statement);
    await client.query('COMMIT');
    return rowCount ?? 0;
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}

const TABLES = ['events', 'counted_actions', 'error_reports', 'leases'];
/** Columns that the service writes after the insertion. */
const MAY_CHANGE: Record<string, string[]> = {
  counted_actions: ['settled_at', 'success'],
};

test.each(TABLES)('no column of %s is rewritten, whichever come to be', async (table) => {
  const { rows } = await client.query<{ name: string }>(
    'SELECT column_name AS name FROM information_schema.columns WHERE table_name = $1',
    [table],
  );
  expect(rows.length).toBeGreaterThan(5);
  const where = table === 'leases' ? 'ended_at IS NOT NULL' : 'true';
  for (const { name } of rows.filter((column) => !MAY_CHANGE[table]?.includes(column.name))) {
    const change = attempt(`UPDATE ${table} SET ${name} = ${name} WHERE ${where}`);
    await expect(change).rejects.toThrow(`UPDATE of ${table}: history is not rewritten`);
  }
});

test('a permit is settled once, an open lease prolonged and ended', async () => {
  const settle = 'UPDATE counted_actions SET settled_at = now(), success = true';
  expect(await attempt(`${settle} WHERE settled_at IS NULL`)).toBe(1);
  await expect(attempt('UPDATE counted_actions SET success = false')).rejects.toThrow(/history/);
  await expect(attempt(settle)).rejects.toThrow(/history/);
  expect(await attempt(`UPDATE leases SET expires_at = now() + interval '1 hour' WHERE ended_at IS NULL`)).toBe(1);
  expect(await attempt(`UPDATE leases SET ended_at = now(), end_reason = 'released' WHERE ended_at IS NULL`)).toBe(1);
  await expect(attempt('UPDATE leases SET ended_at = NULL, end_reason = NULL')).rejects.toThrow(/history/);
});

test.each(TABLES)('from %s only the clean-up removes, and only what is older than a day', async (table) => {
  await expect(attempt(`DELETE FROM ${table}`)).rejects.toThrow(`DELETE of ${table}: history is not rewritten`);
  await expect(attempt(`DELETE FROM ${table}`, { removal: true })).rejects.toThrow(/history/);
  await expect(attempt(`TRUNCATE ${table}`, { removal: true })).rejects.toThrow(/history/);
  const at = { events: 'occurred_at', counted_actions: 'counted_at', error_reports: 'reported_at', leases: 'ended_at' }[
    table
  ];
  const old = `DELETE FROM ${table} WHERE ${at ?? ''} < now() - interval '25 hours'`;
  await expect(attempt(old)).rejects.toThrow(/history/);
  expect(await attempt(old, { removal: true })).toBe(1);
  // The leave ended with its transaction.
  await client.query(`SET session_replication_role = replica; UPDATE ${table} SET ${at ?? ''} = ${at ?? ''} - interval '30 days';
    SET session_replication_role = origin`);
  await expect(attempt(`DELETE FROM ${table}`)).rejects.toThrow(/history/);
});

test('an event that was never published is not removed', async () => {
  await client.query(`SET session_replication_role = replica; UPDATE events SET occurred_at = occurred_at - interval '30 days';
    SET session_replication_role = origin`);
  await expect(attempt('DELETE FROM events', { removal: true })).rejects.toThrow(/history/);
  expect(await attempt('DELETE FROM events WHERE id NOT IN (SELECT id FROM outbox)', { removal: true })).toBe(2);
});

test('whoever inserts an event, it waits to be published', async () => {
  await client.query('TRUNCATE outbox');
  const { rows } = await client.query(`
    INSERT INTO events (event_id, type, data, occurred_at)
    SELECT gen_random_uuid(), 'alert.info', '{}', now() FROM generate_series(1, 3) RETURNING id`);
  expect((await client.query('SELECT id FROM outbox ORDER BY id')).rows).toEqual(rows);
});
