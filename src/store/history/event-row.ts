import type { EventType } from '../../../contracts/events.js';

/** A row of `events` as the relay and the feed read it; ids rise, though not in the order of commits. */
export interface EventRow {
  id: string;
  eventId: string;
  type: EventType;
  accountId: string | null;
  userId: number | null;
  /** Rises by one with each of the account's events; null where there is no account. */
  sequence: number | null;
  data: Record<string, unknown>;
  occurredAt: number;
  requestId: string | null;
  traceparent: string | null;
}
