import { chownSync, copyFileSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import type { Authority } from './authority.js';
import { freePort } from './ports.js';
import { type PrivateServer, startPrivateServer } from './private-server.js';

/** PostgreSQL, Redis and RabbitMQ that speak TLS. */
export interface EncryptedServers {
  urls: Record<'DATABASE_URL' | 'REDIS_URL' | 'RABBITMQ_URL', string>;
  /** Without TLS, for looking into it: the service's database cannot be reached this way. */
  plainDatabaseUrl: string;
  remove: () => Promise<void>;
}

const DATABASE = 'account_manager';

/** PostgreSQL and Redis also ask their clients for a certificate of the same authority. */
export async function startEncryptedServers(authority: Authority): Promise<EncryptedServers> {
  const pair = authority.issue('servers');
  const files = { ca: authority.ca, ...pair };
  const brokerPort = await freePort();
  const [postgres, redis, rabbitmq] = await Promise.all([
    startPrivateServer('postgres'),
    startPrivateServer('redis'),
    startPrivateServer('rabbitmq', (folder) => encryptRabbitmq(folder, brokerPort, files)),
  ]);
  const redisPort = await freePort();
  await Promise.all([encryptPostgres(postgres, files), encryptRedis(redis, redisPort, files)]);

  const database = new URL(postgres.urls.DATABASE_URL ?? '');
  database.pathname = `/${DATABASE}`;
  database.searchParams.set('sslmode', 'verify-full');
  return {
    urls: {
      DATABASE_URL: database.href,
      REDIS_URL: `rediss://127.0.0.1:${redisPort}`,
      RABBITMQ_URL: `amqps://guest:guest@127.0.0.1:${brokerPort}`,
    },
    plainDatabaseUrl: serverUrl(postgres),
    remove: async () => {
      await Promise.all([postgres.remove(), redis.remove(), rabbitmq.remove()]);
    },
  };
}

type Files = Record<'ca' | 'cert' | 'key', string>;

const serverUrl = ({ urls }: PrivateServer): string => {
  const url = new URL(urls.DATABASE_URL ?? '');
  url.pathname = '/postgres';
  return url.href;
};

async function encryptPostgres(server: PrivateServer, files: Files): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl(server) });
  await client.connect();
  try {
    const { rows } = await client.query<{ data_directory: string }>('SHOW data_directory');
    const data = rows[0]?.data_directory ?? '';
    const { uid, gid } = statSync(data);
    for (const [name, source] of Object.entries(files)) {
      const copy = path.join(data, `server.${name}`);
      copyFileSync(source, copy);
      chownSync(copy, uid, gid);
    }
    await client.query("ALTER SYSTEM SET ssl_ca_file = 'server.ca'");
    await client.query("ALTER SYSTEM SET ssl_cert_file = 'server.cert'");
    await client.query("ALTER SYSTEM SET ssl_key_file = 'server.key'");
    await client.query('ALTER SYSTEM SET ssl = on');
    writeFileSync(
      path.join(data, 'pg_hba.conf'),
      `host postgres all 127.0.0.1/32 trust\nhostssl ${DATABASE} all 127.0.0.1/32 trust clientcert=verify-ca\n`,
    );
    await client.query('SELECT pg_reload_conf()');
  } finally {
    await client.end();
  }
}

async function encryptRedis({ urls }: PrivateServer, port: number, { ca, cert, key }: Files): Promise<void> {
  const client = new Redis(urls.REDIS_URL ?? '');
  try {
    await client.call('CONFIG', [
      'SET',
      'tls-ca-cert-file',
      ca,
      'tls-cert-file',
      cert,
      'tls-key-file',
      key,
      'tls-port',
      String(port),
    ]);
  } finally {
    client.disconnect();
  }
}

function encryptRabbitmq(folder: string, port: number, files: Files): void {
  mkdirSync(folder, { recursive: true });
  // A broker in a file tree of its own sees its folder alone.
  const [ca, cert, key] = (['ca', 'cert', 'key'] as const).map((name) => {
    const copy = path.join(folder, `server.${name}`);
    copyFileSync(files[name], copy);
    return copy;
  });
  // Newer Erlangs ask for a certificate where nothing is said; the callers here have none.
  const options = `[{cacertfile,"${ca}"},{certfile,"${cert}"},{keyfile,"${key}"},{verify,verify_peer},{fail_if_no_peer_cert,false}]`;
  writeFileSync(
    path.join(folder, 'advanced.config'),
    `[{rabbit,[{ssl_listeners,[{"127.0.0.1",${port}}]},{ssl_options,${options}}]}].\n`,
  );
}
