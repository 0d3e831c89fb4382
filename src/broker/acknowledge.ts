import type { Channel, Message } from 'amqplib';

/** Settles the deliveries of one channel; on a dead channel it does nothing, since the broker delivers them again. */
export interface Acknowledger {
  /** Takes note of a delivery; deliveries come with rising tags. */
  receive(deliveryTag: number): void;
  /** Acknowledged with others that follow soon; with those of this turn of the event loop where the broker may be waiting. */
  acknowledge(deliveryTag: number): void;
  /** Back to the queue at once. `basic.reject` counts towards the delivery limit on every broker; `nack` does not. */
  giveBack(deliveryTag: number): void;
  /** Sends what is still to be acknowledged. */
  flush(): void;
  /** How many are received and not yet settled. */
  inWork(): number;
}

/** The broker writes each acknowledgement to the log of its queue: several batches share one. */
const GATHER_MS = 20;

/**
 * Acknowledges many deliveries at once: all that lie before the oldest one still in work go in one frame, stragglers
 * behind it one by one.
 * @param prefetch how many deliveries the broker makes before it waits for acknowledgements
 */
export function createAcknowledger(
  channel: Channel,
  prefetch: number,
  onAcknowledged: (count: number) => void,
): Acknowledger {
  /** In order of arrival, so that the first is the oldest. */
  const inWork = new Set<number>();
  let settled: number[] = [];
  let timer: NodeJS.Timeout | undefined;
  let soon: NodeJS.Immediate | undefined;

  const flush = (): void => {
    clearTimeout(timer);
    clearImmediate(soon);
    timer = soon = undefined;
    const tags = settled;
    settled = [];
    if (tags.length === 0) return;
    const [oldestInWork = Number.POSITIVE_INFINITY] = inWork;
    let upTo = 0;
    try {
      for (const tag of tags) {
        if (tag < oldestInWork) upTo = Math.max(upTo, tag);
        else channel.ack(delivery(tag));
      }
      if (upTo > 0) channel.ack(delivery(upTo), true);
    } catch {
      // The channel died with these on it.
      return;
    }
    onAcknowledged(tags.length);
  };

  return {
    receive: (tag) => inWork.add(tag),
    acknowledge: (tag) => {
      inWork.delete(tag);
      settled.push(tag);
      timer ??= setTimeout(flush, GATHER_MS);
      if (4 * (inWork.size + settled.length) >= prefetch) soon ??= setImmediate(flush);
    },
    giveBack: (tag) => {
      inWork.delete(tag);
      try {
        channel.reject(delivery(tag), true);
      } catch {
        // The channel died with it.
      }
    },
    flush,
    inWork: () => inWork.size,
  };
}

/** All of a message that amqplib's `ack` looks at. */
const delivery = (deliveryTag: number) => ({ fields: { deliveryTag } }) as Message;
