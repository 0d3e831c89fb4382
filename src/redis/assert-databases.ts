import { connect } from 'node:net';
import { Redis } from 'ioredis';
import { judgeRedisFault } from '../decide/start/judge-faults.js';
import { nameServer } from '../decide/start/name-server.js';
import { StartError } from '../decide/start/start-error.js';
import { readRedisUrl, REDIS_DATABASES, type RedisOptions } from './connection.js';

/** An absent Redis must not hold up the start: the service works without it. */
const CONNECT_TIMEOUT_MS = 1_500;

/**
 * Rejects with `StartError` where this Redis can never be used as it is: no such databases, another password, no TLS.
 * Resolves where it can be used, and where it is away and may come.
 */
export async function assertDatabases({ url, tls }: Pick<RedisOptions, 'url' | 'tls'>): Promise<void> {
  const offsets = Object.values(REDIS_DATABASES);
  const { href, tls: clientTls, firstDatabase } = readRedisUrl(url, tls);
  const [first, last] = [firstDatabase + Math.min(...offsets), firstDatabase + Math.max(...offsets)];
  const error = await tryDatabase(href, last, clientTls);
  if (error === null) return;
  if (clientTls !== undefined && (await answersUnencrypted(href))) {
    throw new StartError(`${nameServer('Redis', url)}: it does not speak TLS, which rediss:// in REDIS_URL asks for`);
  }
  const { isLasting, cause } = judgeRedisFault(error, [first, last]);
  if (isLasting) throw new StartError(`${nameServer('Redis', url)}: ${cause}`);
}

/** The error of a connection that chooses a database; null where there is none. */
async function tryDatabase(url: string, database: number, tls: object | undefined): Promise<unknown> {
  const client = new Redis(url, {
    tls,
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: CONNECT_TIMEOUT_MS,
    enableReadyCheck: false,
    retryStrategy: () => null,
  });
  /** The client tells why by an event, and rejects for its being closed. */
  let reason: unknown = null;
  client.on('error', (error) => {
    reason ??= error;
  });
  try {
    await client.connect();
    await client.select(database);
    await client.ping();
    return reason;
  } catch (error) {
    return reason ?? error;
  } finally {
    client.disconnect();
  }
}

/** Redis waits for the end of a line, which a client that begins TLS never sends. */
function answersUnencrypted(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || 6379 });
    const end = (answers: boolean): void => {
      socket.destroy();
      resolve(answers);
    };
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => end(false));
    socket.on('error', () => end(false));
    socket.on('close', () => end(false));
    socket.on('data', (bytes) => end(/^[+-]/.test(bytes.toString('latin1'))));
    socket.write('PING\r\n');
  });
}
