import { randomUUID } from 'node:crypto';
import type { Channel, ConfirmChannel, Options } from 'amqplib';
import type { Log } from '../telemetry/log.js';
import type { BrokerConnection } from './connections.js';
import { keepChannel, type KeepChannelOptions } from './keep-channel.js';

export interface OutgoingMessage {
  /** Empty for the default exchange, whose routing keys are queue names. */
  exchange: string;
  routingKey: string;
  content: Buffer;
  /** With `mandatory`, a message that reaches no queue is a failure. */
  options: Omit<Options.Publish, 'CC' | 'BCC'>;
}

/**
 * `unavailable`: never sent, the broker is away or takes nothing. `unknown`: it was sent, and then neither confirmed in
 * time nor refused. It may or may not have arrived. `refused`: by a queue, for being full or gone. `unroutable`: no
 * queue takes it. `unencodable`: AMQP cannot carry it.
 */
export type PublishFailure = 'unavailable' | 'unknown' | 'refused' | 'unroutable' | 'unencodable';

export class PublishFailed extends Error {
  readonly failure: PublishFailure;
  constructor(failure: PublishFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PublishFailed';
    this.failure = failure;
  }
}

export interface Publisher {
  /** Resolves when the broker has confirmed the message; rejects with `PublishFailed` within twice the time-out. */
  publish(message: OutgoingMessage): Promise<void>;
  /** Whether a message would be sent at once. */
  isReady(): boolean;
  close(): Promise<void>;
}

export interface PublisherOptions {
  connection: BrokerConnection;
  /** For the log. */
  name: string;
  /** Declares what the messages go to; again when a message finds it gone. */
  declare?: (channel: Channel) => Promise<void>;
  /** Bounds the wait for the broker, and then the wait for its confirm. */
  timeoutMs?: number;
  /** As in `KeepChannelOptions`. */
  onFailed?: (error: unknown) => boolean;
  log: Log;
}

const PUBLISH_TIMEOUT_MS = 10_000;
/** Tells the publications of a channel apart when the broker returns one of them. */
const PUBLISH_ID = 'x-publish-id';

/** Keeps a channel open for publications, and waits for it. */
function keepPublishing<C extends Channel>(
  { connection, name, timeoutMs = PUBLISH_TIMEOUT_MS, onFailed, log }: PublisherOptions,
  { create, setUp }: Pick<KeepChannelOptions<C>, 'create' | 'setUp'>,
) {
  const waiting = new Set<() => void>();
  const wake = (): void => {
    if (!isReady()) return;
    for (const resume of waiting) resume();
    waiting.clear();
  };
  const kept = keepChannel<C>({ connection, name, create, setUp, onOpen: wake, onFailed, log });
  const forget = connection.onUnblocked(wake);
  // A blocked broker does not read, so what is written to it would pile up in this process.
  const isReady = () => kept.current() !== null && !connection.state().blocked;

  const whenReady = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const resume = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        waiting.delete(resume);
        reject(new PublishFailed('unavailable', `the broker took no publication for ${timeoutMs} ms`));
      }, timeoutMs);
      waiting.add(resume);
    });

  return {
    isReady,
    /** Rejects with `PublishFailed` where the broker takes nothing in time. */
    ready: async (): Promise<C> => {
      if (!isReady()) await whenReady();
      const channel = kept.current();
      if (channel === null) throw new PublishFailed('unavailable', 'the channel was lost');
      return channel;
    },
    close: async () => {
      forget();
      await kept.close();
    },
  };
}

/**
 * Publishes with confirms on a channel of its own. Nothing is queued here. While the broker is away or blocked, callers
 * wait, so their work in hand bounds the backlog. Confirms are shared by nature: messages published together are
 * confirmed together.
 */
