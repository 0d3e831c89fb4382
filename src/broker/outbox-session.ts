import pg from 'pg';
import type { EventRow } from '../store/history/event-row.js';
import type { RecentEvents } from '../store/history/recent-events.js';
import { waitAtMost } from './wait-at-most.js';

/** One database session of the outbox relay. The lock ends with it. */
export interface OutboxSession {
  connect: () => Promise<void>;
  /** Whether it has ended by itself. */
  isLost: () => boolean;
  /** Takes the relay's lock; false where another session has it. */
  tryLock: () => Promise<boolean>;
  /** The oldest events of the outbox, at most `limit`, in the order of their ids. */
  readUnpublished: (limit: number) => Promise<EventRow[]>;
  /** Takes events out of the outbox. */
  removePublished: (rows: readonly EventRow[]) => Promise<void>;
  close: () => Promise<void>;
}

/** Names the relay among the advisory locks of the database. */
const LOCK_KEY = 72_707_370;
const CONNECT_TIMEOUT_MS = 5_000;
const QUERY_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 2_000;

/**
 * @param databaseUrl a direct connection: the lock belongs to the session
 * @param recentEvents those that need not be read
 * @param onLost told why the session has ended by itself
 */
export function createOutboxSession(
  databaseUrl: string,
  recentEvents: Pick<RecentEvents, 'take'>,
  onLost: (error: Error) => void,
): OutboxSession {
  const client = new pg.Client(sessionOptions(databaseUrl));
  let isLost = false;
  client.on('error', (error) => {
    isLost = true;
    onLost(error);
  });
  return {
    connect: async () => {
      await client.connect();
    },
    isLost: () => isLost,
    tryLock: () => tryLock(client),
    readUnpublished: (limit) => readUnpublished(client, recentEvents, limit),
    removePublished: (rows) =>
      removePublished(
        client,
        rows.map(({ id }) => id),
      ),
    close: () => waitAtMost(client.end(), CLOSE_TIMEOUT_MS),
  };
}

function sessionOptions(connectionString: string): pg.ClientConfig {
  return {
    connectionString,
    application_name: 'account-manager outbox relay',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
    // The server frees the lock of a relay that vanished without a word after 25 s. A removal that a crash of the
    // server loses costs an event that is published again, which subscribers bear anyway; waiting for the disk costs each
    // round.
    // The planner would read every row that was ever in an outbox that was empty when it was analysed.
    options:
      '-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3 -c synchronous_commit=off -c enable_seqscan=off',
  };
}

async function tryLock(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1) AS locked', [LOCK_KEY]);
  return rows[0]?.locked === true;
}

async function readUnpublished(
  client: pg.Client,
  recentEvents: Pick<RecentEvents, 'take'>,
  limit: number,
): Promise<EventRow[]> {
  const { rows: waiting } = await client.query<{ id: string }>({
    name: 'list-unpublished',
    text: 'SELECT id FROM outbox ORDER BY id LIMIT $1',
    values: [limit],
  });
  const known = new Map(recentEvents.take(waiting.map(({ id }) => id)).map((row) => [row.id, row]));
  const unknown = waiting.filter(({ id }) => !known.has(id)).map(({ id }) => id);
  if (unknown.length > 0) for (const row of await readEvents(client, unknown)) known.set(row.id, row);
  return waiting.flatMap(({ id }) => known.get(id) ?? []);
}

async function readEvents(client: pg.Client, ids: readonly string[]): Promise<EventRow[]> {
  const { rows } = await client.query<EventRow>({
    name: 'read-unpublished',
    text: `
      SELECT id, event_id AS "eventId", type, account_id AS "accountId", user_id::float8 AS "userId",
        sequence::float8 AS "sequence", data, (extract(epoch FROM occurred_at) * 1000)::float8 AS "occurredAt",
        request_id AS "requestId", traceparent
      FROM events WHERE id = ANY($1::bigint[])`,
    values: [ids],
  });
  return rows;
}

async function removePublished(client: pg.Client, ids: string[]): Promise<void> {
  await client.query({
    name: 'remove-published',
    text: 'DELETE FROM outbox WHERE id = ANY($1::bigint[])',
    values: [ids],
  });
}
