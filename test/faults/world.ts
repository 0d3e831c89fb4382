import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import path from 'node:path';
import pg from 'pg';
import { migrate } from '../../scripts/migrate.mjs';
import { eventually } from '../broker/eventually.js';
import { type PrivateServer, startPrivateServer } from '../support/private-server.js';
import { type RunningService, startService } from '../support/service.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';

/** Servers of the suite's own, networks that can fail, and service processes that are started again when they end. */
export interface World {
  postgres: PrivateServer;
  redis: PrivateServer;
  rabbitmq: PrivateServer;
  /** Between the services and the database; the judge has a way of its own. */
  databaseNet: TcpProxy;
  /** Between the services and the broker. */
  brokerNet: TcpProxy;
  /** Those that run at present. */
  services: () => RunningService[];
  /** Starts one more process, which is not started again; such as one with a fail point. */
  startDoomed: (env: Record<string, string>) => Promise<void>;
  /** Resolves when every process serves. */
  untilReady: () => Promise<void>;
  query: <T extends pg.QueryResultRow>(sql: string, values?: unknown[]) => Promise<T[]>;
  /** Ends whatever a fault has left behind. */
  mend: () => Promise<void>;
  /** Calls the management page of the broker. */
  manage: (method: string, path: string) => Promise<unknown>;
  /** What the processes have written, for a failing run. */
  logs: () => string;
  close: () => Promise<void>;
}

const INSTANCES = 2;
const LIMITS_FILE = path.join(import.meta.dirname, 'limits.json');

export async function openWorld(): Promise<World> {
  const [postgres, redis, rabbitmq] = await Promise.all([
    startPrivateServer('postgres'),
    startPrivateServer('redis'),
    startPrivateServer('rabbitmq'),
  ]);
  const urls = { ...postgres.urls, ...redis.urls, ...rabbitmq.urls } as Record<string, string>;
  const databaseUrl = urls.DATABASE_URL ?? '';
  await migrate(databaseUrl);
  const [databaseNet, brokerNet] = await Promise.all([
    startTcpProxy(databaseUrl),
    startTcpProxy(urls.RABBITMQ_URL ?? ''),
  ]);
  const env = {
    DATABASE_URL: databaseNet.url,
    REDIS_URL: urls.REDIS_URL ?? '',
    RABBITMQ_URL: brokerNet.url,
    LIMITS_FILE,
  };
  // After a restart of the server the first query over an old connection fails.
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 2 });
  pool.on('error', () => undefined);

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
  const doomed: RunningService[] = [];

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
    ...{ postgres, redis, rabbitmq, databaseNet, brokerNet, untilReady, query },
    services: () => [...running.values()],
    startDoomed: async (own) => {
      // It may die before it is ready.
      const service = await startService({ ...env, ...own }).catch(() => null);
      if (service !== null) doomed.push(service);
    },
    mend: async () => {
      await Promise.all([postgres, redis, rabbitmq].map((server) => server.mend()));
      await Promise.all([databaseNet.heal(), brokerNet.heal()]);
      await query('ALTER SYSTEM RESET ALL');
      await query('SELECT pg_reload_conf()');
    },
    manage: (method, at) => manage(urls.RABBITMQ_MANAGEMENT_URL ?? '', method, at),
    logs: () => [...logs, ...[...running.values(), ...doomed].map((service) => service.log())].join('\n'),
    close: async () => {
      closing = true;
      await Promise.all([...running.values(), ...doomed].map((service) => service.kill()));
      await Promise.all(slots);
      await pool.end();
      await Promise.all([databaseNet.close(), brokerNet.close()]);
      await Promise.all([postgres.remove(), redis.remove(), rabbitmq.remove()]);
    },
  };
}

async function manage(url: string, method: string, at: string): Promise<unknown> {
  const { origin, username, password } = new URL(url);
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const response = await fetch(`${origin}${at}`, { method, headers: { authorization } });
  if (!response.ok) throw new Error(`${method} ${at}: ${response.status}`);
  const text = await response.text();
  return text === '' ? undefined : JSON.parse(text);
}
