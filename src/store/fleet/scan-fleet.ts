import { ACTION_TYPES } from '../../../contracts/fields.js';
import type { ProxyGroup } from '../../decide/condition/failing-proxies.js';
import type { LimitsPolicy } from '../../decide/limits/limits-policy.js';
import type { Sql } from '../database.js';
import { Prisma } from '../../../generated/prisma/client.js';
import { hasManyErrors } from './fleet-state.js';

/** Faults in the data, counted; `examples` are ids of a few accounts. */
export interface DataFault {
  accounts: number;
  examples: string[];
}

interface TroubleRow {
  name: DataFaultName;
  accounts: number;
  examples: string[];
}

export type DataFaultName = 'high_error_counts' | 'waits_without_end' | 'overdue_recoveries' | 'expired_leases';

/** Longer than any wait Telegram asks for (14 days) or any block. */
const LONGEST_WAIT_DAYS = 30;
/** A wait ends within seconds of its instant, a lease is closed by the next clean-up. */
const RECOVERY_GRACE_MINUTES = 5;
const LEASE_GRACE_MINUTES = 120;
const EXAMPLES = 10;

const NOW = Prisma.sql`now()`;

/** Accounts in a state they should not be in for long. */
export async function scanDataFaults(sql: Sql): Promise<Map<DataFaultName, DataFault>> {
  const rows = await sql.$queryRaw<TroubleRow[]>`
    WITH trouble AS (
      SELECT id, 'high_error_counts' AS name FROM telegram_sessions
      WHERE ${hasManyErrors(NOW)} AND status <> 'disabled'
      UNION ALL
      SELECT id, 'waits_without_end' FROM telegram_sessions
      WHERE status IN ('flood_wait', 'blocked')
        AND (GREATEST(flood_wait_until, blocked_until) < now() + make_interval(days => ${LONGEST_WAIT_DAYS})) IS NOT TRUE
      UNION ALL
      SELECT id, 'overdue_recoveries' FROM telegram_sessions
      WHERE status IN ('flood_wait', 'blocked')
        AND GREATEST(flood_wait_until, blocked_until) < now() - make_interval(mins => ${RECOVERY_GRACE_MINUTES})
      UNION ALL
      SELECT id, 'expired_leases' FROM telegram_sessions
      WHERE locked AND locked_until < now() - make_interval(mins => ${LEASE_GRACE_MINUTES}))
    SELECT name, count(*)::integer AS accounts, (array_agg(id::text ORDER BY id))[1:${EXAMPLES}::integer] AS examples
    FROM trouble GROUP BY name`;
  return new Map(rows.map(({ name, ...trouble }) => [name, trouble]));
}

/** The accounts of each proxy that `session_metadata` names, and how many of them fail. */
export async function groupByProxy(sql: Sql): Promise<ProxyGroup[]> {
  return sql.$queryRaw<ProxyGroup[]>`
    SELECT session_metadata -> 'proxy' AS proxy, count(*)::integer AS accounts,
      (count(*) FILTER (WHERE status IN ('flood_wait', 'blocked') OR ${hasManyErrors(NOW)}
        OR disabled_reason <> 'manual'))::integer AS failing
    FROM telegram_sessions WHERE session_metadata -> 'proxy' IS NOT NULL GROUP BY 1`;
}

/** From how many actions of a day on an account is near its limit. */
export interface NearLimits {
  policy: LimitsPolicy;
  /** The limits in the first days after a block. */
  reduced: LimitsPolicy;
  reentersSince: number;
  percent: number;
  /** UTC date. */
  today: string;
}

/** Accounts, disabled ones aside, that have used so much of a daily limit today. */
export async function countNearLimits(sql: Sql, near: NearLimits): Promise<number> {
  const { policy, reduced, reentersSince, percent, today } = near;
  const limited = ACTION_TYPES.map((action) => ({
    action_type: action,
    daily: policy[action].dailyLimit,
    reduced: reduced[action].dailyLimit,
  }));
  const [row] = await sql.$queryRaw<{ accounts: number }[]>`
    SELECT count(DISTINCT s.id)::integer AS accounts
    FROM telegram_sessions s JOIN usage_windows w ON w.account_id = s.id AND w.day >= ${today}::date
    JOIN json_to_recordset(${JSON.stringify(limited)}::json) AS l(action_type text, daily bigint, reduced bigint) USING (action_type)
    WHERE s.status <> 'disabled' AND w.day_count > 0 AND w.day_count * 100 >= ${percent}::integer * CASE
      WHEN COALESCE(s.blocked_until, s.last_block_ended_at) >= ${new Date(reentersSince)} THEN l.reduced ELSE l.daily END`;
  return row?.accounts ?? 0;
}
