import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import path from 'node:path';
import pg from 'pg';
import { migrate } from '../../scripts/migrate.mjs';
import { eventually } from '../support/eventually.js';
import { openPool } from '../support/database.js';
import { type PrivateServer, startPrivateServer } from '../support/private-server.js';
import { type RunningService, startService } from '../support/service.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';

/** Servers of the suite's own, networks that can fail, and service processes that are started again when they end. */
export interface World {
  /** The one that the services use at present. */
  postgres: PrivateServer;
  redis: PrivateServer;
  /** The first node of the broker. */
  rabbitmq: PrivateServer;
  /** All of them. */
  brokers: PrivateServer[];
  /** The URLs of all, for callers. */
  brokerUrls: string;
  /** Between the services and the database; the judge has a way of its own. */
  databaseNet: TcpProxy;
  /** Between the services and the first node of the broker. */
  brokerNet: TcpProxy;
  /** Between the services and each of them. */
  brokerNets: TcpProxy[];
  redisNet: TcpProxy;
  /** PostgreSQL's disk is small and nobody else's. */
  hasDiskOfItsOwn: boolean;
  /** Those that run at present. */
  services: () => RunningService[];
  /** Starts one more process, which is not started again; null where it ended before it served. */
  startExtra: (env: Record<string, string>) => Promise<RunningService | null>;
  /** Has services and judge use another database server from now on. */
  moveDatabase: (server: PrivateServer) => Promise<void>;
  /** Resolves when every process serves. */
  untilReady: () => Promise<void>;
  query: <T extends pg.QueryResultRow>(sql: string, values?: unknown[]) => Promise<T[]>;
  /** Ends whatever a fault has left behind. */
  mend: () => Promise<void>;
  /** Calls the management page of the broker. */
  manage: (method: string, path: string, body?: unknown) => Promise<unknown>;
  /** Output of the processes, for a failing run. */
  logs: () => string;
  close: () => Promise<void>;
}

const INSTANCES = 2;
const LIMITS_FILE = path.join(import.meta.dirname, 'limits.json');
/** User of the services. It is no superuser, so that the servers can refuse it something. */
export const DATABASE_USER = 'account_manager';
export const BROKER_USER = 'account-manager';
/** Small enough to be filled, with room for what many rounds of every fault write: some 60 MB each. */
const DISK_MB = 1_024;

