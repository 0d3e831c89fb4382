import type { ChannelModel } from 'amqplib';
import { EXCHANGES } from '../../contracts/topology.js';

/** No queue and no binding has it. */
const NOWHERE = 'account-manager.nowhere';
/** Exchanges that this service publishes to, beside the default one. */
const PUBLISHED_TO = [EXCHANGES.events.name, EXCHANGES.retry.name];

/**
 * Rejects where the user may not publish what the service has to publish, which nothing else at the start would show.
 * Nothing is changed and nobody gets a message. Removing a binding that does not exist needs the same permission as
 * removing one that does. A message to the default exchange for a queue that does not exist is dropped.
 */
export async function assertPermissions(connection: ChannelModel): Promise<void> {
  const channel = await connection.createChannel();
  channel.on('error', () => undefined);
  for (const exchange of PUBLISHED_TO) await channel.unbindExchange(exchange, EXCHANGES.requests.name, NOWHERE);
  channel.publish('', NOWHERE, Buffer.alloc(0));
  // The broker answers in order: what it has refused is told by now.
  await channel.checkExchange(EXCHANGES.events.name);
  await channel.close();
}
