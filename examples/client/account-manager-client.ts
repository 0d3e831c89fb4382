import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Channel, connect, type Message } from 'amqplib';
import type { z } from 'zod';
import type { FailureReply } from '../../contracts/failures.js';
import { type OperationName, OPERATIONS } from '../../contracts/operations.js';
import { EXCHANGES, REQUEST_QUEUES } from '../../contracts/topology.js';

export type Request<K extends OperationName> = z.input<(typeof OPERATIONS)[K]['request']>;
export type Reply<K extends OperationName> = Success<K> | FailureReply;
type Success<K extends OperationName> = { success: true } & z.output<(typeof OPERATIONS)[K]['reply']>;

/** Asks the account manager over RabbitMQ. */
export interface AccountManagerClient {
  /**
   * Resolves with the reply; a refusal is a reply, too. While none comes the request is sent again under the same
   * `message_id`, so it has one effect however often it arrives. Rejects after `timeoutMs`, from when on a copy that is
   * still under way has no effect.
   */
  request<K extends OperationName>(operation: K, body: Request<K>, timeoutMs?: number): Promise<Reply<K>>;
  close(): Promise<void>;
}

const TIMEOUT_MS = 30_000;
/** A request that is not answered is sent again after this long. */
const RESEND_MS = 5_000;
/** A request that could not be sent, or not be served, is sent again after this long. */
const PAUSE_MS = 500;
/** Direct reply-to: the broker hands a reply to the channel that the request came from, without a queue. */
const REPLY_TO = 'amq.rabbitmq.reply-to';

/** One way to the broker; when it is lost, the next request opens another. */
interface Link {
  channel: Channel;
  close: () => Promise<void>;
}

/** What came of sending a request once. */
type Attempt = { reply: Reply<OperationName> } | { problem: string };

/** Connects to the broker; rejects when that fails. `name` is shown in the broker's management page. */
export async function connectAccountManager(url: string, name: string): Promise<AccountManagerClient> {
  /** The broker checks that it is ours, and the account manager goes by it. */
  const userId = decodeURIComponent(new URL(url).username) || 'guest';
  /** The requests that wait for a reply, by `message_id`. */
  const waiting = new Map<unknown, (attempt: Attempt) => void>();
  let link: Promise<Link> | null = null;

  const open = async (): Promise<Link> => {
    let problem = 'the connection to the broker was lost';
    const connection = await connect(url, { noDelay: true, clientProperties: { connection_name: name } });
    connection.on('error', (error) => (problem = error.message)); // 'close' follows
    connection.on('close', () => {
      link = null;
      for (const settle of waiting.values()) settle({ problem });
    });
    const channel = await connection.createChannel();
    channel.on('error', (error) => {
      problem = error.message; // such as a missing permission
      connection.close().catch(() => undefined);
    });
    channel.on('return', ({ properties }: Message) =>
      waiting.get(properties.messageId)?.({ problem: 'no queue takes it: is the account manager set up?' }),
    );
    await channel.consume(
      REPLY_TO,
      (message) => {
        if (message === null) return;
        const reply = JSON.parse(message.content.toString()) as Reply<OperationName>;
        waiting.get(message.properties.correlationId)?.({ reply });
      },
      { noAck: true },
    );
    return { channel, close: () => connection.close() };
  };

  const currentLink = (): Promise<Link> => {
    link ??= open().catch((error: unknown) => {
      link = null;
      throw error;
    });
    return link;
  };

  /** Sends a request, for the first time or again, and waits for its reply. */
  const tryOnce = (operation: OperationName, messageId: string, content: Buffer, giveUpAt: number): Promise<Attempt> =>
    new Promise<Attempt>((resolve) => {
      const patienceMs = Math.min(RESEND_MS, giveUpAt - Date.now());
      const timer = setTimeout(() => resolve({ problem: `no reply within ${patienceMs} ms` }), patienceMs);
      waiting.set(messageId, (attempt) => {
        clearTimeout(timer);
        resolve(attempt);
      });
      const publish = ({ channel }: Link) =>
        channel.publish(exchangeOf(operation), operation, content, {
          contentType: 'application/json',
          persistent: true,
          mandatory: true, // come back when no queue takes it, instead of vanishing
          messageId,
          correlationId: messageId,
          replyTo: REPLY_TO,
          userId,
          headers: { 'x-deadline': new Date(giveUpAt).toISOString() },
        });
      currentLink()
        .then(publish)
        .catch((error: unknown) => waiting.get(messageId)?.({ problem: String(error) }));
    }).finally(() => waiting.delete(messageId));

  await currentLink();
  return {
    request: async <K extends OperationName>(operation: K, body: Request<K>, timeoutMs = TIMEOUT_MS) => {
      const messageId = randomUUID();
      const content = Buffer.from(JSON.stringify(body));
      const giveUpAt = Date.now() + timeoutMs;
      for (;;) {
        const attempt = await tryOnce(operation, messageId, content, giveUpAt);
        if ('reply' in attempt && !isUnavailable(attempt.reply)) return attempt.reply;
        const pauseMs = Math.max(PAUSE_MS, retryAfterOf(attempt));
        if (Date.now() + pauseMs >= giveUpAt) throw new Error(`${operation}: ${describe(attempt)}`);
        await sleep(pauseMs);
      }
    },
    close: async () => (await link)?.close(),
  };
}

const exchangeOf = (operation: OperationName): string =>
  EXCHANGES[REQUEST_QUEUES[OPERATIONS[operation].queue].exchange].name;

const isUnavailable = (reply: Reply<OperationName>): boolean => !reply.success && reply.error.code === 'UNAVAILABLE';

/** How long the service asks to wait, for it does when a caller asks too much; 0: as long as one likes. */
const retryAfterOf = (attempt: Attempt): number =>
  'reply' in attempt && !attempt.reply.success ? (attempt.reply.error.retry_after_ms ?? 0) : 0;

const describe = (attempt: Attempt): string => {
  if ('problem' in attempt) return attempt.problem;
  return attempt.reply.success ? 'answered' : attempt.reply.error.message;
};
