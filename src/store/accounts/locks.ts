import { Prisma } from '../../../generated/prisma/client.js';
import type { Sql, SqlPart } from '../database.js';

/** Locks that a transaction takes before it reads. */
export interface LocksWanted {
  /** Users of whose accounts some are to be chosen. */
  userIds: readonly number[];
  accountIds: readonly string[];
}

/** Marks the advisory locks of this system's allocations among others in the database. */
const ALLOCATION_LOCKS = 0x414d;

/**
 * Locks as parts of a statement: `users_locked`, then `locked`, to be read in this order. One allocation at a time
 * works on a user's accounts: without that, two instances would skip each other's locked candidates and report accounts
 * as busy that stay free. Users before accounts and each in one order everywhere, so that batches cannot wait for each
 * other in a circle.
 */
export const lockParts = ({ userIds, accountIds }: LocksWanted): SqlPart => Prisma.sql`
    users_locked AS MATERIALIZED (
      SELECT pg_advisory_xact_lock(${ALLOCATION_LOCKS}::integer, u.key)
      FROM (SELECT DISTINCT hashint8(user_id) AS key FROM unnest(${userIds}::bigint[]) AS given(user_id) ORDER BY 1) u),
    locked AS MATERIALIZED (
      SELECT 1 FROM telegram_sessions WHERE id = ANY(${[...new Set(accountIds)]}::uuid[]) ORDER BY id FOR UPDATE)`;

/** Locks accounts in id order. */
export async function lockAccounts(sql: Sql, accountIds: readonly string[]): Promise<void> {
  await sql.$executeRaw`
    SELECT 1 FROM telegram_sessions WHERE id = ANY(${[...new Set(accountIds)]}::uuid[]) ORDER BY id FOR UPDATE`;
}
