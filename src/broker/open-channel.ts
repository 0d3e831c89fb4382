import type { Channel, ChannelModel } from 'amqplib';

/** Opens a channel. When the broker closes it, the call that was under way throws the reason; nobody else is told. */
export async function openChannel(link: ChannelModel): Promise<Channel> {
  const channel = await link.createChannel();
  channel.on('error', () => undefined);
  return channel;
}
