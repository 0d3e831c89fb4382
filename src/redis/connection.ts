import { type Command, Redis } from 'ioredis';
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

/** The service can do without what Redis holds, but not with a slow answer. */
const COMMAND_TIMEOUT_MS = 150;
/** After a failure Redis is left alone this long, so that its absence costs one time-out and not one per request. */
const REST_AFTER_FAILURE_MS = 1_000;
const MAX_RECONNECT_DELAY_MS = 1_000;
const CONNECT_TIMEOUT_MS = 2_000;

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
  /** Connects, where `waits` has kept it from that. */
  open: () => void;
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
  /** Called when it answers again after a failure. */
  onBack?: (purpose: string) => void;
  /** Does not connect before `open`. */
  waits?: boolean;
  /** Commands that take longer are given up. */
  commandTimeoutMs?: number;
}

export function connectRedis(options: RedisOptions): RedisConnection {
  const { url, tls, purpose, onFailure, onBack, onReady, waits = false } = options;
  const { href, tls: clientTls, firstDatabase } = readRedisUrl(url, tls);
  const database = firstDatabase + REDIS_DATABASES[purpose];
  const client = new PatientRedis(href, {
    db: database,
    tls: clientTls,
    lazyConnect: waits,
    commandTimeout: options.commandTimeoutMs ?? COMMAND_TIMEOUT_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    retryStrategy: (times) => Math.min(50 * times, MAX_RECONNECT_DELAY_MS),
    connectionName: `account-manager-${purpose}`,
  });
  let restsUntil = 0;
  let hasFailed = false;
  const noteFailure = (error: unknown) => {
    const now = clock.monotonicMs();
    if (now < restsUntil) return;
    restsUntil = now + REST_AFTER_FAILURE_MS;
    hasFailed = true;
    onFailure(purpose, error);
  };
  const noteSuccess = () => {
    if (hasFailed) onBack?.(purpose);
    hasFailed = false;
  };
  client.on('connect', () => coalesceWrites(client.stream));
  client.on('error', (error: Error & { command?: { name: string } }) => {
    noteFailure(error);
    // A database the server has not: the client would go on in database 0, which may be somebody else's.
    if (error.command?.name === 'select') client.disconnect(true);
  });
  client.on('ready', () => {
    restsUntil = 0;
    noteSuccess();
    onReady?.();
  });
  return {
    client,
    database,
    noteFailure,
    attempt: async (commands) => {
      if (clock.monotonicMs() < restsUntil || client.status !== 'ready') return null;
      try {
        const answer = await commands(client);
        noteSuccess();
        return answer;
      } catch (error) {
        noteFailure(error);
        return null;
      }
    },
    open: () => void client.connect().catch(() => undefined),
    close: () => client.disconnect(),
  };
}

/**
 * When a command's time is over, answers that have arrived are read before it is given up: a process that was held up
 * itself finds its timers due first, and would take the server for silent. The client's own time-out does not look.
 */
class PatientRedis extends Redis {
  override sendCommand(command: Command, stream?: Parameters<Redis['sendCommand']>[1]): unknown {
    command.setTimeout = (ms) => giveUpAfter(command, ms);
    return super.sendCommand(command, stream);
  }
}

function giveUpAfter(command: Command, ms: number): void {
  let last: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => {
    last = setImmediate(() => command.reject(new Error('Command timed out')));
  }, ms);
  const forget = () => {
    clearTimeout(timer);
    clearImmediate(last);
  };
  command.promise.then(forget, forget);
}

/** How a URL is read: path and `rediss:` apart, which would win over the client's options. */
export function readRedisUrl(url: string, tls: ClientTls | undefined) {
  const server = new URL(url);
  const firstDatabase = Number(server.pathname.slice(1) || '0');
  const isEncrypted = server.protocol === 'rediss:';
  server.pathname = '';
  server.protocol = 'redis:';
  return { href: server.href, firstDatabase, tls: isEncrypted ? { ...tls, rejectUnauthorized: true } : undefined };
}
