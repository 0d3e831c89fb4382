import type { Sql } from './database.js';

/** An account that waits, and the end of its waits; null: it does not wait (any more). */
export interface RecoveryRow {
  accountId: string;
  dueAt: number | null;
}

interface Row {
  now: Date;
  id: string | null;
  due: Date | null;
}

const toRecoveries = (rows: readonly Row[]): RecoveryRow[] =>
  rows.flatMap(({ id, due }) => (id === null ? [] : [{ accountId: id, dueAt: due?.getTime() ?? null }]));

/** The database's clock, and accounts whose waits end by an instant (milliseconds from now), first due first. */
export async function loadRecoveriesWithin(
  sql: Sql,
  aheadMs: number,
  limit: number,
): Promise<{ now: number; recoveries: RecoveryRow[] }> {
  const rows = await sql.$queryRaw<Row[]>`
    SELECT date_trunc('milliseconds', clock_timestamp()) AS now, w.id::text, w.due
    FROM (SELECT 1) AS clock LEFT JOIN (
      SELECT id, GREATEST(flood_wait_until, blocked_until) AS due FROM telegram_sessions
      WHERE status IN ('flood_wait', 'blocked')
        AND GREATEST(flood_wait_until, blocked_until) <= statement_timestamp() + ${aheadMs}::float8 * interval '1 millisecond'
      ORDER BY GREATEST(flood_wait_until, blocked_until) LIMIT ${limit}::integer) w ON true`;
  return { now: rows[0]?.now.getTime() ?? 0, recoveries: toRecoveries(rows) };
}

/** When the accounts recover by themselves. */
export async function loadRecoveriesOf(sql: Sql, accountIds: readonly string[]): Promise<RecoveryRow[]> {
  const rows = await sql.$queryRaw<Row[]>`
    SELECT a.id::text, GREATEST(s.flood_wait_until, s.blocked_until) AS due
    FROM unnest(${accountIds}::uuid[]) AS a(id)
    LEFT JOIN telegram_sessions s ON s.id = a.id AND s.status IN ('flood_wait', 'blocked')`;
  return toRecoveries(rows);
}
