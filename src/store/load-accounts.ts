import {
  type AccountRecord,
  type AccountRow,
  type ChannelRow,
  type LeaseRow,
  toAccountRecord,
  type WindowRow,
} from './account-record.js';
import type { Sql } from './database.js';

/** Locks the accounts, in id order so that batches cannot wait for each other in a circle. */
export async function lockAccounts(sql: Sql, accountIds: readonly string[]): Promise<void> {
  await sql.$executeRaw`SELECT 1 FROM telegram_sessions WHERE id = ANY(${accountIds}::uuid[]) ORDER BY id FOR UPDATE`;
}

interface LoadedRow {
  now: string;
  account: AccountRow | null;
  lease: LeaseRow | null;
  windows: WindowRow[] | null;
  channels: ChannelRow[] | null;
}

/**
 * Loads accounts with their open lease, their usage windows and the counters of the channels named (and of the lease's
 * own), and the database's clock. Under `lockAccounts` the clock is read after the locks were had, so that on one account time
 * never runs backwards.
 */
export async function loadAccounts(
  sql: Sql,
  accountIds: readonly string[],
  channels: readonly string[],
): Promise<{ now: number; accounts: Map<string, AccountRecord> }> {
  const rows = await sql.$queryRaw<LoadedRow[]>`
    SELECT date_trunc('milliseconds', clock_timestamp())::text AS now,
      CASE WHEN s.id IS NULL THEN NULL ELSE jsonb_build_object('id', s.id, 'user_id', s.user_id, 'phone', s.phone,
        'status', s.status, 'disabled_reason', s.disabled_reason,
        'flood_wait_until', s.flood_wait_until, 'blocked_until', s.blocked_until, 'block_level', s.block_level,
        'last_block_ended_at', s.last_block_ended_at, 'error_count', s.error_count, 'fence', s.fence,
        'usage_version', s.usage_version, 'usage_date', s.usage_date, 'per_channel_invites', s.per_channel_invites,
        'last_used_at', s.last_used_at, 'event_sequence', s.event_sequence) END AS account,
      (SELECT to_jsonb(l) FROM leases l WHERE l.account_id = s.id AND l.ended_at IS NULL) AS lease,
      (SELECT jsonb_agg(to_jsonb(w)) FROM usage_windows w WHERE w.account_id = s.id) AS windows,
      (SELECT jsonb_agg(to_jsonb(c)) FROM channel_usage c
        WHERE c.account_id = s.id AND (c.channel = ANY(${channels}::text[]) OR c.channel = (
          SELECT l.target_channel FROM leases l WHERE l.account_id = s.id AND l.ended_at IS NULL))) AS channels
    FROM (SELECT 1) AS clock LEFT JOIN telegram_sessions s ON s.id = ANY(${accountIds}::uuid[])`;
  const accounts = new Map<string, AccountRecord>();
  let now = 0;
  for (const row of rows) {
    now = Math.max(now, Date.parse(row.now));
    if (row.account !== null)
      accounts.set(row.account.id, toAccountRecord(row.account, row.lease, row.windows, row.channels));
  }
  return { now, accounts };
}
