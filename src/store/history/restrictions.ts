import type { ErrorClass } from '../../../contracts/fields.js';
import { Prisma } from '../../../generated/prisma/client.js';
import type { Sql, SqlPart } from '../database.js';

/** The event that began a wait, a block or a disabling. */
export interface RestrictionRow {
  /** Null: no error, or none that is known. */
  error_class: ErrorClass | null;
  telegram_error: string | null;
  /** Where it was an operator: why. */
  reason: string | null;
  began_at: Date | null;
}

/**
 * The event that has begun the present condition of an account: the latest that names an error, else the latest of its
 * type. Moving the end of a wait makes an event of the type too, but names none. Searched for are the account's latest
 * events: an account that waits or is disabled gets few more. `account`: its id; `type`: the event's.
 */
export const restrictionOf = (account: SqlPart, type: SqlPart): SqlPart => Prisma.sql`
    SELECT data ->> 'error_class' AS error_class, data ->> 'telegram_error' AS telegram_error, data ->> 'reason' AS reason,
      occurred_at AS began_at
    FROM (SELECT type, data, sequence, occurred_at FROM events WHERE account_id = ${account}
          ORDER BY sequence DESC LIMIT ${LOOKED_AT}::integer) latest
    WHERE type = ${type}
    ORDER BY data ->> 'error_class' IS NULL, sequence DESC LIMIT 1`;

const LOOKED_AT = 50;

/** The causes of the present condition of accounts, by account id; accounts of which nothing is known are left out. */
export async function loadRestrictions(
  sql: Sql,
  accounts: readonly { accountId: string; status: string }[],
): Promise<Map<string, RestrictionRow>> {
  if (accounts.length === 0) return new Map();
  const ids = accounts.map(({ accountId }) => accountId);
  const types = accounts.map(({ status }) => `account.${status}`);
  const rows = await sql.$queryRaw<(RestrictionRow & { id: string })[]>`
    SELECT a.id::text, e.* FROM unnest(${ids}::uuid[], ${types}::text[]) AS a(id, type)
    CROSS JOIN LATERAL (${restrictionOf(Prisma.sql`a.id`, Prisma.sql`a.type`)}) e`;
  return new Map(rows.map((row) => [row.id, row]));
}
