import { splitUrls } from '../messages/split-urls.js';

const USUAL_PORTS: Record<string, number> = {
  'postgresql:': 5432,
  'postgres:': 5432,
  'redis:': 6379,
  'rediss:': 6379,
  'amqp:': 5672,
  'amqps:': 5671,
};

/** A server as lines name it, such as "RabbitMQ at one:5672, two:5672": where the URLs lead, without their secrets. */
export const nameServer = (title: string, urls: string): string =>
  `${title} at ${splitUrls(urls).map(addressOf).join(', ')}`;

const addressOf = (url: string): string => {
  const { protocol, hostname, port, searchParams } = new URL(url);
  const host = hostname || searchParams.get('host') || 'localhost';
  return host.startsWith('/') ? host : `${host}:${port || (USUAL_PORTS[protocol] ?? '')}`;
};
