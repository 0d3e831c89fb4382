import type { Duplex } from 'node:stream';
import { type AmqpConnectionManager, connect } from 'amqp-connection-manager';
import type { Channel, ChannelModel } from 'amqplib';
import { atMost } from './at-most.js';
import { AccountManagerError, messageOf, refusalOfBroker } from './errors.js';
import type { Settings } from './options.js';

/** A connection that comes back by itself. */
export interface Connection {
  /** The user of the URL: the broker checks that a request's `user_id` is this one. */
  user: string;
  current(): ChannelModel | null;
  /** Reason why requests cannot be sent, for a person; null where none is known. */
  problem(): string | null;
  /** Calls back at every connect; returns how to stop that. */
  onConnect(listener: () => void): () => void;
  /** Resolves at the first connect; rejects where the broker refuses, and when it takes too long. */
  opened(): Promise<void>;
  close(): Promise<void>;
}

/** Between two tries. */
const RECONNECT_SECONDS = 0.5;
const CLOSE_MS = 2_000;

/** Keeps one connection to the broker, or to one of several of a cluster, until it is closed. */
export function keepConnection(url: string | readonly string[], name: string, settings: Settings): Connection {
  const urls = typeof url === 'string' ? url.split(',') : [...url];
  let problem: string | null = 'the broker was not reached yet';
  let refusal: AccountManagerError | null = null;
  const manager = connect(urls, {
    heartbeatIntervalInSeconds: settings.heartbeatSeconds,
    reconnectTimeInSeconds: RECONNECT_SECONDS,
    connectionOptions: {
      // Without it small messages wait some 40 ms for the acknowledgement of those before.
      noDelay: true,
      keepAlive: true,
      timeout: 10_000,
      clientProperties: { connection_name: name },
      ...settings.tls,
    },
  });
  manager.on('connect', () => {
    problem = null;
  });
  manager.on('connectFailed', ({ err }) => {
    refusal = refusalOfBroker(err);
    problem = `the broker cannot be reached: ${messageOf(err)}`;
  });
  manager.on('disconnect', ({ err }) => {
    problem = `the connection to the broker was lost: ${messageOf(err)}`;
  });
  manager.on('blocked', ({ reason }) => {
    problem = `the broker takes no publications: ${reason}`;
  });
  manager.on('unblocked', () => {
    problem = null;
  });
  return {
    user: decodeURIComponent(new URL(urls[0] ?? '').username) || 'guest',
    current: () => manager.connection ?? null,
    problem: () => problem,
    onConnect: (listener) => {
      manager.on('connect', listener);
      return () => void manager.removeListener('connect', listener);
    },
    opened: () =>
      waitForConnect(manager, settings.connectTimeoutMs, () => {
        if (refusal !== null) return refusal;
        return new AccountManagerError({
          code: 'NO_REPLY',
          message: problem ?? '',
          retryable: true,
          details: { problem },
        });
      }),
    close: () => closeConnection(manager),
  };
}

/** @param failureOf what to reject with; where it is a refusal there is no use in waiting on */
function waitForConnect(
  manager: AmqpConnectionManager,
  timeoutMs: number,
  failureOf: () => AccountManagerError,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      manager.removeListener('connect', succeed);
      manager.removeListener('connectFailed', judge);
      settle();
    };
    const fail = (): void => end(() => reject(failureOf()));
    const succeed = (): void => end(resolve);
    const judge = (): void => {
      if (!failureOf().retryable) fail();
    };
    const timer = setTimeout(fail, timeoutMs);
    manager.on('connect', succeed);
    manager.on('connectFailed', judge);
    if (manager.isConnected()) succeed();
    else manager.connect().catch(() => undefined); // its events tell more
  });
}

/** A broker that does not answer the farewell is left alone. */
async function closeConnection(manager: AmqpConnectionManager): Promise<void> {
  const stream = manager.connection && streamOf(manager.connection);
  await atMost(CLOSE_MS, manager.close());
  stream?.destroy();
}

const streamOf = ({ connection }: ChannelModel): Duplex => (connection as unknown as { stream: Duplex }).stream;

/** A channel that comes back by itself. */
export interface Link {
  /** Set up; null while it is away. */
  current(): Channel | null;
  /** Resolves when it is open for the first time; rejects where the broker refuses what it is set up with. */
  opened(): Promise<void>;
  close(): Promise<void>;
}

export interface LinkOptions {
  /** Makes a new channel usable. */
  setUp: (channel: Channel) => Promise<unknown>;
  onOpen?: () => void;
  /** Called with the reason when the broker closes the channel alone, not when the connection is lost. */
  onClosed?: (error: Error) => void;
}

const REOPEN_MS = 500;

/** Keeps a channel open on a connection: again after each reconnect, and after the broker has closed it alone. */
export function keepLink(connection: Connection, { setUp, onOpen, onClosed }: LinkOptions): Link {
  let channel: Channel | null = null;
  let opening = false;
  let closed = false;
  const isClosed = (): boolean => closed;
  let timer: NodeJS.Timeout | undefined;
  let settleFirst!: { resolve: () => void; reject: (error: Error) => void };
  const first = new Promise<void>((resolve, reject) => {
    settleFirst = { resolve, reject };
  });
  first.catch(() => undefined);

  const openLater = (): void => {
    clearTimeout(timer);
    if (!closed) timer = setTimeout(() => void open(), REOPEN_MS);
  };
  const open = async (): Promise<void> => {
    const link = connection.current();
    // Without a connection: its next one opens the channel.
    if (closed || opening || channel !== null || link === null) return;
    opening = true;
    let reason = null as Error | null;
    try {
      const fresh = await link.createChannel();
      fresh.on('error', (error) => {
        reason = error;
      });
      fresh.on('close', () => {
        if (channel === fresh) channel = null;
        if (reason !== null && !closed) onClosed?.(reason);
        openLater();
      });
      await setUp(fresh);
      if (isClosed()) return await leave(fresh);
      channel = fresh;
      settleFirst.resolve();
      onOpen?.();
    } catch (error) {
      const refusal = refusalOfBroker(reason ?? error);
      if (refusal !== null) settleFirst.reject(refusal);
      openLater();
    } finally {
      opening = false;
    }
  };
  const forget = connection.onConnect(() => void open());
  void open();
  return {
    current: () => channel,
    opened: () => first,
    close: async () => {
      closed = true;
      clearTimeout(timer);
      forget();
      const last = channel;
      channel = null;
      if (last !== null) await leave(last);
    },
  };
}

/** One that is gone already needs no closing, and says so by throwing. */
async function leave(channel: Channel): Promise<void> {
  await atMost(CLOSE_MS, (async () => channel.close())());
}
