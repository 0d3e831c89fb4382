import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import amqplib, { type Options } from 'amqplib';
import { EXCHANGES, PARKED, REQUEST_QUEUES, RETRY_STEPS } from '../../contracts/topology.js';
import { refuse } from '../../src/requests/refuse.js';
import type { Dispatch, Reply } from '../../src/requests/request.js';
import { eventually } from '../support/eventually.js';
import type { OpenBroker } from '../broker/open-broker.js';
import { manage } from '../support/vhost.js';
import { collect, type OpenDoor, type OpenDoorOptions, openAmqpDoor } from './open-amqp-door.js';

let open: OpenDoor;
afterEach(() => open.close());

const openWith = async (options: OpenDoorOptions) => {
  open = await openAmqpDoor(options);
};
const answerWith =
  (...replies: [Reply, ...Reply[]]): Dispatch =>
  () =>
    Promise.resolve(replies.length > 1 ? (replies.shift() as Reply) : replies[0]);
const done: Reply = { success: true, done: 1 };
const allSettled = () => eventually('all is settled', () => open.door.state().inWork === 0);
const UUID = /^[0-9a-f-]{36}$/;

describe('the reply', () => {
  test('carries what the contract says', async () => {
    await openWith({ dispatch: answerWith(done) });
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const messageId = randomUUID();
    const { body, properties } = await open.ask({
      properties: { messageId, correlationId: 'mine', headers: { traceparent } },
    });
    expect(body).toEqual(done);
    expect(properties).toMatchObject({ type: 'action.check', correlationId: 'mine', contentType: 'application/json' });
    expect(properties.messageId).toMatch(UUID);
    expect(properties.messageId).not.toBe(messageId);
    expect(properties.headers).toEqual({ traceparent });
    expect(open.dispatched[0]).toMatchObject({
      operation: 'action.check',
      messageId,
      requestId: 'mine',
      traceparent,
      body: {},
    });
  });

  test('of a refusal carries its code, and the message is not parked', async () => {
    await openWith({ dispatch: answerWith(refuse('ALL_BUSY', { retryAfterMs: 5 })) });
    const { body, properties } = await open.ask({});
    expect(body).toMatchObject({ success: false, error: { code: 'ALL_BUSY', retry_after_ms: 5 } });
    expect(properties.headers).toEqual({ 'x-error-code': 'ALL_BUSY' });
    await allSettled();
    expect(open.parked).toHaveLength(0);
    expect(await open.stopAndCount(REQUEST_QUEUES.action.name)).toBe(0);
  });

  test('echoes the message id where there is no correlation id', async () => {
    await openWith({});
    const channel = await open.broker.plain.createChannel();
    await channel.assertQueue('reply.mine', { exclusive: true });
    const replies = await collect(channel, 'reply.mine');
    const messageId = randomUUID();
    await open.send({ properties: { messageId, replyTo: 'reply.mine' } });
    await open.send({ properties: { replyTo: 'reply.mine' } });
    await eventually('both are answered', () => replies.length === 2);
    expect(replies.map(({ properties }) => properties.correlationId as unknown)).toEqual([messageId, undefined]);
  });

  test('is not missed by who asked for none', async () => {
    await openWith({});
    await open.send({});
    await eventually('it is dispatched', () => open.dispatched.length === 1);
    await allSettled();
  });
});

/** Publishes as another service, whose name the broker checks. */
async function connectAs(user: string, broker: OpenBroker) {
  await manage('PUT', `/api/users/${user}`, { password: 'secret', tags: '' });
  await manage('PUT', `/api/permissions/${broker.vhost.name}/${user}`, { configure: '.*', write: '.*', read: '.*' });
  const url = new URL(broker.vhost.url);
  url.username = user;
  url.password = 'secret';
  const connection = await amqplib.connect(url.href);
  const channel = await connection.createConfirmChannel();
  return {
    send: async (operation: string, options: Options.Publish) => {
      channel.publish(EXCHANGES.requests.name, operation, Buffer.from('{"a": 1}'), options);
      await channel.waitForConfirms();
    },
    close: async () => {
      await connection.close();
      await manage('DELETE', `/api/users/${user}`);
    },
  };
}

