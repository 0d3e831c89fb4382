import { type EventPosition, readSnapshot } from '../../../contracts/event-position.js';
import type { EventType } from '../../../contracts/events.js';
import { Prisma } from '../../../generated/prisma/client.js';
import type { Sql, SqlPart } from '../database.js';
import type { EventRow } from './event-row.js';

/** Which events a reader wants. */
export interface FeedFilter {
  /** Events of these users' accounts; null: all, those of no account included. */
  users: readonly number[] | null;
  accountId: string | null;
  types: readonly EventType[] | null;
}

/** Events that a page looks at; few of them may pass the filter. */
const LOOKED_AT = 5_000;
const LAST_ID = '9223372036854775807';
/**
 * An insertion takes its first event's id a moment before its transaction gets a number. In that moment other events
 * may get ids and be shown, so the bounds are kept this many ids away.
 */
const SLACK = 1_000;

const COLUMNS = Prisma.sql`
    e.id::text, e.event_id::text AS "eventId", e.type, e.account_id::text AS "accountId", e.user_id::float8 AS "userId",
      e.sequence::float8 AS sequence, e.data, (extract(epoch FROM e.occurred_at) * 1000)::float8 AS "occurredAt",
      e.request_id AS "requestId", e.traceparent`;

/** The database's present snapshot, as PostgreSQL's text of a `pg_snapshot`. */
export async function loadSnapshot(sql: Sql): Promise<string> {
  const [row] = await sql.$queryRaw<{ snapshot: string }[]>`SELECT pg_current_snapshot()::text AS snapshot`;
  if (row === undefined) throw new Error('the database gave no snapshot');
  return row.snapshot;
}

/** Events of a window, and how far it was read: to this id, or null to its end. */
export interface FeedPage {
  events: EventRow[];
  readTo: string | null;
}

/**
 * Reads the events that show in `within` and not in `before`, behind `id`, in the order of their ids. On one account
 * that is the order of their sequence: ids are given under the account's lock.
 */
export const loadWindow = (sql: Sql, window: EventPosition, filter: FeedFilter, limit: number): Promise<FeedPage> =>
  filter.accountId === null
    ? loadOfAll(sql, window, filter, limit)
    : loadOfAccount(sql, window, filter, filter.accountId, limit);

const isFresh = ({ before, within }: EventPosition): SqlPart => {
  const shows = Prisma.sql`pg_visible_in_snapshot(e.transaction_id, ${within}::pg_snapshot)`;
  return before === null
    ? shows
    : Prisma.sql`${shows} AND NOT pg_visible_in_snapshot(e.transaction_id, ${before}::pg_snapshot)`;
};

const passes = ({ users, types }: FeedFilter): SqlPart =>
  Prisma.join(
    [
      Prisma.sql`true`,
      ...(users === null ? [] : [Prisma.sql`e.user_id = ANY(${users}::bigint[])`]),
      ...(types === null ? [] : [Prisma.sql`e.type = ANY(${types}::text[])`]),
    ],
    ' AND ',
  );

async function loadOfAccount(
  sql: Sql,
  window: EventPosition,
  filter: FeedFilter,
  accountId: string,
  limit: number,
): Promise<FeedPage> {
  const events = await sql.$queryRaw<EventRow[]>`
    SELECT ${COLUMNS} FROM events e
    WHERE e.account_id = ${accountId}::uuid AND e.id > ${window.id}::bigint AND ${isFresh(window)} AND ${passes(filter)}
    ORDER BY e.sequence LIMIT ${limit}::integer`;
  return { events, readTo: events.length < limit ? null : (events.at(-1)?.id ?? null) };
}

/**
 * Two bounds keep the search near the window. The transactions that `before` does not show began after it, but for those
 * under way in it: the others' ids lie behind any id that it shows. Whatever began after `within` has ids behind its own.
 */
async function loadOfAll(sql: Sql, window: EventPosition, filter: FeedFilter, limit: number): Promise<FeedPage> {
  const { before, within, id } = window;
  const from = before === null ? null : readSnapshot(before);
  const rows = await sql.$queryRaw<((EventRow | { id: null }) & { looked: number; looked_to: string | null })[]>`
    WITH bounds AS MATERIALIZED (
      SELECT COALESCE((SELECT id FROM events WHERE transaction_id < ${from?.xmin ?? '0'}::xid8
          ORDER BY transaction_id DESC, id DESC LIMIT 1) - ${SLACK}::bigint, 0) AS low,
        COALESCE((SELECT id FROM events WHERE transaction_id >= ${readSnapshot(within).xmax}::xid8
          ORDER BY transaction_id, id LIMIT 1) + ${SLACK}::bigint, ${LAST_ID}::bigint) AS high),
    looked AS MATERIALIZED (
      (SELECT id, transaction_id, type, user_id FROM events
       WHERE id > GREATEST(${id}::bigint, (SELECT low FROM bounds)) AND id < (SELECT high FROM bounds)
       ORDER BY id LIMIT ${LOOKED_AT}::integer)
      UNION ALL
      (SELECT id, transaction_id, type, user_id FROM events
       WHERE transaction_id = ANY(${from?.underWay ?? []}::xid8[]) AND id > ${id}::bigint AND id <= (SELECT low FROM bounds))
      ORDER BY id LIMIT ${LOOKED_AT}::integer),
    page AS (SELECT e.id FROM looked e WHERE ${isFresh(window)} AND ${passes(filter)} ORDER BY e.id LIMIT ${limit}::integer)
    SELECT count.looked, count.looked_to, ${COLUMNS}
    FROM (SELECT count(*)::integer AS looked, max(id)::text AS looked_to FROM looked) count
    LEFT JOIN (page JOIN events e USING (id)) ON true
    ORDER BY e.id`;
  const events = rows.filter((row) => row.id !== null);
  const { looked = 0, looked_to: lookedTo = null } = rows[0] ?? {};
  if (events.length === limit) return { events, readTo: events.at(-1)?.id ?? null };
  return { events, readTo: looked < LOOKED_AT ? null : lookedTo };
}
