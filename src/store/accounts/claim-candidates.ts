import { Prisma } from '../../../generated/prisma/client.js';
import type { Sql, SqlPart } from '../database.js';

/** Marks the advisory locks of this system's allocations among others in the database. */
const ALLOCATION_LOCKS = 0x414d;

/**
 * Lets one allocation at a time work on a user's accounts, in one order everywhere. Without it two instances would
 * skip each other's locked candidates and report accounts as busy that stay free.
 */
export const userLocks = (userIds: readonly number[]): SqlPart => Prisma.sql`
    SELECT pg_advisory_xact_lock(${ALLOCATION_LOCKS}::integer, u.key)
    FROM (SELECT DISTINCT hashint8(user_id) AS key FROM unnest(${userIds}::bigint[]) AS given(user_id) ORDER BY 1) u`;

/** How many candidates of which user. */
export interface CandidatesWanted {
  userId: number;
  count: number;
}

/**
 * Locks accounts that may be granted, up to the count per user: the free ones, longest rested first, then those whose
 * lease or wait has ended. Rows that another transaction holds are skipped, never waited for. Walks the partial
 * indexes only, so that its cost does not grow with the leased and the waiting accounts: hence the time of the
 * statement, since no index is searched by a clock that moves while it is read.
 * @param seenIds accounts that the transaction has already; a list in `<> ALL` would be searched for every row
 */
export async function lockCandidates(
  sql: Sql,
  wanted: readonly CandidatesWanted[],
  seenIds: readonly string[],
): Promise<Map<number, string[]>> {
  const rows = await sql.$queryRaw<{ user_id: bigint; id: string }[]>`
    WITH wanted AS MATERIALIZED (
      SELECT * FROM unnest(${wanted.map(({ userId }) => userId)}::bigint[], ${wanted.map(({ count }) => count)}::integer[]) AS w(user_id, count)
    ), free AS MATERIALIZED (
      SELECT f.user_id, f.id FROM wanted w CROSS JOIN LATERAL (
        SELECT s.user_id, s.id FROM telegram_sessions s
        WHERE s.user_id = w.user_id AND NOT s.locked AND s.status = 'active'
          AND s.id NOT IN (SELECT unnest(${seenIds}::uuid[]))
        ORDER BY s.last_used_at NULLS FIRST, s.id LIMIT w.count FOR UPDATE SKIP LOCKED) f
    ), lease_over AS MATERIALIZED (
      SELECT f.user_id, f.id FROM wanted w CROSS JOIN LATERAL (
        SELECT s.user_id, s.id FROM telegram_sessions s
        WHERE s.user_id = w.user_id AND s.locked AND s.locked_until <= statement_timestamp()
          AND s.id NOT IN (SELECT unnest(${seenIds}::uuid[]))
        ORDER BY s.locked_until LIMIT w.count FOR UPDATE SKIP LOCKED) f
    ), wait_over AS MATERIALIZED (
      SELECT f.user_id, f.id FROM wanted w CROSS JOIN LATERAL (
        SELECT s.user_id, s.id FROM telegram_sessions s
        WHERE s.user_id = w.user_id AND s.status IN ('flood_wait', 'blocked') AND NOT s.locked
          AND GREATEST(s.flood_wait_until, s.blocked_until) <= statement_timestamp()
          AND s.id NOT IN (SELECT unnest(${seenIds}::uuid[]))
        ORDER BY GREATEST(s.flood_wait_until, s.blocked_until) LIMIT w.count FOR UPDATE SKIP LOCKED) f
    )
    SELECT user_id, id::text FROM free
    UNION ALL SELECT user_id, id::text FROM lease_over
    UNION ALL SELECT user_id, id::text FROM wait_over`;
  const byUser = new Map<number, string[]>();
  for (const row of rows) {
    const userId = Number(row.user_id);
    const ids = byUser.get(userId) ?? [];
    ids.push(row.id);
    byUser.set(userId, ids);
  }
  return byUser;
}
