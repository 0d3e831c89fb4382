import { setTimeout as sleep } from 'node:timers/promises';
import type { Channel, ConsumeMessage } from 'amqplib';
import { EXCHANGES } from '../../../contracts/topology.js';
import { atMost } from './at-most.js';
import type { AccountManagerEvent, EventType } from './contract.js';
import { AccountManagerError } from './errors.js';
import { type Connection, keepLink } from './link.js';
import type { Settings } from './options.js';

export type EventHandler = (event: AccountManagerEvent) => unknown;

export interface SubscribeOptions {
  /** The durable queue; `events.<serviceName>`. Processes that name the same queue share its events: one has them at a time. */
  queue?: string;
  /** How many events may be in work or waiting for their account's earlier ones; 100. */
  prefetch?: number;
}

export interface Subscription {
  queue: string;
  /** Waits for the handlers that run, and gives what was not handled back to the queue, which goes on collecting. */
  close(): Promise<void>;
}

/**
 * One active consumer keeps an account's events in order where several processes subscribe. A quorum queue of RabbitMQ 4
 * drops a message after 20 deliveries unless told otherwise; `-1` (no limit) is refused by 3.x.
 */
const QUEUE_ARGUMENTS = {
  'x-queue-type': 'quorum',
  'x-delivery-limit': 1_000_000_000,
  'x-single-active-consumer': true,
};
const PREFETCH = 100;
/** Ids of events that were handled, to know their repeats by. */
const REMEMBERED = 10_000;
const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 30_000;

interface Delivery {
  channel: Channel;
  message: ConsumeMessage;
}

/** Declares the queue, binds it and consumes it; resolves when that is done, rejects where the broker refuses it. */
export async function subscribe(
  connection: Connection,
  settings: Settings,
  types: readonly EventType[],
  handler: EventHandler,
  { queue = `events.${settings.serviceName}`, prefetch = PREFETCH }: SubscribeOptions = {},
): Promise<Subscription> {
  const work = createEventWork(settings, new Set(types), handler);
  const link = keepLink(connection, {
    setUp: async (channel) => {
      await channel.assertQueue(queue, { durable: true, arguments: QUEUE_ARGUMENTS });
      for (const type of types) await channel.bindQueue(queue, EXCHANGES.events.name, type);
      await channel.prefetch(prefetch);
      await channel.consume(queue, (message) => {
        if (message !== null) work.receive({ channel, message });
        else channel.close().catch(() => undefined); // the queue was deleted: the next channel declares it again
      });
    },
  });
  const close = async (): Promise<void> => {
    await work.stop();
    await link.close();
  };
  try {
    await orTimeOut(link.opened(), queue, connection, settings.timeoutMs);
  } catch (error) {
    await close();
    throw error;
  }
  return { queue, close };
}

/** The exchange of events may not be there yet: the account manager declares it. */
async function orTimeOut(
  opened: Promise<void>,
  queue: string,
  connection: Connection,
  timeoutMs: number,
): Promise<void> {
  const timedOut = new AbortController();
  const giveUp = async (): Promise<never> => {
    await sleep(timeoutMs, undefined, { signal: timedOut.signal });
    const problem =
      connection.problem() ?? 'the exchange of events is not there: was the account manager ever started?';
    const failure = { code: 'NO_REPLY', message: `${queue}: ${problem}`, retryable: true, details: { problem } };
    throw new AccountManagerError(failure);
  };
  try {
    await Promise.race([opened, giveUp()]);
  } finally {
    timedOut.abort();
  }
}

interface EventWork {
  receive(delivery: Delivery): void;
  /** Begins no more; waits for the handlers that run. */
  stop(): Promise<void>;
}

/** Handles each event once, those of one account one after the other. */
function createEventWork(settings: Settings, types: ReadonlySet<string>, handler: EventHandler): EventWork {
  const handled = new Set<string>();
  /** Events in work, or waiting for it, by id, with the delivery that is to be acknowledged: the latest. */
  const deliveries = new Map<string, Delivery>();
  /** The last work of each account; events of the fleet share one lane. */
  const lanes = new Map<string, Promise<void>>();
  const running = new Set<Promise<unknown>>();
  const stopping = new AbortController();

  const handle = async (event: AccountManagerEvent): Promise<void> => {
    for (let pauseMs = FIRST_PAUSE_MS; !stopping.signal.aborted; pauseMs = Math.min(pauseMs * 2, LAST_PAUSE_MS)) {
      const run = Promise.resolve(event).then(handler);
      running.add(run);
      try {
        await run;
        remember(handled, event.id);
        const delivery = deliveries.get(event.id);
        deliveries.delete(event.id);
        if (delivery !== undefined) acknowledge(delivery);
        return;
      } catch (cause) {
        settings.onWarning(new Error(`the handler of event ${event.id} (${event.type}) has failed`, { cause }));
      } finally {
        running.delete(run);
      }
      await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  };
  const enter = (event: AccountManagerEvent): void => {
    const lane = event.subject ?? '';
    const work = (lanes.get(lane) ?? Promise.resolve()).then(() => handle(event));
    lanes.set(lane, work);
    void work.finally(() => lanes.get(lane) === work && lanes.delete(lane));
  };
  return {
    receive: (delivery) => {
      if (stopping.signal.aborted) return; // it goes back to the queue with the channel
      const event = readEvent(delivery.message, settings);
      if (event === null || !types.has(event.type) || handled.has(event.id)) return acknowledge(delivery);
      const isKnown = deliveries.has(event.id);
      deliveries.set(event.id, delivery);
      if (!isKnown) enter(event);
    },
    stop: async () => {
      stopping.abort();
      await atMost(settings.closeTimeoutMs, Promise.allSettled(running));
    },
  };
}

/** Null: nobody could handle it, now or later. */
function readEvent({ content }: ConsumeMessage, settings: Settings): AccountManagerEvent | null {
  try {
    return JSON.parse(content.toString()) as AccountManagerEvent;
  } catch (cause) {
    settings.onWarning(new Error('a message that is no event was dropped', { cause }));
    return null;
  }
}

function remember(ids: Set<string>, id: string): void {
  ids.add(id);
  for (const oldest of ids) {
    if (ids.size <= REMEMBERED) return;
    ids.delete(oldest);
  }
}

/** On a channel that is gone it is not acknowledged: the event comes again, and is known. */
function acknowledge({ channel, message }: Delivery): void {
  try {
    channel.ack(message);
  } catch {
    // The broker delivers it again.
  }
}
