import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { ChannelModel } from 'amqplib';
import { PARKED } from '../../../contracts/topology.js';
import type { BrokerConnection, Connections } from '../../broker/connections.js';
import { type Consumer, createConsumer, type Delivery } from '../../broker/consume.js';
import { createPublisher, createSender } from '../../broker/publish.js';
import { createAskAddressGone } from '../../broker/reply-address.js';
import { declareFailureQueues, declareTopology } from '../../broker/topology.js';
import type { Reach } from '../../requests/fail-point.js';
import type { Dispatch } from '../../requests/request.js';
import type { Log } from '../../telemetry/log.js';
import { createOutage } from './outage.js';
import { type AmqpDoorObserver, createFullness, type ServingContext, serveTask } from './serve.js';
import { listSources, type Source } from './sources.js';
import { createWork } from './work.js';
import type { Gate } from '../gate.js';

export interface AmqpDoorOptions {
  connections: Connections;
  dispatch: Dispatch;
  gate: Gate;
  /** Resolves when the dependencies are back; rejects when the signal aborts. */
  waitUntilAvailable: (signal: AbortSignal) => Promise<void>;
  log: Log;
  observe?: Partial<AmqpDoorObserver>;
  reach?: Reach;
}

export interface AmqpDoor {
  /**
   * Declares and verifies the topology, then consumes; rejects with `TopologyMismatch` where the broker's differs, and
   * with the broker's error where a permission is missing.
   */
  start(): Promise<void>;
  /** Takes no more requests and finishes those in work, for at most `timeoutMs`; what is left goes back to its queue. */
  stop(options: { timeoutMs: number }): Promise<void>;
  state(): AmqpDoorState;
  /** By queue name. */
  consumers: () => ReadonlyMap<string, Consumer>;
  /** Faults at the broker that it knows of, one sentence each. */
  problems: () => readonly string[];
  /** Whether it could publish at once, by what it publishes. */
  publishers: () => Readonly<Record<string, boolean>>;
}

export interface AmqpDoorState {
  /** By queue name, whether its consumer is registered. */
  consumers: Record<string, boolean>;
  /** Messages received and not yet settled. */
  inWork: number;
}

/** A permission is missing. */
const ACCESS_REFUSED = 403;
const PARKED_FULL = `${PARKED.name} is full: what is given up is counted, but not kept`;
/** Between two looks at whether the broker takes publications again. */
const LOOK_MS = 250;

/**
 * Serves requests from the broker: receive → dispatch → reply → settle. How much is in work, and so in memory, is
 * bounded by the queues' prefetch alone; when the database or the broker is slow, requests wait in their queues.
 */
