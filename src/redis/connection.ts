import { Redis } from 'ioredis';
import { clock } from '../clock.js';
import { coalesceWrites } from '../coalesce-writes.js';

/** PEM texts: the authorities to trust instead of the public ones, and what to be known by. */
interface ClientTls {
  ca?: string;
  cert?: string;
  key?: string;
}

/** Which of the service's databases a connection uses, counted from the one `REDIS_URL` names. */
export const REDIS_DATABASES = { locks: 1, recoveryQueue: 2, windows: 3, jobLocks: 4 } as const;

/** What Redis holds can be done without, a slow answer cannot. */
const COMMAND_TIMEOUT_MS = 150;
/** After a failure Redis is left alone this long, so that its absence costs one time-out and not one per request. */
const REST_AFTER_FAILURE_MS = 1_000;
const MAX_RECONNECT_DELAY_MS = 1_000;

export interface RedisConnection {
  client: Redis;
  /** The number of the database. */
  database: number;
  /**
   * Runs commands unless Redis is away; null when it is, when it fails or is too slow. A command given up may still
   * have run.
   */
  attempt: <T>(commands: (client: Redis) => Promise<T>) => Promise<T | null>;
  /** Notes a failure that showed elsewhere. */
  noteFailure: (error: unknown) => void;
  close: () => void;
}

export interface RedisOptions {
  url: string;
  /** Used where the URL says `rediss:`. */
  tls?: ClientTls;
  purpose: keyof typeof REDIS_DATABASES;
  /** Called at most once per rest with what went wrong; work goes on without Redis. */
  onFailure: (purpose: string, error: unknown) => void;
  /** Called whenever a connection stands, the first time included: what Redis held may be gone. */
  onReady?: () => void;
  /** A command that takes longer is given up. */
  commandTimeoutMs?: number;
}

export function connectRedis({
  url,
  tls,
  purpose,
  onFailure,
  onReady,
  commandTimeoutMs = COMMAND_TIMEOUT_MS,
}: RedisOptions): RedisConnection {
  // A path in the URL would win over the option.
  const server = new URL(url);
  const database = Number(server.pathname.slice(1) || '0') + REDIS_DATABASES[purpose];
  server.pathname = '';
  const isEncrypted = server.protocol === 'rediss:';
  // So would its `rediss:`, which means TLS without certificates of ours.
  server.protocol = 'redis:';
  const client = new Redis(server.href, {
    db: database,
    ...(isEncrypted && { tls: { ...tls, rejectUnauthorized: true } }),
    commandTimeout: commandTimeoutMs,
    connectTimeout: 2_000,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    retryStrategy: (times) => Math.min(50 * times, MAX_RECONNECT_DELAY_MS),
    connectionName: `account-manager-${purpose}`,
  });
  let restsUntil = 0;
  const noteFailure = (error: unknown) => {
    const now = clock.monotonicMs();
    if (now < restsUntil) return;
    restsUntil = now + REST_AFTER_FAILURE_MS;
    onFailure(purpose, error);
  };
  client.on('connect', () => coalesceWrites(client.stream));
  client.on('error', (error: Error & { command?: { name: string } }) => {
    noteFailure(error);
    // A database the server has not: the client would go on in database 0, which may be somebody else's.
    if (error.command?.name === 'select') client.disconnect(true);
  });
  client.on('ready', () => {
    restsUntil = 0;
    onReady?.();
  });
  return {
    client,
    database,
    noteFailure,
    attempt: async (commands) => {
      if (clock.monotonicMs() < restsUntil || client.status !== 'ready') return null;
      try {
        return await commands(client);
      } catch (error) {
        noteFailure(error);
        return null;
      }
    },
    close: () => client.disconnect(),
  };
}
