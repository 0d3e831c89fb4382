import path from 'node:path';
import { createConnections } from './broker/connections.js';
import { createOutboxRelay } from './broker/outbox-relay.js';
import { createManagement } from './broker/management.js';
import { createPublisher } from './broker/publish.js';
import { declareEvents } from './broker/topology.js';
import { watchBroker } from './broker/watch-broker.js';
import { createFleetSnapshot, createFleetTotals } from './accounts/fleet-totals.js';
import { createSurveys } from './accounts/surveys.js';
import type { Config } from './config.js';
import type { AccessPolicy } from './decide/access/access-policy.js';
import { judgeListenFault, judgeRedisFault } from './decide/start/judge-faults.js';
import { nameServer } from './decide/start/name-server.js';
import { StartError } from './decide/start/start-error.js';
import { createAmqpDoor } from './doors/amqp/door.js';
import { createParkedDesk } from './doors/amqp/parked.js';
import { createGate } from './doors/gate.js';
import { createHttpDoor } from './doors/http/door.js';
import { createHealth } from './health.js';
import { createAccess } from './requests/access.js';
import { createDispatch } from './requests/dispatch.js';
import { createEventFeed } from './requests/event-feed.js';
import { createFailPoint } from './requests/fail-point.js';
import { createLargeCounts } from './requests/large-counts.js';
import { createWaitingRoom } from './requests/waiting-room.js';
import { keepSeries } from './jobs/keep-series.js';
import { createJobs } from './jobs/jobs.js';
import { assertDatabases } from './redis/assert-databases.js';
import { connectRedis, type REDIS_DATABASES } from './redis/connection.js';
import { reachBroker, reachDatabase, serveBroker } from './reach-servers.js';
import { createLeaseLocks } from './redis/lease-locks.js';
import { createRecoveryQueue } from './redis/recovery-queue.js';
import { shareFleet } from './redis/share-fleet.js';
import { restoreLeaseLocks } from './redis/restore-lease-locks.js';
import { createWindowCache } from './redis/window-cache.js';
import { tellOfBroker } from './store/history/tell-of-broker.js';
import { createDatabase } from './store/database.js';
import { loadFleetSnapshot, loadOutboxState } from './store/fleet/fleet-state.js';
import { listen } from './store/listen.js';
import { FREED_CHANNEL, readNotice } from './store/notices.js';
import { loadOpenLeases } from './store/accounts/load-open-leases.js';
import { countSessionKeys } from './store/sessions/session-keys.js';
import { openSessionCipher } from './store/sessions/session-cipher.js';
import { watchFleet } from './telemetry/watch-fleet.js';
import { createLog, type Log } from './telemetry/log.js';
import { createTally } from './jobs/tally-requests.js';
import { createMetrics } from './telemetry/metrics.js';
import { createOutageTeller } from './telemetry/outage-teller.js';

export interface App {
  log: Log;
  /** Goes by other rights from the next request on. */
  replaceAccess: (policy: AccessPolicy | null) => void;
  /**
   * Resolves once requests are served; waits for servers that are away. Rejects with `StartError` where waiting does not
   * help (wrong password, missing vhost, missing migration, …).
   */
  start: () => Promise<void>;
  /** Takes no more requests, finishes those in work, then lets go of everything. */
  stop: () => Promise<void>;
}

/** Built beside the compiled program. */
const CONSOLE_FOLDER = path.join(import.meta.dirname, '../console');

