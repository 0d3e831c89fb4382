import type { ChannelModel } from 'amqplib';
import { compareSightings, type ConsumerSighting, isBeyondMending, isDeaf } from '../decide/messages/judge-consumer.js';
import type { Log } from '../telemetry/log.js';
import type { Connections } from './connections.js';
import { type Consumer, PROBE_TYPE } from './consume.js';
import { openChannel } from './open-channel.js';
import type { BrokerWatchObserver } from './watch-observer.js';

export interface ConsumerMenderOptions {
  connections: Connections;
  /** By queue name. */
  consumers: () => ReadonlyMap<string, Consumer>;
  log: Log;
  observe: BrokerWatchObserver;
  /** Between two looks. */
  everyMs: number;
}

/**
 * Returns how to look at the consumers. A look subscribes anew where the broker knows no consumer, or one that gets
 * nothing; it answers what is wrong, one sentence each.
 */
export function createConsumerMender(options: ConsumerMenderOptions): (link: ChannelModel) => Promise<string[]> {
  const { connections, consumers, log, observe, everyMs } = options;
  /** As they were at the last look, by queue name. */
  let sightings = new Map<string, ConsumerSighting>();

  const mend = async (link: ChannelModel): Promise<string[]> => {
    const problems: string[] = [];
    const now = new Map<string, ConsumerSighting>();
    const channel = await openChannel(link);
    for (const [queue, consumer] of consumers()) {
      const { messageCount, consumerCount } = await channel.checkQueue(queue);
      const before = sightings.get(queue) ?? null;
      const own = consumer.sight();
      const compared = compareSightings(own, before);
      const sighting = { ...own, ...compared, waiting: messageCount, consumers: consumerCount, probed: false };
      now.set(queue, sighting);
      if (sighting.state === 'away') problems.push(`nothing is consumed from ${queue}`);
      if (isBeyondMending(sighting)) problems.push(`the consumer of ${queue} gets nothing`);
      if (!isDeaf(sighting, before)) continue;
      log.error('broker: a consumer gets nothing; it subscribes anew', { queue, ...sighting });
      observe.repaired?.('consumer');
      consumer.renew();
      sighting.unheard = 0;
      sighting.renewals += 1;
    }
    sightings = now;
    await channel.close();
    await probe([...now].filter(([, { state, isFull }]) => state === 'registered' && !isFull));
    return problems;
  };

  /**
   * Sends each queue an empty probe message, and notes it. The channel is a fresh one: one that knew a deleted queue
   * may be deaf too.
   */
  const probe = async (hearing: readonly [string, ConsumerSighting][]): Promise<void> => {
    const link = connections.publishing.current();
    if (link === null || connections.publishing.state().blocked) return;
    const channel = await openChannel(link);
    for (const [queue] of hearing)
      channel.sendToQueue(queue, Buffer.alloc(0), { type: PROBE_TYPE, userId: connections.user, expiration: everyMs });
    await channel.close();
    for (const [, sighting] of hearing) sighting.probed = true;
  };

  return mend;
}
