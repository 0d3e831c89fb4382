import { expect, test } from '@jest/globals';
import type { ConsumeMessage } from 'amqplib';
import { readDeaths, readEnvelope } from '../../src/doors/amqp/envelope.js';

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
/** By the process's rising clock. */
const RECEIVED_AT = 40_000;
const UUID = '0F8FAD5B-d9cb-469f-a165-70867728950e';
const RETRIED = {
  'x-death': [{ queue: 'account-manager.retry.5s', reason: 'expired', 'routing-keys': ['action.check'] }],
};

function read(properties: Record<string, unknown>) {
  const message = { fields: { routingKey: 'account.allocate' }, properties, content: Buffer.alloc(0) };
  return readEnvelope(message as unknown as ConsumeMessage, 'service', RECEIVED_AT);
}

test('a plain message has nothing but its operation', () => {
  expect(read({})).toEqual({
    envelope: {
      operation: 'account.allocate',
      messageId: null,
      correlationId: null,
      replyTo: null,
      caller: null,
      attempt: 0,
      deadlineAt: null,
      expiresAt: null,
      traceparent: null,
    },
    refusal: null,
  });
});

test('reads what is given; the message id stands in for the correlation id', () => {
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const headers = { traceparent, 'x-deadline': '2026-01-02T04:04:06.500+01:00' };
  const { envelope, refusal } = read({ messageId: UUID, userId: 'inviter', replyTo: 'reply.x', headers });
  expect(refusal).toBeNull();
  expect(envelope).toMatchObject({
    messageId: UUID.toLowerCase(),
    correlationId: UUID,
    caller: 'inviter',
    replyTo: 'reply.x',
    deadlineAt: NOW + 1_500,
    traceparent,
  });
});

test.each([
  'amq.rabbitmq.reply-to',
  'amq.rabbitmq.reply-to.g1h2',
  'amq.gen-x',
  'reply.a',
])('answers to %s', (replyTo) => {
  expect(read({ replyTo })).toMatchObject({ refusal: null, envelope: { replyTo } });
});

test.each([
  'account-manager.allocate',
  'reply.',
  'reply',
  'xreply.a',
  'amq.gen-',
  'amq.rabbitmq.reply-to2',
  'Reply.a',
  ' reply.a',
])('refuses to answer to "%s"', (replyTo) => {
  const { envelope, refusal } = read({ replyTo });
  expect(envelope.replyTo).toBeNull();
  expect(refusal?.error).toMatchObject({ code: 'MALFORMED_MESSAGE', message: expect.stringContaining('reply_to: ') });
});

test.each([
  'application/json',
  'APPLICATION/JSON; charset=utf-8',
  'application/json;charset=UTF8',
  'application/json;charset="UTF-8"',
  'application/json;',
  ' application/json ; ; charset=us-ascii ;version=1; q="a;charset=x"',
  '',
])('takes "%s"', (contentType) => {
  expect(read({ contentType }).refusal).toBeNull();
});

test.each([
  'text/plain',
  'application/jsonx',
  'application/json; charset=utf-16',
  'application/cloudevents+json',
])('refuses "%s"', (contentType) => {
  expect(read({ contentType }).refusal?.error).toMatchObject({
    code: 'MALFORMED_MESSAGE',
    message: 'content_type: must be application/json',
  });
});

test('refuses compressed bodies, and headers that were not read', () => {
  expect(read({ contentEncoding: 'gzip' }).refusal?.error.message).toContain('content_encoding: ');
  expect(read({ contentEncoding: 'utf-8' }).refusal).toBeNull();
  expect(read({ headers: { 'x-unread-headers': true } }).refusal?.error.message).toContain('headers: ');
});

test('tells all faulty fields at once', () => {
  const { refusal } = read({ messageId: 'one', correlationId: 'a\0', headers: { 'x-deadline': 'tomorrow' } });
  expect(refusal?.error.code).toBe('VALIDATION_FAILED');
  expect(refusal?.error.details?.issues).toEqual([
    { path: 'message_id', message: 'must be a UUID' },
    { path: 'correlation_id', message: 'must be printable UTF-8' },
    { path: 'x-deadline', message: 'must be an ISO 8601 instant with an offset or Z' },
  ]);
});

test.each([
  12,
  true,
  {},
  { '!': 'timestamp', value: '1' },
  { '!': 'timestamp', value: 1e15 },
  '2026-13-01T00:00:00Z',
  '2026-01-02',
  '',
])('x-deadline %j is no instant', (deadline) => {
  expect(read({ headers: { 'x-deadline': deadline } }).refusal?.error.code).toBe('VALIDATION_FAILED');
});

test('a deadline is an instant, an expiration a time from the reception on', () => {
  const headers = { 'x-deadline': '2026-01-02T03:04:06Z' };
  const both = { deadlineAt: NOW + 1_000, expiresAt: RECEIVED_AT + 250 };
  expect(read({ expiration: '250', headers }).envelope).toMatchObject(both);
  expect(read({ expiration: '0' }).envelope).toMatchObject({ deadlineAt: null, expiresAt: RECEIVED_AT });
});

test('a trace context of another form is ignored', () => {
  for (const traceparent of ['x', 1, '00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01']) {
    expect(read({ headers: { traceparent } }).envelope.traceparent).toBeNull();
  }
});

const claim = { 'x-original-user-id': 'victim', 'x-attempt': 2 };

test('on the way back from a retry the original caller and the count of attempts are believed', () => {
  expect(read({ userId: 'service', headers: { ...RETRIED, ...claim } }).envelope).toMatchObject({
    caller: 'victim',
    attempt: 2,
  });
  expect(read({ userId: 'service', headers: { ...RETRIED } }).envelope).toMatchObject({ caller: null, attempt: 0 });
});

test.each<[string, Record<string, unknown>, string | null]>([
  ['another user with a forged death', { userId: 'mallory', headers: { ...RETRIED, ...claim } }, 'mallory'],
  ['nobody with a forged death', { headers: { ...RETRIED, ...claim } }, null],
  ['this service, but not from a retry queue', { userId: 'service', headers: claim }, 'service'],
  [
    'this service, dead in another queue',
    { userId: 'service', headers: { 'x-death': [{ queue: 'account-manager.allocate', reason: 'expired' }], ...claim } },
    'service',
  ],
  [
    'this service, with all of it slipped under the headers',
    { userId: 'service', headers: JSON.parse(`{"__proto__": ${JSON.stringify({ ...RETRIED, ...claim })}}`) as object },
    'service',
  ],
  [
    'this service, with another prototype',
    { userId: 'service', headers: Object.create({ ...RETRIED, ...claim }) as object },
    'service',
  ],
])('not believed: %s', (_, properties, caller) => {
  expect(read(properties).envelope).toMatchObject({ caller, attempt: 0 });
});

test.each([-1, 1.5, '2', Number.NaN, {}, null, 2 ** 60])('an attempt count of %p is none', (attempt) => {
  const { envelope } = read({ userId: 'service', headers: { ...RETRIED, 'x-attempt': attempt } });
  expect(envelope.attempt).toBe(0);
});

test.each([
  undefined,
  null,
  'x',
  1,
  {},
  [null],
  [1],
  [{}],
  [{ queue: 1, reason: 'expired' }],
  [[]],
])('x-death %j holds no death', (death) => {
  const message = { properties: { headers: { 'x-death': death } } } as unknown as ConsumeMessage;
  expect(readDeaths(message)).toEqual([]);
});
