import type { Sql } from '../database.js';

/**
 * Locks accounts whose wait is over, the longest over first, and tells their ids. Rows that another transaction holds
 * are skipped: it ends the wait itself, or the next look finds it.
 */
export async function lockEndedWaits(sql: Sql, limit: number): Promise<string[]> {
  const rows = await sql.$queryRaw<{ id: string }[]>`
    SELECT id::text FROM telegram_sessions
    WHERE status IN ('flood_wait', 'blocked') AND GREATEST(flood_wait_until, blocked_until) <= statement_timestamp()
    ORDER BY GREATEST(flood_wait_until, blocked_until) LIMIT ${limit}::integer FOR UPDATE SKIP LOCKED`;
  return rows.map((row) => row.id);
}

/** As `lockEndedWaits`, accounts whose lease is over. */
export async function lockEndedLeases(sql: Sql, limit: number): Promise<string[]> {
  const rows = await sql.$queryRaw<{ id: string }[]>`
    SELECT id::text FROM telegram_sessions WHERE locked AND locked_until <= statement_timestamp()
    ORDER BY user_id, locked_until LIMIT ${limit}::integer FOR UPDATE SKIP LOCKED`;
  return rows.map((row) => row.id);
}
