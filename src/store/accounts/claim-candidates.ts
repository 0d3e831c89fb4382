import { Prisma } from '../../../generated/prisma/client.js';
import { toIso } from '../../clock.js';
import type { Sql, SqlPart } from '../database.js';

/** Under this name the transaction notes the ids of the candidates it has locked, for the statement that loads them. */
export const CANDIDATES_SETTING = 'account_manager.candidates';

const LONG_AGO = 0;

/** How many candidates of which user. */
export interface CandidatesWanted {
  userId: number;
  count: number;
  /** Free accounts that were used last before this instant are known, and not wanted. */
  unseenAfter?: number;
}

/** Part of each look for candidates: whether it locks them. */
const LOCKED = Prisma.sql`FOR UPDATE SKIP LOCKED`;

/**
 * Accounts that may be granted, as parts of a statement that end in `found`, up to the count per user: the free ones,
 * longest rested first, then those whose lease or wait has ended. Walks the partial indexes only, so that its cost does
 * not grow with the leased and the waiting accounts: hence the time of the statement, since no index is searched by a
 * clock that moves while it is read.
 * @param seenIds accounts that the transaction has already; a list in `<> ALL` would be searched for every row
 * @param lock whether they are locked; rows that another transaction holds are then skipped, never waited for
 */
export const candidateParts = (
  wanted: readonly CandidatesWanted[],
  seenIds: readonly string[],
  lock: SqlPart = Prisma.empty,
): SqlPart => Prisma.sql`
    asked AS MATERIALIZED (
      SELECT * FROM unnest(${wanted.map(({ userId }) => userId)}::bigint[], ${wanted.map(({ count }) => count)}::integer[],
        ${wanted.map(({ unseenAfter }) => toIso(unseenAfter ?? LONG_AGO))}::timestamptz[]) AS w(user_id, count, unseen_after)
    ), new AS MATERIALIZED (
      SELECT f.user_id, f.id FROM asked w CROSS JOIN LATERAL (
        SELECT s.user_id, s.id FROM telegram_sessions s
        WHERE s.user_id = w.user_id AND NOT s.locked AND s.status = 'active' AND s.last_used_at IS NULL
          AND s.id NOT IN (SELECT unnest(${seenIds}::uuid[]))
        ORDER BY s.last_used_at NULLS FIRST, s.id LIMIT w.count ${lock}) f
    ), free AS MATERIALIZED (
      SELECT f.user_id, f.id FROM asked w CROSS JOIN LATERAL (
        SELECT s.user_id, s.id FROM telegram_sessions s
        WHERE s.user_id = w.user_id AND NOT s.locked AND s.status = 'active' AND s.last_used_at >= w.unseen_after
          AND s.id NOT IN (SELECT unnest(${seenIds}::uuid[]))
        ORDER BY s.last_used_at NULLS FIRST, s.id
        LIMIT w.count - (SELECT count(*) FROM new n WHERE n.user_id = w.user_id) ${lock}) f
    ), lease_over AS MATERIALIZED (
      SELECT f.user_id, f.id FROM asked w CROSS JOIN LATERAL (
        SELECT s.user_id, s.id FROM telegram_sessions s
        WHERE s.user_id = w.user_id AND s.locked AND s.locked_until <= statement_timestamp()
          AND s.id NOT IN (SELECT unnest(${seenIds}::uuid[]))
        ORDER BY s.locked_until LIMIT w.count ${lock}) f
    ), wait_over AS MATERIALIZED (
      SELECT f.user_id, f.id FROM asked w CROSS JOIN LATERAL (
        SELECT s.user_id, s.id FROM telegram_sessions s
        WHERE s.user_id = w.user_id AND s.status IN ('flood_wait', 'blocked') AND NOT s.locked
          AND GREATEST(s.flood_wait_until, s.blocked_until) <= statement_timestamp()
          AND s.id NOT IN (SELECT unnest(${seenIds}::uuid[]))
        ORDER BY GREATEST(s.flood_wait_until, s.blocked_until) LIMIT w.count ${lock}) f
    ), found AS MATERIALIZED (
      SELECT user_id, id::text FROM new
      UNION ALL SELECT user_id, id::text FROM free
      UNION ALL SELECT user_id, id::text FROM lease_over
      UNION ALL SELECT user_id, id::text FROM wait_over
    )`;

/** Locks candidates, and notes which they are for the statement that loads them. */
export async function lockCandidates(
  sql: Sql,
  wanted: readonly CandidatesWanted[],
  seenIds: readonly string[],
): Promise<Map<number, string[]>> {
  const rows = await sql.$queryRaw<{ user_id: bigint; id: string }[]>`
    WITH ${candidateParts(wanted, seenIds, LOCKED)}, noted AS MATERIALIZED (
      SELECT set_config(${CANDIDATES_SETTING}, COALESCE(string_agg(id, ','), ''), true) FROM found
    )
    SELECT user_id, id FROM found, noted`;
  const byUser = new Map<number, string[]>();
  for (const row of rows) {
    const userId = Number(row.user_id);
    const ids = byUser.get(userId) ?? [];
    ids.push(row.id);
    byUser.set(userId, ids);
  }
  return byUser;
}
