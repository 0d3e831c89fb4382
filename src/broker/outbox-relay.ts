import pg from 'pg';
import { EVENT_CONTENT_TYPE } from '../../contracts/events.js';
import { EXCHANGES } from '../../contracts/topology.js';
import { judgeDatabaseFault } from '../decide/start/judge-faults.js';
import { nameServer } from '../decide/start/name-server.js';
import type { Log } from '../telemetry/log.js';
import { createOutageTeller } from '../telemetry/outage-teller.js';
import { describeEvent, eventFields } from './describe-event.js';
import { groupEvents } from './group-events.js';
import { type OutgoingMessage, PublishFailed, type Publisher } from './publish.js';
import type { EventRow } from '../store/history/event-row.js';
import { toCloudEvent } from './to-cloud-event.js';
import { waitAtMost } from './wait-at-most.js';

export interface OutboxRelayOptions {
  /** A direct connection: the lock belongs to the session. */
  databaseUrl: string;
  publisher: Pick<Publisher, 'publish'>;
  log: Log;
  observe?: {
    /** Events confirmed by the broker and taken from the outbox. */
    published?(rows: readonly EventRow[]): void;
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
/** How often another instance asks for the lock. */
const ASK_MS = 1_000;
/**
 * Between two rounds. One costs as much for an event as for twenty, and takes its time from the requests; one that finds
 * nothing costs less than what a notification by each commit would.
 */
const GATHER_MS = 100;
/** After a failure, so that nothing spins. */
const RETRY_PAUSE_MS = 1_000;
const CONNECT_TIMEOUT_MS = 5_000;
const QUERY_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 2_000;

/**
 * Publishes committed events, in order per account, at least once. One relay works in the whole installation: who
 * holds the session's advisory lock. It takes what stands in the outbox rather than what lies beyond the last id: ids are
 * handed out before commits, so a smaller one may appear later. An event that was confirmed but not taken out when a relay died is
 * published again.
 */
export function createOutboxRelay({ databaseUrl, publisher, log, observe = {} }: OutboxRelayOptions): OutboxRelay {
  let state: OutboxRelayState = 'stopped';
  let running: Promise<void> | null = null;
  let stopping = false;
  let wake = (): void => undefined;
  // It asks the database several times a second, so nothing else notices sooner.
  const teller = createOutageTeller({
    log,
    what: nameServer('PostgreSQL', databaseUrl),
    meanwhile: 'requests wait',
  });
  /** Events that were told in the log and are still to be published: their rows are read again until they are. */
  let told = new Set<string>();
  const tell = (rows: readonly EventRow[]): void => {
    for (const row of rows) {
      const sentence = told.has(row.id) ? null : describeEvent(row);
      if (sentence !== null) log.info(sentence, eventFields(row));
    }
    told = new Set(rows.map(({ id }) => id));
  };

  /** Ends early at the stop. */
  const rest = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
      if (stopping) wake();
    });

  const run = async (): Promise<void> => {
    while (!stopping) {
      try {
        await relayInSession();
      } catch (error) {
        log.debug('outbox relay interrupted', { error });
        teller.failed(judgeDatabaseFault(error, '').cause);
        observe.failed?.();
      }
      state = 'away';
      await rest(RETRY_PAUSE_MS);
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
      log.debug('outbox relay lost the database', { error });
      teller.failed(judgeDatabaseFault(error, '').cause);
      wake();
    });
    try {
      await client.connect();
      teller.back();
      while (!isOver() && !(await tryLock(client))) {
        state = 'waiting';
        await rest(ASK_MS);
      }
      if (isOver()) return;
      log.info('the outbox relay works here from now on');
      while (!isOver()) {
        state = 'relaying';
        const rows = await readUnpublished(client);
        tell(rows);
        const isWhole = rows.length === 0 || (await relay(client, rows, isOver));
        if (!isWhole) await rest(RETRY_PAUSE_MS);
        else if (rows.length < BATCH_SIZE) await rest(GATHER_MS);
      }
    } finally {
      await waitAtMost(client.end(), CLOSE_TIMEOUT_MS);
    }
  };

  /** Publishes, and takes out what was confirmed; false where some of it failed. */
  const relay = async (client: pg.Client, rows: EventRow[], isOver: () => boolean): Promise<boolean> => {
    const published: EventRow[] = [];
    let failure: unknown = null;
    /** An event that was not published keeps back those of its account alone, which would overtake it. */
    const keptBack = new Set<string | null>();
    for (const group of groupEvents(rows)) {
      // A relay that has lost the session has lost the lock: another relay may publish by now.
      if (isOver()) break;
      const due = group.filter(({ accountId }) => !keptBack.has(accountId));
      const outcomes = await Promise.allSettled(due.map((row) => publisher.publish(toMessage(row))));
      outcomes.forEach((outcome, index) => {
        const row = due[index] as EventRow;
        if (outcome.status === 'fulfilled') published.push(row);
        else {
          failure ??= outcome.reason;
          keptBack.add(row.accountId);
        }
      });
    }
    if (published.length > 0) {
      await removePublished(
        client,
        published.map(({ id }) => id),
      );
      observe.published?.(published);
    }
    if (failure === null) return true;
    // A broker that is away is told by its connection.
    const isAway = failure instanceof PublishFailed && failure.failure === 'unavailable';
    const fields = { unpublished: rows.length - published.length, error: failure };
    log[isAway ? 'debug' : 'warn']('events could not be published', fields);
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

async function readUnpublished(client: pg.Client): Promise<EventRow[]> {
  const { rows } = await client.query<EventRow>({
    name: 'read-unpublished',
    text: `
      SELECT id, event_id AS "eventId", type, account_id AS "accountId", user_id::float8 AS "userId",
        sequence::float8 AS "sequence", data, (extract(epoch FROM occurred_at) * 1000)::float8 AS "occurredAt",
        request_id AS "requestId", traceparent
      FROM events WHERE id = ANY(ARRAY(SELECT id FROM outbox ORDER BY id LIMIT $1)) ORDER BY id`,
    values: [BATCH_SIZE],
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
