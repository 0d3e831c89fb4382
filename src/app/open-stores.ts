import { judgeRedisFault } from '../decide/start/judge-faults.js';
import { nameServer } from '../decide/start/name-server.js';
import { connectRedis, type REDIS_DATABASES, type RedisConnection } from '../redis/connection.js';
import { createLeaseLocks } from '../redis/lease-locks.js';
import { createRecoveryQueue } from '../redis/recovery-queue.js';
import { restoreLeaseLocks } from '../redis/restore-lease-locks.js';
import { createWindowCache } from '../redis/window-cache.js';
import { loadOpenLeases } from '../store/accounts/load-open-leases.js';
import { createDatabase } from '../store/database.js';
import { createRecentEvents } from '../store/history/recent-events.js';
import { createOutageTeller } from '../telemetry/outage-teller.js';
import { afterTheFirst, type Base } from './base.js';

export type Stores = ReturnType<typeof openStores>;

/** PostgreSQL, and Redis with what is kept there. */
export function openStores(base: Base) {
  const { config, log, metrics } = base;
  const database = createDatabase({
    url: config.databaseUrl,
    poolSize: config.databasePoolSize,
    onConnectionError: (error) => log.debug('database connection lost', { error }),
  });
  metrics.watchPool(() => {
    const { total, idle, waiting } = database.poolState();
    return { open: total, idle, waiting };
  });
  const redis = redisOf(base);
  // Whatever Redis lost while it was away is put back from the truth.
  const lockConnection = redis('locks', () => {
    loadOpenLeases(database.reader)
      .then((leases) => restoreLeaseLocks(lockConnection, leases))
      .catch((error: unknown) => log.warn('lease locks not restored', { error }));
  });
  const windowConnection = redis('windows');
  const queueConnection = redis('recoveryQueue');
  const connections = [lockConnection, windowConnection, queueConnection];
  return {
    database,
    recentEvents: createRecentEvents(),
    locks: createLeaseLocks(lockConnection),
    windowCache: createWindowCache(windowConnection),
    recoveryQueue: createRecoveryQueue(queueConnection, (found) =>
      log.warn('the recovery queue holds what this service has not written; it is passed over', { found }),
    ),
    /** For what all instances share, and for the look at how Redis is. */
    redis: windowConnection,
    /** Redis is not waited for. */
    openRedis: () => {
      for (const connection of connections) connection.open();
    },
    close: async () => {
      for (const connection of connections) connection.close();
      await database.close();
    },
  };
}

/** Connects for a purpose; outages are told once, whichever connection meets them. */
function redisOf({ config, log, metrics }: Base) {
  const teller = createOutageTeller({
    log,
    what: nameServer('Redis', config.redisUrl),
    meanwhile: 'working without it',
  });
  return (purpose: keyof typeof REDIS_DATABASES, onReady?: () => void): RedisConnection => {
    const countReconnect = afterTheFirst(() => metrics.reconnects.inc({ dependency: 'redis' }));
    const connection = connectRedis({
      url: config.redisUrl,
      tls: config.clientTls,
      purpose,
      onFailure: (_purpose, error) => {
        metrics.dependencyFailures.inc({ dependency: 'redis' });
        const { database } = connection;
        teller.failed(judgeRedisFault(error, [database, database]).cause, purpose);
      },
      onBack: teller.back,
      onReady: () => {
        countReconnect();
        onReady?.();
      },
      waits: true,
    });
    return connection;
  };
}
