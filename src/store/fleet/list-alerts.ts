import type { AlertSeverity } from '../../../contracts/alerts.js';
import { Prisma } from '../../../generated/prisma/client.js';
import type { Sql } from '../database.js';
import { countRows, type RowList, listRows } from '../list-rows.js';

/** Which alerts are wanted; null: any. */
export interface AlertFilter {
  /** Alerts about accounts of these users. */
  users: readonly number[] | null;
  state: 'open' | 'resolved' | 'all';
  severity: AlertSeverity | null;
  kind: string | null;
}

export interface ListedAlert {
  id: string;
  kind: string;
  subject: string;
  severity: AlertSeverity;
  data: Record<string, unknown>;
  raised_at: Date;
  resolved_at: Date | null;
}

const matching = ({ users, state, severity, kind }: AlertFilter): RowList => ({
  from: Prisma.sql`alerts t`,
  // The table has no column of the user: few alerts are of one.
  users: null,
  where: [
    state === 'open'
      ? Prisma.sql`t.resolved_at IS NULL`
      : state === 'resolved'
        ? Prisma.sql`t.resolved_at IS NOT NULL`
        : Prisma.sql`true`,
    ...(severity === null ? [] : [Prisma.sql`t.severity = ${severity}`]),
    ...(kind === null ? [] : [Prisma.sql`t.kind = ${kind}`]),
    ...(users === null ? [] : [Prisma.sql`(t.data ->> 'user_id')::bigint = ANY(${users}::bigint[])`]),
  ],
});

/** Alerts, the newest first, after a place in that order. */
export async function listAlerts(
  sql: Sql,
  filter: AlertFilter,
  after: { at: number; id: string } | null,
  limit: number,
): Promise<ListedAlert[]> {
  const listed = matching(filter);
  if (after !== null) {
    listed.where = [
      ...listed.where,
      Prisma.sql`(t.raised_at, t.id) < (${new Date(after.at)}::timestamptz, ${after.id}::uuid)`,
    ];
  }
  return sql.$queryRaw<ListedAlert[]>`
    SELECT id::text, kind, subject, severity, data, raised_at, resolved_at
    FROM (${listRows(listed, Prisma.sql`t.raised_at DESC, t.id DESC`, limit)}) a
    ORDER BY raised_at DESC, a.id DESC`;
}

export const countAlerts = (sql: Sql, filter: AlertFilter) => countRows(sql, matching(filter));
