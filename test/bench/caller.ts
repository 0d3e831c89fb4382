import { randomUUID } from 'node:crypto';
import { connect } from 'amqplib';
import { EXCHANGES } from '../../contracts/topology.js';
import { coalesceWrites } from '../../src/coalesce-writes.js';

/** A caller that costs little itself: no timer and no confirm per request. */
export interface Caller {
  /** Asks on the operation's exchange, or a queue directly. */
  ask: (operation: string, body: object, queue?: string) => Promise<Record<string, unknown>>;
  close: () => Promise<void>;
}

export async function connectCaller(url: string): Promise<Caller> {
  const connection = await connect(url, { noDelay: true });
  coalesceWrites((connection as unknown as { connection: { stream: import('node:stream').Duplex } }).connection.stream);
  const channel = await connection.createChannel();
  const waiting = new Map<string, (reply: Record<string, unknown>) => void>();
  await channel.consume(
    'amq.rabbitmq.reply-to',
    (message) => {
      if (message === null) return;
      const correlationId = String(message.properties.correlationId);
      const resolve = waiting.get(correlationId);
      waiting.delete(correlationId);
      resolve?.(JSON.parse(message.content.toString()) as Record<string, unknown>);
    },
    { noAck: true },
  );
  return {
    ask: (operation, body, queue) =>
      new Promise((resolve) => {
        const id = randomUUID();
        waiting.set(id, resolve);
        const exchange = operation.startsWith('admin.') ? EXCHANGES.admin.name : EXCHANGES.requests.name;
        channel.publish(queue === undefined ? exchange : '', queue ?? operation, Buffer.from(JSON.stringify(body)), {
          contentType: 'application/json',
          persistent: true,
          messageId: id,
          correlationId: id,
          type: operation,
          replyTo: 'amq.rabbitmq.reply-to',
        });
      }),
    close: () => connection.close(),
  };
}
