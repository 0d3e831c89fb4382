import { FIRST_ID } from './account-record.js';
import type { Sql } from '../database.js';

/** So few that looking through them holds up nobody on the same thread. */
const PAGE = 100;

/**
 * A user's free accounts, page by page, none of them locked: the never used first, then the longest rested. They are
 * ordered as `free_accounts` is, by the columns of the table: `id` alone would mean the text, and each page would sort
 * all that are left.
 */
export async function* listFreeAccounts(sql: Sql, userId: number): AsyncGenerator<string[]> {
  let rows: { id: string; last_used_at: Date | null }[];
  let after = FIRST_ID;
  do {
    rows = await sql.$queryRaw`
      SELECT id::text, last_used_at FROM telegram_sessions s
      WHERE user_id = ${userId}::bigint AND NOT locked AND status = 'active' AND last_used_at IS NULL AND id > ${after}::uuid
      ORDER BY s.last_used_at NULLS FIRST, s.id LIMIT ${PAGE}::integer`;
    after = rows.at(-1)?.id ?? after;
    if (rows.length > 0) yield rows.map(({ id }) => id);
  } while (rows.length === PAGE);
  let last: { at: Date | null; id: string } = { at: null, id: FIRST_ID };
  do {
    rows = await sql.$queryRaw`
      SELECT id::text, last_used_at FROM telegram_sessions s
      WHERE user_id = ${userId}::bigint AND NOT locked AND status = 'active'
        AND (last_used_at, id) > (COALESCE(${last.at}::timestamptz, '-infinity'), ${last.id}::uuid)
      ORDER BY s.last_used_at NULLS FIRST, s.id LIMIT ${PAGE}::integer`;
    const end = rows.at(-1);
    if (end !== undefined) last = { at: end.last_used_at, id: end.id };
    if (rows.length > 0) yield rows.map(({ id }) => id);
  } while (rows.length === PAGE);
}
