import { ACTION_TYPES, type ActionType } from '../../../contracts/fields.js';
import type { FleetReport } from '../../../contracts/jobs.js';
import type { Sql } from '../database.js';

const MAX_SERVICES = 20;

/** How often each action was done today (UTC). */
export async function sumUsageOn(sql: Sql, today: string): Promise<Record<ActionType, number>> {
  const rows = await sql.$queryRaw<{ action_type: ActionType; used: bigint }[]>`
    SELECT action_type, sum(day_count) AS used FROM usage_windows WHERE day = ${today}::date GROUP BY action_type`;
  const used = new Map(rows.map((row) => [row.action_type, Number(row.used)]));
  return Object.fromEntries(ACTION_TYPES.map((action) => [action, used.get(action) ?? 0])) as Record<
    ActionType,
    number
  >;
}

/** Requests that were refused since an instant, by failure code, and actions not allowed, by the limit that binds. */
export async function countRefusals(sql: Sql, sinceAt: number): Promise<FleetReport['refusals']> {
  return sql.$queryRaw<FleetReport['refusals']>`
    SELECT operation, reply -> 'error' ->> 'code' AS code, reply ->> 'reason' AS rule, count(*)::integer AS count
    FROM answered_requests
    WHERE (reply ->> 'success' = 'false' OR reply ->> 'allowed' = 'false') AND answered_at >= ${new Date(sinceAt)}
    GROUP BY 1, 2, 3 ORDER BY count DESC, operation, code, rule`;
}

/** The services by leases taken and actions counted since an instant, the busiest first. */
export async function rankServices(sql: Sql, sinceAt: number): Promise<FleetReport['services']> {
  const since = new Date(sinceAt);
  return sql.$queryRaw<FleetReport['services']>`
    WITH taken AS (
      SELECT service_name, count(*) AS leases FROM leases WHERE allocated_at >= ${since} GROUP BY 1
    ), held AS (
      SELECT service_name, count(*) AS open FROM leases WHERE ended_at IS NULL GROUP BY 1
    ), counted AS (
      SELECT service_name, sum(quantity) AS actions FROM counted_actions
      WHERE counted_at >= ${since} AND service_name IS NOT NULL GROUP BY 1)
    SELECT service_name, COALESCE(leases, 0)::integer AS leases, COALESCE(open, 0)::integer AS open_leases,
      COALESCE(actions, 0)::float8 AS actions
    FROM taken FULL JOIN held USING (service_name) FULL JOIN counted USING (service_name)
    ORDER BY COALESCE(leases, 0) DESC, COALESCE(actions, 0) DESC, service_name LIMIT ${MAX_SERVICES}::integer`;
}

/**
 * Present waits by the class of the error that began them, as its event tells it; an operator who moved the end of one
 * has made an event of that type too, without a class. The block counts while it lasts, for an account in both waits.
 */
export async function countWaits(sql: Sql, now: number): Promise<FleetReport['waits']> {
  const at = new Date(now);
  return sql.$queryRaw<FleetReport['waits']>`
    SELECT s.status, COALESCE(e.cause, 'unknown') AS cause, count(*)::integer AS accounts
    FROM (
      SELECT id, CASE WHEN blocked_until > ${at} THEN 'blocked' ELSE 'flood_wait' END AS status
      FROM telegram_sessions
      WHERE status IN ('flood_wait', 'blocked') AND GREATEST(flood_wait_until, blocked_until) > ${at}) s
    LEFT JOIN LATERAL (
      SELECT data ->> 'error_class' AS cause FROM events
      WHERE account_id = s.id AND type = 'account.' || s.status AND data ->> 'error_class' IS NOT NULL
      ORDER BY sequence DESC LIMIT 1) e ON true
    GROUP BY 1, 2 ORDER BY accounts DESC, 1, 2`;
}
