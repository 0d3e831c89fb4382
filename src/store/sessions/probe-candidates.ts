import type { Sql } from '../database.js';
import type { SealedSession } from './load-sessions.js';

/** Which accounts are due for a probe; lengths in milliseconds. */
export interface ProbeDue {
  /** Not probed for so long. */
  everyMs: number;
  /** Not used for so long. */
  idleMs: number;
  limit: number;
}

/**
 * Locks active accounts that nobody uses and that are due, the longest unprobed first, and tells their ids. Rows that
 * another transaction holds are skipped. Walks the index `probe_order`, whose expression stands here to the letter.
 */
export async function lockProbeCandidates(sql: Sql, { everyMs, idleMs, limit }: ProbeDue): Promise<string[]> {
  const rows = await sql.$queryRaw<{ id: string }[]>`
    SELECT s.id::text FROM telegram_sessions s
    WHERE NOT s.locked AND s.status = 'active'
      AND COALESCE(s.last_probed_at, '-infinity'::timestamptz) <= statement_timestamp() - ${everyMs}::float8 * interval '1 millisecond'
      AND COALESCE(s.last_used_at, '-infinity'::timestamptz) <= statement_timestamp() - ${idleMs}::float8 * interval '1 millisecond'
    ORDER BY COALESCE(s.last_probed_at, '-infinity'::timestamptz), s.id LIMIT ${limit}::integer FOR UPDATE SKIP LOCKED`;
  return rows.map((row) => row.id);
}

/** The facts about an account that a probe needs. */
export interface ProbeMeans extends SealedSession {
  /** `session_metadata.proxy`, as it was registered. */
  proxy: unknown;
}

/** Writes that the accounts' turn has come, which their next one is counted from; answers what to probe them with. */
export async function beginProbes(sql: Sql, accountIds: readonly string[]): Promise<Map<string, ProbeMeans>> {
  const rows = await sql.$queryRaw<{ id: string; session_data: Uint8Array; session_key_id: string; proxy: unknown }[]>`
    UPDATE telegram_sessions SET last_probed_at = statement_timestamp() WHERE id = ANY(${accountIds}::uuid[])
    RETURNING id::text, session_data, session_key_id, session_metadata -> 'proxy' AS proxy`;
  return new Map(
    rows.map((row) => [row.id, { sealed: Buffer.from(row.session_data), keyId: row.session_key_id, proxy: row.proxy }]),
  );
}
