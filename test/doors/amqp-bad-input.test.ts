import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ENVELOPE } from '../../contracts/envelope.js';
import { FAILURES, type FailureCode } from '../../contracts/failures.js';
import { EXCHANGES } from '../../contracts/topology.js';
import { refuse, refuseInvalid } from '../../src/requests/refuse.js';
import type { Dispatch, Reply } from '../../src/requests/request.js';
import { eventually } from '../support/eventually.js';
import { type Answer, collect, type OpenDoor, openAmqpDoor, type TestRequest } from './open-amqp-door.js';

/** Stands in for what lies behind the door: judges what the contract leaves to it. */
const dispatch: Dispatch = ({ operation, messageId, deadlineAt, body }) => {
  const answer = (): Reply => {
    if (operation === 'query.nothing') return refuse('UNKNOWN_OPERATION');
    if (deadlineAt !== null && deadlineAt <= Date.now()) return refuse('DEADLINE_EXCEEDED');
    if (operation === 'account.allocate' && messageId === null) {
      return refuseInvalid([{ path: 'message_id', message: 'is required' }]);
    }
    const { user_id: userId = 1 } = body as { user_id?: unknown };
    if (!Number.isSafeInteger(userId)) return refuseInvalid([{ path: 'user_id', message: 'must be an integer' }]);
    return { success: true };
  };
  return Promise.resolve(answer());
};

let open: OpenDoor;
beforeAll(async () => {
  open = await openAmqpDoor({ dispatch });
});
afterAll(() => open.close());

const text = (body: string) => Buffer.from(body);
const nested = `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`;
const PAST = '2020-01-01T00:00:00.000Z';

interface Case {
  request: TestRequest;
  code: string;
  /** Words that the error must name. */
  names: RegExp;
  /** Judged behind the door: dispatched like any other. */
  behind?: true;
}

const cases: Record<string, Case> = {
  'not JSON': { request: { body: text('allocate, please') }, code: 'MALFORMED_MESSAGE', names: /body: must be JSON/ },
  empty: { request: { body: text('') }, code: 'MALFORMED_MESSAGE', names: /body: .*empty/ },
  'an array': { request: { body: [{}] }, code: 'MALFORMED_MESSAGE', names: /body: .*an array/ },
  'a scalar': { request: { body: 7 }, code: 'MALFORMED_MESSAGE', names: /body: .*a number/ },
  '10 MB': {
    request: { body: Buffer.alloc(10 * 1024 * 1024, 'x') },
    code: 'MALFORMED_MESSAGE',
    names: /body: .*262144 bytes, but has 10485760/,
  },
  'depth 5,000': { request: { body: text(nested) }, code: 'MALFORMED_MESSAGE', names: /body: .*16 levels/ },
  'bad UTF-8': {
    request: { body: Buffer.from('7b2261223a22ff227d', 'hex') },
    code: 'MALFORMED_MESSAGE',
    names: /body: .*UTF-8/,
  },
  'wrong content type': {
    request: { properties: { contentType: 'text/xml' } },
    code: 'MALFORMED_MESSAGE',
    names: /content_type: .*application\/json/,
  },
  compressed: {
    request: { properties: { contentEncoding: 'gzip' } },
    code: 'MALFORMED_MESSAGE',
    names: /content_encoding: /,
  },
  'headers of 20 KB': {
    request: { properties: { headers: { large: 'x'.repeat(20_000) } } },
    code: 'MALFORMED_MESSAGE',
    names: /headers: .*8 KiB/,
  },
  ['__proto__']: {
    request: { body: text('{"__proto__": {"user_id": 1}}') },
    code: 'VALIDATION_FAILED',
    names: /__proto__: /,
  },
  NUL: {
    request: { body: text('{"context": {"a": "\\u0000"}}') },
    code: 'VALIDATION_FAILED',
    names: /context\.a: .*NUL/,
  },
  'half a surrogate pair': {
    request: { body: text('{"a": "\\udc00"}') },
    code: 'VALIDATION_FAILED',
    names: /a: .*surrogate/,
  },
  'a number beyond numbers': {
    request: { body: text('{"user_id": 1e400}') },
    code: 'VALIDATION_FAILED',
    names: /user_id: .*finite/,
  },
  'a fraction': {
    request: { body: { user_id: 1.5 } },
    code: 'VALIDATION_FAILED',
    names: /user_id: .*integer/,
    behind: true,
  },
  'message_id is no UUID': {
    request: { properties: { messageId: 'seven' } },
    code: 'VALIDATION_FAILED',
    names: /message_id: .*UUID/,
  },
  'no message_id': {
    request: { operation: 'account.allocate' },
    code: 'VALIDATION_FAILED',
    names: /message_id: /,
    behind: true,
  },
  'x-deadline is no instant': {
    request: { properties: { headers: { 'x-deadline': 'soon' } } },
    code: 'VALIDATION_FAILED',
    names: /x-deadline: .*ISO 8601/,
  },
  'deadline over': {
    request: { properties: { headers: { 'x-deadline': PAST } } },
    code: 'DEADLINE_EXCEEDED',
    names: /deadline/,
    behind: true,
  },
  'no such operation': {
    request: { operation: 'query.nothing' },
    code: 'UNKNOWN_OPERATION',
    names: /routing key/,
    behind: true,
  },
};

