import type { AccountStatus, DisabledReason } from '../../../contracts/fields.js';
import { Prisma } from '../../../generated/prisma/client.js';
import type { Sql, SqlPart } from '../database.js';

/** Which accounts an operator means: those that meet every condition; null: any. */
export interface AccountMatch {
  users: readonly number[] | null;
  /** As of now: waits that are over count as over. */
  status: AccountStatus | null;
  disabledReason: DisabledReason | null;
  leasedBy: string | null;
  accountIds: readonly string[] | null;
}

/** The stored statuses that an account may have whose status, as of now, is the one wanted. */
const STORED_AS: Readonly<Record<AccountStatus, readonly AccountStatus[]>> = {
  active: ['active', 'flood_wait', 'blocked'],
  flood_wait: ['flood_wait', 'blocked'],
  blocked: ['blocked', 'flood_wait'],
  draining: ['draining'],
  disabled: ['disabled'],
};

const STATUS_NOW = Prisma.sql`CASE
        WHEN s.status IN ('disabled', 'draining') THEN s.status::text
        WHEN s.blocked_until > statement_timestamp() THEN 'blocked'
        WHEN s.flood_wait_until > statement_timestamp() THEN 'flood_wait'
        ELSE 'active' END`;

const conditionsOf = ({ users, status, disabledReason, leasedBy, accountIds }: AccountMatch): SqlPart[] => [
  ...(users === null ? [] : [Prisma.sql`s.user_id = ANY(${users}::bigint[])`]),
  ...(accountIds === null ? [] : [Prisma.sql`s.id = ANY(${accountIds}::uuid[])`]),
  ...(disabledReason === null ? [] : [Prisma.sql`s.status = 'disabled' AND s.disabled_reason = ${disabledReason}`]),
  ...(leasedBy === null
    ? []
    : [
        Prisma.sql`s.id IN (SELECT account_id FROM leases
          WHERE service_name = ${leasedBy} AND ended_at IS NULL AND expires_at > statement_timestamp())`,
      ]),
  ...(status === null
    ? []
    : [Prisma.sql`s.status = ANY(${STORED_AS[status]}::account_status[]) AND ${STATUS_NOW} = ${status}`]),
];

/** Ids of the accounts that match, in the order of their ids, at most `limit`. */
export async function matchAccounts(sql: Sql, match: AccountMatch, limit: number): Promise<string[]> {
  const conditions = Prisma.join([Prisma.sql`true`, ...conditionsOf(match)], ' AND ');
  const rows = await sql.$queryRaw<{ id: string }[]>`
    SELECT s.id::text FROM telegram_sessions s WHERE ${conditions} LIMIT ${limit}::integer`;
  return rows.map((row) => row.id).toSorted();
}
