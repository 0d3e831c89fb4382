import { type CloudEvent, EVENT_SOURCE } from '../../contracts/events.js';
import { toIso } from '../clock.js';
import type { EventRow } from '../store/history/event-row.js';

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
