import { type HeldAccount, withAccount, type WithAccountOptions, type Wish } from './account.js';
import { atMost } from './at-most.js';
import type { EventType, OperationName, Operations } from './contract.js';
import type { Core } from './core.js';
import { type Connection, keepConnection } from './link.js';
import { type ConnectOptions, readOptions } from './options.js';
import { closedError, createRequests, type RequestOptions } from './requests.js';
import { type EventHandler, subscribe, type SubscribeOptions, type Subscription } from './subscribe.js';
import { isTelegramError } from './telegram-error.js';

export interface AccountManager {
  /**
   * Calls any operation of the contract. Rejects with an `AccountManagerError` where it is refused, and where nobody
   * answers in time. Until then it is sent again under one `message_id`, so it has one effect however often it arrives.
   */
  call<K extends OperationName>(
    operation: K,
    body: Operations[K]['request'],
    options?: RequestOptions,
  ): Promise<Operations[K]['reply']>;
  /**
   * Allocates an account, calls `body` with it, and gives it back whatever happens. Meanwhile the lease is renewed; when it
   * is lost, `signal` aborts. An error of the body's is reported where it is Telegram's, and thrown on as it is.
   */
  withAccount<T>(
    wish: Wish,
    body: (account: HeldAccount, signal: AbortSignal) => T | Promise<T>,
    options?: WithAccountOptions,
  ): Promise<T>;
  /**
   * Hands over events of these types: each once, those of one account in their order. An event is acknowledged after its
   * handler; a handler that throws is called again. Events of the time in which nobody listens are kept in the queue.
   */
  subscribe(types: readonly EventType[], handler: EventHandler, options?: SubscribeOptions): Promise<Subscription>;
  /** Aborts the signals of bodies, waits for what is under way (`closeTimeoutMs`), and closes the connections. */
  close(): Promise<void>;
}

/**
 * Connects to the account manager's broker; later losses of the connection are waited out.
 * @param url `amqp(s)://user:password@host/vhost`; of a cluster several, as a list or separated by commas
 */
export async function connectAccountManager(
  url: string | readonly string[],
  options: ConnectOptions,
): Promise<AccountManager> {
  const settings = readOptions(options, isTelegramError);
  const connection = keepConnection(url, settings.serviceName, settings);
  try {
    await connection.opened();
  } catch (error) {
    await connection.close();
    throw error;
  }
  const requests = createRequests(connection, settings);
  const closing = new AbortController();
  const work = trackWork();
  const subscriptions = new Set<Subscription>();
  let events: Connection | null = null;
  let closed: Promise<void> | null = null;

  const start = <T>(begin: () => Promise<T>): Promise<T> => {
    if (closing.signal.aborted) return Promise.reject(closedError());
    return work.track(begin());
  };
  const core: Core = {
    requests,
    settings,
    closing: closing.signal,
    background: (promise) => void work.track(promise).catch(() => undefined),
  };
  const openEvents = async (): Promise<Connection> => {
    // A broker that is short of memory reads nothing from a connection that publishes: events have another.
    const opening = (events ??= keepConnection(options.eventsUrl ?? url, `${settings.serviceName} events`, settings));
    try {
      await opening.opened();
      return opening;
    } catch (error) {
      if (events === opening) events = null;
      await opening.close();
      throw error;
    }
  };
  const close = async (): Promise<void> => {
    closing.abort(closedError());
    await Promise.all([...subscriptions].map((subscription) => subscription.close()));
    await atMost(settings.closeTimeoutMs, work.settled());
    await requests.close();
    await Promise.all([connection.close(), events?.close()]);
  };
  return {
    call: (operation, body, callOptions) => start(async () => (await requests.ask(operation, body, callOptions)).reply),
    withAccount: (wish, body, accountOptions) => start(() => withAccount(core, wish, body, accountOptions)),
    subscribe: (types, handler, subscribeOptions) =>
      start(async () => {
        const subscription = await subscribe(await openEvents(), settings, types, handler, subscribeOptions);
        subscriptions.add(subscription);
        return {
          queue: subscription.queue,
          close: () => {
            subscriptions.delete(subscription);
            return subscription.close();
          },
        };
      }),
    close: () => (closed ??= close()),
  };
}

/** The work under way. */
function trackWork() {
  const underWay = new Set<Promise<unknown>>();
  return {
    track: <T>(work: Promise<T>): Promise<T> => {
      underWay.add(work);
      work.catch(() => undefined).finally(() => underWay.delete(work));
      return work;
    },
    /** Waits for all of it, and for what begins meanwhile, such as the release of an account. */
    settled: async (): Promise<void> => {
      while (underWay.size > 0) await Promise.allSettled(underWay);
    },
  };
}
