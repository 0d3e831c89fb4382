import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { type ChannelModel, type ConfirmChannel, type ConsumeMessage, connect } from 'amqplib';
import { type CloudEvent, cloudEvent } from '../../contracts/events.js';
import type { OperationName } from '../../contracts/operations.js';
import { EXCHANGES } from '../../contracts/topology.js';
import type { Reply } from '../../src/requests/request.js';
import { eventually } from '../support/eventually.js';
import { isFinal, type Ledger, type LedgerRequest } from './ledger.js';

/** A caller that does what the contract asks of one: what was not answered it sends again under the same id. */
export interface Bus {
  /** Resolves with the final reply; rejects when there is none for very long. */
  ask: (operation: OperationName, body: Record<string, unknown>) => Promise<Reply>;
  /** Sends it so many times at once. */
  askTimes: (times: number, operation: OperationName, body: Record<string, unknown>) => Promise<Reply>;
  close: () => Promise<void>;
}

/** How long a caller waits for an answer before it sends the request again. */
const RESEND_MS = 1_000;
const GIVE_UP_MS = 120_000;
/** Longer than any fault, shorter than a clock is off. */
const EXPIRATION_MS = 60_000;
const RECONNECT_MS = 200;

export function openBus(url: string, ledger: Ledger): Bus {
  const waiting = new Map<string, (reply: Reply) => void>();
  const onReply = (message: ConsumeMessage | null): void => {
    if (message === null) return;
    const messageId = String(message.properties.correlationId);
    const reply = JSON.parse(message.content.toString()) as Reply;
    ledger.requests.get(messageId)?.answers.push({ at: ledger.now(), reply });
    waiting.get(messageId)?.(reply);
  };
  const link = keepChannel(url, async (channel) => {
    await channel.consume('amq.rabbitmq.reply-to', onReply, { noAck: true });
  });

  const send = (request: LedgerRequest): void => {
    const { messageId, operation, body } = request;
    const exchange = operation.startsWith('admin.') ? EXCHANGES.admin.name : EXCHANGES.requests.name;
    const options = {
      contentType: 'application/json',
      persistent: true,
      messageId,
      correlationId: messageId,
      replyTo: 'amq.rabbitmq.reply-to',
      expiration: EXPIRATION_MS,
    };
    request.sentAt.push(ledger.now());
    try {
      link.channel()?.publish(exchange, operation, Buffer.from(JSON.stringify(body)), options, (error) => {
        if (error === null) request.confirmed += 1;
      });
    } catch {
      // The channel is closing: sent again soon.
    }
  };

  const askTimes: Bus['askTimes'] = async (times, operation, body) => {
    const request: LedgerRequest = {
      ...{ messageId: randomUUID(), door: 'amqp' as const, operation, body },
      ...{ repeats: true, sentAt: [], confirmed: 0, answers: [] },
    };
    ledger.requests.set(request.messageId, request);
    const giveUpAt = ledger.now() + GIVE_UP_MS;
    while (ledger.now() < giveUpAt && !link.isClosed()) {
      const answered = new Promise<Reply>((resolve) => waiting.set(request.messageId, resolve));
      if (link.channel() !== null) for (let sent = 0; sent < times; sent++) send(request);
      const reply = await Promise.race([answered, pause(link.channel() === null ? RECONNECT_MS : RESEND_MS)]);
      if (reply !== undefined && isFinal(reply)) return reply;
      if (reply !== undefined) await pause(RECONNECT_MS);
    }
    const { messageId, sentAt, confirmed } = request;
    throw new Error(
      `${operation} ${messageId} was not answered: sent ${sentAt.length} times, ${confirmed} times confirmed`,
    );
  };
  return { ask: (operation, body) => askTimes(1, operation, body), askTimes, close: link.close };
}

/** Writes every event on the bus into the ledger, from a durable queue of its own. */
export async function subscribe(url: string, ledger: Ledger): Promise<{ close: () => Promise<void> }> {
  const link = keepChannel(url, async (channel) => {
    await channel.assertExchange(EXCHANGES.events.name, EXCHANGES.events.type, { durable: true });
    const { queue } = await channel.assertQueue('ledger', { durable: true, arguments: { 'x-queue-type': 'quorum' } });
    await channel.bindQueue(queue, EXCHANGES.events.name, '#');
    await channel.consume(queue, (message) => {
      if (message === null) return;
      ledger.events.push(readEvent(message));
      channel.ack(message);
    });
  });
  await eventually('the subscriber listens', () => link.channel() !== null);
  return link;
}

const readEvent = ({ content }: ConsumeMessage): CloudEvent => cloudEvent.parse(JSON.parse(content.toString()));

/** Keeps a channel on a connection of its own, made anew whenever it is lost: to the next node, where there are several. */
function keepChannel(url: string, setUp: (channel: ConfirmChannel) => Promise<void>) {
  let current: ConfirmChannel | null = null;
  let connection: ChannelModel | null = null;
  let closed = false;
  const isClosed = () => closed;
  const urls = url.split(',');

  const keep = async (): Promise<void> => {
    while (!isClosed()) {
      try {
        const [node = ''] = urls;
        urls.push(...urls.splice(0, 1));
        connection = await connect(`${node}?heartbeat=5`, { noDelay: true, timeout: 3_000 });
        connection.on('error', () => undefined);
        const lost = once(connection, 'close');
        const channel = await connection.createConfirmChannel();
        channel.on('error', () => undefined);
        channel.on('close', () => void connection?.close().catch(() => undefined));
        await Promise.race([setUp(channel), lost]);
        current = channel;
        await lost;
      } catch {
        await connection?.close().catch(() => undefined);
      }
      current = null;
      await pause(RECONNECT_MS);
    }
  };
  const kept = keep();
  return {
    channel: () => current,
    isClosed,
    close: async () => {
      closed = true;
      await connection?.close().catch(() => undefined);
      await kept;
    },
  };
}
