import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { DatabaseError } from 'pg';
import pg from 'pg';
import { createDatabase, type TestDatabase } from '../support/database.js';

let testDatabase: TestDatabase;
let client: pg.Client;

beforeAll(async () => {
  testDatabase = await createDatabase();
  client = new pg.Client({ connectionString: testDatabase.url });
  await client.connect();
  // append-only.test.ts is about the triggers.
  for (const table of ['events', 'counted_actions', 'error_reports', 'leases']) {
    await client.query(`ALTER TABLE ${table} DISABLE TRIGGER USER`);
  }
  await client.query(`
    INSERT INTO telegram_sessions (id, user_id, phone, session_data, session_key_id, session_fingerprint)
      SELECT ('00000000-0000-4000-8000-00000000000' || n)::uuid, 1, '+' || n, '', 'key', 'fingerprint ' || n FROM generate_series(1, 2) n;
    UPDATE telegram_sessions SET locked = true, locked_by = 'one', locked_until = now(), lease_id = id WHERE phone = '+1';
    INSERT INTO leases (id, account_id, user_id, service_name, purpose, fence, allocated_at, expires_at)
      SELECT id, id, 1, 'one', 'general', 1, now(), now() + interval '1 minute' FROM telegram_sessions WHERE phone = '+1';
    INSERT INTO usage_windows (account_id, action_type) SELECT id, 'invite' FROM telegram_sessions;
    INSERT INTO channel_usage (account_id, action_type, channel, day, day_count, total) SELECT id, 'invite', 'foo', CURRENT_DATE, 1, 2 FROM telegram_sessions;
    INSERT INTO counted_actions (id, account_id, action_type, quantity, counted_at) SELECT id, id, 'invite', 1, now() FROM telegram_sessions;
    INSERT INTO events (event_id, type, account_id, sequence, data, occurred_at) SELECT id, 'account.registered', id, 1, '{}', now() FROM telegram_sessions;
    INSERT INTO answered_requests VALUES ('', '00000000-0000-4000-8000-000000000001', 'account.renew', '', '{}', now())`);
});
afterAll(async () => {
  await client.end();
  await testDatabase.drop();
});

