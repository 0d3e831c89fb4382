import { randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { ConsumeMessage } from 'amqplib';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { FailureCode } from '../../contracts/failures.js';
import { type ParkedReply, parkedRequest } from '../../contracts/parked.js';
import { PARKED } from '../../contracts/topology.js';
import { createConnections } from '../../src/broker/connections.js';
import { declareTopology } from '../../src/broker/topology.js';
import { readEnvelope } from '../../src/doors/amqp/envelope.js';
import { buildParked } from '../../src/doors/amqp/messages.js';
import { createParkedDesk, type ParkedDeskOptions } from '../../src/doors/amqp/parked.js';
import { refuse } from '../../src/requests/refuse.js';
import type { IncomingRequest, Reply } from '../../src/requests/request.js';
import { eventually } from '../support/eventually.js';
import { type OpenBroker, openBroker } from '../broker/open-broker.js';
import { openGate } from './open-gate.js';

let broker: OpenBroker;
let dispatched: IncomingRequest[];
let answer: (request: IncomingRequest) => Promise<Reply>;
let ask: ReturnType<typeof deskOn>;

beforeEach(async () => {
  broker = await openBroker();
  await declareTopology(broker.plain);
  dispatched = [];
  answer = () => Promise.resolve({ success: true });
  ask = deskOn();
});
afterEach(() => broker.close());

/** A desk as the service has it, on the given connection. */
function deskOn(options: Partial<ParkedDeskOptions> = {}) {
  const desk = createParkedDesk({
    connection: broker.connections.consuming,
    ownUser: broker.connections.user,
    gate: openGate,
    dispatch: (request) => {
      dispatched.push(request);
      return answer(request);
    },
    log: broker.log,
    ...options,
  });
  return async (body: Record<string, unknown>): Promise<ParkedReply> => {
    const reply = await desk.work({ body: parkedRequest.parse(body), caller: 'operator', requestId: 'asked' });
    if (!reply.success) throw new Error(JSON.stringify(reply.error));
    return reply;
  };
}

interface Given {
  operation?: string;
  caller?: string;
  messageId?: string;
  body?: unknown;
  code?: FailureCode;
  parkedAt?: number;
}

/** Parks a message as the door does, and answers its message id. */
async function park(...all: Given[]): Promise<string[]> {
  const channel = await broker.plain.createConfirmChannel();
  const ids: string[] = [];
  for (const given of all) {
    const { operation = 'account.release', caller = 'invite-service', body = { n: 1 }, code = 'INTERNAL' } = given;
    const { messageId = randomUUID(), parkedAt = Date.now() } = given;
    const message = {
      content: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
      fields: { routingKey: operation },
      properties: { messageId, userId: caller, correlationId: `about ${messageId}`, headers: {} },
    } as unknown as ConsumeMessage;
    const { envelope } = readEnvelope(message, broker.connections.user, performance.now());
    const parked = await buildParked(message, envelope, refuse(code).error, {
      ownUser: broker.connections.user,
      now: parkedAt,
    });
    channel.publish(parked.exchange, parked.routingKey, parked.content, parked.options);
    ids.push(messageId);
  }
  await channel.waitForConfirms();
  await channel.close();
  return ids;
}

const countParked = async (): Promise<number> => {
  const channel = await broker.plain.createChannel();
  const { messageCount } = await channel.checkQueue(PARKED.name);
  await channel.close();
  return messageCount;
};
const parkedIdOf = async (messageId?: string): Promise<string> => {
  const { messages } = await ask({ action: 'list', limit: 100 });
  const found = messages.find(({ message_id }) => message_id === messageId);
  if (found === undefined) throw new Error(`${messageId ?? ''} is not parked`);
  return found.parked_id;
};

test('lists what is parked, the oldest first, shows it, and leaves it where it is', async () => {
  const now = Date.now();
  const [first, second] = await park(
    { parkedAt: now - 2_000, body: { note: 'nul: \u0000', session_data: 'x' } },
    { parkedAt: now - 1_000, operation: 'action.whatever', code: 'UNKNOWN_OPERATION', body: 'no JSON \u0000' },
  );
  const { total, messages, next_cursor } = await ask({ action: 'list' });
  expect({ total, next_cursor }).toEqual({ total: 2, next_cursor: null });
  expect(messages).toMatchObject([
    {
      message_id: first,
      operation: 'account.release',
      code: 'INTERNAL',
      caller: 'invite-service',
      parked_at: new Date(now - 2_000).toISOString(),
      copies: 1,
      obstacle: expect.stringContaining('secrets'),
    },
    { message_id: second, code: 'UNKNOWN_OPERATION', obstacle: expect.stringContaining('form') },
  ]);
  expect(messages.every(({ body }) => body === undefined)).toBe(true);

  const shown = await ask({ action: 'show', parked_ids: messages.map(({ parked_id }) => parked_id) });
  const bodies = shown.messages.map(({ body }) => body ?? '');
  expect(JSON.parse(bodies[0] ?? '')).toEqual({ note: 'nul: \u0000', session_data: '[redacted]' });
  expect(bodies[1]).toBe('no JSON \ufffd');
  expect(await countParked()).toBe(2);
});

test('replays a message as the request that it was, and removes it once it is answered', async () => {
  const [messageId] = await park({ body: { account_id: 'a' } }, { body: { other: true } });
  const parkedId = await parkedIdOf(messageId);
  const { results } = await ask({ action: 'replay', parked_ids: [parkedId] });
  expect(results).toEqual([{ parked_id: parkedId, outcome: 'replayed', code: null, reason: null }]);
  expect(dispatched).toEqual([
    {
      operation: 'account.release',
      messageId,
      requestId: `about ${messageId ?? ''}`,
      caller: 'invite-service',
      body: { account_id: 'a' },
      deadlineAt: null,
      expiresAt: null,
      traceparent: null,
    },
  ]);
  expect(await countParked()).toBe(1);
  const again = await ask({ action: 'replay', parked_ids: [parkedId] });
  expect(again.results).toMatchObject([{ outcome: 'not_found' }]);
  expect(dispatched).toHaveLength(1);
});

test('they survive more looks than a queue of RabbitMQ 4.0 delivers a message by itself', async () => {
  const ids = await park({}, {}, {});
  for (let looks = 1; looks <= 30; looks++) {
    const { messages } = await ask({ action: 'list' });
    expect({ looks, ids: messages.map(({ message_id }) => message_id).sort() }).toEqual({
      looks,
      ids: [...ids].sort(),
    });
  }
  expect(await countParked()).toBe(3);
});

test.each([
  'account.allocate',
  'account.renew',
  'action.acquire',
])('%s is not replayed: it would grant something', async (operation) => {
  const [messageId] = await park({ operation });
  const { messages } = await ask({ action: 'list' });
  expect(messages[0]?.obstacle).toMatch(/nobody waits for/);
  const { results } = await ask({ action: 'replay', parked_ids: [await parkedIdOf(messageId)], force: true });
  expect(results).toMatchObject([{ outcome: 'kept', code: null, reason: messages[0]?.obstacle }]);
  expect(dispatched).toHaveLength(0);
  expect(await countParked()).toBe(1);
});

test.each<[FailureCode, 'replayed' | 'kept']>([
  ['NOT_HELD', 'replayed'],
  ['IDEMPOTENCY_CONFLICT', 'replayed'],
  ['INTERNAL', 'kept'],
  ['UNAVAILABLE', 'kept'],
  ['VALIDATION_FAILED', 'kept'],
])('a replay that is answered %s is %s', async (code, outcome) => {
  const [messageId] = await park({});
  answer = () => Promise.resolve(refuse(code));
  const { results } = await ask({ action: 'replay', parked_ids: [await parkedIdOf(messageId)] });
  expect(results).toMatchObject([{ outcome, code }]);
  expect(await countParked()).toBe(outcome === 'kept' ? 1 : 0);
});

test('does not replay what is without its secrets, too old, or put there by somebody else', async () => {
  const [redacted, old] = await park(
    { operation: 'admin.register', body: { accounts: [{ session_data: 'secret', phone: '+4912345678' }] } },
    { parkedAt: Date.now() - 13 * 3_600_000 },
  );
  const channel = await broker.plain.createConfirmChannel();
  const forged = { 'x-original-user-id': 'operator', 'x-original-routing-key': 'admin.set-status' };
  channel.publish('', PARKED.name, Buffer.from('{}'), { messageId: 'forged', headers: forged });
  await channel.waitForConfirms();

  const ids = await Promise.all([redacted, old, 'forged'].map(parkedIdOf));
  const { results } = await ask({ action: 'replay', parked_ids: ids });
  expect(results).toMatchObject([
    { outcome: 'kept', reason: expect.stringContaining('secrets') },
    { outcome: 'kept', reason: expect.stringContaining('12 hours') },
    { outcome: 'kept', reason: expect.stringContaining('vouches') },
  ]);
  expect(dispatched).toEqual([]);
  const forced = await ask({ action: 'replay', parked_ids: ids, force: true });
  expect(forced.results.map(({ outcome }) => outcome)).toEqual(['kept', 'replayed', 'kept']);
  const discarded = await ask({ action: 'discard', parked_ids: ids });
  expect(discarded.results.map(({ outcome }) => outcome)).toEqual(['discarded', 'not_found', 'discarded']);
  expect(await countParked()).toBe(0);
});

test('a thousand parked messages: pages hold each once, and what is not wanted stays', async () => {
  const now = Date.now();
  const ids = await park(...Array.from({ length: 1_000 }, (_, n) => ({ parkedAt: now - n, body: { n } })));
  // The same once more, as after a confirm that was lost.
  await park({ parkedAt: now, body: { n: 0 }, messageId: ids[0] ?? '' });
  const listed: string[] = [];
  for (let cursor: string | null = null; ; ) {
    const page: ParkedReply = await ask({ action: 'list', limit: 100, cursor });
    expect(page.total).toBe(1_001);
    listed.push(...page.messages.map(({ message_id }) => message_id ?? ''));
    cursor = page.next_cursor;
    if (cursor === null) break;
  }
  expect(listed).toEqual(ids.toReversed());

  const { messages } = await ask({ action: 'list', limit: 1, cursor: null });
  const parkedId = messages[0]?.parked_id ?? '';
  const { results } = await ask({ action: 'discard', parked_ids: [parkedId] });
  expect(results).toMatchObject([{ outcome: 'discarded' }]);
  await eventually('the others are back', async () => (await countParked()) === 1_000);
});

test('who asks at the same time gets a turn: of one process and of several', async () => {
  await park(...Array.from({ length: 20 }, (_, n) => ({ body: { n } })));
  const { url } = broker.vhost;
  const others = createConnections({ url, instance: 'other', log: broker.log });
  await others.open();
  const elsewhere = deskOn({ connection: others.consuming });
  const list = { action: 'list' };
  const replies = await Promise.all([ask(list), elsewhere(list), ask(list), elsewhere(list)]);
  expect(replies.map(({ messages }) => messages.length)).toEqual([20, 20, 20, 20]);

  const parkedId = replies[0].messages[0]?.parked_id ?? '';
  const both = [ask, elsewhere].map((desk) => desk({ action: 'replay', parked_ids: [parkedId] }));
  const outcomes = (await Promise.all(both)).flatMap(({ results }) => results.map(({ outcome }) => outcome));
  expect(outcomes.sort()).toEqual(['not_found', 'replayed']);
  expect(dispatched).toHaveLength(1);
  await others.close();
});

test('when the connection dies between the answer and the removal, the message is still parked', async () => {
  const [messageId] = await park({});
  const parkedId = await parkedIdOf(messageId);
  answer = () => {
    const { stream } = (broker.connections.consuming.current() as unknown as { connection: { stream: Duplex } })
      .connection;
    stream.destroy(new Error('cut'));
    answer = () => Promise.resolve({ success: true });
    return new Promise((resolve) => stream.once('close', () => resolve({ success: true })));
  };
  const { results } = await ask({ action: 'replay', parked_ids: [parkedId] });
  expect(results).toMatchObject([{ outcome: 'replayed', reason: expect.stringContaining('not known') }]);
  await eventually('it is back', async () => (await countParked()) === 1);
  await eventually('the connection is back', () => broker.connections.consuming.current() !== null);
  const again = await ask({ action: 'replay', parked_ids: [parkedId] });
  expect(again.results).toMatchObject([{ outcome: 'replayed', reason: null }]);
  // Under the same name: the second was answered from the first's reply.
  expect(dispatched.map((request) => request.messageId)).toEqual([messageId, messageId]);
  expect(await countParked()).toBe(0);
});

test('without the broker it says so, and nothing is lost', async () => {
  const [messageId] = await park({});
  const away = deskOn({ connection: { ...broker.connections.consuming, current: () => null } });
  await expect(away({ action: 'list' })).rejects.toThrow(/UNAVAILABLE/);
  await parkedIdOf(messageId);
});
