import type { AccountCondition } from '../../decide/condition/account-condition.js';
import { type ConditionRow, toCondition } from './account-record.js';
import type { Sql } from '../database.js';

/** An account without its usage windows. Instants are epoch milliseconds. */
export interface AccountHead {
  accountId: string;
  userId: number;
  condition: AccountCondition;
  usageVersion: number;
  /** End of its lease; null when it is free. */
  lockedUntil: number | null;
}

interface HeadRow extends ConditionRow {
  now: Date;
  id: string | null;
  user_id: bigint;
  usage_version: bigint;
  locked_until: Date | null;
}

/** Reads accounts without locking them, and the database's clock. */
export async function loadAccountHeads(
  sql: Sql,
  accountIds: readonly string[],
): Promise<{ now: number; heads: Map<string, AccountHead> }> {
  const rows = await sql.$queryRaw<HeadRow[]>`
    SELECT date_trunc('milliseconds', clock_timestamp()) AS now, s.id::text, s.user_id, s.status::text, s.disabled_reason,
      s.flood_wait_until, s.blocked_until, s.block_level, s.last_block_ended_at, s.error_count, s.error_ends, s.usage_version, s.locked_until
    FROM (SELECT 1) AS clock LEFT JOIN telegram_sessions s ON s.id = ANY(${accountIds}::uuid[])`;
  const heads = new Map<string, AccountHead>();
  for (const row of rows) {
    if (row.id === null) continue;
    heads.set(row.id, {
      accountId: row.id,
      userId: Number(row.user_id),
      condition: toCondition(row),
      usageVersion: Number(row.usage_version),
      lockedUntil: row.locked_until?.getTime() ?? null,
    });
  }
  return { now: rows[0]?.now.getTime() ?? 0, heads };
}
