import type { Sql } from '../database.js';

/** Every open lease with the value of its lock and what is left of it, milliseconds. */
export async function loadOpenLeases(sql: Sql): Promise<{ accountId: string; lockValue: string; ttlMs: number }[]> {
  const rows = await sql.$queryRaw<{ account_id: string; lock_value: string; ttl_ms: number }[]>`
    SELECT account_id::text, COALESCE(lock_value, id::text) AS lock_value,
      (extract(epoch FROM expires_at - clock_timestamp()) * 1000)::float8 AS ttl_ms
    FROM leases WHERE ended_at IS NULL AND expires_at > clock_timestamp()`;
  return rows.map((row) => ({ accountId: row.account_id, lockValue: row.lock_value, ttlMs: row.ttl_ms }));
}
