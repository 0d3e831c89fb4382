import { Prisma } from '../../../generated/prisma/client.js';
import type { Sql } from '../database.js';
import { type RestrictionRow, restrictionOf } from '../history/restrictions.js';
import { countRows, type RowList, listRows } from '../list-rows.js';

/** Which accounts that wait are wanted. */
export interface RecoveryFilter {
  /** null: everybody's. */
  users: readonly number[] | null;
  /** Only waits that end within so long, milliseconds; null: all. */
  withinMs: number | null;
}

export interface WaitingRow extends RestrictionRow {
  id: string;
  user_id: bigint;
  phone: string | null;
  status: 'flood_wait' | 'blocked';
  recovers_at: Date;
}

/** As the indexes of the waits have it. */
const RECOVERS_AT = Prisma.sql`GREATEST(t.flood_wait_until, t.blocked_until)`;

/** Waits that are over and not yet written as ended are none. */
const waiting = ({ users, withinMs }: RecoveryFilter): RowList => ({
  from: Prisma.sql`telegram_sessions t`,
  users,
  where: [
    Prisma.sql`t.status IN ('flood_wait', 'blocked') AND ${RECOVERS_AT} > statement_timestamp()`,
    ...(withinMs === null
      ? []
      : [Prisma.sql`${RECOVERS_AT} <= statement_timestamp() + ${withinMs}::float8 * interval '1 millisecond'`]),
  ],
});

/** Accounts that wait, the soonest to recover first, after a place in that order. */
export async function listRecoveries(
  sql: Sql,
  filter: RecoveryFilter,
  after: { at: number; id: string } | null,
  limit: number,
): Promise<WaitingRow[]> {
  const listed = waiting(filter);
  if (after !== null) {
    const at = Prisma.sql`${new Date(after.at)}::timestamptz`;
    // The first condition is what the index is searched by; the second cuts off those of the same instant.
    listed.where = [
      ...listed.where,
      Prisma.sql`${RECOVERS_AT} >= ${at} AND (${RECOVERS_AT}, t.id) > (${at}, ${after.id}::uuid)`,
    ];
  }
  return sql.$queryRaw<WaitingRow[]>`
    SELECT s.id::text, s.user_id, s.phone, s.status, s.recovers_at, e.error_class, e.telegram_error, e.reason, e.began_at
    FROM (
      SELECT id, user_id, phone, CASE WHEN blocked_until > statement_timestamp() THEN 'blocked' ELSE 'flood_wait' END AS status,
        GREATEST(flood_wait_until, blocked_until) AS recovers_at
      FROM (${listRows(listed, Prisma.sql`${RECOVERS_AT}, t.id`, limit)}) page) s
    LEFT JOIN LATERAL (${restrictionOf(Prisma.sql`s.id`, Prisma.sql`'account.' || s.status`)}) e ON true
    ORDER BY s.recovers_at, s.id`;
}

export const countRecoveries = (sql: Sql, filter: RecoveryFilter) => countRows(sql, waiting(filter));
