import { randomUUID } from 'node:crypto';
import type { Channel, ConsumeMessage, Options } from 'amqplib';
import { EXCHANGES, PARKED } from '../../contracts/topology.js';
import { declareTopology } from '../../src/broker/topology.js';
import { type AmqpDoor, createAmqpDoor } from '../../src/doors/amqp/door.js';
import type { Gate } from '../../src/doors/gate.js';
import type { AmqpDoorObserver } from '../../src/doors/amqp/serve.js';
import type { Dispatch, IncomingRequest, Reply } from '../../src/requests/request.js';
import { eventually } from '../support/eventually.js';
import { type OpenBroker, openBroker } from '../broker/open-broker.js';
import { openGate } from './open-gate.js';

export interface Answer {
  body: Reply;
  properties: ConsumeMessage['properties'];
}

export interface OpenDoor {
  broker: OpenBroker;
  door: AmqpDoor;
  /** The dispatched requests, in order. */
  dispatched: IncomingRequest[];
  /** The parked messages, in order. */
  parked: ConsumeMessage[];
  /** Sends a request and waits for its answer. */
  ask(request: TestRequest): Promise<Answer>;
  /** Sends a request; resolves when the broker has it. */
  send(request: TestRequest): Promise<void>;
  /** Waits until so many messages are parked. */
  waitForParked(count: number): Promise<void>;
  /** Stops the door, so that what is not acknowledged goes back, and counts what the queue then holds. */
  stopAndCount(queue: string): Promise<number>;
  close(): Promise<void>;
}

export interface TestRequest {
  operation?: string;
  exchange?: string;
  /** Anything but a Buffer is sent as JSON. */
  body?: unknown;
  properties?: Options.Publish;
}

export interface OpenDoorOptions {
  dispatch?: Dispatch;
  gate?: Gate;
  waitUntilAvailable?: (signal: AbortSignal) => Promise<void>;
  observe?: Partial<AmqpDoorObserver>;
  /** False: what is parked stays in its queue. */
  collectParked?: boolean;
  /** Runs when the topology is there and nobody consumes yet. */
  beforeStart?: (broker: OpenBroker) => Promise<void>;
}

const succeed: Dispatch = () => Promise.resolve({ success: true });

/** A door on a vhost of its own, a caller that uses direct reply-to, and somebody who empties the parked queue. */
export async function openAmqpDoor(options: OpenDoorOptions = {}): Promise<OpenDoor> {
  const broker = await openBroker();
  const dispatched: IncomingRequest[] = [];
  const {
    dispatch = succeed,
    gate = openGate,
    waitUntilAvailable = () => Promise.resolve(),
    observe,
    beforeStart,
  } = options;
  if (beforeStart !== undefined) {
    await declareTopology(broker.plain);
    await beforeStart(broker);
  }
  const door = createAmqpDoor({
    connections: broker.connections,
    dispatch: (request) => {
      dispatched.push(request);
      return dispatch(request);
    },
    gate,
    waitUntilAvailable,
    log: broker.log,
    observe,
  });
  await door.start();

  const channel = await broker.plain.createConfirmChannel();
  const awaited = new Map<string, (answer: Answer) => void>();
  const onReply = (message: ConsumeMessage | null) => {
    if (message === null) return;
    const correlationId = String(message.properties.correlationId);
    const body = JSON.parse(message.content.toString()) as Reply;
    awaited.get(correlationId)?.({ body, properties: message.properties });
  };
  await channel.consume('amq.rabbitmq.reply-to', onReply, { noAck: true });
  const parked = options.collectParked === false ? [] : await collect(await broker.plain.createChannel(), PARKED.name);

  const send = async ({
    operation = 'action.check',
    exchange = EXCHANGES.requests.name,
    body = {},
    properties,
  }: TestRequest) => {
    const content = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
    channel.publish(exchange, operation, content, { contentType: 'application/json', persistent: true, ...properties });
    await channel.waitForConfirms();
  };
  return {
    broker,
    door,
    dispatched,
    parked,
    send,
    ask: async (request) => {
      const correlationId = request.properties?.correlationId ?? request.properties?.messageId ?? randomUUID();
      const answer = new Promise<Answer>((resolve) => awaited.set(correlationId, resolve));
      const addressed = { correlationId, replyTo: 'amq.rabbitmq.reply-to' };
      await send({ ...request, properties: { ...addressed, ...request.properties } });
      return answer;
    },
    waitForParked: async (count) => {
      await eventually(`${count} parked`, () => parked.length >= count);
    },
    stopAndCount: async (queue) => {
      await door.stop({ timeoutMs: 5_000 });
      return (await (await broker.plain.createChannel()).checkQueue(queue)).messageCount;
    },
    close: async () => {
      await door.stop({ timeoutMs: 1_000 });
      await broker.close();
    },
  };
}

/** Consumes a queue into a list. */
export async function collect(channel: Channel, queue: string): Promise<ConsumeMessage[]> {
  const messages: ConsumeMessage[] = [];
  await channel.consume(queue, (message) => message !== null && messages.push(message), { noAck: true });
  return messages;
}