export function createPublisher(options: PublisherOptions): Publisher {
  const { connection, declare, timeoutMs = PUBLISH_TIMEOUT_MS } = options;
  const returned = new Set<string>();
  const kept = keepPublishing<ConfirmChannel>(options, {
    create: (link) => link.createConfirmChannel(),
    setUp: async (channel) => {
      returned.clear();
      channel.on('return', (message) => returned.add(String(message.properties.headers?.[PUBLISH_ID])));
      await declare?.(channel);
    },
  });

  const send = (channel: ConfirmChannel, message: OutgoingMessage): Promise<void> =>
    new Promise((resolve, reject) => {
      const { exchange, routingKey, content } = message;
      const publishId = message.options.mandatory ? randomUUID() : null;
      const options: Options.Publish =
        publishId === null
          ? message.options
          : { ...message.options, headers: { ...(message.options.headers as object), [PUBLISH_ID]: publishId } };
      const onOverdue = (): void => {
        // A blocked broker has the message before it in the socket: another copy would only follow it.
        if (connection.state().blocked) timer = setTimeout(onOverdue, timeoutMs);
        else reject(new PublishFailed('unknown', `not confirmed within ${timeoutMs} ms`));
      };
      let timer = setTimeout(onOverdue, timeoutMs);
      const onConfirm = (error: Error | null): void => {
        clearTimeout(timer);
        const unroutable = publishId !== null && returned.delete(publishId);
        if (error !== null) reject(toPublishFailed(error));
        else if (unroutable) {
          // Its target was deleted; the next try is to find it again.
          declare?.(channel).catch(() => undefined);
          reject(new PublishFailed('unroutable', `no queue takes ${exchange}/${routingKey}`));
        } else resolve();
      };
      try {
        channel.publish(exchange, routingKey, content, options, onConfirm);
      } catch (cause) {
        clearTimeout(timer);
        reject(notSent(cause));
      }
    });

  return {
    publish: async (message) => send(await kept.ready(), message),
    isReady: kept.isReady,
    close: kept.close,
  };
}

/** Sends what can be asked for again: nobody waits for confirms. */
export interface Sender {
  /**
   * Resolves when the message is on its way. Rejects with `PublishFailed`: `unavailable` and `unencodable` as a
   * publisher does, `unknown` where the broker reads so slowly that the message may be lost with the connection.
   */
  send(message: OutgoingMessage): Promise<void>;
  /** Whether a message would be sent at once. */
  isReady(): boolean;
  close(): Promise<void>;
}

/** As `createPublisher`, without confirms. */
export function createSender(options: PublisherOptions): Sender {
  const { timeoutMs = PUBLISH_TIMEOUT_MS } = options;
  let draining: Promise<void> | null = null;
  const kept = keepPublishing<Channel>(options, {
    create: (link) => link.createChannel(),
    setUp: async (channel) => options.declare?.(channel),
  });
  return {
    send: async ({ exchange, routingKey, content, options: properties }) => {
      const channel = await kept.ready();
      let hasRoom: boolean;
      try {
        hasRoom = channel.publish(exchange, routingKey, content, properties);
      } catch (cause) {
        throw notSent(cause);
      }
      if (hasRoom) return;
      draining ??= drained(channel, timeoutMs).finally(() => (draining = null));
      await draining;
    },
    isReady: kept.isReady,
    close: kept.close,
  };
}

/** Whoever writes waits here while the broker does not read, so that what piles up stays bounded. */
function drained(channel: Channel, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      clearTimeout(timer);
      channel.removeListener('drain', onDrain);
      channel.removeListener('close', onClose);
    };
    const onDrain = (): void => {
      leave();
      resolve();
    };
    const onClose = (): void => {
      leave();
      reject(new PublishFailed('unknown', 'the channel was lost before the broker read the message'));
    };
    const timer = setTimeout(() => {
      leave();
      reject(new PublishFailed('unknown', `the broker read nothing for ${timeoutMs} ms`));
    }, timeoutMs);
    channel.on('drain', onDrain);
    channel.on('close', onClose);
  });
}

/** Only its text tells amqplib's report of a refusal from that of a lost channel. */
function toPublishFailed(cause: Error): PublishFailed {
  return cause.message === 'message nacked'
    ? new PublishFailed('refused', 'the broker refused the message', { cause })
    : new PublishFailed('unknown', 'the channel was lost before the broker confirmed', { cause });
}

function notSent(cause: unknown): PublishFailed {
  const closed = cause instanceof Error && cause.name === 'IllegalOperationError';
  return closed
    ? new PublishFailed('unavailable', 'the channel was closing', { cause })
    : new PublishFailed('unencodable', 'AMQP cannot carry the message', { cause });
}
