import type { Sql } from '../database.js';

/** Ids of a user's accounts as an allocation looks at them: the free ones, longest rested first, then the others. */
export async function listAccountsByRest(sql: Sql, userId: number, limit: number): Promise<string[]> {
  const rows = await sql.$queryRaw<{ id: string }[]>`
    SELECT id::text FROM telegram_sessions WHERE user_id = ${userId}::bigint
    ORDER BY locked OR status <> 'active', last_used_at NULLS FIRST, id LIMIT ${limit}::integer`;
  return rows.map((row) => row.id);
}
