import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { type Channel, type ChannelModel, connect } from 'amqplib';
import { clock } from '../../src/clock.js';
import type { BrokerConnection } from '../../src/broker/connections.js';
import { createAskAddressGone, isReplyAddressGone } from '../../src/broker/reply-address.js';
import { eventually } from '../support/eventually.js';
import { createVhost, type TestVhost } from '../support/vhost.js';

let vhost: TestVhost;
let service: ChannelModel;
let connection: BrokerConnection;
beforeAll(async () => {
  vhost = await createVhost();
  service = await connect(vhost.url);
  connection = { current: () => service } as unknown as BrokerConnection;
});
afterEach(() => {
  jest.restoreAllMocks();
});
afterAll(async () => {
  await service.close();
  await vhost.drop();
});

const addresses: [kind: string, open: (channel: Channel) => Promise<string>][] = [
  ['a server-named queue', async (channel) => (await channel.assertQueue('', { exclusive: true })).queue],
  [
    'a queue named reply.…',
    async (channel) => {
      const { queue } = await channel.assertQueue(`reply.${randomUUID()}`, { autoDelete: true, durable: false });
      await channel.consume(queue, () => {}, { noAck: true });
      return queue;
    },
  ],
  [
    'direct reply-to',
    async (channel) => {
      // The broker gives the address to whoever receives a message that names the general one.
      const { queue } = await channel.assertQueue('', { exclusive: true });
      const replyTo = 'amq.rabbitmq.reply-to';
      await channel.consume(replyTo, () => {}, { noAck: true });
      const address = new Promise<string>((resolve) => {
        void channel.consume(queue, (message) => resolve(String(message?.properties.replyTo)), { noAck: true });
      });
      channel.sendToQueue(queue, Buffer.from('{}'), { replyTo });
      return address;
    },
  ],
];

test.each(addresses)('%s is there as long as its caller is', async (_kind, open) => {
  const caller = await connect(vhost.url);
  const address = await open(await caller.createChannel());
  expect(await isReplyAddressGone(connection, address)).toBe(false);
  await caller.close();
  await eventually('the reply address is gone', () => isReplyAddressGone(connection, address));
  // The connection that asked lives on.
  await (await service.createChannel()).close();
});

test('without a connection nobody counts as gone', async () => {
  const away = { current: () => null } as unknown as BrokerConnection;
  expect(await isReplyAddressGone(away, 'reply.whoever')).toBe(false);
});

test('a broker that is silent keeps nobody: the address counts as there', async () => {
  const silent = { createChannel: () => new Promise(() => {}) };
  const askGone = createAskAddressGone({ current: () => silent } as unknown as BrokerConnection);
  expect(await askGone('reply.whoever', 0)).toBe(false);
}, 5_000);

test('who was there a moment ago is not asked after again; who has gone and come back is there at once', async () => {
  let now = 0;
  jest.spyOn(clock, 'monotonicMs').mockImplementation(() => now);
  const askGone = createAskAddressGone(connection);
  const queue = `reply.${randomUUID()}`;
  const caller = await service.createChannel();
  expect(await askGone(queue, 1_000)).toBe(true);
  await caller.assertQueue(queue, { exclusive: true });
  expect(await askGone(queue, 1_000)).toBe(false);
  await caller.deleteQueue(queue);
  now = 999;
  expect(await askGone(queue, 1_000)).toBe(false);
  expect(await askGone(queue, 0)).toBe(true);
  expect(await askGone(queue, 1_000)).toBe(true);
  await caller.assertQueue(queue, { exclusive: true });
  expect(await askGone(queue, 1_000)).toBe(false);
  await caller.deleteQueue(queue);
  now = 1_999;
  expect(await askGone(queue, 1_000)).toBe(true);
  await caller.close();
});
