import type { Sql } from '../database.js';

/** So many of them are considered; one that is held longer goes first. */
const MAX_HELD = 100;

/** Accounts of the users that the services hold, the longest held first. An end that is not yet written counts as none. */
export async function findHeldAccounts(
  sql: Sql,
  holders: readonly { userId: number; serviceName: string }[],
): Promise<string[]> {
  if (holders.length === 0) return [];
  const rows = await sql.$queryRaw<{ account_id: string }[]>`
    SELECT DISTINCT held.account_id::text
    FROM unnest(${holders.map(({ userId }) => userId)}::bigint[], ${holders.map(({ serviceName }) => serviceName)}::text[]) AS w(user_id, service_name)
    CROSS JOIN LATERAL (
      SELECT l.account_id FROM leases l
      WHERE l.service_name = w.service_name AND l.user_id = w.user_id AND l.ended_at IS NULL
      ORDER BY l.allocated_at LIMIT ${MAX_HELD}) held`;
  return rows.map((row) => row.account_id);
}
