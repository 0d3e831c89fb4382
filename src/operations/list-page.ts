import type { ReplyBody } from '../../contracts/operations.js';
import type { AcceptedRequest, BatchContext } from '../requests/handler.js';

/** Where a list goes on: after the row of this instant (epoch milliseconds) and id. */
export interface RowPlace {
  at: number;
  id: string;
}

/** A place as callers have it, `PLACE_CURSOR`. */
const toCursor = ({ at, id }: RowPlace): string => `${at}.${id.replaceAll('-', '')}`;

/** The place that a valid cursor names; null: the list's beginning. */
export function readCursor(cursor: string | undefined): RowPlace | null {
  if (cursor === undefined) return null;
  const [at = '', id = ''] = cursor.split('.');
  return { at: Number(at), id };
}

/** Cuts a page out of rows of which one more was asked for than fits. */
export function cutPage<Row>(
  rows: readonly Row[],
  limit: number,
  placeOf: (row: Row) => RowPlace,
): { page: Row[] } & Pick<ReplyBody<'query.leases'>, 'next_cursor'> {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { page, next_cursor: rows.length > limit && last !== undefined ? toCursor(placeOf(last)) : null };
}

/**
 * The users whose rows a caller sees in a view of the fleet: the user asked for, else its own users; null:
 * everybody's. That the user asked for is one of its own was judged before.
 */
export function usersSeen(
  { access }: Pick<BatchContext, 'access'>,
  { caller, body }: Pick<AcceptedRequest<'query.leases'>, 'caller'> & { body: { user_id?: number | undefined } },
): number[] | null {
  if (body.user_id !== undefined) return [body.user_id];
  const users = access.usersOf(caller);
  return users === '*' ? null : [...users];
}
