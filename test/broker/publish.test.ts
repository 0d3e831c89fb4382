import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createPublisher, type OutgoingMessage, type Publisher } from '../../src/broker/publish.js';
import { eventually } from '../support/eventually.js';
import { type OpenBroker, openBroker } from './open-broker.js';

let broker: OpenBroker;
let publisher: Publisher;
beforeEach(async () => {
  broker = await openBroker();
  publisher = createPublisher({
    connection: broker.connections.publishing,
    name: 'test',
    timeoutMs: 5_000,
    log: broker.log,
  });
});
afterEach(async () => {
  await publisher.close();
  await broker.close();
});

const toQueue = (queue: string, options: OutgoingMessage['options'] = {}): OutgoingMessage => ({
  exchange: '',
  routingKey: queue,
  content: Buffer.from('{}'),
  options,
});

test('resolves once the broker has the message; many at once share the wait', async () => {
  const channel = await broker.plain.createChannel();
  const { queue } = await channel.assertQueue('');
  await Promise.all(Array.from({ length: 500 }, () => publisher.publish(toQueue(queue))));
  expect(await channel.checkQueue(queue)).toMatchObject({ messageCount: 500 });
});

test('a message no queue takes is a failure only where it is mandatory', async () => {
  await publisher.publish(toQueue('nobody'));
  await expect(publisher.publish(toQueue('nobody', { mandatory: true }))).rejects.toMatchObject({
    failure: 'unroutable',
  });
});

test('among many, only the mandatory ones that no queue takes fail', async () => {
  const channel = await broker.plain.createChannel();
  const { queue } = await channel.assertQueue('');
  const outcomes = await Promise.allSettled(
    Array.from({ length: 100 }, (_, n) =>
      publisher.publish(toQueue(n % 3 === 0 ? 'nobody' : queue, { mandatory: true })),
    ),
  );
  outcomes.forEach((outcome, n) => expect(outcome.status).toBe(n % 3 === 0 ? 'rejected' : 'fulfilled'));
});

test('a full queue refuses', async () => {
  const channel = await broker.plain.createChannel();
  const { queue } = await channel.assertQueue('', { arguments: { 'x-max-length': 1, 'x-overflow': 'reject-publish' } });
  await publisher.publish(toQueue(queue));
  await expect(publisher.publish(toQueue(queue))).rejects.toMatchObject({ failure: 'refused' });
});

test('a message that AMQP cannot carry is refused at once and harms no other', async () => {
  await expect(publisher.publish(toQueue('q', { correlationId: 'x'.repeat(256) }))).rejects.toMatchObject({
    failure: 'unencodable',
  });
  await publisher.publish(toQueue('q'));
});

test('an exchange that is missing costs the channel, not the publisher', async () => {
  const message = { ...toQueue('key'), exchange: 'missing' };
  await expect(publisher.publish(message)).rejects.toMatchObject({ failure: 'unknown' });
  await eventually('it is ready again', () => publisher.isReady());
  await publisher.publish(toQueue('q'));
});

test('after its connection was closed it waits for the next', async () => {
  const channel = await broker.plain.createChannel();
  const { queue } = await channel.assertQueue('');
  await publisher.publish(toQueue(queue));
  await broker.closeConnections('publisher');
  await eventually('it is seen', () => !publisher.isReady());
  await publisher.publish(toQueue(queue));
  expect(await channel.checkQueue(queue)).toMatchObject({ messageCount: 2 });
});

test('gives up waiting for a broker that stays away', async () => {
  const hurried = createPublisher({
    connection: broker.connections.publishing,
    name: 'hurried',
    timeoutMs: 300,
    log: broker.log,
  });
  await eventually('it is ready', () => hurried.isReady());
  await broker.connections.close();
  await expect(hurried.publish(toQueue('q'))).rejects.toMatchObject({ failure: 'unavailable' });
  await hurried.close();
});
