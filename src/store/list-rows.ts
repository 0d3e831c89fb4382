import { MAX_COUNTED } from '../../contracts/lists.js';
import { Prisma } from '../../generated/prisma/client.js';
import type { Sql, SqlPart } from './database.js';

/** Which rows of a table a list holds. In every part the table is `t`. */
export interface RowList {
  /** Such as `leases t`. */
  from: SqlPart;
  /** Only rows of these users, by the table's `user_id`; null: everybody's. */
  users: readonly number[] | null;
  where: readonly SqlPart[];
}

/** The first rows of a list in an order that an index has, also where it has it user by user. */
export function listRows({ from, users, where }: RowList, order: SqlPart, limit: number): SqlPart {
  const conditions = Prisma.join([...where], ' AND ');
  if (users === null)
    return Prisma.sql`SELECT t.* FROM ${from} WHERE ${conditions} ORDER BY ${order} LIMIT ${limit}::integer`;
  return Prisma.sql`
    SELECT t.* FROM unnest(${users}::bigint[]) AS u(user_id) CROSS JOIN LATERAL (
      SELECT t.* FROM ${from} WHERE t.user_id = u.user_id AND ${conditions} ORDER BY ${order} LIMIT ${limit}::integer) t
    ORDER BY ${order} LIMIT ${limit}::integer`;
}

/** How many rows there are, counted up to `MAX_COUNTED`; the larger the list, the longer would the rest take. */
export async function countRows(
  sql: Sql,
  { from, users, where }: RowList,
): Promise<{ total: number; total_is_at_least: boolean }> {
  const conditions = Prisma.join([...where], ' AND ');
  const ofUsers = users === null ? Prisma.empty : Prisma.sql`AND t.user_id = ANY(${users}::bigint[])`;
  const [row] = await sql.$queryRaw<{ total: number }[]>`
    SELECT count(*)::integer AS total
    FROM (SELECT 1 FROM ${from} WHERE ${conditions} ${ofUsers} LIMIT ${MAX_COUNTED + 1}::integer) counted`;
  const total = row?.total ?? 0;
  return { total: Math.min(total, MAX_COUNTED), total_is_at_least: total > MAX_COUNTED };
}
