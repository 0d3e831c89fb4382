import type { Sql } from '../database.js';

/** The accounts that services have leased, by the database's word before they are locked: to be judged under the lock. */
export async function findLeasedAccounts(sql: Sql, serviceNames: readonly string[]): Promise<string[]> {
  const rows = await sql.$queryRaw<{ account_id: string }[]>`
    SELECT account_id::text FROM leases WHERE service_name = ANY(${serviceNames}::text[]) AND ended_at IS NULL`;
  return rows.map((row) => row.account_id);
}
