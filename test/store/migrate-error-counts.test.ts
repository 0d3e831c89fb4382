import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { migrate, MIGRATIONS, readMigrations } from '../../scripts/migrate.mjs';
import { createDatabase } from '../support/database.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';

// Errors had no instant before this migration: a count rose until the account recovered.

const MIGRATION = '20261129020000_error_window';

/** Accounts as they stood before, by phone. */
const BEFORE = {
  '+1': { error_count: 0 },
  '+2': { error_count: 3, used_invites_today: 2, block_level: 1 },
  '+3': { error_count: 7, status: 'flood_wait', flood_wait_until: '2099-01-01T00:00:00Z' },
  '+4': { error_count: 5, status: 'disabled', is_active: false, disabled_reason: 'banned' },
  // More than are counted now.
  '+5': { error_count: 4_000, per_channel_invites: { channel: 4 } },
};
/** Errors that count afterwards. */
const COUNTED = { '+1': 0, '+2': 3, '+3': 7, '+4': 5, '+5': 100 };

type Row = Record<string, unknown> & { id: string; phone: string; error_count: number; error_ends: string[] };

let harness: OperationsHarness;
let before: Row[];
let after: Row[];
let migratedAt: { from: number; to: number };
beforeAll(async () => {
  const database = await createDatabase();
  await database.drop(); // the name of one that does not exist yet
  await migrateUpTo(database.url, MIGRATION);
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  for (const [phone, columns] of Object.entries(BEFORE)) await insertAccount(client, phone, columns);
  before = await rowsOf(client);
  const from = Date.now();
  await migrate(database.url);
  migratedAt = { from, to: Date.now() };
  after = await rowsOf(client);
  await client.end();
  harness = await startOperations({ database });
});
afterAll(() => harness.close());

/** Applies the migrations before this one. */
async function migrateUpTo(url: string, name: string): Promise<void> {
  const directory = await mkdtemp(path.join(tmpdir(), 'migrations-'));
  for (const migration of await readMigrations(MIGRATIONS)) {
    if (migration.name >= name) break;
    await cp(path.join(MIGRATIONS, migration.name), path.join(directory, migration.name), { recursive: true });
  }
  await migrate(url, { directory });
  await rm(directory, { recursive: true });
}

async function insertAccount(client: pg.Client, phone: string, columns: Record<string, unknown>): Promise<void> {
  const row = { user_id: 1, phone, session_key_id: 'key', session_fingerprint: phone, ...columns };
  const names = Object.keys(row).join(', ');
  await client.query(
    `INSERT INTO telegram_sessions (id, session_data, ${names})
     SELECT gen_random_uuid(), '\\x00', ${names} FROM jsonb_populate_record(NULL::telegram_sessions, $1::jsonb)`,
    [JSON.stringify(row)],
  );
}

const rowsOf = async (client: pg.Client): Promise<Row[]> =>
  (await client.query<{ row: Row }>('SELECT to_jsonb(s) AS row FROM telegram_sessions s ORDER BY phone')).rows.map(
    ({ row }) => row,
  );

const accountOf = (phone: keyof typeof BEFORE): string => after.find((row) => row.phone === phone)?.id ?? '';
const errorsOf = async (phone: keyof typeof BEFORE) =>
  (await harness.succeed('query.health', { account_id: accountOf(phone) })).health.metadata.error_count;
const highCounts = async () => (await harness.succeed('query.recovery-stats', {})).stats.high_error_count;

test('every account keeps all but the number of its errors, which is bounded', () => {
  expect(Object.fromEntries(before.map((row) => [row.phone, row.error_count]))).toEqual(
    Object.fromEntries(Object.entries(BEFORE).map(([phone, { error_count }]) => [phone, error_count])),
  );
  expect(after).toHaveLength(before.length);
  for (const [index, { error_count: _, ...kept }] of before.entries()) expect(after[index]).toMatchObject(kept);
  expect(Object.fromEntries(after.map((row) => [row.phone, row.error_count]))).toEqual(COUNTED);
});

test('each error counts for a day from the migration on', () => {
  const DAY_MS = 86_400_000;
  for (const { error_count, error_ends } of after) {
    expect(error_ends).toHaveLength(error_count);
    for (const end of error_ends) {
      // Two clocks of one machine; the database's is cut to milliseconds.
      expect(Date.parse(end)).toBeGreaterThanOrEqual(migratedAt.from + DAY_MS - 1_000);
      expect(Date.parse(end)).toBeLessThanOrEqual(migratedAt.to + DAY_MS + 1_000);
    }
  }
});

test('the service counts on from there: errors are told, added, forgiven, and over after a day', async () => {
  for (const [phone, count] of Object.entries(COUNTED))
    expect(await errorsOf(phone as keyof typeof BEFORE)).toBe(count);
  expect(await highCounts()).toBe(3);

  const troubled = accountOf('+2');
  await harness.succeed('account.error', { account_id: troubled, error_type: 'network_error' });
  expect(await errorsOf('+2')).toBe(4);
  const wish = { user_id: 1, purpose: 'general', service_name: 'inviting', include_session: false };
  await harness.succeed('account.allocate', { ...wish, preferred_account_id: troubled });
  const usage_stats = { success: true };
  await harness.succeed('account.release', { account_id: troubled, service_name: 'inviting', usage_stats });
  expect(await errorsOf('+2')).toBe(3);
  await harness.succeed('account.error', { account_id: accountOf('+5'), error_type: 'network_error' });
  expect(await errorsOf('+5')).toBe(100);

  // A day passes.
  await harness.query(
    `UPDATE telegram_sessions SET error_ends = ARRAY(SELECT at - interval '24 hours' FROM unnest(error_ends) AS e(at))`,
  );
  for (const phone of Object.keys(COUNTED)) expect(await errorsOf(phone as keyof typeof BEFORE)).toBe(0);
  expect(await highCounts()).toBe(0);
  await harness.succeed('account.error', { account_id: accountOf('+2'), error_type: 'network_error' });
  expect(await errorsOf('+2')).toBe(1);
});
