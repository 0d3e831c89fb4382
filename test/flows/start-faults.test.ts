import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { NODE_ARGUMENTS } from '../../scripts/service.mjs';
import { connect } from 'amqplib';
import { Redis } from 'ioredis';
import pg from 'pg';
import { REQUEST_QUEUES } from '../../contracts/topology.js';
import { createApp } from '../../src/app.js';
import { ConfigError, loadConfig } from '../../src/config.js';
import { StartError } from '../../src/decide/start/start-error.js';
import { eventually } from '../support/eventually.js';
import { buildService } from '../support/build-service.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { freePort } from '../support/ports.js';
import { type PrivateServer, startPrivateServer } from '../support/private-server.js';
import { createRedis, type TestRedis } from '../support/redis.js';
import { testServers } from '../support/servers.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { createVhost, manage, type TestVhost } from '../support/vhost.js';

// RabbitMQ names the permission that lacks from 4.3 on; before, the service says which it must be.
// Each fault against real servers, within this process; some of them with the built service, started as a user would.

/**
 * A fault that cannot come right by waiting ends the start within 5 s on a quiet machine. Here others work beside it.
 * The bound tells a start that waits, which goes on for a minute and more, from one that does not.
 */
const WAITS_MS = 20_000;
const PASSWORD = 'not-to-be-told';

let database: TestDatabase;
let redis: TestRedis;
let vhost: TestVhost;
/** Servers of the test's own, which ask for passwords. */
let strict: { postgres: PrivateServer; redis: PrivateServer };
let taken: Server;
let main: string;
const folder = mkdtempSync(path.join(tmpdir(), 'start-'));

beforeAll(async () => {
  [database, redis, vhost, main] = await Promise.all([createDatabase(), createRedis(), createVhost(), buildService()]);
  const [postgres, cache] = await Promise.all([startPrivateServer('postgres'), startPrivateServer('redis')]);
  strict = { postgres, redis: cache };
  await askForPasswords(strict);
  taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
});
afterAll(async () => {
  taken.close();
  await Promise.all([strict.postgres.remove(), strict.redis.remove()]);
  await Promise.all([database.drop(), redis.drop(), vhost.drop()]);
  rmSync(folder, { recursive: true });
});

async function askForPasswords({ postgres, redis: cache }: typeof strict): Promise<void> {
  const url = new URL(postgres.urls.DATABASE_URL ?? '');
  url.pathname = '/postgres';
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  await client.query(`CREATE ROLE app LOGIN PASSWORD '${PASSWORD}'`);
  await client.query('CREATE ROLE encrypted LOGIN');
  const { rows } = await client.query<{ hba_file: string }>('SHOW hba_file');
  const rules = 'host all app 127.0.0.1/32 scram-sha-256\nhostssl all encrypted 127.0.0.1/32 trust\n';
  writeFileSync(rows[0]?.hba_file ?? '', `${rules}host all postgres 127.0.0.1/32 trust\n`);
  await client.query('SELECT pg_reload_conf()');
  await client.end();
  const admin = new Redis(cache.urls.REDIS_URL ?? '');
  await admin.call('ACL', 'SETUSER', 'limited', 'on', `>${PASSWORD}`, '~*', '+ping');
  await admin.config('SET', 'requirepass', PASSWORD);
  admin.disconnect();
}

type Env = Record<string, string>;

interface Start {
  lines: () => string[];
  exited: Promise<number | null>;
  /** From its first line to its end. */
  ms: () => number;
  end: () => Promise<void>;
}

const settings = (): Env => ({
  DATABASE_URL: database.url,
  REDIS_URL: redis.url,
  RABBITMQ_URL: vhost.url,
  SESSION_ENCRYPTION_KEY: 'ab'.repeat(32),
  HTTP_PORT: '0',
});

/** Why a start within this process fails, a line each. */
async function whyNotStarted(env: Env): Promise<string[]> {
  try {
    const app = createApp(loadConfig({ LOG_LEVEL: 'error', ...settings(), ...env }));
    try {
      await app.start();
    } finally {
      await app.stop();
    }
  } catch (error) {
    if (error instanceof StartError) return [error.message];
    if (error instanceof ConfigError) return error.problems.map(({ variable, rule }) => `${variable}: ${rule}`);
    throw error;
  }
  return [];
}

