import type { ActionType } from '../../contracts/fields.js';
import type { ChannelUsage, UsageWindow } from '../decide/usage-window.js';
import type { Sql } from './database.js';

/** Accounts that have done equally much of an action, by day and in a channel. */
export interface UsageGroup {
  actionType: ActionType;
  usage: Pick<UsageWindow, 'day' | 'dayCount'>;
  /** In the channel asked for, if any. */
  channel: ChannelUsage;
  accounts: number;
}

interface GroupRow {
  able: number;
  action_type: ActionType | null;
  day: string | null;
  day_count: number;
  channel_day: string | null;
  channel_day_count: number;
  channel_total: bigint;
  accounts: number;
}

/**
 * Counts a user's accounts that can act before an instant, and groups them by how much they have done: few groups,
 * however many accounts, for the limits to be judged once per group. An account is in no group of an action that it
 * has never done.
 */
export async function groupUsage(
  sql: Sql,
  { userId, channel, ableBefore }: { userId: number; channel: string | null; ableBefore: number },
): Promise<{ able: number; groups: UsageGroup[] }> {
  const rows = await sql.$queryRaw<GroupRow[]>`
    WITH able AS MATERIALIZED (
      SELECT id FROM telegram_sessions
      WHERE user_id = ${userId}::bigint AND status NOT IN ('disabled', 'draining')
        AND (GREATEST(flood_wait_until, blocked_until) < ${new Date(ableBefore)}) IS NOT FALSE
    ), groups AS (
      SELECT w.action_type, w.day::text, w.day_count, c.day::text AS channel_day,
        COALESCE(c.day_count, 0) AS channel_day_count, COALESCE(c.total, 0) AS channel_total, count(*)::integer AS accounts
      FROM able JOIN usage_windows w ON w.account_id = able.id
      LEFT JOIN channel_usage c
        ON c.account_id = able.id AND c.action_type = w.action_type AND c.channel = ${channel}::text
      GROUP BY w.action_type, w.day, w.day_count, c.day, c.day_count, c.total)
    SELECT (SELECT count(*)::integer FROM able) AS able, groups.* FROM (SELECT 1) AS one LEFT JOIN groups ON true`;
  const groups = rows.flatMap((row): UsageGroup[] =>
    row.action_type === null
      ? []
      : [
          {
            actionType: row.action_type,
            usage: { day: row.day, dayCount: row.day_count },
            channel: { day: row.channel_day, dayCount: row.channel_day_count, total: Number(row.channel_total) },
            accounts: row.accounts,
          },
        ],
  );
  return { able: rows[0]?.able ?? 0, groups };
}
