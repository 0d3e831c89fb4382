import type { Sql } from '../database.js';
import type { Connection } from './load-sessions.js';

/** For a lease that is still open: what its holder is told beside what is stored with the reply, and its lock. */
export interface OpenGrant extends Connection {
  accountId: string;
  phone: string | null;
  lockValue: string;
  /** The rest of the lease, milliseconds. */
  ttlMs: number;
}

/** Grants by lease id: what their holders may still have, and when the others ended. */
export interface Granted {
  open: Map<string, OpenGrant>;
  /** Epoch milliseconds. */
  endedAt: Map<string, number>;
}

interface Row {
  lease_id: string;
  ended_at: Date | null;
  id: string;
  phone: string | null;
  session_data: Uint8Array;
  session_key_id: string;
  session_metadata: string;
  lock_value: string;
  ttl_ms: number;
}

/** Looks up leases that were granted; one that is not known any more is in neither of the maps. */
export async function loadGranted(sql: Sql, leaseIds: readonly string[]): Promise<Granted> {
  const granted: Granted = { open: new Map(), endedAt: new Map() };
  if (leaseIds.length === 0) return granted;
  const rows = await sql.$queryRaw<Row[]>`
    SELECT l.id::text AS lease_id, s.id::text, s.phone, s.session_data, s.session_key_id, s.session_metadata::text,
      CASE WHEN s.lease_id IS DISTINCT FROM l.id OR l.ended_at IS NOT NULL OR l.expires_at <= clock_timestamp()
        THEN COALESCE(l.ended_at, l.expires_at) END AS ended_at,
      COALESCE(l.lock_value, l.id::text) AS lock_value,
      (extract(epoch FROM l.expires_at - clock_timestamp()) * 1000)::float8 AS ttl_ms
    FROM leases l LEFT JOIN telegram_sessions s ON s.id = l.account_id
    WHERE l.id = ANY(${leaseIds}::uuid[])`;
  for (const row of rows) {
    if (row.ended_at !== null) granted.endedAt.set(row.lease_id, row.ended_at.getTime());
    else granted.open.set(row.lease_id, toOpenGrant(row));
  }
  return granted;
}

const toOpenGrant = (row: Row): OpenGrant => ({
  accountId: row.id,
  phone: row.phone,
  sealed: Buffer.from(row.session_data),
  keyId: row.session_key_id,
  metadata: row.session_metadata,
  lockValue: row.lock_value,
  ttlMs: row.ttl_ms,
});
