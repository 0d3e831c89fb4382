import type { Sql } from '../database.js';

/** The values of accounts' locks whose lease is over: nobody holds the account under them any more. */
export async function findEndedLocks(
  sql: Sql,
  locks: readonly { accountId: string; value: string }[],
): Promise<Set<string>> {
  if (locks.length === 0) return new Set();
  const rows = await sql.$queryRaw<{ value: string }[]>`
    SELECT given.value
    FROM unnest(${locks.map(({ accountId }) => accountId)}::uuid[], ${locks.map(({ value }) => value)}::text[]) AS given(account_id, value)
    JOIN leases l USING (account_id)
    WHERE l.ended_at IS NOT NULL AND given.value = COALESCE(l.lock_value, l.id::text)`;
  return new Set(rows.map((row) => row.value));
}
