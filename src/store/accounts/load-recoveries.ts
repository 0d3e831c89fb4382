import { FIRST_ID } from './account-record.js';
import type { Sql } from '../database.js';

/** An account that waits, and the end of its waits; null: it does not wait (any more). */
export interface RecoveryRow {
  accountId: string;
  dueAt: number | null;
}

interface Row {
  id: string;
  due: Date | null;
}

/** So few that reading them holds up nobody on the same thread. */
const PAGE = 1_000;

const toRecoveries = (rows: readonly Row[]): RecoveryRow[] =>
  rows.map(({ id, due }) => ({ accountId: id, dueAt: due?.getTime() ?? null }));

/** The database's clock, and when the first wait ends; null: no account waits. */
export async function loadNextRecovery(sql: Sql): Promise<{ now: number; dueAt: number | null }> {
  const [row] = await sql.$queryRaw<{ now: Date; due: Date | null }[]>`
    SELECT date_trunc('milliseconds', clock_timestamp()) AS now, (
      SELECT GREATEST(flood_wait_until, blocked_until) FROM telegram_sessions WHERE status IN ('flood_wait', 'blocked')
      ORDER BY GREATEST(flood_wait_until, blocked_until) LIMIT 1) AS due`;
  if (row === undefined) throw new Error('the clock gave no row');
  return { now: row.now.getTime(), dueAt: row.due?.getTime() ?? null };
}

/** Accounts whose waits end within so long, first due first, page by page; without a bound every one that waits. */
export async function* loadRecoveries(sql: Sql, withinMs: number | null = null): AsyncGenerator<RecoveryRow[]> {
  let after: Row | undefined;
  do {
    const rows: Row[] = await sql.$queryRaw<Row[]>`
      SELECT s.id::text, GREATEST(flood_wait_until, blocked_until) AS due FROM telegram_sessions s
      WHERE status IN ('flood_wait', 'blocked')
        AND GREATEST(flood_wait_until, blocked_until) <= COALESCE(
          statement_timestamp() + ${withinMs}::float8 * interval '1 millisecond', 'infinity')
        AND (GREATEST(flood_wait_until, blocked_until), s.id) > (
          COALESCE(${after?.due ?? null}::timestamptz, '-infinity'), ${after?.id ?? FIRST_ID}::uuid)
      ORDER BY GREATEST(flood_wait_until, blocked_until), s.id LIMIT ${PAGE}::integer`;
    after = rows.at(-1);
    if (rows.length > 0) yield toRecoveries(rows);
  } while (after !== undefined);
}

/** When the accounts recover by themselves. */
export async function loadRecoveriesOf(sql: Sql, accountIds: readonly string[]): Promise<RecoveryRow[]> {
  const rows = await sql.$queryRaw<Row[]>`
    SELECT a.id::text, GREATEST(s.flood_wait_until, s.blocked_until) AS due
    FROM unnest(${accountIds}::uuid[]) AS a(id)
    LEFT JOIN telegram_sessions s ON s.id = a.id AND s.status IN ('flood_wait', 'blocked')`;
  return toRecoveries(rows);
}
