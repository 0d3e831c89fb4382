import type { Sql } from '../database.js';

/** A session as it is stored: sealed, with the id of the key that opens it. */
export interface SealedSession {
  sealed: Buffer;
  keyId: string;
}

export async function loadSessions(sql: Sql, accountIds: readonly string[]): Promise<Map<string, SealedSession>> {
  if (accountIds.length === 0) return new Map();
  const rows = await sql.$queryRaw<{ id: string; session_data: Uint8Array; session_key_id: string }[]>`
    SELECT id::text, session_data, session_key_id FROM telegram_sessions WHERE id = ANY(${accountIds}::uuid[])`;
  return new Map(rows.map((row) => [row.id, { sealed: Buffer.from(row.session_data), keyId: row.session_key_id }]));
}

/** Of a lease that is still open: what its lessee is told beside what is stored with the reply, and its lock. */
export interface OpenLeaseSecrets extends SealedSession {
  accountId: string;
  phone: string;
  lockValue: string;
  /** What is left of the lease, milliseconds. */
  ttlMs: number;
}

/** By lease id; a lease that is over is not in the answer. */
export async function loadOpenLeaseSecrets(
  sql: Sql,
  leaseIds: readonly string[],
): Promise<Map<string, OpenLeaseSecrets>> {
  if (leaseIds.length === 0) return new Map();
  const rows = await sql.$queryRaw<
    {
      lease_id: string;
      id: string;
      phone: string;
      session_data: Uint8Array;
      session_key_id: string;
      lock_value: string;
      ttl_ms: number;
    }[]
  >`
    SELECT s.lease_id::text, s.id::text, s.phone, s.session_data, s.session_key_id,
      COALESCE(l.lock_value, l.id::text) AS lock_value,
      (extract(epoch FROM l.expires_at - clock_timestamp()) * 1000)::float8 AS ttl_ms
    FROM leases l JOIN telegram_sessions s ON s.id = l.account_id AND s.lease_id = l.id
    WHERE l.id = ANY(${leaseIds}::uuid[]) AND l.ended_at IS NULL AND l.expires_at > clock_timestamp()`;
  return new Map(
    rows.map((row) => [
      row.lease_id,
      {
        accountId: row.id,
        phone: row.phone,
        sealed: Buffer.from(row.session_data),
        keyId: row.session_key_id,
        lockValue: row.lock_value,
        ttlMs: row.ttl_ms,
      },
    ]),
  );
}
