import type { Sql } from '../database.js';

/** A session as it is stored: sealed, with the id of the key that opens it. */
export interface SealedSession {
  sealed: Buffer;
  keyId: string;
}

/** A session with what was registered beside it, such as the account's proxy. */
export interface Connection extends SealedSession {
  /** JSON: of most accounts that are loaded nobody reads it. */
  metadata: string;
}

export async function loadSessions(sql: Sql, accountIds: readonly string[]): Promise<Map<string, Connection>> {
  if (accountIds.length === 0) return new Map();
  const rows = await sql.$queryRaw<
    { id: string; session_data: Uint8Array; session_key_id: string; session_metadata: string }[]
  >`
    SELECT id::text, session_data, session_key_id, session_metadata::text FROM telegram_sessions
    WHERE id = ANY(${accountIds}::uuid[])`;
  return new Map(
    rows.map((row) => [
      row.id,
      { sealed: Buffer.from(row.session_data), keyId: row.session_key_id, metadata: row.session_metadata },
    ]),
  );
}
