import { randomUUID } from 'node:crypto';
import { type ChannelModel, type ConfirmChannel, type ConsumeMessage, connect, type Options } from 'amqplib';
import type { OperationName } from '../../contracts/operations.js';
import { EXCHANGES } from '../../contracts/topology.js';
import type { Reply } from '../../src/requests/request.js';

export interface RpcAnswer {
  reply: Reply;
  message: ConsumeMessage;
}

/** A caller on the bus, with direct reply-to. */
export interface RpcClient {
  connection: ChannelModel;
  channel: ConfirmChannel;
  /** Every reply so far, in order of arrival: also those to requests that had been answered before. */
  replies: readonly ConsumeMessage[];
  /** Sends a request with a fresh message id unless one is given; rejects when no reply comes in time. */
  ask: (
    operation: string,
    body: unknown,
    options?: Options.Publish & { timeoutMs?: number; exchange?: string },
  ) => Promise<RpcAnswer>;
  /** As `ask`, the reply alone. */
  call: (operation: OperationName, body: unknown, options?: Options.Publish) => Promise<Reply>;
  close: () => Promise<void>;
}

const REPLY_TIMEOUT_MS = 20_000;

const exchangeOf = (operation: string): string =>
  operation.startsWith('admin.') ? EXCHANGES.admin.name : EXCHANGES.requests.name;

/** `tls`: what an `amqps:` URL needs beside it. */
export async function connectRpc(url: string, tls: { ca?: Buffer } = {}): Promise<RpcClient> {
  const connection = await connect(url, { noDelay: true, ...tls });
  connection.on('error', () => {});
  const replies = await connection.createChannel();
  const waiting = new Map<string, (message: ConsumeMessage) => void>();
  const received: ConsumeMessage[] = [];
  // A reply to direct reply-to comes back on the channel that asked.
  await replies.consume(
    'amq.rabbitmq.reply-to',
    (message) => {
      if (message === null) return;
      received.push(message);
      waiting.get(String(message.properties.correlationId))?.(message);
    },
    { noAck: true },
  );
  const channel = await connection.createConfirmChannel();

  const ask: RpcClient['ask'] = (
    operation,
    body,
    { timeoutMs = REPLY_TIMEOUT_MS, exchange = exchangeOf(operation), correlationId = randomUUID(), ...options } = {},
  ) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.delete(correlationId);
        reject(new Error(`${operation}: no reply within ${timeoutMs} ms`));
      }, timeoutMs);
      waiting.set(correlationId, (message) => {
        waiting.delete(correlationId);
        clearTimeout(timer);
        resolve({ reply: JSON.parse(message.content.toString()) as Reply, message });
      });
      replies.publish(exchange, operation, Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body)), {
        contentType: 'application/json',
        persistent: true,
        mandatory: true,
        messageId: randomUUID(),
        correlationId,
        replyTo: 'amq.rabbitmq.reply-to',
        ...options,
      });
    });

  return {
    connection,
    channel,
    replies: received,
    ask,
    call: async (operation, body, options) => (await ask(operation, body, options)).reply,
    close: () => connection.close(),
  };
}
