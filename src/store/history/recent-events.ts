import type { PendingEvent } from '../accounts/changes.js';
import type { EventRow } from './event-row.js';

/**
 * Events that this process has just committed, so that its relay need not read them. One that is not here is read from the
 * database.
 */
export interface RecentEvents {
  /** Whether they are wanted: only the one relay of the installation publishes. */
  want: (wanted: boolean) => void;
  /** @param ids of the events, in their order */
  keep: (ids: readonly string[], events: readonly PendingEvent[], occurredAt: number) => void;
  /** Takes out the events of these ids, as far as they are here. */
  take: (ids: readonly string[]) => EventRow[];
}

/** Some seconds' worth. Those that nobody takes go first: a relay may have read them before they were kept. */
const MOST_EVENTS = 5_000;

export function createRecentEvents(): RecentEvents {
  const rows = new Map<string, EventRow>();
  let isWanted = false;
  return {
    want: (wanted) => {
      isWanted = wanted;
      if (!wanted) rows.clear();
    },
    keep: (ids, events, occurredAt) => {
      if (!isWanted || ids.length !== events.length) return;
      events.forEach(({ eventId, type, accountId, userId, sequence, data, requestId, traceparent }, index) => {
        const id = ids[index] ?? '';
        rows.set(id, { id, eventId, type, accountId, userId, sequence, data, occurredAt, requestId, traceparent });
      });
      for (const id of rows.keys()) {
        if (rows.size <= MOST_EVENTS) break;
        rows.delete(id);
      }
    },
    take: (ids) =>
      ids.flatMap((id) => {
        const row = rows.get(id);
        rows.delete(id);
        return row ?? [];
      }),
  };
}
