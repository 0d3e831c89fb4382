import type { ActionType } from '../../../contracts/fields.js';
import type { Sql } from '../database.js';

/** How often an account did something within some time. */
export interface UsageSum {
  accountId: string;
  actionType: ActionType;
  quantity: number;
}

/**
 * The UTC dates before `today` whose usage is not yet archived, and the last that is, since it may not be so wholly.
 * At first those since the oldest action that is kept.
 */
export async function listUnarchivedDays(sql: Sql, today: string): Promise<string[]> {
  const rows = await sql.$queryRaw<{ day: string }[]>`
    SELECT day::date::text FROM generate_series(
      COALESCE((SELECT max(day) FROM usage_archive), (SELECT min(counted_at) FROM counted_actions)::date),
      ${today}::date - 1, interval '1 day') AS day ORDER BY 1`;
  return rows.map((row) => row.day);
}

/** Sums what was counted from one instant to before another. Counted actions are kept themselves, so the sum is exact. */
export async function sumUsage(sql: Sql, fromAt: number, toAt: number): Promise<UsageSum[]> {
  const rows = await sql.$queryRaw<{ account_id: string; action_type: ActionType; quantity: bigint }[]>`
    SELECT account_id::text, action_type, sum(quantity) AS quantity FROM counted_actions
    WHERE counted_at >= ${new Date(fromAt)} AND counted_at < ${new Date(toAt)} GROUP BY account_id, action_type`;
  return rows.map((row) => ({
    accountId: row.account_id,
    actionType: row.action_type,
    quantity: Number(row.quantity),
  }));
}

/**
 * Writes the usage of a date, in place of less that was archived of it before. More stays: actions are only ever added,
 * so less is what the clean-up has left of them.
 */
export async function archiveUsage(sql: Sql, day: string, sums: readonly UsageSum[]): Promise<void> {
  const rows = sums.map(({ accountId, actionType, quantity }) => ({
    account_id: accountId,
    action_type: actionType,
    quantity,
  }));
  await sql.$executeRaw`
    INSERT INTO usage_archive (day, account_id, action_type, quantity)
    SELECT ${day}::date, c.account_id, c.action_type, c.quantity
    FROM json_to_recordset(${JSON.stringify(rows)}::json) AS c(account_id uuid, action_type text, quantity bigint)
    ORDER BY c.account_id, c.action_type
    ON CONFLICT (day, account_id, action_type) DO UPDATE SET quantity = GREATEST(usage_archive.quantity, EXCLUDED.quantity)`;
}
