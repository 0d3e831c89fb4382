import type { ActionType } from '../../../contracts/fields.js';
import type { Sql } from '../database.js';

/** How much of an action was counted while a lease was open, in one channel (null: in none). */
export interface CountedInLease {
  actionType: ActionType;
  channel: string | null;
  quantity: number;
}

/** Actions acquired and recorded during the accounts' present leases, by lease. */
export async function loadCountedInLeases(
  sql: Sql,
  accountIds: readonly string[],
): Promise<Map<string, CountedInLease[]>> {
  const byLease = new Map<string, CountedInLease[]>();
  if (accountIds.length === 0) return byLease;
  const rows = await sql.$queryRaw<
    { lease_id: string; action_type: ActionType; channel: string | null; quantity: number }[]
  >`
    SELECT lease_id::text, action_type, channel, sum(quantity)::integer AS quantity
    FROM counted_actions
    WHERE lease_id IN (SELECT s.lease_id FROM telegram_sessions s WHERE s.id = ANY(${accountIds}::uuid[]) AND s.lease_id IS NOT NULL)
    GROUP BY lease_id, action_type, channel`;
  for (const { lease_id: leaseId, action_type: actionType, channel, quantity } of rows) {
    const counted = byLease.get(leaseId) ?? [];
    counted.push({ actionType, channel, quantity });
    byLease.set(leaseId, counted);
  }
  return byLease;
}
