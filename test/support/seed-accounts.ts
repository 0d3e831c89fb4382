import { parseSessionKey, sessionKeyId } from '../../src/store/sessions/session-cipher.js';
import type { OperationsHarness } from './operations.js';

let nextSeed = 1;
/** Id of the key that services have in tests. */
const KEY_ID = sessionKeyId(parseSessionKey('ab'.repeat(32)));

/** Inserts accounts straight into the table, active and without a usable session; answers their ids. */
export async function seedAccounts({ query }: Pick<OperationsHarness, 'query'>, userId: number, count: number) {
  const rows = await query<{ id: string }>(
    `INSERT INTO telegram_sessions (id, user_id, phone, session_data, session_key_id, session_fingerprint)
     SELECT gen_random_uuid(), $1, '+seed' || $2 || '-' || n, '\\x00', $4, 'seed' || $2 || '-' || n
     FROM generate_series(1, $3) n RETURNING id::text`,
    [userId, nextSeed++, count, KEY_ID],
  );
  return rows.map(({ id }) => id);
}

/** Sets accounts waiting; their ends lie evenly between two instants, milliseconds from now. */
export async function letWait(
  { query }: Pick<OperationsHarness, 'query'>,
  accountIds: readonly string[],
  { status = 'flood_wait', fromMs, toMs = fromMs }: { status?: string; fromMs: number; toMs?: number },
): Promise<void> {
  await query(
    `UPDATE telegram_sessions s SET status = $2::account_status,
       flood_wait_until = CASE WHEN $2 = 'flood_wait' THEN w.until END,
       blocked_until = CASE WHEN $2 = 'blocked' THEN w.until END,
       block_level = CASE WHEN $2 = 'blocked' THEN 1 ELSE block_level END
     FROM (SELECT id, now() + ($3::float8 + ($4::float8 - $3) * n / cardinality($1)) * interval '1 millisecond' AS until
           FROM unnest($1::uuid[]) WITH ORDINALITY AS u(id, n)) w
     WHERE s.id = w.id`,
    [accountIds, status, fromMs, toMs],
  );
}