/** @param startBroker starts its nodes: one, unless it is a cluster's */
export async function openWorld(
  startBroker = async (): Promise<PrivateServer[]> => [await startPrivateServer('rabbitmq')],
): Promise<World> {
  let hasDiskOfItsOwn = false;
  const mountDisk = (folder: string): void => {
    hasDiskOfItsOwn = mount(folder);
  };
  const [firstPostgres, redis, brokers] = await Promise.all([
    startPrivateServer('postgres', mountDisk),
    startPrivateServer('redis'),
    startBroker(),
  ]);
  const rabbitmq = brokers[0] as PrivateServer;
  let postgres = firstPostgres;
  const servers = [postgres, redis, ...brokers];
  await prepareDatabase(postgres);
  const managementUrl = rabbitmq.urls.RABBITMQ_MANAGEMENT_URL ?? '';
  await manage(managementUrl, 'PUT', `/api/users/${BROKER_USER}`, { password: BROKER_USER, tags: '' });
  const everything = { configure: '.*', write: '.*', read: '.*' };
  await manage(managementUrl, 'PUT', `/api/permissions/%2F/${BROKER_USER}`, everything);
  const [databaseNet, redisNet, ...brokerNets] = await Promise.all([
    startTcpProxy(as(DATABASE_USER, '', postgres.urls.DATABASE_URL)),
    startTcpProxy(redis.urls.REDIS_URL ?? ''),
    ...brokers.map(({ urls }) => startTcpProxy(as(BROKER_USER, BROKER_USER, urls.RABBITMQ_URL))),
  ]);
  const brokerNet = brokerNets[0] as TcpProxy;
  const env = {
    ...{ DATABASE_URL: databaseNet.url, REDIS_URL: redisNet.url, LIMITS_FILE },
    RABBITMQ_URL: brokerNets.map(({ url }) => url).join(','),
  };
  let pool = openPool(postgres.urls.DATABASE_URL ?? '');

  const running = new Map<string, RunningService>();
  const logs: string[] = [];
  let closing = false;
  const isClosing = () => closing;
  const keepRunning = async (slot: string): Promise<void> => {
    while (!isClosing()) {
      try {
        const service = await startService(env);
        running.set(slot, service);
        if (service.process.exitCode === null && service.process.signalCode === null)
          await once(service.process, 'exit');
        logs.push(service.log());
      } catch (error) {
        logs.push(String(error));
        await pause(500);
      }
      running.delete(slot);
    }
  };
  const slots = Array.from({ length: INSTANCES }, (_, index) => keepRunning(`instance ${index}`));
  const extras: RunningService[] = [];

  const untilReady = async (): Promise<void> => {
    const check = async (): Promise<boolean> => {
      const ready = await Promise.all(
        [...running.values()].map(({ httpUrl }) =>
          fetch(`${httpUrl}/health/ready`).then(
            ({ ok }) => ok,
            () => false,
          ),
        ),
      );
      return ready.length === INSTANCES && ready.every(Boolean);
    };
    await eventually('every process serves', check, 120_000);
  };
  await untilReady();

  const query: World['query'] = async <T extends pg.QueryResultRow>(sql: string, values: unknown[] = []) => {
    // Away, starting or stopping: asked again. Everything else is a mistake of the suite.
    const orNull = (error: Error & { code?: string }) => {
      if (/^[0-9A-Z]{5}$/.test(error.code ?? '') && !/^(08|53|57)/.test(error.code ?? '')) throw error;
      return null;
    };
    const result = await eventually('the database answers', () => pool.query<T>(sql, values).catch(orNull), 60_000);
    return result?.rows ?? [];
  };

  return {
    get postgres() {
      return postgres;
    },
    hasDiskOfItsOwn,
    ...{ redis, rabbitmq, brokers, databaseNet, brokerNet, brokerNets, redisNet, untilReady, query },
    brokerUrls: brokers.map(({ urls }) => urls.RABBITMQ_URL).join(','),
    services: () => [...running.values()],
    startExtra: async (own) => {
      // It may die before it is ready.
      const service = await startService({ ...env, ...own }).catch(() => null);
      if (service !== null) extras.push(service);
      return service;
    },
    moveDatabase: async (server) => {
      postgres = server;
      servers.push(server);
      databaseNet.leadTo(server.urls.DATABASE_URL ?? '');
      await pool.end();
      pool = openPool(server.urls.DATABASE_URL ?? '');
    },
    mend: async () => {
      await Promise.all([postgres, redis, ...brokers].map((server) => server.mend()));
      await Promise.all([databaseNet, redisNet, ...brokerNets].map((net) => net.heal()));
      for (const extra of extras.splice(0)) {
        logs.push(extra.log());
        await extra.kill();
      }
      await query('ALTER SYSTEM RESET default_transaction_read_only');
      await query('SELECT pg_reload_conf()');
    },
    manage: (method, at, body) => manage(managementUrl, method, at, body),
    logs: () => [...logs, ...[...running.values(), ...extras].map((service) => service.log())].join('\n'),
    close: async () => {
      closing = true;
      await Promise.all([...running.values(), ...extras].map((service) => service.kill()));
      await Promise.all(slots);
      await pool.end();
      await Promise.all([databaseNet, redisNet, ...brokerNets].map((net) => net.close()));
      if (hasDiskOfItsOwn) await firstPostgres.crash();
      // Its sessions end a moment later: each is a process group of its own, and notices that the server is gone.
      if (hasDiskOfItsOwn) execFileSync('umount', ['--lazy', firstPostgres.folder]);
      await Promise.all(servers.map((server) => server.remove()));
    },
  };
}

/** Whether the folder is a small disk of its own now. */
function mount(folder: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MB}m`, 'tmpfs', folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** A database that belongs to the services' user. The log is kept short, for a disk that is small. */
async function prepareDatabase({ urls }: PrivateServer): Promise<void> {
  const admin = new pg.Client({ connectionString: (urls.DATABASE_URL ?? '').replace(/[^/]*$/, 'postgres') });
  await admin.connect();
  await admin.query(`CREATE ROLE ${DATABASE_USER} LOGIN`);
  await admin.query(`CREATE DATABASE account_manager OWNER ${DATABASE_USER}`);
  await admin.query(`ALTER SYSTEM SET max_wal_size = '64MB'`);
  await admin.query('SELECT pg_reload_conf()');
  await admin.end();
  await migrate(as(DATABASE_USER, '', urls.DATABASE_URL));
}

/** The URL with another user. */
function as(user: string, password: string, url = ''): string {
  const other = new URL(url);
  other.username = user;
  other.password = password;
  return other.href;
}

async function manage(url: string, method: string, at: string, body?: unknown): Promise<unknown> {
  const { origin, username, password } = new URL(url);
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const headers = { authorization, 'content-type': 'application/json' };
  const response = await fetch(`${origin}${at}`, { method, headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${method} ${at}: ${response.status}`);
  const text = await response.text();
  return text === '' ? undefined : JSON.parse(text);
}
