import type { AccountStatus } from '../../../contracts/fields.js';
import type { Sql } from '../database.js';

/** Which accounts of a user are wanted: those that pass every filter, after an id, in the order of their ids. */
export interface AccountFilter {
  userId: number;
  /** As of `now`: waits that are over count as over. */
  status: AccountStatus | null;
  /** Nobody has them leased. */
  onlyFree: boolean;
  afterId: string | null;
  limit: number;
}

/** Ids of a user's accounts. */
export async function listAccounts(sql: Sql, filter: AccountFilter, now: number): Promise<string[]> {
  const { userId, status, onlyFree, afterId, limit } = filter;
  const at = new Date(now);
  const rows = await sql.$queryRaw<{ id: string }[]>`
    SELECT id::text FROM telegram_sessions
    WHERE user_id = ${userId}::bigint AND (${afterId}::uuid IS NULL OR id > ${afterId}::uuid)
      AND (NOT ${onlyFree} OR NOT locked OR locked_until <= ${at})
      AND (${status}::text IS NULL OR ${status}::text = CASE
        WHEN status IN ('disabled', 'draining') THEN status::text
        WHEN blocked_until > ${at} THEN 'blocked'
        WHEN flood_wait_until > ${at} THEN 'flood_wait'
        ELSE 'active' END)
    ORDER BY id LIMIT ${limit}::integer`;
  return rows.map((row) => row.id);
}

/** Ids of a user's accounts as an allocation looks at them: the free ones, longest rested first, then the others. */
export async function listAccountsByRest(sql: Sql, userId: number, limit: number): Promise<string[]> {
  const rows = await sql.$queryRaw<{ id: string }[]>`
    SELECT id::text FROM telegram_sessions WHERE user_id = ${userId}::bigint
    ORDER BY locked OR status <> 'active', last_used_at NULLS FIRST, id LIMIT ${limit}::integer`;
  return rows.map((row) => row.id);
}