/** The built service, in a process of its own. */
function start(env: Env): Start {
  const child = spawn(process.execPath, [...NODE_ARGUMENTS, main], {
    cwd: folder,
    env: { PATH: process.env.PATH, LOG_FORMAT: 'pretty', ...settings(), ...env },
  });
  let written = '';
  let [firstAt, endAt] = [0, 0];
  const hear = (chunk: Buffer): void => {
    firstAt ||= performance.now();
    written += chunk.toString();
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const exited = once(child, 'close').then(([code]) => {
    endAt = performance.now();
    return code as number | null;
  });
  return {
    lines: () => written.split('\n').filter((line) => line !== ''),
    exited,
    ms: () => endAt - firstAt,
    end: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

const withPath = (url: string, pathname: string): string => Object.assign(new URL(url), { pathname }).href;
const withUser = (url: string, username: string, password = ''): string =>
  Object.assign(new URL(url), { username, password }).href;
const fileOf = (name: string, text: string): string => {
  writeFileSync(path.join(folder, name), text);
  return path.join(folder, name);
};
const strictPostgres = (username: string, password?: string): Env => ({
  DATABASE_URL: withUser(withPath(strict.postgres.urls.DATABASE_URL ?? '', '/postgres'), username, password),
});
const strictRedis = (username: string, password: string): Env => ({
  REDIS_URL: withUser(strict.redis.urls.REDIS_URL ?? '', username, password),
});

/** A user of the broker with these permissions; answers its URL. */
async function brokerUser(permissions: Record<string, string>): Promise<Env> {
  await manage('PUT', `/api/users/limited-${vhost.name}`, { password: PASSWORD, tags: '' });
  const given = { configure: '.*', write: '.*', read: '.*', ...permissions };
  await manage('PUT', `/api/permissions/${vhost.name}/limited-${vhost.name}`, given);
  return { RABBITMQ_URL: withUser(vhost.url, `limited-${vhost.name}`, PASSWORD) };
}

/** A vhost in which something is otherwise than the contract says. */
async function wrongTopology(): Promise<Env> {
  const other = await createVhost();
  const connection = await connect(other.url);
  const channel = await connection.createChannel();
  await channel.assertQueue(REQUEST_QUEUES.query.name, { durable: true });
  await connection.close();
  return { RABBITMQ_URL: other.url };
}

/** A database of the test's own after a change. */
async function changedDatabase(statement: string): Promise<Env> {
  const { url } = await createDatabase();
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(statement);
  await client.end();
  return { DATABASE_URL: url };
}

const LAST_MIGRATION = 'migration_name = (SELECT max(migration_name) FROM _prisma_migrations)';

type Fault = [name: string, env: () => Env | Promise<Env>, told: RegExp];

/** All that a person can mend. */
const FAULTS: Fault[] = [
  [
    'a missing vhost',
    () => ({ RABBITMQ_URL: withPath(vhost.url, '/nope') }),
    /vhost "nope" does not exist.*RABBITMQ_URL/,
  ],
  [
    'a vhost without permissions',
    async () => {
      const env = await brokerUser({});
      await manage('DELETE', `/api/permissions/${vhost.name}/limited-${vhost.name}`);
      return env;
    },
    /access to vhost 'test-\S+' refused for user 'limited-\S+'.*set_permissions/,
  ],
  [
    "the broker's password",
    () => ({ RABBITMQ_URL: withUser(vhost.url, 'guest', PASSWORD) }),
    /it refuses the user or the password of RABBITMQ_URL/,
  ],
  [
    'configure at the broker',
    () => brokerUser({ configure: '' }),
    /lacks a permission( \(configure( or read)?\):|: configure) access to/,
  ],
  ['write at the broker', () => brokerUser({ write: '' }), /lacks a permission( \(write\):|: write) access to/],
  [
    'write at the default exchange alone',
    () => brokerUser({ write: '^account-manager' }),
    /lacks a permission( \(write\):|: write) access to exchange 'amq.default'/,
  ],
  [
    'read at the broker',
    () => brokerUser({ read: '^account-manager.(requests|admin|dead|retry)$' }),
    /lacks a permission( \((configure or )?read\):|: read) access to queue/,
  ],
  ['another topology', wrongTopology, /topology differs from the contract: .*account-manager.query/],
  [
    "the management API's password",
    () => ({ RABBITMQ_MANAGEMENT_URL: withUser(vhost.managementUrl, 'guest', PASSWORD) }),
    /RABBITMQ_MANAGEMENT_URL \(401\)/,
  ],
  [
    'TLS at a broker without',
    () => ({ RABBITMQ_URL: vhost.url.replace('amqp:', 'amqps:') }),
    /TLS fails \(wrong version number\)/,
  ],
  [
    'a missing database',
    () => ({ DATABASE_URL: withPath(database.url, '/nope') }),
    /database "nope" does not exist.*npm run migrate/,
  ],
  ['a missing role', () => ({ DATABASE_URL: withUser(database.url, 'nobody') }), /role "nobody" does not exist/],
  [
    "the database's password",
    () => strictPostgres('app', 'wrong'),
    /refuses the user of DATABASE_URL: password authentication failed/,
  ],
  ['no password for the database', () => strictPostgres('app'), /asks for a password, and DATABASE_URL has none/],
  [
    'no TLS at a database that wants it',
    () => strictPostgres('encrypted'),
    /refuses the user of DATABASE_URL: .*no encryption/,
  ],
  [
    'TLS at a database without',
    () => ({ DATABASE_URL: `${database.url}?sslmode=verify-full` }),
    /does not speak TLS, which sslmode in DATABASE_URL/,
  ],
  [
    'a setting that PostgreSQL does not know',
    () => ({ DATABASE_URL: `${database.url}?options=-c%20no.such=1%20-c%20nonsense=1` }),
    /unrecognized configuration parameter "nonsense" \(42704\)/,
  ],
  [
    'a database without tables',
    () => ({ DATABASE_URL: withPath(database.url, '/postgres') }),
    /has not been migrated: run `npm run migrate`/,
  ],
  [
    'a database that is older',
    () => changedDatabase(`DELETE FROM _prisma_migrations WHERE ${LAST_MIGRATION}`),
    /is older than this program \(\d{14}_\w+ missing\): run `npm run migrate`/,
  ],
  [
    'a migration that has failed',
    () => changedDatabase(`UPDATE _prisma_migrations SET finished_at = NULL WHERE ${LAST_MIGRATION}`),
    /migration \d{14}_\w+ of the database has not been finished/,
  ],
  [
    'a Redis without the databases',
    () => ({ REDIS_URL: withPath(testServers().redisUrl, '/1021') }),
    /has no database 1025: with this REDIS_URL the databases 1022 to 1025 are used/,
  ],
  ["Redis' password", () => strictRedis('', 'wrong'), /refuses the user or the password of REDIS_URL/],
  [
    'no password for Redis',
    () => ({ REDIS_URL: strict.redis.urls.REDIS_URL ?? '' }),
    /asks for a password, and REDIS_URL has none/,
  ],
  ['a permission at Redis', () => strictRedis('limited', PASSWORD), /lacks a permission: NOPERM/],
  [
    'TLS at a Redis without',
    () => ({ REDIS_URL: redis.url.replace('redis:', 'rediss:') }),
    /does not speak TLS, which rediss:\/\//,
  ],
  [
    'a port that is taken',
    () => ({ HTTP_PORT: String((taken.address() as { port: number }).port) }),
    /port \d+ of 127\.0\.0\.1 is taken/,
  ],
  [
    'an address of another machine',
    () => ({ HTTP_HOST: '192.0.2.1', NETWORK_IS_TRUSTED: 'true' }),
    /HTTP_HOST 192\.0\.2\.1 is no address of this machine/,
  ],
  [
    'a wrong name in LIMITS_FILE',
    () => ({ LIMITS_FILE: fileOf('limits.json', '{"invte": {}}') }),
    /LIMITS_FILE: in \/\S+\/limits\.json: "invte" is not known here; allowed are invite, message, /,
  ],
  [
    'a LIMITS_FILE that is not there',
    () => ({ LIMITS_FILE: 'none.json' }),
    /LIMITS_FILE: \/\S+\/none\.json cannot be read \(ENOENT/,
  ],
  [
    'a key of the wrong length',
    () => ({ SESSION_ENCRYPTION_KEY: 'abc' }),
    /SESSION_ENCRYPTION_KEY: must be 64 hexadecimal digits/,
  ],
];

test.each(FAULTS)('%s ends the start', async (_fault, given, told) => {
  const startedAt = performance.now();
  const lines = await whyNotStarted(await given());
  expect(performance.now() - startedAt).toBeLessThan(WAITS_MS);
  expect(lines).toEqual([expect.stringMatching(told)]);
  expect(lines.join('\n')).not.toContain(PASSWORD);
});

/** One of each server, one of the settings, and the port. */
const OF_A_PROCESS = ['a missing vhost', 'a missing database', 'a wrong name in LIMITS_FILE', 'a port that is taken'];

test.each(
  FAULTS.filter(([name]) => process.env.EVERY_START_FAULT || OF_A_PROCESS.includes(name)),
)('%s ends the process with one line', async (_fault, given, told) => {
  const started = start(await given());
  try {
    expect(await started.exited).toBe(1);
    const lines = started.lines();
    const causes = lines.filter((line) => line.includes('could not start'));
    expect(causes).toEqual([expect.stringMatching(told)]);
    // Other lines may say how the service is set, or that a Redis which is slow on a busy machine is done without.
    expect(
      lines.filter(
        (line) => !/could not start|IS OFF|IS TRUSTED|NOT VERIFIED|http listening|Redis at \S+ can/.test(line),
      ),
    ).toEqual([]);
    expect(lines.join('\n')).not.toMatch(/^ +at /m);
    expect(lines.join('\n')).not.toContain(PASSWORD);
    expect(started.ms()).toBeLessThan(WAITS_MS);
  } finally {
    await started.end();
  }
});

test('as JSON it is one line, too', async () => {
  const started = start({ LOG_FORMAT: '', DATABASE_URL: withPath(database.url, '/nope') });
  expect(await started.exited).toBe(1);
  const lines = started.lines().map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines.filter(({ level }) => level === 'error')).toEqual([
    {
      timestamp: expect.any(String),
      level: 'error',
      instance: expect.any(String),
      message: expect.stringContaining('"nope"'),
    },
  ]);
});

test.each<[string, () => Promise<Env>, RegExp]>([
  [
    'PostgreSQL',
    async () => ({ DATABASE_URL: `postgresql://app@127.0.0.1:${await freePort()}/accounts` }),
    /PostgreSQL at 127\.0\.0\.1:\d+ cannot be used: nothing listens there \(ECONNREFUSED\); trying again/,
  ],
  [
    'a host name that is not known yet',
    () => Promise.resolve({ DATABASE_URL: 'postgresql://app@database.invalid/accounts' }),
    /PostgreSQL at database\.invalid:5432 cannot be used: its host name (is not known|could not be looked up)/,
  ],
  [
    'RabbitMQ',
    async () => ({ RABBITMQ_URL: `amqp://127.0.0.1:${await freePort()}` }),
    /RabbitMQ at 127\.0\.0\.1:\d+ cannot be used: nothing listens there \(ECONNREFUSED\); trying again/,
  ],
])('%s is waited for, with one line', async (_name, given, told) => {
  const started = start(await given());
  try {
    await eventually('it is told', () => started.lines().some((line) => told.test(line)), 60_000);
    // Tried some times meanwhile, and told once.
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const lines = started.lines();
    expect(lines.filter((line) => / (WARN|ERROR) /.test(line) && !line.includes('IS OFF'))).toHaveLength(1);
    expect(lines.join('\n')).not.toMatch(/^ +at /m);
  } finally {
    await started.end();
  }
});

test('a server that comes is used, without a restart: PostgreSQL, then RabbitMQ; without Redis', async () => {
  const [postgres, broker] = await Promise.all([startTcpProxy(database.url), startTcpProxy(vhost.url)]);
  await Promise.all([postgres.cut(), broker.cut()]);
  const away = `redis://127.0.0.1:${await freePort()}`;
  const started = start({ DATABASE_URL: postgres.url, RABBITMQ_URL: broker.url, REDIS_URL: away });
  const sees = (words: RegExp) =>
    eventually(String(words), () => started.lines().some((line) => words.test(line)), 60_000);
  try {
    await sees(/PostgreSQL at \S+ cannot be used/);
    await postgres.heal();
    await sees(/PostgreSQL at \S+ can be used again after \d+ s/);
    await sees(/RabbitMQ at \S+ cannot be used/);
    await broker.heal();
    await sees(/RabbitMQ at \S+ can be used again after \d+ s/);
    await sees(/Redis at \S+ cannot be used: nothing listens there \(ECONNREFUSED\); working without it/);
    await sees(/INFO +serving/);
  } finally {
    await started.end();
    await Promise.all([postgres.close(), broker.close()]);
  }
});
