import { setMaxListeners } from 'node:events';
import type { Channel, ConsumeMessage } from 'amqplib';
import type { ConsumerSighting } from '../decide/messages/judge-consumer.js';
import type { Log } from '../telemetry/log.js';
import { type Acknowledger, createAcknowledger } from './acknowledge.js';
import type { BrokerConnection } from './connections.js';
import { keepChannel } from './keep-channel.js';
import { waitAtMost } from './wait-at-most.js';

/** A message in work, tied to the channel that delivered it. */
export interface Delivery {
  message: ConsumeMessage;
  /** Done with. On a channel that has died this does nothing: the broker has the message again. */
  acknowledge(): void;
  /** Back to the queue; counts towards the delivery limit. */
  giveBack(): void;
  /** Aborts when the channel dies: the broker delivers the message again, so work on it may stop. */
  lost: AbortSignal;
  /** False once it is lost. */
  isLive(): boolean;
}

export interface Consumer {
  /** Whether the broker has this consumer registered. */
  isRegistered(): boolean;
  /** Asks for no more messages; those in work can still be settled. */
  cancel(): Promise<void>;
  /** Asks for no more messages until `resume`, and gives those in work back to their queue. */
  pause(): Promise<void>;
  resume(): void;
  /** How it is, by what this process knows. */
  sight(): Pick<ConsumerSighting, 'state' | 'delivered' | 'isFull'>;
  /** Subscribes anew, on another channel: messages in work go back to their queue. */
  renew(): void;
  /** Messages in work go back to their queue. */
  close(): Promise<void>;
}

/** Type of a message without a body, sent to a queue to learn whether its consumers hear anything. */
export const PROBE_TYPE = 'account-manager.probe';

/** The broker lets nobody else set this service's user on a message. */
const isProbe = ({ content, properties }: ConsumeMessage, ownUser: string): boolean =>
  content.length === 0 && properties.type === PROBE_TYPE && properties.userId === ownUser;

/** How long an answer to a cancellation is waited for. */
const CANCEL_TIMEOUT_MS = 2_000;

export interface ConsumerOptions {
  connection: BrokerConnection;
  /** The AMQP user of this service: only its own probes are heard here, a caller's are messages like all others. */
  ownUser: string;
  queue: string;
  /** How many messages may be in work. */
  prefetch: number;
  /** Declares the queue, so that a deleted one comes back. */
  declare: (channel: Channel) => Promise<void>;
  onDelivery: (delivery: Delivery) => void;
  onAcknowledged?: (count: number) => void;
  onRegistered?: (registered: boolean) => void;
  /** As in `KeepChannelOptions`. */
  onFailed?: (error: unknown) => boolean;
  log: Log;
}

/** Keeps one consumer on a queue, on a channel of its own, through whatever ends it: it subscribes again. */
export function createConsumer(options: ConsumerOptions): Consumer {
  const subscription = createSubscription(options);
  let cancelled = false;
  let paused = false;

  const kept = keepChannel({
    connection: options.connection,
    name: options.queue,
    create: (link) => link.createChannel(),
    setUp: async (channel) => {
      if (!cancelled) await subscription.begin(channel);
    },
    onLost: subscription.unregister,
    onFailed: options.onFailed,
    log: options.log,
  });
  return {
    isRegistered: () => subscription.tag() !== null,
    cancel: async () => {
      cancelled = true;
      const tag = subscription.tag();
      subscription.unregister();
      const channel = kept.current();
      // A consumer whose channel is gone is cancelled already; of a silent broker the farewell must not wait.
      if (tag !== null && channel !== null) await waitAtMost((async () => channel.cancel(tag))(), CANCEL_TIMEOUT_MS);
    },
    pause: async () => {
      paused = true;
      subscription.leave();
      await kept.pause();
    },
    resume: () => {
      paused = false;
      kept.resume();
    },
    sight: () => ({
      state: paused || cancelled ? 'paused' : subscription.tag() === null ? 'away' : 'registered',
      ...subscription.sight(),
    }),
    renew: () => {
      subscription.leave();
      // Opened again by whoever keeps it.
      void kept
        .current()
        ?.close()
        .catch(() => undefined);
    },
    close: async () => {
      cancelled = true;
      subscription.leave();
      await kept.close();
    },
  };
}

/** The consumer as it is at the broker, on the channel of the moment. */
interface Subscription {
  /** Consumes on a new channel. */
  begin: (channel: Channel) => Promise<void>;
  /** The broker's name for the consumer; null: none is registered. */
  tag: () => string | null;
  /** The broker has the consumer no longer. */
  unregister: () => void;
  /** Acknowledges what is done with, since the channel is about to be closed. */
  leave: () => void;
  sight: () => Pick<ConsumerSighting, 'delivered' | 'isFull'>;
}

function createSubscription(options: ConsumerOptions): Subscription {
  const { queue, prefetch, declare, onAcknowledged, onRegistered, log } = options;
  let consumerTag: string | null = null;
  let acknowledger: Acknowledger | undefined;
  let delivered = 0;

  const unregister = (): void => {
    if (consumerTag !== null) onRegistered?.(false);
    consumerTag = null;
  };

  const begin = async (channel: Channel): Promise<void> => {
    await declare(channel);
    await channel.prefetch(prefetch);
    const deliveries = createAcknowledger(channel, prefetch, (count) => onAcknowledged?.(count));
    acknowledger = deliveries;
    const take = takeDeliveries(channel, deliveries, options);
    const onMessage = (message: ConsumeMessage | null): void => {
      if (message === null) {
        // The server cancelled the consumer, as it does when its queue is deleted: the channel is of no more use.
        log.error('broker cancelled the consumer', { queue });
        unregister();
        deliveries.flush();
        void channel.close().catch(() => undefined);
        return;
      }
      delivered += 1;
      take(message);
    };
    ({ consumerTag } = await channel.consume(queue, onMessage));
    onRegistered?.(true);
  };

  return {
    begin,
    tag: () => consumerTag,
    unregister,
    leave: () => {
      unregister();
      acknowledger?.flush();
    },
    sight: () => ({ delivered, isFull: (acknowledger?.inWork() ?? 0) >= prefetch }),
  };
}

/** Returns how to take the messages of one channel: its own probes end here, all others are handed on. */
function takeDeliveries(
  channel: Channel,
  deliveries: Acknowledger,
  { ownUser, queue, onDelivery, log }: ConsumerOptions,
): (message: ConsumeMessage) => void {
  const lost = new AbortController();
  // Every request that waits listens.
  setMaxListeners(0, lost.signal);
  channel.on('close', () => lost.abort());
  return (message) => {
    const { deliveryTag } = message.fields;
    deliveries.receive(deliveryTag);
    if (isProbe(message, ownUser)) {
      deliveries.acknowledge(deliveryTag);
      return;
    }
    const delivery: Delivery = {
      message,
      acknowledge: () => deliveries.acknowledge(deliveryTag),
      giveBack: () => deliveries.giveBack(deliveryTag),
      lost: lost.signal,
      isLive: () => !lost.signal.aborted,
    };
    try {
      onDelivery(delivery);
    } catch (error) {
      log.error('message could not be taken', { queue, error });
      delivery.giveBack();
    }
  };
}
