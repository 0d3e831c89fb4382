import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Channel, ConsumeMessage } from 'amqplib';
import fc from 'fast-check';
import { createAcknowledger } from '../../src/broker/acknowledge.js';
import { eventually } from '../support/eventually.js';
import { type OpenBroker, openBroker } from './open-broker.js';

let broker: OpenBroker;
beforeEach(async () => {
  broker = await openBroker();
});
afterEach(() => broker.close());

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Publishes `count` messages to a new queue and receives them all on a new channel. */
async function receive(count: number): Promise<{ channel: Channel; queue: string; messages: ConsumeMessage[] }> {
  const channel = await broker.plain.createConfirmChannel();
  const { queue } = await channel.assertQueue('');
  for (let n = 0; n < count; n++) channel.sendToQueue(queue, Buffer.from(String(n)));
  await channel.waitForConfirms();
  const messages: ConsumeMessage[] = [];
  await channel.consume(queue, (message) => message !== null && messages.push(message));
  await eventually('all are received', () => messages.length === count);
  return { channel, queue, messages };
}

test('whatever the order, exactly what was acknowledged is gone and the rest comes back', async () => {
  const scenario = fc.record({
    order: fc.shuffledSubarray(Array.from({ length: 40 }, (_, index) => index)),
    prefetch: fc.constantFrom(1, 40, 100, 1_000),
    turns: fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }),
  });
  await fc.assert(
    fc.asyncProperty(scenario, async ({ order, turns, prefetch }) => {
      const { channel, queue, messages } = await receive(40);
      let acknowledged = 0;
      const acknowledger = createAcknowledger(channel, prefetch, (count) => {
        acknowledged += count;
      });
      for (const { fields } of messages) acknowledger.receive(fields.deliveryTag);
      for (const index of order) {
        acknowledger.acknowledge((messages[index] as ConsumeMessage).fields.deliveryTag);
        if (turns[index]) await turn();
      }
      acknowledger.flush();
      await channel.close();

      const look = await broker.plain.createChannel();
      const left: number[] = [];
      for (;;) {
        const message = await look.get(queue, { noAck: true });
        if (message === false) break;
        left.push(Number(message.content));
      }
      await look.deleteQueue(queue);
      expect(left.sort((a, b) => a - b)).toEqual(
        messages.map((_, index) => index).filter((index) => !order.includes(index)),
      );
      expect(acknowledged).toBe(order.length);
    }),
    { numRuns: 15 },
  );
});

test('where the broker may wait, those settled in one turn are acknowledged at once, past those settled before', async () => {
  const { channel, queue, messages } = await receive(10);
  const counts: number[] = [];
  const acknowledger = createAcknowledger(channel, 4, (count) => counts.push(count));
  const tags = messages.map(({ fields }) => fields.deliveryTag);
  for (const tag of tags) acknowledger.receive(tag);
  for (const tag of tags.slice(1)) acknowledger.acknowledge(tag);
  await turn();
  await turn();
  acknowledger.acknowledge(tags[0] as number);
  await turn();
  await turn();
  expect(counts).toEqual([9, 1]);
  // The broker closes a channel on which a tag is acknowledged twice.
  expect(await channel.checkQueue(queue)).toMatchObject({ messageCount: 0 });
});

test('where the broker has no reason to wait, those settled within a moment share a frame', async () => {
  const { channel, queue, messages } = await receive(10);
  const counts: number[] = [];
  const acknowledger = createAcknowledger(channel, 1_000, (count) => counts.push(count));
  for (const { fields } of messages) acknowledger.receive(fields.deliveryTag);
  for (const { fields } of messages) {
    acknowledger.acknowledge(fields.deliveryTag);
    await turn();
  }
  await eventually('all are acknowledged', () => counts.reduce((sum, count) => sum + count, 0) === 10);
  // One a turn, where nothing is gathered.
  expect(counts.length).toBeLessThan(10);
  await channel.close();
  const look = await broker.plain.createChannel();
  expect(await look.checkQueue(queue)).toMatchObject({ messageCount: 0 });
});

test('on a dead channel nothing happens', async () => {
  const { channel, messages } = await receive(2);
  const counts: number[] = [];
  const acknowledger = createAcknowledger(channel, 10, (count) => counts.push(count));
  for (const { fields } of messages) acknowledger.receive(fields.deliveryTag);
  await channel.close();
  acknowledger.acknowledge((messages[0] as ConsumeMessage).fields.deliveryTag);
  acknowledger.giveBack((messages[1] as ConsumeMessage).fields.deliveryTag);
  acknowledger.flush();
  await turn();
  expect(counts).toEqual([]);
});
