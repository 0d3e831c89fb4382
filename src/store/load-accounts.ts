import { type AccountRecord, type AccountRow, toAccountRecord } from './account-record.js';
import type { Sql } from './database.js';
import { loadChannelUsage, loadWindows } from './load-windows.js';

/** Locks the accounts, in id order so that batches cannot wait for each other in a circle. */
export async function lockAccounts(sql: Sql, accountIds: readonly string[]): Promise<void> {
  await sql.$executeRaw`SELECT 1 FROM telegram_sessions WHERE id = ANY(${accountIds}::uuid[]) ORDER BY id FOR UPDATE`;
}

/**
 * Loads accounts with their open lease, their usage windows and the counters of the channels named (and of the lease's
 * own), and the database's clock. Under `lockAccounts` the clock is read after the locks were had, so that on one
 * account time never runs backwards.
 */
export async function loadAccounts(
  sql: Sql,
  accountIds: readonly string[],
  channels: readonly string[],
): Promise<{ now: number; accounts: Map<string, AccountRecord> }> {
  const rows = await sql.$queryRaw<(Omit<AccountRow, 'id'> & { now: Date; id: string | null })[]>`
    SELECT date_trunc('milliseconds', clock_timestamp()) AS now, s.id::text, s.user_id, s.phone,
      s.status::text, s.disabled_reason, s.flood_wait_until, s.blocked_until, s.block_level, s.last_block_ended_at,
      s.error_count, s.fence, s.usage_version, s.usage_date::text AS usage_day, s.per_channel_invites, s.last_used_at,
      s.event_sequence, s.lease_id::text, l.service_name, l.caller, l.purpose, l.target_channel, l.fence AS lease_fence,
      l.lock_value, l.allocated_at, l.expires_at
    FROM (SELECT 1) AS clock
    LEFT JOIN telegram_sessions s ON s.id = ANY(${accountIds}::uuid[])
    LEFT JOIN leases l ON l.id = s.lease_id`;
  const accounts = new Map(
    rows.flatMap(({ id, ...row }) => (id === null ? [] : [[id, toAccountRecord({ ...row, id })] as const])),
  );
  await addUsage(sql, accounts, channels);
  return { now: Math.max(0, ...rows.map((row) => row.now.getTime())), accounts };
}

async function addUsage(sql: Sql, accounts: Map<string, AccountRecord>, channels: readonly string[]): Promise<void> {
  const accountIds = [...accounts.keys()];
  const leaseChannels = [...accounts.values()].flatMap(({ lease }) => lease?.targetChannel ?? []);
  const wanted = [...new Set([...channels, ...leaseChannels])];
  const windows = await loadWindows(sql, accountIds);
  const usage = wanted.length === 0 ? null : await loadChannelUsage(sql, accountIds, wanted);
  for (const [id, account] of accounts) {
    account.windows = windows.get(id) ?? account.windows;
    account.channels = usage?.get(id) ?? account.channels;
  }
}
