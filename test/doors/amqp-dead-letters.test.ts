import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Options } from 'amqplib';
import { DEAD_LETTERS, EXCHANGES, REQUEST_QUEUES } from '../../contracts/topology.js';
import { refuse } from '../../src/requests/refuse.js';
import type { Dispatch, Reply } from '../../src/requests/request.js';
import { eventually } from '../support/eventually.js';
import type { OpenBroker } from '../broker/open-broker.js';
import { gateOf } from './open-gate.js';
import { type OpenDoor, type OpenDoorOptions, openAmqpDoor } from './open-amqp-door.js';

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

const peek = async (queue: string) => {
  const channel = await open.broker.plain.createChannel();
  return eventually(`something in ${queue}`, () => channel.get(queue, { noAck: true }));
};

describe('dead letters', () => {
  const isLate: Dispatch = ({ expiresAt, messageId }) =>
    Promise.resolve(messageId === null && expiresAt === 0 ? refuse('DEADLINE_EXCEEDED') : done);
  const publish = async (broker: OpenBroker, body: string, options: Options.Publish) => {
    const channel = await broker.plain.createConfirmChannel();
    await channel.assertQueue('reply.mine');
    channel.publish(EXCHANGES.requests.name, 'action.check', Buffer.from(body), { replyTo: 'reply.mine', ...options });
    await channel.waitForConfirms();
    return channel;
  };
  const isDead = (broker: OpenBroker, count: number) =>
    eventually('it is dead', async () => {
      const channel = await broker.plain.createChannel();
      const { messageCount } = await channel.checkQueue(DEAD_LETTERS.name);
      return messageCount === count;
    });
  const replyOf = async () => {
    const message = await peek('reply.mine');
    const content = message === false ? '' : message.content.toString();
    return { message, body: JSON.parse(content) as Reply };
  };

  test('a request that expired in its queue is answered, and not parked', async () => {
    await openWith({
      dispatch: isLate,
      beforeStart: async (broker) => {
        await publish(broker, '{}', { expiration: '1', correlationId: 'late' });
        await isDead(broker, 1);
      },
    });
    const { message, body } = await replyOf();
    expect(body).toMatchObject({ success: false, error: { code: 'DEADLINE_EXCEEDED' } });
    expect(message).toMatchObject({ properties: { correlationId: 'late', type: 'action.check' } });
    await allSettled();
    expect(open.parked).toHaveLength(0);
    expect(await open.stopAndCount(DEAD_LETTERS.name)).toBe(0);
  });

  test('a request that expired after it had its effect gets its stored reply', async () => {
    await openWith({
      dispatch: isLate,
      beforeStart: async (broker) => {
        await publish(broker, '{}', { expiration: '1', messageId: randomUUID() });
        await isDead(broker, 1);
      },
    });
    expect((await replyOf()).body).toEqual(done);
    await allSettled();
    expect(open.parked).toHaveLength(0);
  });

  test('a malformed request that expired is answered all the same', async () => {
    await openWith({
      dispatch: isLate,
      beforeStart: async (broker) => {
        await publish(broker, 'not JSON', { expiration: '1' });
        await isDead(broker, 1);
      },
    });
    expect((await replyOf()).body).toMatchObject({ error: { code: 'DEADLINE_EXCEEDED' } });
    await allSettled();
    expect(open.parked).toHaveLength(0);
    expect(open.dispatched).toHaveLength(0);
  });

  test('an expired request with headers that are too large to be read is refused for these', async () => {
    await openWith({
      dispatch: isLate,
      beforeStart: async (broker) => {
        await publish(broker, '{}', { expiration: '1', headers: { large: 'x'.repeat(20_000) } });
        await isDead(broker, 1);
      },
    });
    expect((await replyOf()).body).toMatchObject({ error: { code: 'MALFORMED_MESSAGE' } });
    await open.waitForParked(1);
    expect(open.dispatched).toHaveLength(0);
  });

  test('a request that was delivered too often is not looked into, but answered and parked', async () => {
    await openWith({
      dispatch: answerWith(done),
      beforeStart: async (broker) => {
        const channel = await publish(broker, '{}', { userId: broker.connections.user });
        for (let delivery = 0; delivery <= 20; delivery++) {
          const message = await eventually('it is there', () => channel.get(REQUEST_QUEUES.action.name));
          if (message !== false) channel.reject(message, true);
        }
        await isDead(broker, 1);
      },
    });
    expect((await replyOf()).body).toMatchObject({
      error: { code: 'INTERNAL', message: expect.stringContaining('delivery_limit') },
    });
    await open.waitForParked(1);
    expect(open.dispatched).toHaveLength(0);
    expect(open.parked[0]?.properties.headers).toMatchObject({
      'x-error-code': 'INTERNAL',
      'x-original-routing-key': 'action.check',
      'x-original-user-id': open.broker.connections.user,
    });
  });

  test.each([
    ['lets requests expire', EXCHANGES.requests.name, { expiration: '0' }],
    ['sends dead letters itself', EXCHANGES.dead.name, {}],
  ])('a caller that %s is held to its rate', async (_, exchange, options) => {
    const codes = new Map<string, number>();
    await openWith({
      gate: gateOf([{ name: 'guest', users: '*', role: 'operator', requests_per_second: 5 }]),
      dispatch: isLate,
      observe: { replied: (_operation, code) => codes.set(String(code), (codes.get(String(code)) ?? 0) + 1) },
    });
    const properties = { userId: open.broker.connections.user, replyTo: 'reply.guest', ...options };
    await (await open.broker.plain.createChannel()).assertQueue('reply.guest');
    const before = performance.now();
    for (let n = 0; n < 100; n++) await open.send({ exchange, properties });
    await eventually('all are answered', () => [...codes.values()].reduce((sum, count) => sum + count, 0) === 100);
    const allowed = 5 + (5 * (performance.now() - before)) / 1_000;
    expect(100 - (codes.get('UNAVAILABLE') ?? 0)).toBeLessThanOrEqual(allowed + 1);
    await allSettled();
    expect(open.parked.length).toBeLessThanOrEqual(exchange === EXCHANGES.dead.name ? allowed + 1 : 0);
  });

  test('a message that somebody sent there directly is parked', async () => {
    await openWith({});
    await open.send({ exchange: EXCHANGES.dead.name, operation: 'made.up' });
    await open.waitForParked(1);
    expect(open.parked[0]?.properties.headers).toMatchObject({
      'x-original-routing-key': 'made.up',
      'x-error-code': 'INTERNAL',
    });
  });
});
