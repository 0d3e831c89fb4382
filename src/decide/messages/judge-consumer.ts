/** A consumer as this process and the broker see it, at one look. */
export interface ConsumerSighting {
  /** `paused`: on purpose, while a dependency is away. */
  state: 'registered' | 'away' | 'paused';
  /** Messages it has been given so far. */
  delivered: number;
  /** As many messages in work as it may have. */
  isFull: boolean;
  /** By the broker: messages that wait in its queue, and consumers of the queue, other instances' included. */
  waiting: number;
  consumers: number;
  /** Whether a probe was sent to its queue at this look. */
  probed: boolean;
  /** Looks in a row at which nothing had come, though a probe was sent at the one before. */
  unheard: number;
  /** How often it has subscribed anew since it last heard something. */
  renewals: number;
}

/** Other instances may have had a probe or two. */
const MAX_UNHEARD = 2;
/** A renewal may have been for nothing: the others had the probes. Two in vain are no chance. */
const MAX_RENEWALS = 2;

type OwnSighting = Pick<ConsumerSighting, 'state' | 'delivered' | 'isFull'>;

/**
 * Counts the probes that a consumer has not heard and the renewals in vain, the present look included.
 * @param before the sighting of the look before; null: there was none
 */
export function compareSightings(
  now: OwnSighting,
  before: ConsumerSighting | null,
): Pick<ConsumerSighting, 'unheard' | 'renewals'> {
  if (before?.delivered !== now.delivered) return { unheard: 0, renewals: 0 };
  const couldHear = before.probed && [now, before].every((look) => look.state === 'registered' && !look.isFull);
  return { unheard: couldHear ? before.unheard + 1 : 0, renewals: before.renewals };
}

/**
 * Whether a consumer that counts as registered gets nothing. A queue that is deleted and declared within milliseconds
 * can keep a consumer from before (RabbitMQ 3.10). The broker says nothing, counts it among the consumers and even
 * hands it messages, but none arrives. The broker reports a quorum queue with a slow leader as one without messages and
 * consumers. So such a report counts only when it comes twice.
 * @param before the sighting of the look before; null: there was none
 */
export function isDeaf(now: ConsumerSighting, before: ConsumerSighting | null): boolean {
  if (now.state !== 'registered') return false;
  if (now.consumers === 0 && (now.waiting > 0 || before?.consumers === 0)) return true;
  if (now.unheard >= MAX_UNHEARD) return true;
  const idle = before?.state === 'registered' && before.delivered === now.delivered;
  return idle && before.waiting > 0 && now.waiting > 0 && !before.isFull && !now.isFull;
}

/** Whether subscribing anew has not helped a consumer: it takes an operator. */
export function isBeyondMending({ renewals }: ConsumerSighting): boolean {
  return renewals >= MAX_RENEWALS;
}