/** Builds the service: the only place that creates clients. */
export function createApp(config: Config): App {
  const log = createLog({ level: config.logLevel, instance: config.instanceName, format: config.logFormat });
  const metrics = createMetrics();
  const stopping = new AbortController();
  const drainMs = config.shutdownTimeoutSeconds * 1000;

  const database = createDatabase({
    url: config.databaseUrl,
    poolSize: config.databasePoolSize,
    onConnectionError: (error) => log.debug('database connection lost', { error }),
  });
  metrics.watchPool(() => {
    const { total, idle, waiting } = database.poolState();
    return { open: total, idle, waiting };
  });

  const redisTeller = createOutageTeller({
    log,
    what: nameServer('Redis', config.redisUrl),
    meanwhile: 'working without it',
  });
  const redis = (purpose: keyof typeof REDIS_DATABASES, onReady?: () => void) => {
    const countReconnect = afterTheFirst(() => metrics.reconnects.inc({ dependency: 'redis' }));
    const connection = connectRedis({
      url: config.redisUrl,
      tls: config.clientTls,
      purpose,
      onFailure: (_purpose, error) => {
        metrics.dependencyFailures.inc({ dependency: 'redis' });
        const { database } = connection;
        redisTeller.failed(judgeRedisFault(error, [database, database]).cause, purpose);
      },
      onBack: redisTeller.back,
      onReady: () => {
        countReconnect();
        onReady?.();
      },
      waits: true,
    });
    return connection;
  };
  // Whatever Redis lost while it was away is put back from the truth.
  const lockConnection = redis('locks', () => {
    loadOpenLeases(database.reader)
      .then((leases) => restoreLeaseLocks(lockConnection, leases))
      .catch((error: unknown) => log.warn('lease locks not restored', { error }));
  });
  const windowConnection = redis('windows');
  const queueConnection = redis('recoveryQueue');
  const locks = createLeaseLocks(lockConnection);
  const windowCache = createWindowCache(windowConnection);
  const recoveryQueue = createRecoveryQueue(queueConnection, (found) =>
    log.warn('the recovery queue holds what this service has not written; it is passed over', { found }),
  );
  const jobs = createJobs({ config, database, locks, windowCache, recoveryQueue, metrics, log });

  const samples = keepSeries({ database, instance: config.instanceName, takeTally: createTally(metrics), log });

  const access = createAccess(config.access, database.reader);
  const gate = createGate({ access, metrics, log });
  const cipher = openSessionCipher(config.sessionEncryptionKeys);
  const waitingRoom = createWaitingRoom();
  const surveys = createSurveys(database.reader);
  const reach = createFailPoint(config.failPoint);
  const dispatch = createDispatch(
    {
      database,
      log,
      reach,
      resources: {
        policy: config.limits.policy,
        reentry: config.reentry,
        errorWindowMs: config.errorWindowMs,
        countFailedAttempts: config.limits.countFailedAttempts,
        access,
        networkIsTrusted: config.networkIsTrusted,
        cipher,
        locks,
        windowCache,
        surveys,
        fleetSnapshot: createFleetSnapshot(database.reader),
        fleetTotals: createFleetTotals(database.reader, { reentry: config.reentry }),
        largeCounts: createLargeCounts(),
        recoveryQueue,
        metrics,
        dependencies: () => health.dependencies(),
        jobs: jobs.starter,
        settings: config.jobs,
        parked: { work: (request) => parkedDesk.work(request) },
      },
    },
    waitingRoom,
  );
  const freed = listen({
    url: config.databaseUrl,
    channel: FREED_CHANNEL,
    onNotification: (notice) => {
      const { userId, isActivated } = readNotice(notice);
      if (isActivated) surveys.forget(userId);
      waitingRoom.wake(userId);
    },
    onListening: () => log.debug('listening for freed accounts'),
  });

  const countReconnect = () => metrics.reconnects.inc({ dependency: 'broker' });
  const reconnected = { consumer: afterTheFirst(countReconnect), publisher: afterTheFirst(countReconnect) };
  const connections = createConnections({
    url: config.rabbitmqUrl,
    tls: config.clientTls,
    instance: config.instanceName,
    log,
    observe: { connected: (name) => reconnected[name]() },
  });
  const parkedDesk = createParkedDesk({
    connection: connections.consuming,
    ownUser: connections.user,
    gate,
    dispatch,
    log,
  });
  let isStarting = true;
  const events = createPublisher({
    connection: connections.publishing,
    name: 'events',
    declare: declareEvents,
    // The start itself tells of faults at the broker.
    onFailed: () => isStarting,
    log,
  });
  const relay = createOutboxRelay({
    databaseUrl: config.databaseUrl,
    publisher: events,
    log,
    observe: {
      published: (rows) => {
        for (const { type } of rows) metrics.eventsPublished.inc({ type });
      },
      failed: () => metrics.publishFailures.inc(),
    },
  });
  const amqp = createAmqpDoor({
    connections,
    dispatch,
    gate,
    waitUntilAvailable: database.waitUntilAvailable,
    log,
    reach,
    observe: {
      consumer: (queue, registered) => metrics.consumerUp.set({ queue }, registered ? 1 : 0),
      parked: (code) => metrics.parked.inc({ code }),
      notParked: (code) => metrics.notParked.inc({ code }),
      retried: (step) => metrics.retried.inc({ step }),
      replyLost: () => metrics.repliesLost.inc(),
    },
  });
  const watch = watchBroker({
    connections,
    management:
      config.rabbitmqManagementUrl === undefined
        ? null
        : createManagement({
            url: config.rabbitmqManagementUrl,
            rabbitmqUrl: config.rabbitmqUrl,
            tls: config.clientTls,
          }),
    consumers: amqp.consumers,
    publishers: () => ({ events: events.isReady(), ...amqp.publishers() }),
    doorProblems: amqp.problems,
    alarm: (problems) => tellOfBroker(database, config.instanceName, problems),
    log,
    observe: {
      waiting: (queue, messages) => metrics.queueMessages.set({ queue }, messages),
      stuck: (queue, messages) => metrics.stuckDeadLetters.set({ queue }, messages),
      problems: (count) => metrics.brokerProblems.set(count),
      repaired: (what) => metrics.brokerRepairs.inc({ what }),
    },
  });
  const feed = createEventFeed({ sql: database.reader, databaseUrl: config.databaseUrl, log });
  const health = createHealth({ access, database, connections, amqp, relay, watch, redis: windowConnection, metrics });
  const http = createHttpDoor({
    dispatch,
    gate,
    metrics,
    readiness: health.readiness,
    detailedHealth: health.detailed,
    events: { feed, access, metrics },
    consoleFolder: CONSOLE_FOLDER,
    tls: config.httpTls,
    timeouts: { keepAliveMs: config.httpKeepAliveSeconds * 1_000 },
    drainMs,
    log,
  });
  metrics.watchWork(() => ({ amqp: amqp.state().inWork, http: http.inWork() }));
  const readFleet = shareFleet(windowConnection, async () => {
    const [snapshot, outbox, sessionKeys] = await Promise.all([
      loadFleetSnapshot(database.reader),
      loadOutboxState(database.reader),
      countSessionKeys(database.reader, cipher.keyIds),
    ]);
    return {
      totalAccounts: Object.values(snapshot.byStatus).reduce((total, accounts) => total + accounts, 0),
      healthyAccounts: snapshot.healthy,
      floodWaitActive: snapshot.byStatus.flood_wait,
      blockedActive: snapshot.byStatus.blocked,
      leasesByService: snapshot.leasesByService,
      sessionKeys,
      outboxPending: outbox.pending,
      outboxOldestAgeSeconds: outbox.oldestAgeSeconds,
    };
  });
  const fleet = watchFleet({
    metrics,
    log,
    load: async () => {
      const [state] = await Promise.all([readFleet(), health.dependencies()]);
      return state;
    },
  });

  return {
    log,
    replaceAccess: (policy) => {
      access.replace(policy);
      if (policy === null) log.warn('IDENTITY IS OFF: there is no ACCESS_FILE to read again');
      else log.warn('access file read again', { callers: [...policy.keys()] });
    },
    start: async () => {
      for (const warning of config.warnings) log.warn(warning);
      const host = httpAddress(config);
      if (config.access === null) {
        log.warn('IDENTITY IS OFF: everybody who reaches a door may do everything, under any name; set ACCESS_FILE');
      }
      if (config.access === null && host !== ownAddress(host)) {
        log.warn(
          'THE NETWORK IS TRUSTED: NETWORK_IS_TRUSTED lets everybody on it do everything over http, without a token',
          { host },
        );
      }
      if (host !== config.httpHost) {
        log.warn('HTTP_HOST IS NOT USED: without ACCESS_FILE or NETWORK_IS_TRUSTED http listens on this machine only', {
          given: config.httpHost,
          host,
        });
      }
      const { port } = await http.start(host, config.httpPort).catch((error: unknown) => {
        throw new StartError(judgeListenFault(error, host, config.httpPort).cause);
      });
      log.info('http listening', { host, port });
      const { signal } = stopping;
      await Promise.all([
        reachDatabase({ database, config, keyIds: cipher.keyIds, stopping: signal, log }),
        assertDatabases({ url: config.redisUrl, tls: config.clientTls }),
      ]);
      // Redis is not waited for.
      for (const connection of [lockConnection, windowConnection, queueConnection]) connection.open();
      await reachBroker({ connections, config, watch, stopping: signal, log });
      await serveBroker(amqp, config);
      isStarting = false;
      watch.start();
      relay.start();
      fleet.start();
      samples.start();
      await jobs.start();
      log.info('serving', { host, port });
    },
    stop: async () => {
      stopping.abort(new Error('the service is stopping'));
      // Their readers come again, to another instance, while this one finishes its work.
      http.endStreams();
      feed.close();
      fleet.stop();
      await samples.stop();
      await watch.stop();
      waitingRoom.close();
      await Promise.all([jobs.stop({ timeoutMs: drainMs }), amqp.stop({ timeoutMs: drainMs }), http.stop()]);
      await relay.stop();
      await events.close();
      await connections.close();
      freed.close();
      lockConnection.close();
      windowConnection.close();
      queueConnection.close();
      await database.close();
      log.info('stopped');
    },
  };
}

/** Calls back at every call but the first. */
const afterTheFirst = (again: () => void): (() => void) => {
  let isFirst = true;
  return () => {
    if (!isFirst) again();
    isFirst = false;
  };
};

/** Where HTTP listens: on this machine alone where callers are not told apart and the network is not trusted. */
const httpAddress = ({ access, networkIsTrusted, httpHost }: Config): string =>
  access === null && !networkIsTrusted ? ownAddress(httpHost) : httpHost;

/** The address where it is one of this machine alone; else its usual one. */
const ownAddress = (host: string): string =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host) ? host : '127.0.0.1';
