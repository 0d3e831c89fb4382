import type { Sql } from './database.js';

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

/** What a lessee whose lease is still open is told of the account beside what is stored with the reply. */
export interface OpenLeaseSecrets extends SealedSession {
  accountId: string;
  phone: string;
}

/** By lease id; a lease that is over is not in the answer. */
export async function loadOpenLeaseSecrets(
  sql: Sql,
  leaseIds: readonly string[],
): Promise<Map<string, OpenLeaseSecrets>> {
  if (leaseIds.length === 0) return new Map();
  const rows = await sql.$queryRaw<
    { lease_id: string; id: string; phone: string; session_data: Uint8Array; session_key_id: string }[]
  >`
    SELECT lease_id::text, id::text, phone, session_data, session_key_id FROM telegram_sessions
    WHERE id IN (SELECT account_id FROM leases WHERE id = ANY(${leaseIds}::uuid[]))
      AND lease_id = ANY(${leaseIds}::uuid[]) AND locked_until > clock_timestamp()`;
  return new Map(
    rows.map((row) => [
      row.lease_id,
      { accountId: row.id, phone: row.phone, sealed: Buffer.from(row.session_data), keyId: row.session_key_id },
    ]),
  );
}
