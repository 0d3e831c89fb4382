import type { ActionType } from '../../../contracts/fields.js';
import { Prisma } from '../../../generated/prisma/client.js';
import type { Sql } from '../database.js';

/** A permit that was given: one counted action. */
export interface Permit {
  accountId: string;
  actionType: ActionType;
  settled: boolean;
}

/**
 * Permits by id; an id that is none is not in the answer.
 * @param locks whether they are locked: an account's lock does not hold off a write that takes none
 */
export async function loadPermits(
  sql: Sql,
  permitIds: readonly string[],
  { locks = false }: { locks?: boolean } = {},
): Promise<Map<string, Permit>> {
  if (permitIds.length === 0) return new Map();
  const rows = await sql.$queryRaw<{ id: string; account_id: string; action_type: ActionType; settled: boolean }[]>`
    SELECT id::text, account_id::text, action_type, settled_at IS NOT NULL AS settled
    FROM counted_actions WHERE id = ANY(${permitIds}::uuid[]) ${locks ? Prisma.sql`FOR NO KEY UPDATE` : Prisma.empty}`;
  return new Map(
    rows.map((row) => [row.id, { accountId: row.account_id, actionType: row.action_type, settled: row.settled }]),
  );
}
