import { afterEach, beforeEach, expect, test } from '@jest/globals';
import amqplib, { type ChannelModel } from 'amqplib';
import { createConsumer, type Delivery } from '../../src/broker/consume.js';
import { MAX_HEADERS_BYTES, UNREAD_HEADERS } from '../../src/broker/limit-headers.js';
import { eventually } from '../support/eventually.js';
import { type OpenBroker, openBroker } from './open-broker.js';

let broker: OpenBroker;
beforeEach(async () => {
  broker = await openBroker();
});
afterEach(() => broker.close());

const QUEUE = 'poisoned';

/** A header table whose only field is arrays within arrays, as amqplib itself cannot write them. */
function nestedTable(depth: number): Buffer {
  const arrays = Buffer.alloc(depth * 5);
  for (let level = 0; level < depth; level++) {
    arrays.write('A', level * 5);
    arrays.writeUInt32BE((depth - level - 1) * 5, level * 5 + 1);
  }
  const field = Buffer.concat([Buffer.from('\x04deep'), arrays]);
  return Buffer.concat([uint32(field.length), field]);
}

const uint16 = (value: number) => Buffer.from([value >> 8, value & 0xff]);
const uint32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const shortText = (text: string) => Buffer.from([text.length, ...Buffer.from(text)]);
const frame = (type: number, channel: number, payload: Buffer) =>
  Buffer.concat([Buffer.from([type]), uint16(channel), uint32(payload.length), payload, Buffer.from([0xce])]);

/** Publishes frame by frame: content type, the given headers, correlation id and reply address. */
async function publishRaw(connection: ChannelModel, headers: Buffer): Promise<void> {
  const channel = await connection.createConfirmChannel();
  const { ch } = channel as unknown as { ch: number };
  const body = Buffer.from('{}');
  const publish = Buffer.concat([uint16(60), uint16(40), uint16(0), shortText(''), shortText(QUEUE), Buffer.from([0])]);
  const flags = 0x8000 | 0x2000 | 0x0400 | 0x0200;
  const properties = Buffer.concat([
    ...[uint16(60), uint16(0), uint32(0), uint32(body.length), uint16(flags)],
    ...[shortText('application/json'), headers, shortText('correlated'), shortText('reply.here')],
  ]);
  const { stream } = connection.connection as unknown as { stream: NodeJS.WritableStream };
  const confirmed = new Promise((resolve) => channel.once('ack', resolve));
  stream.write(Buffer.concat([frame(1, ch, publish), frame(2, ch, properties), frame(3, ch, body)]));
  await confirmed;
  await channel.close();
}

/** The service's own consumer, registered. */
async function consume(): Promise<Delivery[]> {
  const deliveries: Delivery[] = [];
  const consumer = createConsumer({
    connection: broker.connections.consuming,
    ownUser: broker.connections.user,
    queue: QUEUE,
    prefetch: 10,
    declare: async (channel) => {
      await channel.assertQueue(QUEUE);
    },
    onDelivery: (delivery) => deliveries.push(delivery),
    log: broker.log,
  });
  await eventually('it consumes', () => consumer.isRegistered());
  return deliveries;
}

test('headers too deep to decode are replaced by a mark, and everything around them is served', async () => {
  const deliveries = await consume();
  const channel = await broker.plain.createChannel();
  channel.sendToQueue(QUEUE, Buffer.from('before'));
  await publishRaw(broker.plain, nestedTable(20_000));
  channel.sendToQueue(QUEUE, Buffer.from('after'));

  await eventually('all three have come', () => deliveries.length === 3);
  const poison = deliveries.find(({ message }) => message.content.toString() === '{}')?.message;
  expect(poison?.properties).toMatchObject({
    contentType: 'application/json',
    headers: { [UNREAD_HEADERS]: true },
    correlationId: 'correlated',
    replyTo: 'reply.here',
  });
  expect(deliveries.every((delivery) => delivery.isLive())).toBe(true);
});

test('headers within the limit arrive as they are', async () => {
  const deliveries = await consume();
  const channel = await broker.plain.createChannel();
  const text = 'x'.repeat(MAX_HEADERS_BYTES - 200);
  channel.sendToQueue(QUEUE, Buffer.from('{}'), { headers: { text }, correlationId: 'kept' });
  await eventually('it has come', () => deliveries.length === 1);
  expect(deliveries[0]?.message.properties).toMatchObject({ headers: { text }, correlationId: 'kept' });
});

test('control: the same message costs a plain connection its life', async () => {
  const channel = await broker.plain.createChannel();
  await channel.assertQueue(QUEUE);
  await publishRaw(broker.plain, nestedTable(20_000));
  const victim = await amqplib.connect(broker.vhost.url);
  const died = new Promise<Error>((resolve) => victim.once('error', resolve));
  const victimChannel = await victim.createChannel();
  await victimChannel.consume(QUEUE, () => undefined).catch(() => undefined);
  expect((await died).message).toMatch(/call stack/);
});
