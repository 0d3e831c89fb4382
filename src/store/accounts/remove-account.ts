import type { Sql } from '../database.js';

/**
 * Erases an account that is locked and has no open lease: its row with session, phone number and metadata, and what its
 * limits are judged by. Today's usage goes to the archive; its history stays.
 */
export async function removeAccount(
  sql: Sql,
  { accountId, userId }: { accountId: string; userId: number },
  now: number,
): Promise<void> {
  await sql.$executeRaw`
    WITH windows AS (DELETE FROM usage_windows WHERE account_id = ${accountId}::uuid RETURNING *),
    channels AS (DELETE FROM channel_usage WHERE account_id = ${accountId}::uuid),
    archived AS (
      INSERT INTO usage_archive (day, account_id, action_type, quantity)
      SELECT day, account_id, action_type, day_count FROM windows WHERE day IS NOT NULL AND day_count > 0
      ON CONFLICT DO NOTHING)
    INSERT INTO removed_accounts (id, user_id, removed_at)
    VALUES (${accountId}::uuid, ${userId}::bigint, ${new Date(now).toISOString()}::timestamptz)`;
  // By a statement of its own: the rows that refer to it must be gone.
  await sql.$executeRaw`DELETE FROM telegram_sessions WHERE id = ${accountId}::uuid`;
}