const [firstStep, secondStep, thirdStep] = RETRY_STEPS;
/** As a message comes back from the ladder; the tests' user is the service's. */
const returned = (open: OpenDoor, attempt: number): Options.Publish => ({
  userId: open.broker.connections.user,
  headers: {
    'x-death': [{ queue: firstStep.name, reason: 'expired', count: 1, exchange: '', 'routing-keys': ['action.check'] }],
    'x-attempt': attempt,
    'x-original-user-id': 'inviter',
  },
});
const peek = async (queue: string) => {
  const channel = await open.broker.plain.createChannel();
  return eventually(`something in ${queue}`, () => channel.get(queue, { noAck: true }));
};

describe('an unexpected failure', () => {
  test('is tried again after 5 s, for the same caller, and answered then', async () => {
    await openWith({ dispatch: answerWith(refuse('INTERNAL'), done) });
    const user = `inviter-${randomUUID()}`;
    const caller = await connectAs(user, open.broker);
    const channel = await open.broker.plain.createChannel();
    await channel.assertQueue('reply.mine', { exclusive: true });
    const replies = await collect(channel, 'reply.mine');
    const sentAt = Date.now();
    await caller.send('action.check', {
      userId: user,
      replyTo: 'reply.mine',
      correlationId: 'c',
      messageId: randomUUID(),
    });

    await eventually('it is answered', () => replies.length > 0);
    expect(Date.now() - sentAt).toBeGreaterThan(firstStep.delayMs - 100);
    expect(JSON.parse(String(replies[0]?.content))).toEqual(done);
    expect(replies[0]?.properties.correlationId).toBe('c');
    const [first, second] = open.dispatched;
    expect(second).toEqual(first);
    expect(first).toMatchObject({ caller: user, body: { a: 1 } });
    await allSettled();
    expect(open.parked).toHaveLength(0);
    await caller.close();
  });

  test('on its way up the ladder the message is this service’s own, without what steers delivery', async () => {
    await openWith({ dispatch: answerWith(refuse('INTERNAL')) });
    const user = `inviter-${randomUUID()}`;
    const caller = await connectAs(user, open.broker);
    const messageId = randomUUID();
    const headers = {
      'x-attempt': 7,
      'x-retry': '120s',
      'x-original-user-id': 'victim',
      note: 'dropped',
      tracestate: 'a=b',
    };
    const sentAt = Date.now();
    await caller.send('action.check', {
      ...{ userId: user, messageId, headers, expiration: '60000', CC: ['query.limits'], BCC: ['account.error'] },
      ...{ contentType: 'application/json', replyTo: 'reply.x', appId: 'inviter' },
    });
    const retried = await peek(firstStep.name);
    expect(retried).toMatchObject({
      properties: {
        userId: open.broker.connections.user,
        messageId,
        replyTo: 'reply.x',
        appId: 'inviter',
        deliveryMode: 2,
      },
    });
    const { properties } = retried as amqplib.GetMessage;
    expect(properties.expiration).toBeUndefined();
    const { 'x-deadline': deadline, 'x-publish-id': publishId, ...rest } = properties.headers as Record<string, string>;
    // The broker adds how often it was delivered; 4.3 counts otherwise than those before.
    const brokersOwn = ['x-delivery-count', 'x-acquired-count'];
    expect(Object.fromEntries(Object.entries(rest).filter(([name]) => !brokersOwn.includes(name)))).toEqual({
      'x-attempt': 1,
      'x-retry': '5s',
      'x-original-user-id': user,
      tracestate: 'a=b',
    });
    expect(publishId).toMatch(UUID);
    expect(Math.abs(Date.parse(String(deadline)) - sentAt - 60_000)).toBeLessThan(2_000);
    // The copies that CC and BCC sent into other queues are not served there.
    await open.waitForParked(2);
    expect(open.parked.map(({ properties: { headers } }) => String(headers?.['x-error-code']))).toEqual([
      'UNKNOWN_OPERATION',
      'UNKNOWN_OPERATION',
    ]);
    expect(open.dispatched).toHaveLength(1);
    await caller.close();
  });

  test.each([
    [1, secondStep],
    [2, thirdStep],
  ])('after %d waits goes to the next step', async (attempt, step) => {
    await openWith({ dispatch: answerWith(refuse('INTERNAL')) });
    await open.send({ properties: returned(open, attempt) });
    const message = await peek(step.name);
    expect(message).toMatchObject({
      fields: { routingKey: 'action.check' },
      properties: { headers: { 'x-attempt': attempt + 1, 'x-retry': step.header, 'x-original-user-id': 'inviter' } },
    });
  });

  test('at the end of the ladder is answered and parked', async () => {
    await openWith({ dispatch: answerWith(refuse('INTERNAL', { details: { error_id: 'e' } })) });
    const { body } = await open.ask({ properties: { ...returned(open, RETRY_STEPS.length), correlationId: 'c' } });
    expect(body).toMatchObject({ success: false, error: { code: 'INTERNAL', details: { error_id: 'e' } } });
    await open.waitForParked(1);
    expect(open.parked[0]?.properties).toMatchObject({
      correlationId: 'c',
      headers: {
        'x-error-code': 'INTERNAL',
        'x-original-user-id': 'inviter',
        'x-original-routing-key': 'action.check',
        'x-attempt': 3,
      },
    });
    // This service's, which alone may speak so.
    expect(open.parked[0]?.properties.userId).not.toBe('inviter');
  });

  test('of an operator’s request is answered and parked at once', async () => {
    await openWith({ dispatch: answerWith(refuse('INTERNAL')) });
    const { body } = await open.ask({ operation: 'admin.register', exchange: EXCHANGES.admin.name });
    expect(body).toMatchObject({ error: { code: 'INTERNAL' } });
    await open.waitForParked(1);
  });

  test('covers a dispatch that rejects', async () => {
    await openWith({ dispatch: () => Promise.reject(new Error('a defect')) });
    await open.send({});
    await peek(firstStep.name);
    expect(open.broker.lines).toContainEqual(expect.objectContaining({ level: 'error', message: 'dispatch failed' }));
  });
});

