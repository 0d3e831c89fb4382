import { randomUUID } from 'node:crypto';
import type { Channel, Message, Options } from 'amqplib';
import { ENVELOPE } from '../../../contracts/envelope.js';
import { EXCHANGES } from '../../../contracts/topology.js';
import type { OperationName, Operations } from './contract.js';
import { AccountManagerError, type Failure, hasCode, refusalOfBroker } from './errors.js';
import { type Connection, keepLink, type Link } from './link.js';
import type { Settings } from './options.js';

export interface RequestOptions {
  /** How long it may take before it is given up, milliseconds; an allocation's `wait_ms` comes on top. */
  timeoutMs?: number;
  /** Sent again after this long without an answer, milliseconds. */
  resendAfterMs?: number;
  /** A UUID that names the request: its repeat, also by another process, gets the first reply and has no second effect. */
  messageId?: string;
  /** Ends the waiting, not the request: it may be done all the same. */
  signal?: AbortSignal;
}

export interface Answer<K extends OperationName> {
  reply: Operations[K]['reply'];
  /** When its request was first sent, by the rising clock (`performance.now()`). */
  sentAt: number;
}

export interface Requests {
  ask<K extends OperationName>(
    operation: K,
    body: Operations[K]['request'],
    options?: RequestOptions,
  ): Promise<Answer<K>>;
  /** How many are under way. */
  readonly size: number;
  /** Rejects what is under way, and everything from now on. */
  close(): Promise<void>;
}

/** Direct reply-to: the broker hands a reply to the channel that the request came from, without a queue. */
const REPLY_TO = 'amq.rabbitmq.reply-to';
/** Between a refusal that may pass and the next copy; doubled each time. */
const FIRST_PAUSE_MS = 500;
const LAST_PAUSE_MS = 5_000;

/** A request until it is settled. */
interface Waiting {
  readonly operation: OperationName;
  /** Sends a copy, the first or another; where there is no channel, the next one that opens does. */
  send(): void;
  /** Whether a copy is on its way, and not a pause. */
  isSent: boolean;
  answer(reply: { success: true } | { success: false; error: Failure }): void;
  /** Nobody took it: sends another copy after a pause. */
  bounce(problem: string): void;
  fail(error: Error): void;
}

type Exchange = 'requests' | 'admin';

/** Sends requests, and sends them again under the same `message_id` until they are answered. */
export function createRequests(connection: Connection, settings: Settings): Requests {
  /** By `message_id`. */
  const waiting = new Map<string, Waiting>();
  /** One for each exchange: the broker closes a channel for one message that it refuses, and with it all replies. */
  const links = new Map<Exchange, Link>();
  let closed = false;

  const linkTo = (exchange: Exchange): Link => {
    let link = links.get(exchange);
    if (link === undefined) {
      link = keepLink(connection, {
        setUp: (channel) => receive(channel, waiting),
        onOpen: () => {
          for (const request of waitingOn(exchange)) if (request.isSent) request.send();
        },
        onClosed: (error) => tell(waitingOn(exchange), error),
      });
      links.set(exchange, link);
    }
    return link;
  };
  const waitingOn = (exchange: Exchange): Waiting[] =>
    [...waiting.values()].filter(({ operation }) => exchangeOf(operation) === exchange);

  return {
    ask: (operation, body, options = {}) => {
      if (closed) return Promise.reject(closedError());
      if (options.signal?.aborted === true) return Promise.reject(options.signal.reason as Error);
      const messageId = options.messageId ?? randomUUID();
      if (waiting.has(messageId)) return Promise.reject(new TypeError(`${messageId} is under way already`));
      return new Promise((resolve, reject) => {
        const exchange = exchangeOf(operation);
        const link = linkTo(exchange);
        const waitMs = waitOf(body);
        const timeoutMs = (options.timeoutMs ?? settings.timeoutMs) + waitMs;
        const content = Buffer.from(JSON.stringify(body));
        const properties = propertiesOf(messageId, connection.user, timeoutMs);
        waiting.set(
          messageId,
          createWaiting<Operations[typeof operation]['reply']>({
            operation,
            publish: () => publish(link.current(), EXCHANGES[exchange].name, operation, content, properties),
            resendMs: (options.resendAfterMs ?? settings.resendAfterMs) + waitMs,
            timeoutMs,
            problem: () => connection.problem(),
            signal: options.signal,
            resolve,
            reject,
            forget: () => waiting.delete(messageId),
          }),
        );
        waiting.get(messageId)?.send();
      });
    },
    get size() {
      return waiting.size;
    },
    close: async () => {
      closed = true;
      for (const request of waiting.values()) request.fail(closedError());
      await Promise.all([...links.values()].map((link) => link.close()));
    },
  };
}

const exchangeOf = (operation: OperationName): Exchange => (operation.startsWith('admin.') ? 'admin' : 'requests');

/** How long the service may wait before it answers, milliseconds. */
const waitOf = (body: object): number => ('wait_ms' in body && typeof body.wait_ms === 'number' ? body.wait_ms : 0);

