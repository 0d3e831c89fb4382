import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Channel, ChannelModel } from 'amqplib';
import { DEAD_LETTERS, PARKED, REQUEST_QUEUE_KEYS, REQUEST_QUEUES } from '../../../contracts/topology.js';
import type { BrokerConnection, Connections } from '../../broker/connections.js';
import { type Consumer, createConsumer, type Delivery } from '../../broker/consume.js';
import { createPublisher, createSender } from '../../broker/publish.js';
import { isReplyAddressGone } from '../../broker/reply-address.js';
import {
  declareDeadLetters,
  declareFailureQueues,
  declareRequestQueue,
  declareTopology,
} from '../../broker/topology.js';
import { waitAtMost } from '../../broker/wait-at-most.js';
import type { Reach } from '../../requests/fail-point.js';
import type { Dispatch } from '../../requests/request.js';
import type { Log } from '../../telemetry/log.js';
import { readHeader } from './envelope.js';
import { createOutage } from './outage.js';
import { type AmqpDoorObserver, createFullness, type Service, serveTask } from './serve.js';
import { createSuspectLane, isSuspect } from './suspects.js';
import { readDeadLetter, readRequest, type Task } from './tasks.js';
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
/** Between two looks at whether the broker takes publications again. */
const LOOK_MS = 250;

/** A queue the door consumes, and how its messages become tasks. */
interface Source {
  queue: string;
  prefetch: number;
  declare: (channel: Channel) => Promise<void>;
  read: (delivery: Delivery) => Task;
}

/**
 * Serves requests from the broker: receive → dispatch → reply → settle. How much is in work, and so in memory, is
 * bounded by the queues' prefetch alone; when the database or the broker is slow, requests wait in their queues.
 */
export function createAmqpDoor(options: AmqpDoorOptions): AmqpDoor {
  const { connections, dispatch, gate, waitUntilAvailable, log, observe = {}, reach } = options;
  const { consuming, publishing, user: ownUser } = connections;
  const isAddressGone = (replyTo: string) => isReplyAddressGone(consuming, replyTo);
  const reader = { ownUser, dispatch, gate, isAddressGone };
  const stopping = new AbortController();
  // Every request that is held or waits for the broker listens.
  setMaxListeners(0, stopping.signal);
  const inWork = new Set<Promise<void>>();
  const unsuspected = new Set<Promise<void>>();
  const suspects = createSuspectLane({ others: () => unsuspected, stopping: stopping.signal });
  const consumers = new Map<string, Consumer>();
  let service: Service | undefined;

  const sources: Source[] = [
    ...REQUEST_QUEUE_KEYS.map(
      (key): Source => ({
        queue: REQUEST_QUEUES[key].name,
        prefetch: REQUEST_QUEUES[key].prefetch,
        declare: (channel) => declareRequestQueue(channel, key),
        read: (delivery) => readRequest(delivery, key, reader),
      }),
    ),
    {
      queue: DEAD_LETTERS.name,
      prefetch: DEAD_LETTERS.prefetch,
      declare: declareDeadLetters,
      read: (delivery) => readDeadLetter(delivery, reader),
    },
  ];

  /** Resolves when the consumer is registered for the first time; rejects where the broker refuses it. */
  const consume = ({ queue, prefetch, declare, read }: Source, serving: Service): Promise<void> =>
    new Promise((resolve, reject) => {
      let hasBegun = false;
      const onDelivery = (delivery: Delivery): void => {
        const { message } = delivery;
        observe.received?.(queue, message.content.length);
        const task = read(delivery);
        const serve = () => (delivery.isLive() ? serveTask(serving, task) : Promise.resolve());
        const deliveries = readHeader(message, 'x-delivery-count');
        const suspected = isSuspect(message.fields.redelivered, deliveries);
        const work = (suspected ? suspects.serve(deliveries, serve) : serve()).finally(() => {
          task.leave();
          inWork.delete(work);
          unsuspected.delete(work);
        });
        inWork.add(work);
        if (!suspected) unsuspected.add(work);
      };
      const onRegistered = (registered: boolean): void => {
        observe.consumer?.(queue, registered);
        if (!registered) return;
        hasBegun = true;
        resolve();
      };
      const onFailed = (error: unknown): boolean => {
        const isRefused = !hasBegun && error instanceof Error && (error as { code?: unknown }).code === ACCESS_REFUSED;
        if (isRefused) reject(error);
        return isRefused;
      };
      const onAcknowledged = observe.acknowledged;
      const connection = consuming;
      const consumer = createConsumer({
        connection,
        ownUser,
        queue,
        prefetch,
        declare,
        onDelivery,
        onRegistered,
        onFailed,
        onAcknowledged,
        log,
      });
      consumers.set(queue, consumer);
    });

  const pause = (): void => {
    for (const consumer of consumers.values()) void consumer.pause();
  };
  const resume = (): void => {
    for (const consumer of consumers.values()) consumer.resume();
  };

  return {
    start: async () => {
      await declareTopology(await whenConnected(consuming));
      const serving: Service = {
        replies: createSender({ connection: publishing, name: 'replies', log }),
        failures: createPublisher({ connection: publishing, name: 'failures', declare: declareFailureQueues, log }),
        parkedQueue: createFullness(),
        ownUser,
        waitUntilAvailable: createOutage({
          waitUntilAvailable: async (signal) => {
            await waitUntilAvailable(signal);
            await untilPublishing(publishing, signal);
          },
          pause,
          resume,
          stopping: stopping.signal,
          log,
        }),
        stopping: stopping.signal,
        log,
        observe,
        reach,
      };
      service = serving;
      await Promise.all(sources.map((source) => consume(source, serving)));
    },
    stop: async ({ timeoutMs }) => {
      const registered = [...consumers.values()];
      await Promise.all(registered.map((consumer) => consumer.cancel()));
      log.info('no more requests are taken', { in_work: inWork.size });
      stopping.abort();
      await waitAtMost(Promise.all(inWork), timeoutMs);
      if (inWork.size > 0) log.warn('requests left to the broker', { requests: inWork.size });
      await Promise.all(registered.map((consumer) => consumer.close()));
      await Promise.all([service?.replies.close(), service?.failures.close()]);
    },
    state: () => ({
      consumers: Object.fromEntries(sources.map(({ queue }) => [queue, consumers.get(queue)?.isRegistered() ?? false])),
      inWork: inWork.size,
    }),
    consumers: () => consumers,
    problems: () =>
      service !== undefined && service.parkedQueue.isFull()
        ? [`${PARKED.name} is full: what is given up is counted, but not kept`]
        : [],
    publishers: () =>
      Object.fromEntries(
        Object.entries({ replies: service?.replies, failures: service?.failures }).map(([name, publisher]) => [
          name,
          publisher?.isReady() ?? true,
        ]),
      ),
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