describe('while a dependency is away', () => {
  test('a request is held, neither answered nor parked, and served when it is back', async () => {
    let back = (): void => undefined;
    const waitUntilAvailable = () => new Promise<void>((resolve) => (back = resolve));
    let away = true;
    const dispatch: Dispatch = () => Promise.resolve(away ? refuse('UNAVAILABLE') : done);
    let waits = 0;
    await openWith({
      dispatch,
      waitUntilAvailable: () => {
        waits++;
        return waitUntilAvailable();
      },
    });
    let answered = false;
    const answer = open.ask({}).finally(() => (answered = true));
    await eventually('it waits', () => waits === 1);
    back();
    await eventually('it has asked again, and waits again', () => waits === 2);
    expect(answered).toBe(false);
    away = false;
    back();
    expect((await answer).body).toEqual(done);
    expect(open.parked).toHaveLength(0);
    expect(open.dispatched).toHaveLength(3);
  });

  test('a stop leaves it in its queue', async () => {
    let waiting = false;
    const waitUntilAvailable = (signal: AbortSignal) =>
      new Promise<void>((_, reject) => {
        waiting = true;
        signal.addEventListener('abort', () => reject(new Error('aborted')));
      });
    await openWith({ dispatch: answerWith(refuse('UNAVAILABLE')), waitUntilAvailable });
    await open.send({});
    await eventually('it is held', () => waiting);
    await open.door.stop({ timeoutMs: 5_000 });
    expect(await peek(REQUEST_QUEUES.action.name)).toMatchObject({ fields: { routingKey: 'action.check' } });
    expect(open.parked).toHaveLength(0);
  });
});

test('a message that finds no queue to be parked in stays until it has made one', async () => {
  await openWith({ dispatch: answerWith(refuse('UNKNOWN_OPERATION')), collectParked: false });
  const channel = await open.broker.plain.createChannel();
  await channel.deleteQueue(PARKED.name);
  expect((await open.ask({})).body).toMatchObject({ error: { code: 'UNKNOWN_OPERATION' } });
  await eventually('it is told', () =>
    open.broker.lines.some(({ message }) => message === 'message could not be put aside'),
  );
  expect(open.door.state().inWork).toBe(1);
  await allSettled();
  expect(await channel.checkQueue(PARKED.name)).toMatchObject({ messageCount: 1 });
});

test('however many requests are held, the dependency is asked by one at a time', async () => {
  let away = true;
  let waiting = 0;
  let mostWaiting = 0;
  await openWith({
    dispatch: () => Promise.resolve(away ? refuse('UNAVAILABLE') : done),
    waitUntilAvailable: async () => {
      mostWaiting = Math.max(mostWaiting, ++waiting);
      await eventually('it is back', () => !away);
      waiting--;
    },
  });
  const answers = Promise.all(Array.from({ length: 50 }, () => open.ask({})));
  await eventually('all are held', () => open.dispatched.length === 50 && waiting > 0);
  away = false;
  await answers;
  expect(mostWaiting).toBe(1);
});
