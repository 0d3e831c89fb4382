import { connect } from 'amqplib';
import type { CloudEvent } from '../../contracts/events.js';
import { EXCHANGES } from '../../contracts/topology.js';

/** An event, and when it arrived, epoch milliseconds. */
export type ReceivedEvent = CloudEvent & { receivedAt: number };

/** Events that have arrived on the events exchange, in order and without repeats. */
export interface EventListener {
  received: ReceivedEvent[];
  close(): Promise<void>;
}

/** Subscribes to every event, as any service may. */
export async function listenToEvents(url: string, onEvent: (event: ReceivedEvent) => void): Promise<EventListener> {
  const connection = await connect(url, { noDelay: true, clientProperties: { connection_name: 'demo' } });
  connection.on('error', () => undefined);
  const channel = await connection.createChannel();
  await channel.assertExchange(EXCHANGES.events.name, EXCHANGES.events.type, { durable: true });
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, EXCHANGES.events.name, '#');

  const received: ReceivedEvent[] = [];
  const seen = new Set<string>();
  await channel.consume(
    queue,
    (message) => {
      if (message === null) return;
      const event = { ...(JSON.parse(message.content.toString()) as CloudEvent), receivedAt: Date.now() };
      // Delivery is at least once: a subscriber drops what it has seen.
      if (seen.has(event.id)) return;
      seen.add(event.id);
      received.push(event);
      onEvent(event);
    },
    { noAck: true },
  );
  return { received, close: () => connection.close() };
}
