import type { ActionType, Purpose } from '../../../contracts/fields.js';
import { Prisma } from '../../../generated/prisma/client.js';
import type { Sql } from '../database.js';
import { countRows, type RowList, listRows } from '../list-rows.js';

/** Which open leases are wanted; null: any. */
export interface LeaseFilter {
  users: readonly number[] | null;
  serviceName: string | null;
  accountId: string | null;
}

export interface LeaseRow {
  id: string;
  account_id: string;
  user_id: bigint;
  phone: string | null;
  service_name: string;
  caller: string | null;
  purpose: Purpose;
  target_channel: string | null;
  fence: bigint;
  allocated_at: Date;
  expires_at: Date;
  /** Actions counted under it so far; null: none. */
  actions: Partial<Record<ActionType, number>> | null;
}

/** A lease that is over and not yet written as ended is no longer open. */
const openLeases = ({ users, serviceName, accountId }: LeaseFilter): RowList => ({
  from: Prisma.sql`leases t`,
  users,
  where: [
    Prisma.sql`t.ended_at IS NULL AND t.expires_at > statement_timestamp()`,
    ...(serviceName === null ? [] : [Prisma.sql`t.service_name = ${serviceName}`]),
    ...(accountId === null ? [] : [Prisma.sql`t.account_id = ${accountId}::uuid`]),
  ],
});

/** Open leases, the earliest end first, after a place in that order. */
export async function listLeases(
  sql: Sql,
  filter: LeaseFilter,
  after: { at: number; id: string } | null,
  limit: number,
): Promise<LeaseRow[]> {
  const listed = openLeases(filter);
  if (after !== null) {
    listed.where = [
      ...listed.where,
      Prisma.sql`(t.expires_at, t.id) > (${new Date(after.at)}::timestamptz, ${after.id}::uuid)`,
    ];
  }
  return sql.$queryRaw<LeaseRow[]>`
    SELECT l.id::text, l.account_id::text, l.user_id, s.phone, l.service_name, l.caller, l.purpose, l.target_channel, l.fence,
      l.allocated_at, l.expires_at, (
        SELECT jsonb_object_agg(action_type, quantity) FROM (
          SELECT action_type, sum(quantity) AS quantity FROM counted_actions WHERE lease_id = l.id GROUP BY 1) c) AS actions
    FROM (${listRows(listed, Prisma.sql`t.expires_at, t.id`, limit)}) l
    JOIN telegram_sessions s ON s.id = l.account_id
    ORDER BY l.expires_at, l.id`;
}

export const countLeases = (sql: Sql, filter: LeaseFilter) => countRows(sql, openLeases(filter));
