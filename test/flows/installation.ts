import { randomInt } from 'node:crypto';
import path from 'node:path';
import type { GetMessage } from 'amqplib';
import type pg from 'pg';
import { PARKED } from '../../contracts/topology.js';
import { createDatabase, openPool } from '../support/database.js';
import { createRedis } from '../support/redis.js';
import { connectRpc, type RpcClient } from '../support/rpc.js';
import { type RunningService, startService } from '../support/service.js';
import { telethonSession } from '../support/session-strings.js';
import { createVhost } from '../support/vhost.js';

/** The whole service on servers of its own: processes, a caller on the bus, and somebody who looks into the database. */
export interface Installation {
  env: Record<'DATABASE_URL' | 'REDIS_URL' | 'RABBITMQ_URL' | 'LIMITS_FILE', string>;
  /** Name of its virtual host. */
  vhost: string;
  /** Starts one more process and waits until it serves. */
  start: (env?: Record<string, string>) => Promise<RunningService>;
  client: RpcClient;
  /** Registers accounts for a user over the bus; answers their ids. */
  register: (userId: number, count: number) => Promise<string[]>;
  query: <T extends pg.QueryResultRow>(sql: string, values?: unknown[]) => Promise<T[]>;
  /** Takes what is parked out of its queue. */
  takeParked: () => Promise<GetMessage[]>;
  close: () => Promise<void>;
}

/** Limits without pauses between actions: five invites and 1,000 messages in an hour. */
const NO_PAUSES = path.join(import.meta.dirname, 'no-pauses.json');

export async function startInstallation(): Promise<Installation> {
  const [database, redis, vhost] = await Promise.all([createDatabase(), createRedis(), createVhost()]);
  const env = { DATABASE_URL: database.url, REDIS_URL: redis.url, RABBITMQ_URL: vhost.url, LIMITS_FILE: NO_PAUSES };
  const services: RunningService[] = [];
  const pool = openPool(database.url);
  const client = await connectRpc(vhost.url);

  return {
    env,
    vhost: vhost.name,
    start: async (own = {}) => {
      const service = await startService({ ...env, ...own });
      services.push(service);
      return service;
    },
    client,
    register: async (userId, count) => {
      const first = randomInt(10_000_000) * 10_000;
      const accounts = Array.from({ length: count }, (_, index) => ({
        user_id: userId,
        phone: `+49${first + index}`,
        session_data: telethonSession(),
      }));
      const reply = await client.call('admin.register', { accounts });
      if (!reply.success) throw new Error(JSON.stringify(reply));
      return (reply.accounts as { account_id: string }[]).map(({ account_id: id }) => id);
    },
    query: async <T extends pg.QueryResultRow>(sql: string, values: unknown[] = []) =>
      (await pool.query<T>(sql, values)).rows,
    takeParked: async () => {
      const parked: GetMessage[] = [];
      for (;;) {
        const message = await client.channel.get(PARKED.name, { noAck: true });
        if (message === false) return parked;
        parked.push(message);
      }
    },
    close: async () => {
      await Promise.all(services.map((service) => service.kill()));
      await client.close().catch(() => undefined);
      await pool.end();
      await Promise.all([database.drop(), redis.drop(), vhost.drop()]);
    },
  };
}
