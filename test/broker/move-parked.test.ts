import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Message, Options } from 'amqplib';
import { PARKED } from '../../contracts/topology.js';
import { createConnections } from '../../src/broker/connections.js';
import { moveParked } from '../../src/broker/move-parked.js';
import { declareTopology } from '../../src/broker/topology.js';
import { eventually } from '../support/eventually.js';
import { type OpenBroker, openBroker } from './open-broker.js';

// Thousands of messages are confirmed one by one, each on disk.

const FORMER = { 'x-queue-type': 'quorum' };
const HALFWAY = `${PARKED.name}.moving`;

let broker: OpenBroker;
beforeEach(async () => {
  broker = await openBroker();
});
afterEach(() => broker.close());

const move = (connections = broker.connections) => moveParked(connections.publishing, connections.user, broker.log);

/** Declares a queue as version 1.0 did and puts messages into it. */
async function fill(queue: string, from: number, to: number, options: Options.Publish = {}): Promise<void> {
  const channel = await broker.plain.createConfirmChannel();
  await channel.assertQueue(queue, { arguments: FORMER });
  for (let n = from; n < to; n++)
    channel.sendToQueue(queue, Buffer.from(`{"n":${n}}`), { persistent: true, ...options });
  await channel.waitForConfirms();
  await channel.close();
}

/** Everything in a queue, which is then empty: nothing is on its way to a consumer, and no count is believed. */
async function drain(queue: string, channels = 16): Promise<Message[]> {
  const found: Message[] = [];
  const takeAll = async (): Promise<void> => {
    const channel = await broker.plain.createChannel();
    for (let message = await channel.get(queue, { noAck: true }); message !== false; ) {
      found.push(message);
      message = await channel.get(queue, { noAck: true });
    }
    await channel.close();
  };
  await Promise.all(Array.from({ length: channels }, takeAll));
  return found;
}
const numbersIn = async (queue: string) =>
  (await drain(queue)).map(({ content }) => (JSON.parse(content.toString()) as { n: number }).n).sort((a, b) => a - b);
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);
/** How many messages are ready; null: there is no such queue. */
const readyIn = async (queue: string): Promise<number | null> => {
  const channel = await broker.plain.createChannel();
  channel.on('error', () => undefined);
  return channel.checkQueue(queue).then(
    ({ messageCount }) => messageCount,
    () => null,
  );
};
const isMissing = async (queue: string) => (await readyIn(queue)) === null;

test('a queue of version 1.0 gets its present arguments and keeps its messages', async () => {
  await fill(PARKED.name, 0, 500);
  await expect(declareTopology(broker.plain)).rejects.toThrow(PARKED.name);
  await move();
  await declareTopology(broker.plain);
  expect(await isMissing(HALFWAY)).toBe(true);
  expect(await numbersIn(PARKED.name)).toEqual(upTo(500));
});

test('properties, headers and the signature of this service stay; another’s signature cannot be kept', async () => {
  const { user } = broker.connections;
  const said: Options.Publish = {
    messageId: 'm',
    correlationId: 'c',
    contentType: 'application/json',
    type: 't',
    timestamp: 7,
  };
  const headers = { 'x-error-code': 'INTERNAL', 'x-attempt': 3, 'x-redacted': true, CC: ['account-manager.admin'] };
  await fill(PARKED.name, 0, 1, { ...said, userId: user, headers: { ...headers, CC: undefined } });
  await fill(PARKED.name, 1, 2, { ...said, replyTo: 'reply.x', headers: { ...headers, nested: { deep: [1] } } });
  await move();
  const [first, second] = await drain(PARKED.name, 1);
  expect(first?.properties).toMatchObject({ ...said, userId: user });
  expect(first?.properties.headers).toMatchObject({ 'x-error-code': 'INTERNAL', 'x-attempt': 3, 'x-redacted': true });
  expect(second?.properties.userId).toBeUndefined();
});

test('several instances at once, and one that comes later, move each message once', async () => {
  await fill(PARKED.name, 0, 300);
  const others = createConnections({ url: broker.vhost.url, instance: 'other', log: broker.log });
  await others.open();
  await Promise.all([move(), move(others)]);
  await move(others);
  expect(await numbersIn(PARKED.name)).toEqual(upTo(300));
  await others.close();
});

test('the move waits for messages that another consumer holds', async () => {
  await fill(PARKED.name, 0, 20);
  const holder = await broker.plain.createChannel();
  await holder.prefetch(5);
  let held = 0;
  await holder.consume(PARKED.name, () => (held += 1));
  await eventually('it holds some', () => held === 5);
  const moving = move();
  await eventually('the rest is copied', async () => (await readyIn(HALFWAY)) === 15);
  await holder.close();
  await moving;
  expect(await numbersIn(PARKED.name)).toEqual(upTo(20));
});

test('a start that was cut off is gone on with: nothing is missing', async () => {
  await fill(PARKED.name, 0, 2_000);
  const dying = createConnections({ url: broker.vhost.url, instance: 'dying', log: broker.log });
  await dying.open();
  const cut = move(dying).then(
    () => 'moved',
    () => 'cut',
  );
  await eventually('it is at work', async () => !(await isMissing(HALFWAY)));
  const { stream } = dying.publishing.current()?.connection as unknown as { stream: Socket };
  stream.destroy(new Error('cut'));
  // Whether it notices at once is the client library's.
  expect(await Promise.race([cut, pause(5_000, 'cut', { ref: false })])).toBe('cut');
  await Promise.race([dying.close(), pause(5_000, undefined, { ref: false })]);

  await move();
  expect(new Set(await numbersIn(PARKED.name))).toEqual(new Set(upTo(2_000)));
  expect(await isMissing(HALFWAY)).toBe(true);
});

test('messages that a crash left halfway come back, whichever queue is there', async () => {
  await fill(HALFWAY, 0, 10);
  await move();
  expect(await numbersIn(PARKED.name)).toEqual(upTo(10));

  await (await broker.plain.createChannel()).deleteQueue(PARKED.name);
  await fill(HALFWAY, 0, 10);
  await fill(PARKED.name, 10, 20);
  await move();
  expect(await numbersIn(PARKED.name)).toEqual(upTo(20));
});

test('messages without room in the bounded queue wait, the newest of all', async () => {
  const most = PARKED.arguments['x-max-length'];
  await fill(PARKED.name, 0, most + 300);
  await move();
  const kept = await numbersIn(PARKED.name);
  const waiting = await numbersIn(HALFWAY);
  expect([...kept, ...waiting].sort((a, b) => a - b)).toEqual(upTo(most + 300));
  expect(kept.length).toBeGreaterThanOrEqual(most);
  expect(Math.max(...kept)).toBeLessThan(most + 300);
  expect(waiting.length).toBeGreaterThan(0);
});

test('a queue of other arguments is left to its operator', async () => {
  const channel = await broker.plain.createChannel();
  await channel.assertQueue(PARKED.name, { arguments: { ...FORMER, 'x-max-length': 5 } });
  channel.sendToQueue(PARKED.name, Buffer.from('{"n":0}'));
  await move();
  await expect(declareTopology(broker.plain)).rejects.toThrow(`for queue '${PARKED.name}'`);
  expect(await numbersIn(PARKED.name)).toEqual([0]);
});
