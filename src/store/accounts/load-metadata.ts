import type { Sql } from '../database.js';

/** The metadata registered with accounts, by account id. */
export async function loadMetadata(
  sql: Sql,
  accountIds: readonly string[],
): Promise<Map<string, Record<string, unknown>>> {
  if (accountIds.length === 0) return new Map();
  const rows = await sql.$queryRaw<{ id: string; session_metadata: Record<string, unknown> }[]>`
    SELECT id::text, session_metadata FROM telegram_sessions WHERE id = ANY(${accountIds}::uuid[])`;
  return new Map(rows.map((row) => [row.id, row.session_metadata]));
}
