import type { HeldLease } from '../../decide/selection/judge-ownership.js';
import type { Sql } from '../database.js';

/**
 * The lease that each account had last, open or ended, by account. None after a forced release: it has raised the
 * account's fence above that of the lease, so that nothing is taken from the old holder any more.
 */
export async function loadLastLeases(sql: Sql, accountIds: readonly string[]): Promise<Map<string, HeldLease>> {
  if (accountIds.length === 0) return new Map();
  const rows = await sql.$queryRaw<
    { account_id: string; lease_id: string; fence: bigint; service_name: string; caller: string | null }[]
  >`
    SELECT l.account_id::text, l.id::text AS lease_id, l.fence, l.service_name, l.caller
    FROM telegram_sessions s JOIN leases l ON l.account_id = s.id AND l.fence = s.fence
    WHERE s.id = ANY(${[...new Set(accountIds)]}::uuid[])`;
  return new Map(
    rows.map((row) => [
      row.account_id,
      { leaseId: row.lease_id, fence: Number(row.fence), serviceName: row.service_name, caller: row.caller },
    ]),
  );
}
