import { toIso } from '../../clock.js';
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

interface CountRow {
  user_id: bigint;
  total: number;
  active: number;
  flood_wait: number;
  blocked: number;
  draining: number;
  disabled: number;
  /** Active, and no lease of theirs is written. */
  unleased: number;
  /** Active, and their lease is over. */
  lease_over: number;
  /** Their wait is over. */
  flood_wait_over: number;
  block_over: number;
  /** Among these two, leased. */
  leased_after_wait: number;
  /** Stored as blocked, but only the flood wait goes on. */
  only_flood_wait: number;
  /** Stored as in flood wait, but blocked. */
  also_blocked: number;
  earliest_lease_end: Date | null;
  earliest_recovery: Date | null;
}

/**
 * Counts the accounts of users as of `now`; a user without accounts is not in the answer. Indexes show how the accounts
 * are stored, and those few rows are looked at whose lease or wait is over, or that wait twice: reading all rows of a user with
 * 100,000 accounts took 180 ms of a processor, and each refusal waited for it.
 */
export async function countAccounts(
  sql: Sql,
  userIds: readonly number[],
  now: number,
): Promise<Map<number, AccountCounts>> {
  if (userIds.length === 0) return new Map();
  const at = toIso(now);
  const rows = await sql.$queryRaw<CountRow[]>`
    SELECT u.user_id, stored.*, free.*, lease_over.*, wait_over.*, two_waits.*,
      (SELECT s.locked_until FROM telegram_sessions s
        WHERE s.user_id = u.user_id AND s.locked AND s.locked_until > ${at}::timestamptz
          AND (s.status = 'active' OR (s.status IN ('flood_wait', 'blocked')
            AND GREATEST(s.flood_wait_until, s.blocked_until) <= ${at}::timestamptz))
        ORDER BY s.locked_until LIMIT 1) AS earliest_lease_end,
      (SELECT GREATEST(s.flood_wait_until, s.blocked_until) FROM telegram_sessions s
        WHERE s.user_id = u.user_id AND s.status IN ('flood_wait', 'blocked')
          AND GREATEST(s.flood_wait_until, s.blocked_until) > ${at}::timestamptz
        ORDER BY GREATEST(s.flood_wait_until, s.blocked_until) LIMIT 1) AS earliest_recovery
    FROM unnest(${userIds}::bigint[]) AS u(user_id)
    CROSS JOIN LATERAL (
      SELECT count(*)::integer AS total,
        (count(*) FILTER (WHERE s.status = 'active'))::integer AS active,
        (count(*) FILTER (WHERE s.status = 'flood_wait'))::integer AS flood_wait,
        (count(*) FILTER (WHERE s.status = 'blocked'))::integer AS blocked,
        (count(*) FILTER (WHERE s.status = 'draining'))::integer AS draining,
        (count(*) FILTER (WHERE s.status = 'disabled'))::integer AS disabled
      FROM telegram_sessions s WHERE s.user_id = u.user_id) stored
    CROSS JOIN LATERAL (
      SELECT count(*)::integer AS unleased FROM telegram_sessions s
      WHERE s.user_id = u.user_id AND NOT s.locked AND s.status = 'active') free
    CROSS JOIN LATERAL (
      SELECT (count(*) FILTER (WHERE s.status = 'active'))::integer AS lease_over FROM telegram_sessions s
      WHERE s.user_id = u.user_id AND s.locked AND s.locked_until <= ${at}::timestamptz) lease_over
    CROSS JOIN LATERAL (
      SELECT (count(*) FILTER (WHERE s.status = 'flood_wait'))::integer AS flood_wait_over,
        (count(*) FILTER (WHERE s.status = 'blocked'))::integer AS block_over,
        (count(*) FILTER (WHERE s.locked_until > ${at}::timestamptz))::integer AS leased_after_wait
      FROM telegram_sessions s
      WHERE s.user_id = u.user_id AND s.status IN ('flood_wait', 'blocked')
        AND GREATEST(s.flood_wait_until, s.blocked_until) <= ${at}::timestamptz) wait_over
    CROSS JOIN LATERAL (
      SELECT (count(*) FILTER (WHERE s.status = 'blocked' AND s.blocked_until <= ${at}::timestamptz
          AND s.flood_wait_until > ${at}::timestamptz))::integer AS only_flood_wait,
        (count(*) FILTER (WHERE s.status = 'flood_wait' AND s.blocked_until > ${at}::timestamptz))::integer AS also_blocked
      FROM telegram_sessions s
      WHERE s.user_id = u.user_id AND s.flood_wait_until IS NOT NULL AND s.blocked_until IS NOT NULL) two_waits
    WHERE stored.total > 0`;
  return new Map(rows.map((row) => [Number(row.user_id), toCounts(row)]));
}

function toCounts(row: CountRow): AccountCounts {
  const waitsOver = row.flood_wait_over + row.block_over;
  const leased = row.active - row.unleased - row.lease_over + row.leased_after_wait;
  return {
    total: row.total,
    leased,
    floodWait: row.flood_wait - row.flood_wait_over + row.only_flood_wait - row.also_blocked,
    blocked: row.blocked - row.block_over - row.only_flood_wait + row.also_blocked,
    draining: row.draining,
    disabled: row.disabled,
    free: row.active + waitsOver - leased,
    earliestLeaseEndAt: row.earliest_lease_end?.getTime() ?? null,
    earliestRecoveryAt: row.earliest_recovery?.getTime() ?? null,
  };
}
