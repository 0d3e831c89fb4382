import type { Sql } from '../database.js';

/** Whose the accounts are, by account id; accounts that do not exist are left out. */
export async function loadAccountUsers(sql: Sql, accountIds: readonly string[]): Promise<Map<string, number>> {
  const rows = await sql.$queryRaw<{ id: string; user_id: bigint }[]>`
    SELECT id::text, user_id FROM telegram_sessions WHERE id = ANY(${accountIds}::uuid[])`;
  return new Map(rows.map((row) => [row.id, Number(row.user_id)]));
}
