import pg from 'pg';
import { EVENT_CONTENT_TYPE } from '../../contracts/events.js';
import { EXCHANGES } from '../../contracts/topology.js';
import type { Log } from '../telemetry/log.js';
import { groupEvents } from './group-events.js';
import type { OutgoingMessage, Publisher } from './publish.js';
import { type EventRow, toCloudEvent } from './to-cloud-event.js';
import { waitAtMost } from './wait-at-most.js';

export interface OutboxRelayOptions {
  /** A direct connection: the lock and the notifications belong to the session. */
  databaseUrl: string;
  publisher: Pick<Publisher, 'publish'>;
  log: Log;
  observe?: {
    /** Events confirmed by the broker and marked. */
    published?(count: number): void;
    /** A round that failed, wholly or in part; it is tried again. */
    failed?(): void;
  };
}

export interface OutboxRelay {
  start(): void;
  /** Ends after the group in hand; another instance takes over. */
  stop(): Promise<void>;
  state(): OutboxRelayState;
}

/** `waiting`: another instance relays. `away`: without the database. */
export type OutboxRelayState = 'stopped' | 'away' | 'waiting' | 'relaying';

/** Names the relay among the advisory locks of the database. */
const LOCK_KEY = 72_707_370;
const BATCH_SIZE = 500;
/** The safety net below the notifications, and how often another instance asks for the lock. */
const POLL_MS = 1_000;
/** Between two rounds: one takes as long for an event as for a hundred, and takes its time from the requests. */
const GATHER_MS = 20;
/** After a failure, so that nothing spins. */
const RETRY_PAUSE_MS = 1_000;
const CONNECT_TIMEOUT_MS = 5_000;
const QUERY_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 2_000;

/**
 * Publishes committed events, in order per account, at least once. One relay works in the whole installation: who
 * holds the session's advisory lock. Woken by the notification that inserting transactions send, it takes what is not
 * yet published rather than what lies beyond the last id: ids are handed out before commits, so a smaller one may
 * appear later. What was confirmed but not marked when a relay died is published again.
 */
export function createOutboxRelay({ databaseUrl, publisher, log, observe = {} }: OutboxRelayOptions): OutboxRelay {
  let state: OutboxRelayState = 'stopped';
  let running: Promise<void> | null = null;
  let stopping = false;
  /** Something may have been inserted since the last read. */
  let notified = false;
  let wake = (): void => undefined;
  let hear = (): void => undefined;

  /** Ends early at the stop and, unless it is deaf, at a notification. */
  const rest = (ms: number, { deaf }: { deaf: boolean }): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
      hear = deaf ? () => undefined : wake;
      if (stopping || (notified && !deaf)) wake();
    });

  const run = async (): Promise<void> => {
    while (!stopping) {
      try {
        await relayInSession();
      } catch (error) {
        log.warn('outbox relay interrupted', { error });
        observe.failed?.();
      }
      state = 'away';
      await rest(RETRY_PAUSE_MS, { deaf: true });
    }
    state = 'stopped';
  };

  /** One database session, for as long as it lasts. */
  const relayInSession = async (): Promise<void> => {
    const client = new pg.Client(sessionOptions(databaseUrl));
    let lost: Error | null = null;
    const isOver = () => stopping || lost !== null;
    client.on('error', (error) => {
      lost = error;
      log.warn('outbox relay lost the database', { error });
      wake();
    });
    client.on('notification', () => {
      notified = true;
      hear();
    });
    try {
      await client.connect();
      while (!isOver() && !(await tryLock(client))) {
        state = 'waiting';
        await rest(POLL_MS, { deaf: true });
      }
      if (isOver()) return;
      await client.query('LISTEN outbox');
      log.info('outbox relay works here');
      while (!isOver()) {
        state = 'relaying';
        notified = false;
        const rows = await readUnpublished(client);
        if (rows.length > 0) {
          const isWhole = await relay(client, rows, isOver);
          await rest(isWhole ? GATHER_MS : RETRY_PAUSE_MS, { deaf: true });
          if (!isWhole || rows.length === BATCH_SIZE) continue;
        }
        await rest(POLL_MS, { deaf: false });
      }
    } finally {
      await waitAtMost(client.end(), CLOSE_TIMEOUT_MS);
    }
  };

  /** Publishes and marks; false where some of it failed. */
  const relay = async (client: pg.Client, rows: EventRow[], isOver: () => boolean): Promise<boolean> => {
    const published: string[] = [];
    let failure: unknown = null;
    /** An event that was not published keeps back those of its account alone, which would overtake it. */
    const keptBack = new Set<string | null>();
    for (const group of groupEvents(rows)) {
      // Who has lost the session has lost the lock: what would follow may be another's to publish by now.
      if (isOver()) break;
      const due = group.filter(({ accountId }) => !keptBack.has(accountId));
      const outcomes = await Promise.allSettled(due.map((row) => publisher.publish(toMessage(row))));
      outcomes.forEach((outcome, index) => {
        const { id, accountId } = due[index] as EventRow;
        if (outcome.status === 'fulfilled') published.push(id);
        else {
          failure ??= outcome.reason;
          keptBack.add(accountId);
        }
      });
    }
    if (published.length > 0) {
      await markPublished(client, published);
      observe.published?.(published.length);
    }
    if (failure === null) return true;
    log.warn('events could not be published', { unpublished: rows.length - published.length, error: failure });
    observe.failed?.();
    return false;
  };

  return {
    start: () => {
      running ??= run();
    },
    stop: async () => {
      stopping = true;
      wake();
      await running;
    },
    state: () => state,
  };
}

function sessionOptions(connectionString: string): pg.ClientConfig {
  return {
    connectionString,
    application_name: 'account-manager outbox relay',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
    // The server frees the lock of a relay that vanished without a word after 25 s. A mark that a crash of the server
    // loses costs an event that is published again, which subscribers bear anyway; waiting for the disk costs each round.
    options:
      '-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3 -c synchronous_commit=off',
  };
}

async function tryLock(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1) AS locked', [LOCK_KEY]);
  return rows[0]?.locked === true;
}

async function readUnpublished(client: pg.Client): Promise<EventRow[]> {
  const { rows } = await client.query<EventRow>({
    name: 'read-unpublished',
    text: `
      SELECT id, event_id AS "eventId", type, account_id AS "accountId", user_id::float8 AS "userId",
        sequence::float8 AS "sequence", data, (extract(epoch FROM occurred_at) * 1000)::float8 AS "occurredAt",
        request_id AS "requestId", traceparent
      FROM events WHERE published_at IS NULL ORDER BY id LIMIT $1`,
    values: [BATCH_SIZE],
  });
  return rows;
}

async function markPublished(client: pg.Client, ids: string[]): Promise<void> {
  await client.query({
    name: 'mark-published',
    text: 'UPDATE events SET published_at = clock_timestamp() WHERE id = ANY($1::bigint[]) AND published_at IS NULL',
    values: [ids],
  });
}

function toMessage(row: EventRow): OutgoingMessage {
  return {
    exchange: EXCHANGES.events.name,
    routingKey: row.type,
    content: Buffer.from(JSON.stringify(toCloudEvent(row))),
    options: {
      persistent: true,
      contentType: EVENT_CONTENT_TYPE,
      messageId: row.eventId,
      type: row.type,
      headers: row.traceparent === null ? {} : { traceparent: row.traceparent },
    },
  };
}