export const closedError = (): AccountManagerError =>
  new AccountManagerError({ code: 'CLOSED', message: 'the client was closed', retryable: false });

function propertiesOf(messageId: string, userId: string, timeoutMs: number): Options.Publish {
  return {
    contentType: ENVELOPE.contentType,
    persistent: true,
    mandatory: true, // it comes back when no queue takes it, instead of vanishing
    messageId,
    correlationId: messageId,
    replyTo: REPLY_TO,
    userId,
    headers: { [ENVELOPE.deadlineHeader]: new Date(Date.now() + timeoutMs).toISOString() },
  };
}

/** Answers whether there was a channel to publish on. */
function publish(channel: Channel | null, ...message: Parameters<Channel['publish']>): boolean {
  if (channel === null) return false;
  try {
    channel.publish(...message);
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === 'IllegalOperationError') return false; // it has begun to close
    throw error;
  }
}

/** Leads replies, and what no queue took, to the requests that wait for them. */
async function receive(channel: Channel, waiting: ReadonlyMap<string, Waiting>): Promise<void> {
  channel.on('return', ({ properties }: Message) => {
    waiting.get(String(properties.messageId))?.bounce('no queue takes the request: is the account manager running?');
  });
  await channel.consume(
    REPLY_TO,
    (message) => {
      if (message === null) return;
      const request = waiting.get(String(message.properties.correlationId));
      if (request === undefined) return; // the reply to a copy: the first has settled it
      try {
        request.answer(JSON.parse(message.content.toString()) as Parameters<Waiting['answer']>[0]);
      } catch (error) {
        request.bounce(`the reply cannot be read: ${String(error)}`);
      }
    },
    { noAck: true },
  );
}

/** The broker has closed the channel for one of these: where it names a topic, for that operation. */
function tell(requests: readonly Waiting[], error: Error): void {
  const refusal = refusalOfBroker(error);
  const topic = /to topic '([^']+)'/.exec(error.message)?.[1];
  for (const request of requests) {
    if (refusal === null) request.bounce(error.message);
    else if (topic === undefined || topic === request.operation) request.fail(refusal);
  }
}

interface WaitingOptions<R> {
  operation: OperationName;
  /** Sends a copy; answers whether there was a channel for it. */
  publish: () => boolean;
  resendMs: number;
  timeoutMs: number;
  /** The fault of the connection. */
  problem: () => string | null;
  signal: AbortSignal | undefined;
  resolve: (answer: { reply: R; sentAt: number }) => void;
  reject: (error: unknown) => void;
  forget: () => void;
}

function createWaiting<R>(options: WaitingOptions<R>): Waiting {
  const { operation, publish, resendMs, timeoutMs, signal } = options;
  const giveUpAt = performance.now() + timeoutMs;
  let sentAt: number | null = null;
  let pauseMs = FIRST_PAUSE_MS;
  let refusal: AccountManagerError | null = null;
  let problem = 'it was not sent yet';
  let next: NodeJS.Timeout | undefined;

  const end = (): void => {
    clearTimeout(next);
    clearTimeout(deadline);
    signal?.removeEventListener('abort', abort);
    options.forget();
  };
  const fail = (error: unknown): void => {
    end();
    options.reject(error);
  };
  const sendAfter = (ms: number): void => {
    clearTimeout(next);
    next = setTimeout(() => waiting.send(), ms);
  };
  const pause = (ms: number): void => {
    waiting.isSent = false;
    pauseMs = Math.min(pauseMs * 2, LAST_PAUSE_MS);
    // With no time left for another copy nothing can change any more.
    if (performance.now() + ms >= giveUpAt && refusal !== null) fail(refusal);
    else sendAfter(ms);
  };
  const waiting: Waiting = {
    operation,
    isSent: false,
    send: () => {
      waiting.isSent = true;
      if (publish()) {
        sentAt ??= performance.now();
        refusal = null; // this copy may be done
        problem = 'no reply came';
      }
      sendAfter(resendMs);
    },
    answer: (reply) => {
      if (reply.success) {
        end();
        options.resolve({ reply: reply as R, sentAt: sentAt ?? performance.now() });
        return;
      }
      refusal = new AccountManagerError(reply.error);
      if (hasCode(refusal, 'UNAVAILABLE', 'INTERNAL')) pause(refusal.retryAfterMs ?? pauseMs);
      else fail(refusal);
    },
    bounce: (reason) => {
      problem = reason;
      pause(pauseMs);
    },
    fail,
  };
  const abort = (): void => fail(signal?.reason);
  const deadline = setTimeout(() => {
    const seen = options.problem() ?? problem;
    const message = `${operation} was not answered within ${timeoutMs} ms: ${seen}`;
    const details = { problem: seen, sent: sentAt !== null };
    fail(refusal ?? new AccountManagerError({ code: 'NO_REPLY', message, retryable: true, details }));
  }, timeoutMs);
  signal?.addEventListener('abort', abort);
  return waiting;
}
