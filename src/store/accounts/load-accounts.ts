import { Prisma } from '../../../generated/prisma/client.js';
import { type AccountRecord, type AccountRow, toAccountRecord } from './account-record.js';
import type { Sql, SqlPart } from '../database.js';

/** Locks the accounts, in id order so that batches cannot wait for each other in a circle. */
export const accountLocks = (accountIds: readonly string[]): SqlPart => Prisma.sql`
    SELECT 1 FROM telegram_sessions WHERE id = ANY(${[...new Set(accountIds)]}::uuid[]) ORDER BY id FOR UPDATE`;

/** As `accountLocks`, at once. */
export async function lockAccounts(sql: Sql, accountIds: readonly string[]): Promise<void> {
  await sql.$executeRaw(accountLocks(accountIds));
}

/**
 * Loads accounts with their open lease, their usage windows and the counters of the channels named (and of the lease's
 * own), and the database's clock. Under the accounts' locks the clock is read after the locks were had, so that on one
 * account time never runs backwards; and the locks are taken by a statement before this one, since a statement sees of
 * other tables what stood when it began.
 */
export async function loadAccounts(
  sql: Sql,
  accountIds: readonly string[],
  channels: readonly string[],
): Promise<{ now: number; accounts: Map<string, AccountRecord> }> {
  const rows = await sql.$queryRaw<(Omit<AccountRow, 'id'> & { now: Date; id: string | null })[]>`
    SELECT date_trunc('milliseconds', clock_timestamp()) AS now, s.id::text, s.user_id, s.phone,
      s.status::text, s.disabled_reason, s.flood_wait_until, s.blocked_until, s.block_level, s.last_block_ended_at,
      s.error_count, s.error_ends, s.fence, s.usage_version, s.usage_date::text AS usage_day, s.per_channel_invites, s.last_used_at,
      s.event_sequence, s.lease_id::text, l.service_name, l.caller, l.purpose, l.target_channel, l.fence AS lease_fence,
      l.lock_value, l.allocated_at, l.expires_at,
      (SELECT jsonb_agg(to_jsonb(w)) FROM usage_windows w WHERE w.account_id = s.id) AS windows,
      (SELECT jsonb_agg(to_jsonb(c)) FROM channel_usage c
       WHERE c.account_id = s.id AND c.channel = ANY(array_append(${channels}::text[], l.target_channel))) AS channels
    FROM (SELECT 1) AS clock
    LEFT JOIN telegram_sessions s ON s.id = ANY(${accountIds}::uuid[])
    LEFT JOIN leases l ON l.id = s.lease_id`;
  const accounts = new Map(
    rows.flatMap(({ id, ...row }) => (id === null ? [] : [[id, toAccountRecord({ ...row, id })] as const])),
  );
  return { now: Math.max(0, ...rows.map((row) => row.now.getTime())), accounts };
}