/** States that must never be, with the constraint or index that forbids each. */
const forbidden: [rule: string, statement: string][] = [
  ['user_id_not_negative', `UPDATE telegram_sessions SET user_id = -1`],
  ['lease_is_whole', `UPDATE telegram_sessions SET locked = true WHERE phone = '+2'`],
  ['lease_is_whole', `UPDATE telegram_sessions SET locked = false WHERE phone = '+1'`],
  ['lease_is_whole', `UPDATE telegram_sessions SET lease_id = NULL WHERE phone = '+1'`],
  ['lease_is_whole', `UPDATE telegram_sessions SET locked_by = NULL WHERE phone = '+1'`],
  ['lease_is_whole', `UPDATE telegram_sessions SET locked_until = NULL WHERE phone = '+1'`],
  ['lease_is_whole', `UPDATE telegram_sessions SET locked_until = now() WHERE phone = '+2'`],
  ['disabled_has_a_reason', `UPDATE telegram_sessions SET status = 'disabled', is_active = false`],
  ['disabled_has_a_reason', `UPDATE telegram_sessions SET disabled_reason = 'banned'`],
  [
    'disabled_reason_is_known',
    `UPDATE telegram_sessions SET status = 'disabled', is_active = false, disabled_reason = 'bored'`,
  ],
  ['active_unless_disabled', `UPDATE telegram_sessions SET status = 'disabled', disabled_reason = 'banned'`],
  ['active_unless_disabled', `UPDATE telegram_sessions SET is_active = false`],
  ['wait_has_an_end', `UPDATE telegram_sessions SET status = 'flood_wait'`],
  ['block_has_an_end', `UPDATE telegram_sessions SET status = 'blocked', flood_wait_until = now()`],
  ['active_waits_for_nothing', `UPDATE telegram_sessions SET flood_wait_until = now()`],
  ['active_waits_for_nothing', `UPDATE telegram_sessions SET blocked_until = now()`],
  ['counters_not_negative', `UPDATE telegram_sessions SET used_invites_today = -1`],
  ['counters_not_negative', `UPDATE telegram_sessions SET used_messages_today = -1`],
  ['counters_not_negative', `UPDATE telegram_sessions SET contacts_today = -1`],
  ['counters_not_negative', `UPDATE telegram_sessions SET error_count = -1`],
  ['counters_not_negative', `UPDATE telegram_sessions SET block_level = -1`],
  ['counters_not_negative', `UPDATE telegram_sessions SET fence = -1`],
  ['counters_not_negative', `UPDATE telegram_sessions SET event_sequence = -1`],
  ['telegram_sessions_phone_key', `UPDATE telegram_sessions SET phone = '+1'`],
  ['telegram_sessions_session_fingerprint_key', `UPDATE telegram_sessions SET session_fingerprint = 'same'`],
  ['end_has_a_reason', `UPDATE leases SET ended_at = now()`],
  ['end_has_a_reason', `UPDATE leases SET end_reason = 'released'`],
  ['end_reason_is_known', `UPDATE leases SET ended_at = now(), end_reason = 'bored'`],
  ['lease_ends_after_its_start', `UPDATE leases SET expires_at = allocated_at`],
  ['one_open_lease_per_account', copyOf('leases', { id: `gen_random_uuid()`, fence: '2' })],
  [
    'leases_account_id_fence_key',
    copyOf('leases', { id: `gen_random_uuid()`, ended_at: 'now()', end_reason: `'expired'` }),
  ],
  ['leased_account_stays', `DELETE FROM telegram_sessions WHERE phone = '+1'`],
  ['usage_windows_account_id_fkey', `DELETE FROM telegram_sessions WHERE phone = '+2'`],
  ['usage_windows_pkey', `UPDATE usage_windows SET account_id = '00000000-0000-4000-8000-000000000001'`],
  ['usage_windows_account_id_fkey', `UPDATE usage_windows SET account_id = gen_random_uuid()`],
  ['window_not_negative', `UPDATE usage_windows SET burst_count = -1`],
  ['window_not_negative', `UPDATE usage_windows SET day_count = -1`],
  ['channel_usage_pkey', `UPDATE channel_usage SET account_id = '00000000-0000-4000-8000-000000000001'`],
  ['channel_usage_account_id_fkey', `UPDATE channel_usage SET account_id = gen_random_uuid()`],
  ['total_holds_today', `UPDATE channel_usage SET total = 0`],
  ['total_holds_today', `UPDATE channel_usage SET day_count = 3`],
  ['total_holds_today', `UPDATE channel_usage SET day_count = -1`],
  ['quantity_positive', `UPDATE counted_actions SET quantity = 0`],
  ['source_is_known', `UPDATE counted_actions SET source = 'guessed'`],
  ['account_event_is_numbered', `UPDATE events SET sequence = NULL`],
  ['account_event_is_numbered', `UPDATE events SET account_id = NULL`],
  ['events_account_id_sequence_key', `UPDATE events SET account_id = '00000000-0000-4000-8000-000000000001'`],
  ['events_event_id_key', `UPDATE events SET event_id = '00000000-0000-4000-8000-000000000001'`],
  ['answered_requests_pkey', copyOf('answered_requests', { operation: `'account.release'` })],
];

/** Inserts the rows of a table once more, with some columns changed. */
function copyOf(table: string, changed: Record<string, string>): string {
  const overrides = Object.entries(changed).flatMap(([column, value]) => [`'${column}'`, value]);
  return `INSERT INTO ${table} SELECT (jsonb_populate_record(t, jsonb_build_object(${overrides.join(', ')}))).* FROM ${table} t`;
}

test.each(forbidden)('%s: %s', async (rule, statement) => {
  await client.query('BEGIN');
  try {
    const fault = await client.query(statement).then(
      () => null,
      (error: DatabaseError) => error,
    );
    expect(fault).toMatchObject({ constraint: rule });
  } finally {
    await client.query('ROLLBACK');
  }
});

test('every CHECK of these tables is met by one of the above', async () => {
  const { rows } = await client.query<{ name: string }>(
    `SELECT conname AS name FROM pg_constraint WHERE contype = 'c' AND conrelid = ANY (ARRAY[
       'telegram_sessions', 'leases', 'usage_windows', 'channel_usage', 'counted_actions', 'events', 'answered_requests'
     ]::regclass[])`,
  );
  const met = new Set(forbidden.map(([rule]) => rule));
  expect(rows.map(({ name }) => name).filter((name) => !met.has(name))).toEqual([]);
});
