import type { Sql } from '../database.js';

/** A user's accounts by what keeps them from being granted. Instants are epoch milliseconds. */
export interface AccountCounts {
  total: number;
  /** Leased, and neither waiting, draining nor disabled. */
  leased: number;
  floodWait: number;
  blocked: number;
  draining: number;
  disabled: number;
  /** Neither leased nor restricted. */
  free: number;
  /** When the first lease ends; null: none is open. */
  earliestLeaseEndAt: number | null;
  /** When the first wait ends; null: none is on. */
  earliestRecoveryAt: number | null;
}

interface CountRow
  extends Record<'total' | 'leased' | 'flood_wait' | 'blocked' | 'draining' | 'disabled' | 'free', number> {
  user_id: bigint;
  earliest_lease_end: Date | null;
  earliest_recovery: Date | null;
}

/** Counts the accounts of users as of `now`; a user without accounts is not in the answer. */
export async function countAccounts(
  sql: Sql,
  userIds: readonly number[],
  now: number,
): Promise<Map<number, AccountCounts>> {
  if (userIds.length === 0) return new Map();
  const at = new Date(now);
  const rows = await sql.$queryRaw<CountRow[]>`
    WITH judged AS (
      SELECT user_id, locked_until, GREATEST(flood_wait_until, blocked_until) AS waits_until,
        CASE
          WHEN status IN ('disabled', 'draining') THEN status::text
          WHEN blocked_until > ${at} THEN 'blocked'
          WHEN flood_wait_until > ${at} THEN 'flood_wait'
          WHEN locked_until > ${at} THEN 'leased'
          ELSE 'free'
        END AS state
      FROM telegram_sessions WHERE user_id = ANY(${userIds}::bigint[]))
    SELECT user_id, count(*)::integer AS total,
      (count(*) FILTER (WHERE state = 'leased'))::integer AS leased,
      (count(*) FILTER (WHERE state = 'flood_wait'))::integer AS flood_wait,
      (count(*) FILTER (WHERE state = 'blocked'))::integer AS blocked,
      (count(*) FILTER (WHERE state = 'draining'))::integer AS draining,
      (count(*) FILTER (WHERE state = 'disabled'))::integer AS disabled,
      (count(*) FILTER (WHERE state = 'free'))::integer AS free,
      min(locked_until) FILTER (WHERE state = 'leased') AS earliest_lease_end,
      min(waits_until) FILTER (WHERE state IN ('flood_wait', 'blocked')) AS earliest_recovery
    FROM judged GROUP BY user_id`;
  return new Map(
    rows.map((row) => [
      Number(row.user_id),
      {
        total: row.total,
        leased: row.leased,
        floodWait: row.flood_wait,
        blocked: row.blocked,
        draining: row.draining,
        disabled: row.disabled,
        free: row.free,
        earliestLeaseEndAt: row.earliest_lease_end?.getTime() ?? null,
        earliestRecoveryAt: row.earliest_recovery?.getTime() ?? null,
      },
    ]),
  );
}
