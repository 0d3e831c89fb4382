import { setTimeout as pause } from 'node:timers/promises';
import { behind, type EventPosition } from '../../contracts/event-position.js';
import type { Sql } from '../store/database.js';
import { type FeedFilter, loadSnapshot } from '../store/history/load-feed.js';
import { listen } from '../store/listen.js';
import type { Log } from '../telemetry/log.js';
import { type FeedEvent, readOn } from './read-feed.js';

/** A follower of the stream of events. */
export interface Follower {
  /** The last place it has seen; null: it wants what comes from now on. */
  from: EventPosition | null;
  filter: FeedFilter;
  /** Takes an event that was there before it came; resolves when it may have the next. */
  takeOld: (event: FeedEvent) => Promise<void>;
  /** Takes an event at once; must not throw. */
  takeNew: (event: FeedEvent) => void;
  /** Told where it cannot be served on without a gap: it has to come again from its last position. */
  loseTouch: () => void;
  /** Aborts when it has gone. */
  gone: AbortSignal;
}

/** One reading of the database for all who follow the events of this instance. */
export interface EventFeed {
  /** Resolves once the follower has what was there before it came; from then on it gets what is new until it has gone. */
  follow: (follower: Follower) => Promise<void>;
  close: () => void;
}

const EVERYTHING: FeedFilter = { users: null, accountId: null, types: null };
/** The relay's, sent by every transaction that appends events. */
const CHANNEL = 'outbox';
/** The safety net below the notifications. */
const POLL_MS = 1_000;
/** Between two readings: one takes as long for an event as for a hundred. */
const GATHER_MS = 50;
const PAGE = 1_000;
/** Events of one reading; more come only after the database was away. Followers then read them one page after the other. */
const MAX_AT_ONCE = 10_000;

/** Follows the events of the installation for as long as anybody follows it. */
export function createEventFeed({ sql, databaseUrl, log }: { sql: Sql; databaseUrl: string; log: Log }): EventFeed {
  const live = new Set<Follower>();
  let followers = 0;
  /** Everything that shows in it was handed to those who are live. */
  let snapshot: string | null = null;
  let stopPolling: (() => void) | null = null;

  /** Reads what has come to show since the last time, and hands it out. */
  const pollNext = inTurn(async () => {
    const now = await loadSnapshot(sql);
    if (snapshot !== null && live.size > 0) handOut(await readNews(sql, snapshot, now), live);
    snapshot = now;
  });

  function startPolling(): () => void {
    const stop = keepPolling({ databaseUrl, log, pollNext });
    return () => {
      stop();
      snapshot = null;
    };
  }

  async function catchUp(follower: Follower): Promise<void> {
    // A position that another instance has given shows no more than a snapshot that is taken now.
    await pollNext();
    let place = follower.from ?? behind(snapshot ?? (await loadSnapshot(sql)));
    const isGone = () => follower.gone.aborted;
    while (!isGone()) {
      const until: string = snapshot ?? (await loadSnapshot(sql));
      const read = await readOn(sql, place, until, follower.filter, PAGE);
      for (const event of read.events) {
        if (isGone()) return;
        await follower.takeOld(event);
      }
      place = read.next;
      // Where the common reading has not gone on meanwhile, this one has caught up with it.
      if (place.before === until && until === snapshot && !isGone()) return void live.add(follower);
    }
  }

  return {
    follow: async (follower) => {
      const leave = (): void => {
        live.delete(follower);
        followers -= 1;
        if (followers > 0) return;
        stopPolling?.();
        stopPolling = null;
      };
      followers += 1;
      stopPolling ??= startPolling();
      follower.gone.addEventListener('abort', leave, { once: true });
      await catchUp(follower);
    },
    close: () => {
      stopPolling?.();
      stopPolling = null;
    },
  };
}

/** Does the work one run after the other; the run that is answered begins after it was asked for, however many ask. */
function inTurn(work: () => Promise<void>): () => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  /** Asked for and not yet begun. */
  let next: Promise<void> | null = null;
  const begin = (): Promise<void> => {
    next = null;
    return work();
  };
  return () => {
    if (next === null) {
      next = last.then(begin, begin);
      last = next;
    }
    return next;
  };
}

/** The events that show in `until` and did not in `since`; null where they are too many for one reading. */
async function readNews(sql: Sql, since: string, until: string): Promise<FeedEvent[] | null> {
  const events: FeedEvent[] = [];
  for (let place = behind(since); place.before !== until; ) {
    const read = await readOn(sql, place, until, EVERYTHING, PAGE);
    events.push(...read.events);
    place = read.next;
    if (events.length > MAX_AT_ONCE) return null;
  }
  return events;
}

/** Hands events to the live followers; `events` null: none of them can be served on. */
function handOut(events: readonly FeedEvent[] | null, live: Set<Follower>): void {
  if (events === null) {
    for (const follower of live) follower.loseTouch();
    live.clear();
    return;
  }
  for (const follower of live) {
    for (const event of events) if (wants(follower.filter, event)) follower.takeNew(event);
  }
}

/** Polls when a transaction has told of events, and at least every second; returns how to end that. */
function keepPolling(options: { databaseUrl: string; log: Log; pollNext: () => Promise<void> }): () => void {
  const { databaseUrl, log, pollNext } = options;
  const stopped = new AbortController();
  let isWanted = true;
  let wake = (): void => undefined;
  const listener = listen({
    url: databaseUrl,
    channel: CHANNEL,
    onNotification: () => wake(),
    onListening: () => wake(),
  });
  const run = async (): Promise<void> => {
    let told = false;
    while (isWanted) {
      const woken = new Promise<void>((resolve) => (wake = resolve));
      try {
        await pollNext();
        told = false;
      } catch (error) {
        if (!told) log.warn('events not read for the stream', { error });
        told = true;
      }
      await pause(GATHER_MS);
      await Promise.race([woken, pause(POLL_MS, undefined, { signal: stopped.signal }).catch(() => undefined)]);
    }
  };
  void run();
  return () => {
    isWanted = false;
    stopped.abort();
    listener.close();
  };
}

const wants = ({ users, accountId, types }: FeedFilter, { row }: FeedEvent): boolean =>
  (users === null || (row.userId !== null && users.includes(row.userId))) &&
  (accountId === null || row.accountId === accountId) &&
  (types === null || types.includes(row.type));