export function createAmqpDoor(options: AmqpDoorOptions): AmqpDoor {
  const { connections, dispatch, gate, log, observe = {} } = options;
  const { consuming, user: ownUser } = connections;
  const sources = listSources({ ownUser, dispatch, gate, askAddressGone: createAskAddressGone(consuming) });
  const stopping = new AbortController();
  // Every request that is held or waits for the broker listens.
  setMaxListeners(0, stopping.signal);
  const work = createWork(stopping.signal);
  const consumers = new Map<string, Consumer>();
  let context: ServingContext | undefined;

  /** Resolves when the consumer is registered for the first time; rejects where the broker refuses it. */
  const consume = ({ queue, prefetch, declare, read }: Source, serving: ServingContext): Promise<void> => {
    const { begun, begin, giveUpIfRefused } = createBeginning();
    const onDelivery = (delivery: Delivery): void => {
      observe.received?.(queue, delivery.message.content.length);
      const task = read(delivery);
      work.begin(task, () => serveTask(serving, task));
    };
    const onRegistered = (registered: boolean): void => {
      observe.consumer?.(queue, registered);
      if (registered) begin();
    };
    const consumer = createConsumer({
      connection: consuming,
      ownUser,
      queue,
      prefetch,
      declare,
      onDelivery,
      onRegistered,
      onFailed: giveUpIfRefused,
      onAcknowledged: observe.acknowledged,
      log,
    });
    consumers.set(queue, consumer);
    return begun;
  };

  return {
    start: async () => {
      await declareTopology(await whenConnected(consuming));
      const serving = createServingContext(options, consumers, stopping.signal);
      context = serving;
      await Promise.all(sources.map((source) => consume(source, serving)));
    },
    stop: async ({ timeoutMs }) => {
      const registered = [...consumers.values()];
      await Promise.all(registered.map((consumer) => consumer.cancel()));
      log.info('no more requests are taken', { in_work: work.size() });
      stopping.abort();
      await work.settle(timeoutMs);
      if (work.size() > 0) log.warn('requests left to the broker', { requests: work.size() });
      await Promise.all(registered.map((consumer) => consumer.close()));
      await Promise.all([context?.replies.close(), context?.failures.close()]);
    },
    state: () => ({
      consumers: Object.fromEntries(sources.map(({ queue }) => [queue, consumers.get(queue)?.isRegistered() ?? false])),
      inWork: work.size(),
    }),
    consumers: () => consumers,
    problems: () => (context?.parkedQueue.isFull() === true ? [PARKED_FULL] : []),
    publishers: () => ({
      replies: context?.replies.isReady() ?? true,
      failures: context?.failures.isReady() ?? true,
    }),
  };
}

/** Resources that tasks are served with; while dependencies are away for long, the consumers pause. */
function createServingContext(
  { connections, waitUntilAvailable, log, observe = {}, reach }: AmqpDoorOptions,
  consumers: ReadonlyMap<string, Consumer>,
  stopping: AbortSignal,
): ServingContext {
  const { publishing: connection, user: ownUser } = connections;
  return {
    replies: createSender({ connection, name: 'replies', log }),
    failures: createPublisher({ connection, name: 'failures', declare: declareFailureQueues, log }),
    parkedQueue: createFullness(),
    ownUser,
    waitUntilAvailable: createOutage({
      waitUntilAvailable: async (signal) => {
        await waitUntilAvailable(signal);
        await untilPublishing(connection, signal);
      },
      pause: () => {
        for (const consumer of consumers.values()) void consumer.pause();
      },
      resume: () => {
        for (const consumer of consumers.values()) consumer.resume();
      },
      stopping,
      log,
    }),
    stopping,
    log,
    observe,
    reach,
  };
}

/** The first registration of a consumer. */
interface Beginning {
  /** Resolves when the consumer is registered; rejects where the broker refuses it. */
  begun: Promise<void>;
  begin: () => void;
  /** Rejects `begun` where the broker refuses access before the first registration; answers whether it did. */
  giveUpIfRefused: (error: unknown) => boolean;
}

function createBeginning(): Beginning {
  let hasBegun = false;
  let resolveBegun: () => void;
  let reject: (error: Error) => void;
  const begun = new Promise<void>((resolve, rejectBegun) => {
    resolveBegun = resolve;
    reject = rejectBegun;
  });
  return {
    begun,
    begin: () => {
      hasBegun = true;
      resolveBegun();
    },
    giveUpIfRefused: (error) => {
      const isRefused = !hasBegun && error instanceof Error && (error as { code?: unknown }).code === ACCESS_REFUSED;
      if (isRefused) reject(error);
      return isRefused;
    },
  };
}

/** Resolves when the broker takes publications; rejects when the signal aborts. */
async function untilPublishing(connection: BrokerConnection, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const { connected, blocked } = connection.state();
    if (connected && !blocked) return;
    await delay(LOOK_MS, undefined, { signal });
  }
}

function whenConnected(connection: BrokerConnection): Promise<ChannelModel> {
  return new Promise((resolve) => {
    const take = (): void => {
      const link = connection.current();
      if (link === null) return;
      forget();
      resolve(link);
    };
    const forget = connection.onConnect(take);
    take();
  });
}
