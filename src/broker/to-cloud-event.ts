import { type CloudEvent, EVENT_SOURCE, type EventType } from '../../contracts/events.js';
import { toIso } from '../clock.js';

/** A row of `events` as the relay reads it. */
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

/** The event as subscribers get it (contract, section 5). */
export function toCloudEvent(row: EventRow): CloudEvent {
  const { eventId, type, accountId, userId, sequence, data, occurredAt, requestId, traceparent } = row;
  return {
    specversion: '1.0',
    id: eventId,
    source: EVENT_SOURCE,
    type,
    time: toIso(occurredAt),
    ...(accountId !== null && { subject: accountId }),
    datacontenttype: 'application/json',
    ...(traceparent !== null && { traceparent }),
    data: {
      ...data,
      ...(accountId !== null && { account_id: accountId }),
      ...(userId !== null && { user_id: userId }),
      ...(sequence !== null && { sequence }),
      ...(requestId !== null && { request_id: requestId }),
    },
  };
}
