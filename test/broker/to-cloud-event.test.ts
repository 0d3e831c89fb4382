import { expect, test } from '@jest/globals';
import { cloudEvent } from '../../contracts/events.js';
import { toCloudEvent } from '../../src/broker/to-cloud-event.js';
import type { EventRow } from '../../src/store/history/event-row.js';

const row: EventRow = {
  id: '7',
  eventId: '0f8fad5b-d9cb-469f-a165-70867728950e',
  type: 'account.released',
  accountId: '7c9e6679-7425-40de-944b-e07fc1f90ae7',
  userId: 12,
  sequence: 3,
  data: { lease_id: 'x', sequence: 'not this', account_id: 'nor this' },
  occurredAt: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  requestId: 'request',
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
};

test('an event of an account', () => {
  const event = toCloudEvent(row);
  expect(cloudEvent.parse(event)).toEqual(event);
  expect(event).toEqual({
    specversion: '1.0',
    id: row.eventId,
    source: 'account-manager',
    type: 'account.released',
    time: '2026-01-02T03:04:05.678Z',
    subject: row.accountId,
    datacontenttype: 'application/json',
    traceparent: row.traceparent,
    data: { lease_id: 'x', account_id: row.accountId, user_id: 12, sequence: 3, request_id: 'request' },
  });
});

test('an event of no account has no subject', () => {
  const event = toCloudEvent({
    ...row,
    ...{
      type: 'limits.reset',
      accountId: null,
      userId: null,
      sequence: null,
      requestId: null,
      traceparent: null,
      data: {},
    },
  });
  expect(cloudEvent.parse(event)).toEqual(event);
  expect(event).not.toHaveProperty('subject');
  expect(event.data).toEqual({});
});
