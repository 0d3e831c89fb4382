import path from 'node:path';
import type { Base } from './app/base.js';
import { httpAddress, tellWarnings } from './app/http-address.js';
import { measureFleet } from './app/measure-fleet.js';
import { openBroker } from './app/open-broker.js';
import { openStores } from './app/open-stores.js';
import { type Requests, takeRequests } from './app/take-requests.js';
import type { Config } from './config.js';
import type { AccessPolicy } from './decide/access/access-policy.js';
import { judgeListenFault } from './decide/start/judge-faults.js';
import { StartError } from './decide/start/start-error.js';
import { createHttpDoor, type HttpDoor } from './doors/http/door.js';
import { createHealth } from './health.js';
import { createJobs } from './jobs/jobs.js';
import { keepSeries } from './jobs/keep-series.js';
import { createTally } from './jobs/tally-requests.js';
import { reachBroker, reachDatabase, serveBroker } from './reach-servers.js';
import { assertDatabases } from './redis/assert-databases.js';
import { createEventFeed } from './requests/event-feed.js';
import { createLog, type Log } from './telemetry/log.js';
import { createMetrics } from './telemetry/metrics.js';

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

/** Builds the service; clients are created here and in `app/` alone. */
export function createApp(config: Config): App {
  const parts = build(config);
  const { log } = parts.base;
  const stopping = new AbortController();
  return {
    log,
    replaceAccess: (policy) => {
      parts.requests.access.replace(policy);
      if (policy === null) log.warn('IDENTITY IS OFF: there is no ACCESS_FILE to read again');
      else log.warn('access file read again', { callers: [...policy.keys()] });
    },
    start: () => start(parts, stopping.signal),
    stop: () => {
      stopping.abort(new Error('the service is stopping'));
      return stop(parts);
    },
  };
}

type Parts = ReturnType<typeof build>;

function build(config: Config) {
  const log = createLog({ level: config.logLevel, instance: config.instanceName, format: config.logFormat });
  const metrics = createMetrics();
  const base: Base = { config, log, metrics };
  const stores = openStores(base);
  const { database, locks, windowCache, recoveryQueue } = stores;
  const jobs = createJobs({ config, database, locks, windowCache, recoveryQueue, metrics, log });
  const samples = keepSeries({ database, instance: config.instanceName, takeTally: createTally(metrics), log });
  const requests: Requests = takeRequests(base, stores, jobs, {
    dependencies: () => health.dependencies(),
    parked: { work: (request) => broker.parkedDesk.work(request) },
  });
  const { access, cipher } = requests;
  const broker = openBroker(base, stores, requests);
  const health = createHealth({ access, database, ...broker, redis: stores.redis, metrics });
  const feed = createEventFeed({ sql: database.reader, databaseUrl: config.databaseUrl, log });
  const http = httpDoorOf(base, { requests, health, feed });
  metrics.watchWork(() => ({ amqp: broker.amqp.state().inWork, http: http.inWork() }));
  const fleet = measureFleet(base, stores, { keyIds: cipher.keyIds, looks: health.dependencies });
  return { base, stores, jobs, samples, requests, broker, feed, http, fleet };
}

const drainMs = ({ shutdownTimeoutSeconds }: Config): number => shutdownTimeoutSeconds * 1_000;

const httpDoorOf = (
  { config, log, metrics }: Base,
  {
    requests: { dispatch, gate, access },
    health,
    feed,
  }: { requests: Requests; health: ReturnType<typeof createHealth>; feed: ReturnType<typeof createEventFeed> },
): HttpDoor =>
  createHttpDoor({
    dispatch,
    gate,
    metrics,
    readiness: health.readiness,
    detailedHealth: health.detailed,
    events: { feed, access, metrics },
    consoleFolder: CONSOLE_FOLDER,
    tls: config.httpTls,
    timeouts: { keepAliveMs: config.httpKeepAliveSeconds * 1_000 },
    drainMs: drainMs(config),
    log,
  });

async function start(parts: Parts, stopping: AbortSignal): Promise<void> {
  const { base, stores, requests, broker, http } = parts;
  const { config, log } = base;
  tellWarnings(config, log);
  const host = httpAddress(config);
  const { port } = await http.start(host, config.httpPort).catch((error: unknown) => {
    throw new StartError(judgeListenFault(error, host, config.httpPort).cause);
  });
  log.info('http listening', { host, port });
  await Promise.all([
    reachDatabase({ database: stores.database, config, keyIds: requests.cipher.keyIds, stopping, log }),
    assertDatabases({ url: config.redisUrl, tls: config.clientTls }),
  ]);
  stores.openRedis();
  await reachBroker({ connections: broker.connections, config, watch: broker.watch, stopping, log });
  await serveBroker(broker.amqp, config);
  broker.hasStarted();
  broker.watch.start();
  broker.relay.start();
  parts.fleet.start();
  parts.samples.start();
  await parts.jobs.start();
  log.info('serving', { host, port });
}

async function stop({ base, stores, jobs, samples, requests, broker, feed, http, fleet }: Parts): Promise<void> {
  const timeoutMs = drainMs(base.config);
  // Their readers come again, to another instance, while this one finishes its work.
  http.endStreams();
  feed.close();
  fleet.stop();
  const endConsumption = async () => {
    // A look in work may still subscribe a consumer anew.
    await broker.watch.stop();
    requests.closeWaitingRoom();
    await broker.amqp.stop({ timeoutMs });
  };
  // Side by side: where the database or the broker is silent each of them takes its time.
  await Promise.all([samples.stop(), jobs.stop({ timeoutMs }), endConsumption(), http.stop()]);
  await broker.relay.stop();
  await broker.events.close();
  await broker.connections.close();
  requests.close();
  await stores.close();
  base.log.info('stopped');
}
