import { behind, type EventPosition, writePosition } from '../../contracts/event-position.js';
import { clock } from '../clock.js';
import type { Sql } from '../store/database.js';
import type { EventRow } from '../store/history/event-row.js';
import { type FeedFilter, loadSnapshot, loadWindow } from '../store/history/load-feed.js';

/** An event of the stream with its position, as callers keep it. */
export interface FeedEvent {
  position: string;
  row: EventRow;
}

/** Events behind a position, and the position behind them. */
export interface FeedSlice {
  events: FeedEvent[];
  next: EventPosition;
}

/**
 * Reads on from a position: first the rest of its window, then what has come to show up to `until`, a snapshot taken no
 * earlier. Nothing is read twice and nothing is left out, whoever commits when.
 * @returns at most `limit` events; fewer, or none, do not mean that there are no more, unless `next` is behind `until`
 */
export async function readOn(
  sql: Sql,
  from: EventPosition,
  until: string,
  filter: FeedFilter,
  limit: number,
): Promise<FeedSlice> {
  const events: FeedEvent[] = [];
  let window = from;
  for (;;) {
    // A window that was read to its end has nothing left.
    const isRead = window.before === window.within;
    const { events: rows, readTo } = isRead
      ? { events: [], readTo: null }
      : await loadWindow(sql, window, filter, limit - events.length);
    for (const row of rows) events.push({ position: writePosition({ ...window, id: row.id }), row });
    if (readTo !== null) return { events, next: { ...window, id: readTo } };
    if (window.within === until) return { events, next: behind(until) };
    window = { before: window.within, within: until, id: '0' };
  }
}

/** A reader of few among many millions waits no longer for one of them, and the others no longer for it. */
const LONGEST_LOOK_MS = 3_000;

/**
 * As `readOn`, up to what the database shows now. `from` null: from the oldest event on.
 * @returns no events where there are no more, or where none of very many passes the filter: reading goes on at `next`
 */
export async function readFeed(
  sql: Sql,
  from: EventPosition | null,
  filter: FeedFilter,
  limit: number,
): Promise<FeedSlice> {
  const until = await loadSnapshot(sql);
  const endAt = clock.monotonicMs() + LONGEST_LOOK_MS;
  let place: EventPosition = from ?? { before: null, within: until, id: '0' };
  for (;;) {
    const read = await readOn(sql, place, until, filter, limit);
    if (read.events.length > 0 || read.next.before === until || clock.monotonicMs() > endAt) return read;
    place = read.next;
  }
}
