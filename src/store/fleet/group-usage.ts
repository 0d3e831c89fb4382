import type { ActionType } from '../../../contracts/fields.js';
import type { ChannelUsage, UsageWindow } from '../../decide/limits/usage-window.js';
import type { Sql } from '../database.js';

/** Accounts that have done equally much of an action, by day and in a channel. */
export interface UsageGroup {
  actionType: ActionType;
  usage: Pick<UsageWindow, 'day' | 'dayCount'>;
  /** In the channel asked for, if any. */
  channel: ChannelUsage;
  accounts: number;
}

/** Accounts that are judged by the same limits, grouped. */
export interface UsageCohort {
  /** They are in their first days after a block. */
  reenters: boolean;
  /** How many they are; one is in no group of an action that it has never done. */
  able: number;
  groups: UsageGroup[];
}

interface GroupRow {
  reenters: boolean;
  able: number;
  action_type: ActionType | null;
  day: string | null;
  day_count: number;
  channel_day: string | null;
  channel_day_count: number;
  channel_total: bigint;
  accounts: number;
}

export interface GroupedUsage {
  /** Null: every user's accounts. */
  users: readonly number[] | null;
  channel: string | null;
  /** The accounts that can act before this instant. */
  ableBefore: number;
  /** `reentersSince` of now. */
  reentersSince: number;
}

/**
 * Counts accounts that can act before an instant, and groups them by how much they have done: few groups, however many
 * accounts, for the limits to be judged once per group.
 */
export async function groupUsage(sql: Sql, wanted: GroupedUsage): Promise<UsageCohort[]> {
  const { users, channel, ableBefore, reentersSince } = wanted;
  const rows = await sql.$queryRaw<GroupRow[]>`
    WITH able AS MATERIALIZED (
      SELECT id, COALESCE(COALESCE(blocked_until, last_block_ended_at) >= ${new Date(reentersSince)}, false) AS reenters
      FROM telegram_sessions
      WHERE (${users}::bigint[] IS NULL OR user_id = ANY(${users}::bigint[])) AND status NOT IN ('disabled', 'draining')
        AND (GREATEST(flood_wait_until, blocked_until) < ${new Date(ableBefore)}) IS NOT FALSE
    ), cohorts AS (
      SELECT reenters, count(*)::integer AS able FROM able GROUP BY reenters
    ), groups AS (
      SELECT able.reenters, w.action_type, w.day::text, w.day_count, c.day::text AS channel_day,
        COALESCE(c.day_count, 0) AS channel_day_count, COALESCE(c.total, 0) AS channel_total, count(*)::integer AS accounts
      FROM able JOIN usage_windows w ON w.account_id = able.id
      LEFT JOIN channel_usage c
        ON c.account_id = able.id AND c.action_type = w.action_type AND c.channel = ${channel}::text
      GROUP BY able.reenters, w.action_type, w.day, w.day_count, c.day, c.day_count, c.total)
    SELECT * FROM cohorts LEFT JOIN groups USING (reenters)`;
  const cohorts = new Map<boolean, UsageCohort>();
  for (const row of rows) {
    const cohort = cohorts.get(row.reenters) ?? { reenters: row.reenters, able: row.able, groups: [] };
    cohorts.set(row.reenters, cohort);
    if (row.action_type === null) continue;
    cohort.groups.push({
      actionType: row.action_type,
      usage: { day: row.day, dayCount: row.day_count },
      channel: { day: row.channel_day, dayCount: row.channel_day_count, total: Number(row.channel_total) },
      accounts: row.accounts,
    });
  }
  return [...cohorts.values()];
}
