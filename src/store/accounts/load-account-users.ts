import type { Sql } from '../database.js';

/** The users of accounts, or their users before they were removed, by account id; accounts that never were are left out. */
export async function loadAccountUsers(sql: Sql, accountIds: readonly string[]): Promise<Map<string, number>> {
  const rows = await sql.$queryRaw<{ id: string; user_id: bigint }[]>`
    SELECT id::text, user_id FROM telegram_sessions WHERE id = ANY(${accountIds}::uuid[])
    UNION ALL
    SELECT id::text, user_id FROM removed_accounts WHERE id = ANY(${accountIds}::uuid[])`;
  return new Map(rows.map((row) => [row.id, Number(row.user_id)]));
}
