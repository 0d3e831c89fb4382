import { StartError } from '../../decide/start/start-error.js';
import type { Sql } from '../database.js';
import type { SealedSession } from './load-sessions.js';

/** How many sessions a key has sealed. */
export interface SessionKeyUse {
  keyId: string;
  /** `current` seals, `old` only opens, `unknown` is none of ours. */
  state: 'current' | 'old' | 'unknown';
  sessions: number;
  /** Sessions of accounts that are not disabled. */
  inUse: number;
}

/** By every key that a session names. `keyIds`: ours, the first of which seals. */
export async function countSessionKeys(sql: Sql, keyIds: readonly string[]): Promise<SessionKeyUse[]> {
  const rows = await sql.$queryRaw<{ key_id: string; sessions: number; in_use: number }[]>`
    SELECT session_key_id AS key_id, count(*)::integer AS sessions,
      (count(*) FILTER (WHERE status <> 'disabled'))::integer AS in_use
    FROM telegram_sessions GROUP BY 1 ORDER BY 1`;
  return rows.map(({ key_id: keyId, sessions, in_use: inUse }) => {
    const state = keyId === keyIds[0] ? 'current' : keyIds.includes(keyId) ? 'old' : 'unknown';
    return { keyId, state, sessions, inUse };
  });
}

/** Rejects with `StartError` where an account that is not disabled has a session that none of our keys opens, naming key and count. */
export async function assertSessionKeys(sql: Sql, keyIds: readonly string[]): Promise<void> {
  const used = await countSessionKeys(sql, keyIds);
  const unknown = used.filter(({ state, inUse }) => state === 'unknown' && inUse > 0);
  if (unknown.length === 0) return;
  const sealed = unknown.map(({ keyId, inUse }) => `${inUse} by key ${keyId}`).join(', ');
  throw new StartError(
    `sessions in the database are sealed by keys that SESSION_ENCRYPTION_KEYS does not name: ${sealed}; ` +
      `it names ${keyIds.join(', ')}. Add the missing keys, or disable the accounts`,
  );
}

/** A session that is to be sealed anew. */
export interface OldSession extends SealedSession {
  accountId: string;
}

/**
 * Locks the next sessions, by account id, that one of these keys has sealed. Rows that another transaction holds are
 * skipped: nobody waits for this, and this for nobody. `ORDER BY id` alone would mean the text, which no index has.
 */
export async function lockSealedBy(
  sql: Sql,
  { keyIds, afterId, limit }: { keyIds: readonly string[]; afterId: string; limit: number },
): Promise<OldSession[]> {
  const rows = await sql.$queryRaw<{ id: string; session_data: Uint8Array; session_key_id: string }[]>`
    SELECT s.id::text, session_data, session_key_id FROM telegram_sessions s
    WHERE session_key_id = ANY(${keyIds}::text[]) AND s.id > ${afterId}::uuid
    ORDER BY s.id LIMIT ${limit}::integer FOR NO KEY UPDATE SKIP LOCKED`;
  return rows.map((row) => ({
    accountId: row.id,
    sealed: Buffer.from(row.session_data),
    keyId: row.session_key_id,
  }));
}

/** Writes sessions whose rows are locked. */
export async function replaceSealed(sql: Sql, sessions: readonly OldSession[]): Promise<void> {
  if (sessions.length === 0) return;
  const rows = sessions.map(({ accountId, sealed, keyId }) => ({
    id: accountId,
    session_data: sealed.toString('base64'),
    session_key_id: keyId,
  }));
  await sql.$executeRaw`
    UPDATE telegram_sessions s SET session_data = decode(c.session_data, 'base64'), session_key_id = c.session_key_id
    FROM json_to_recordset(${JSON.stringify(rows)}::json) AS c(id uuid, session_data text, session_key_id text)
    WHERE s.id = c.id`;
}