const parkedAs = (correlationId: string) =>
  open.parked.find(({ properties }) => properties.correlationId === correlationId);

describe('bad input is answered and, unless it came too late, parked, and the messages beside it are served', () => {
  test.each(Object.entries(cases))('%s', async (_, { request, code, names, behind = false }) => {
    const correlationId = randomUUID();
    const neighbour = () => open.ask({ body: { user_id: 1 } });
    const [before, answer, after] = await Promise.all([
      neighbour(),
      open.ask({ ...request, properties: { correlationId, ...request.properties } }),
      neighbour(),
    ]);
    expect(before.body.success && after.body.success).toBe(true);
    expectFailure(answer, code, names);

    expect(open.dispatched.some(({ requestId }) => requestId === correlationId)).toBe(behind);
    if (!FAILURES[code as FailureCode].parked) {
      await eventually('all is settled', () => open.door.state().inWork === 0);
      expect(parkedAs(correlationId)).toBeUndefined();
      return;
    }
    const parked = await eventually('it is parked', () => parkedAs(correlationId));
    expect(parked?.properties.headers).toMatchObject({
      'x-error-code': code,
      'x-error-message': expect.stringMatching(names),
      'x-original-routing-key': request.operation ?? 'action.check',
    });
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.from(JSON.stringify(request.body ?? {}));
    if (body.length > ENVELOPE.maxBodyBytes) {
      const sha256 = createHash('sha256').update(body).digest('hex');
      expect(JSON.parse(String(parked?.content))).toEqual({ unreadable_body: { bytes: body.length, sha256 } });
    } else expect(parked?.content.equals(body)).toBe(true);
  });

  function expectFailure({ body, properties }: Answer, code: string, names: RegExp): void {
    expect(body.success).toBe(false);
    if (body.success) return;
    expect(body.error.code).toBe(code);
    expect(body.error.message).toMatch(names);
    expect(properties).toMatchObject({ contentType: 'application/json', headers: { 'x-error-code': code } });
  }

  test('nothing of it is left in work', async () => {
    await eventually('all is settled', () => open.door.state().inWork === 0);
    expect(open.broker.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

test.each([
  'account-manager.allocate',
  'mailbox',
  'amq.rabbitmq.trace',
])('nothing is written into the queue "%s"', async (replyTo) => {
  const channel = await open.broker.plain.createChannel();
  if (replyTo === 'mailbox') await channel.assertQueue(replyTo);
  const correlationId = randomUUID();
  const dispatchedBefore = open.dispatched.length;
  await open.send({ properties: { replyTo, correlationId } });
  const parked = await eventually('it is parked', () => parkedAs(correlationId));
  expect(parked?.properties.headers).toMatchObject({
    'x-error-code': 'MALFORMED_MESSAGE',
    'x-error-message': expect.stringContaining('reply_to: '),
  });
  expect(open.dispatched).toHaveLength(dispatchedBefore);
  if (replyTo === 'mailbox') expect(await channel.checkQueue(replyTo)).toMatchObject({ messageCount: 0 });
});

test('answers into a queue named reply.<anything>, and survives one that is gone', async () => {
  const channel = await open.broker.plain.createChannel();
  await channel.assertQueue('reply.mine', { exclusive: true });
  const replies = await collect(channel, 'reply.mine');
  await open.send({ properties: { replyTo: 'reply.gone', correlationId: 'a' } });
  await open.send({ properties: { replyTo: 'reply.mine', correlationId: 'b' } });
  await eventually('answered', () => replies.length === 1);
  expect(replies[0]?.properties).toMatchObject({ correlationId: 'b', type: 'action.check' });
  await eventually('all is settled', () => open.door.state().inWork === 0);
});

test('secrets of a refused registration are not parked', async () => {
  const session = '1BVtsOKAB'.repeat(40);
  const correlationId = randomUUID();
  const body = { accounts: [{ user_id: 1.5, phone: '+4915112345678', session_data: session }], user_id: 1.5 };
  await open.ask({ operation: 'admin.register', exchange: EXCHANGES.admin.name, body, properties: { correlationId } });
  const parked = await eventually('it is parked', () => parkedAs(correlationId));
  const whole = JSON.stringify([parked?.properties, parked?.content.toString()]);
  expect(whole).not.toContain('1BVtsOK');
  expect(whole).not.toContain('4915112345678');
  expect(JSON.parse(String(parked?.content))).toMatchObject({ accounts: [{ user_id: 1.5, phone: '[redacted]' }] });
});

test('an operation is served on its own queue only', async () => {
  const channel = await open.broker.plain.createChannel();
  await channel.bindQueue('account-manager.query', EXCHANGES.requests.name, 'admin.register');
  const { body } = await open.ask({ operation: 'admin.register', body: { accounts: [] } });
  expect(body).toMatchObject({ success: false, error: { code: 'UNKNOWN_OPERATION' } });
  expect(
    open.dispatched.every(
      ({ operation, body: sent }) => operation !== 'admin.register' || 'user_id' in (sent as object),
    ),
  ).toBe(true);
});
