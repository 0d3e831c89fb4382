import { EVENT_CONTENT_TYPE } from '../../contracts/events.js';
import { EXCHANGES } from '../../contracts/topology.js';
import { judgeDatabaseFault } from '../decide/start/judge-faults.js';
import { nameServer } from '../decide/start/name-server.js';
import type { Log } from '../telemetry/log.js';
import { createOutageTeller } from '../telemetry/outage-teller.js';
import { describeEvent, eventFields } from './describe-event.js';
import { groupEvents } from './group-events.js';
import { createOutboxSession, type OutboxSession } from './outbox-session.js';
import { type OutgoingMessage, PublishFailed, type Publisher } from './publish.js';
import type { EventRow } from '../store/history/event-row.js';
import type { RecentEvents } from '../store/history/recent-events.js';
import { toCloudEvent } from './to-cloud-event.js';

export interface OutboxRelayOptions {
  /** A direct connection: the lock belongs to the session. */
  databaseUrl: string;
  publisher: Pick<Publisher, 'publish'>;
  recentEvents: Pick<RecentEvents, 'want' | 'take'>;
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

/**
 * Publishes committed events, in order per account, at least once. One relay works in the whole installation: who
 * holds the session's advisory lock. It takes what stands in the outbox rather than what lies beyond the last id: ids are
 * handed out before commits, so a smaller one may appear later. An event that was confirmed but not taken out when a relay died is
 * published again.
 */
export function createOutboxRelay(options: OutboxRelayOptions): OutboxRelay {
  const { databaseUrl, recentEvents, log, observe = {} } = options;
  let state: OutboxRelayState = 'stopped';
  let running: Promise<void> | null = null;
  let stopping = false;
  const { rest, wake } = createRest(() => stopping);
  // It asks the database several times a second, so nothing else notices sooner.
  const teller = createOutageTeller({ log, what: nameServer('PostgreSQL', databaseUrl), meanwhile: 'requests wait' });
  const tell = createEventTeller(log);

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
    const session = createOutboxSession(databaseUrl, recentEvents, (error) => {
      log.debug('outbox relay lost the database', { error });
      teller.failed(judgeDatabaseFault(error, '').cause);
      wake();
    });
    const isOver = () => stopping || session.isLost();
    try {
      await session.connect();
      teller.back();
      while (!isOver() && !(await session.tryLock())) {
        state = 'waiting';
        await rest(ASK_MS);
      }
      if (isOver()) return;
      log.info('the outbox relay works here from now on');
      recentEvents.want(true);
      while (!isOver()) {
        state = 'relaying';
        const rows = await session.readUnpublished(BATCH_SIZE);
        tell(rows);
        const isWhole = rows.length === 0 || (await relay(options, session, rows, isOver));
        if (!isWhole) await rest(RETRY_PAUSE_MS);
        else if (rows.length < BATCH_SIZE) await rest(GATHER_MS);
      }
    } finally {
      recentEvents.want(false);
      await session.close();
    }
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

interface Rest {
  rest: (ms: number) => Promise<void>;
  /** Ends the rest that is under way, if one is. */
  wake: () => void;
}

/** Rests between two rounds. One that begins after the stop ends at once. */
function createRest(isStopping: () => boolean): Rest {
  let end = (): void => undefined;
  return {
    rest: (ms) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, ms);
        end = () => {
          clearTimeout(timer);
          resolve();
        };
        if (isStopping()) end();
      }),
    wake: () => end(),
  };
}

/** Returns how to tell events in the log, each once. */
function createEventTeller(log: Log): (rows: readonly EventRow[]) => void {
  /** Events that were told in the log and are still to be published: their rows are read again until they are. */
  let told = new Set<string>();
  return (rows) => {
    for (const row of rows) {
      const sentence = told.has(row.id) ? null : describeEvent(row);
      if (sentence !== null) log.info(sentence, eventFields(row));
    }
    told = new Set(rows.map(({ id }) => id));
  };
}

/** Publishes, and takes out what was confirmed; false where some of it failed. */
async function relay(
  { publisher, log, observe = {} }: OutboxRelayOptions,
  session: OutboxSession,
  rows: readonly EventRow[],
  isOver: () => boolean,
): Promise<boolean> {
  const { published, failure } = await publishInOrder(publisher, rows, isOver);
  if (published.length > 0) {
    await session.removePublished(published);
    observe.published?.(published);
  }
  if (failure === null) return true;
  // A broker that is away is told by its connection.
  const isAway = failure instanceof PublishFailed && failure.failure === 'unavailable';
  const fields = { unpublished: rows.length - published.length, error: failure };
  log[isAway ? 'debug' : 'warn']('events could not be published', fields);
  observe.failed?.();
  return false;
}

/** Answers what the broker has confirmed, and the first reason why something was not; null: nothing failed. */
async function publishInOrder(
  publisher: Pick<Publisher, 'publish'>,
  rows: readonly EventRow[],
  isOver: () => boolean,
): Promise<{ published: EventRow[]; failure: unknown }> {
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
  return { published, failure };
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
