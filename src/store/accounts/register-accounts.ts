import type { Sql } from '../database.js';

/** The identity of a registered account. */
export interface KnownAccount {
  accountId: string;
  userId: number;
  /** Null: it was registered without one. */
  phone: string | null;
  fingerprint: string;
}

/** The accounts that have one of the phone numbers, session keys or ids. */
export async function findKnownAccounts(
  sql: Sql,
  { phones, fingerprints, ids }: Record<'phones' | 'fingerprints' | 'ids', readonly string[]>,
): Promise<KnownAccount[]> {
  const rows = await sql.$queryRaw<
    { id: string; user_id: bigint; phone: string | null; session_fingerprint: string }[]
  >`
    SELECT id::text, user_id, phone, session_fingerprint FROM telegram_sessions
    WHERE phone = ANY(${phones}::text[]) OR session_fingerprint = ANY(${fingerprints}::text[])
      OR id = ANY(${ids}::uuid[])`;
  return rows.map((row) => ({
    accountId: row.id,
    userId: Number(row.user_id),
    phone: row.phone,
    fingerprint: row.session_fingerprint,
  }));
}

/** Which of the ids were accounts that an operator has removed. */
export async function findRemoved(sql: Sql, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const rows = await sql.$queryRaw<{ id: string }[]>`
    SELECT id::text FROM removed_accounts WHERE id = ANY(${ids}::uuid[])`;
  return new Set(rows.map(({ id }) => id));
}

/** A session as it is to be stored with its account. */
export interface NewSession {
  accountId: string;
  /** Null: of a new account there is none, of a known one it stays. */
  phone: string | null;
  sealed: Buffer;
  keyId: string;
  /** Fingerprint of the authorisation key: one key is one account. */
  fingerprint: string;
  /** Null: what is stored stays. */
  metadata: Record<string, unknown> | null;
}

const toRow = (session: NewSession) => ({
  id: session.accountId,
  phone: session.phone,
  session_data: session.sealed.toString('base64'),
  session_key_id: session.keyId,
  session_fingerprint: session.fingerprint,
  session_metadata: session.metadata,
});

export async function insertAccounts(sql: Sql, accounts: readonly (NewSession & { userId: number })[]): Promise<void> {
  if (accounts.length === 0) return;
  const rows = accounts.map((account) => ({ ...toRow(account), user_id: account.userId }));
  await sql.$executeRaw`
    INSERT INTO telegram_sessions (id, user_id, phone, session_data, session_key_id, session_fingerprint, session_metadata)
    SELECT c.id, c.user_id, c.phone, decode(c.session_data, 'base64'), c.session_key_id, c.session_fingerprint, COALESCE(c.session_metadata, '{}')
    FROM json_to_recordset(${JSON.stringify(rows)}::json) AS c(
      id uuid, user_id bigint, phone text, session_data text, session_key_id text, session_fingerprint text, session_metadata jsonb)`;
}

export async function replaceSessions(sql: Sql, sessions: readonly NewSession[]): Promise<void> {
  if (sessions.length === 0) return;
  await sql.$executeRaw`
    UPDATE telegram_sessions s SET session_data = decode(c.session_data, 'base64'), session_key_id = c.session_key_id,
      session_fingerprint = c.session_fingerprint, session_metadata = COALESCE(c.session_metadata, s.session_metadata),
      phone = COALESCE(c.phone, s.phone)
    FROM json_to_recordset(${JSON.stringify(sessions.map(toRow))}::json) AS c(
      id uuid, phone text, session_data text, session_key_id text, session_fingerprint text, session_metadata jsonb)
    WHERE s.id = c.id`;
}
