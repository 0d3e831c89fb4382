import { setTimeout as pause } from 'node:timers/promises';
import type { Channel } from 'amqplib';
import { PARKED } from '../../contracts/topology.js';
import { clock } from '../clock.js';
import type { BrokerConnection } from './connections.js';

/** An exclusive queue serves as a lock: the broker frees it with the connection that declared it, so no crash leaves it. */
const LOCK_QUEUE = `${PARKED.name}.lock`;
const LOCK_WAIT_MS = 15_000;
const LOCK_PAUSE_MS = 250;
const RESOURCE_LOCKED = 405;

/** A channel of its own, once no other connection in the installation works on the parked messages. Rejects after 15 s. */
export async function lockParked(connection: BrokerConnection): Promise<Channel> {
  const giveUpAt = clock.monotonicMs() + LOCK_WAIT_MS;
  for (;;) {
    const link = connection.current();
    if (link === null) throw new Error('no connection to the broker');
    const channel = await link.createChannel();
    channel.on('error', () => undefined);
    try {
      await channel.assertQueue(LOCK_QUEUE, { exclusive: true, durable: false });
      return channel;
    } catch (error) {
      if ((error as { code?: unknown }).code !== RESOURCE_LOCKED || clock.monotonicMs() > giveUpAt) throw error;
      await pause(LOCK_PAUSE_MS);
    }
  }
}

/** Lets the next one work on them. */
export const unlockParked = async (channel: Channel): Promise<void> => {
  await channel.deleteQueue(LOCK_QUEUE);
};
