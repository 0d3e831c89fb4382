import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createConnections } from '../../src/broker/connections.js';
import { loadConfig } from '../../src/config.js';
import { connectRedis } from '../../src/redis/connection.js';
import { createDatabase } from '../../src/store/database.js';
import { collectLog } from '../broker/collect-log.js';
import { eventually } from '../support/eventually.js';
import { type Authority, createAuthority, type Pair } from '../support/authority.js';

let authority: Authority;
let stranger: Authority;
const ends: (() => unknown)[] = [];
beforeAll(() => {
  [authority, stranger] = [createAuthority('ours'), createAuthority('a stranger')];
});
afterAll(async () => {
  await Promise.all(ends.map((end) => end()));
  authority.remove();
  stranger.remove();
});

type Kind = 'PostgreSQL' | 'Redis' | 'RabbitMQ';
const CERTIFICATES: Record<string, () => Pair> = {
  'of another authority': () => stranger.issue('other'),
  'for another host': () => authority.issue('elsewhere', { altName: 'DNS:elsewhere.example' }),
  'that has expired': () => authority.issue('expired', { days: -1 }),
  'in order': () => authority.issue('in-order'),
};

/** Shows a certificate and hears what a client then says: nothing, unless it trusts that. */
async function startEndpoint(kind: Kind, { cert, key }: Pair): Promise<{ port: number; heard: () => number }> {
  let heard = 0;
  const sockets = new Set<Socket>();
  const secure = (socket: Socket) => {
    const secured = new TLSSocket(socket, { isServer: true, cert: readFileSync(cert), key: readFileSync(key) });
    secured.on('data', (chunk: Buffer) => {
      heard += chunk.length;
      socket.destroy();
    });
    secured.on('error', () => socket.destroy());
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    if (kind !== 'PostgreSQL') return secure(socket);
    // It is asked first whether it speaks TLS.
    socket.once('data', () => {
      socket.write('S');
      secure(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, heard: () => heard };
}

/** Connects as the service does; answers the first failure as it is told. */
async function failureOf(kind: Kind, port: number): Promise<string> {
  const { databaseUrl, redisUrl, rabbitmqUrl, clientTls } = loadConfig({
    DATABASE_URL: `postgresql://app@127.0.0.1:${port}/accounts?sslmode=verify-full`,
    REDIS_URL: `rediss://127.0.0.1:${port}`,
    RABBITMQ_URL: `amqps://127.0.0.1:${port}`,
    SESSION_ENCRYPTION_KEY: 'ab'.repeat(32),
    TLS_CA_FILE: authority.ca,
  });
  if (kind === 'PostgreSQL') {
    const stopping = new AbortController();
    const database = createDatabase({ url: databaseUrl, poolSize: 1, onConnectionError: () => {} });
    ends.push(() => database.close());
    return new Promise((resolve) => {
      const tell = (error: unknown) => {
        stopping.abort(new Error('told'));
        resolve(String(error));
      };
      database.waitUntilAvailable(stopping.signal, tell).catch(() => undefined);
    });
  }
  if (kind === 'Redis') {
    let end = () => {};
    const failure = await new Promise<string>((resolve) => {
      const onFailure = (_purpose: string, error: unknown) => resolve(String(error));
      const redis = connectRedis({ url: redisUrl, tls: clientTls, purpose: 'locks', onFailure });
      redis.client.once('close', () => resolve('closed'));
      end = redis.close;
    });
    end();
    return failure;
  }
  const { log, lines } = collectLog();
  const connections = createConnections({ url: rabbitmqUrl, tls: clientTls, instance: 'test', log });
  ends.push(() => connections.close());
  // Refused for good, or told and tried again.
  let outcome = '';
  void connections.open().then(
    () => (outcome = 'opened'),
    (error: unknown) => (outcome = String(error)),
  );
  return eventually('it fails', () => outcome || (lines.find(({ level }) => level === 'warn')?.message ?? ''));
}

test.each(
  (['PostgreSQL', 'Redis', 'RabbitMQ'] as const).flatMap((kind) =>
    [
      ['of another authority', /unable to verify|local issuer|self-signed/],
      ['for another host', /does not match certificate's altnames/],
      ['that has expired', /certificate has expired/],
    ].map(([fault, told]) => [kind, fault, told] as [Kind, string, RegExp]),
  ),
)('%s with a certificate %s is told nothing, and the failure says why', async (kind, fault, told) => {
  const { port, heard } = await startEndpoint(kind, CERTIFICATES[fault]!());
  expect(await failureOf(kind, port)).toMatch(told);
  expect(heard()).toBe(0);
});

test.each([
  'PostgreSQL',
  'Redis',
  'RabbitMQ',
] as const)('the control: to %s with a certificate that is in order a client speaks', async (kind) => {
  const { port, heard } = await startEndpoint(kind, CERTIFICATES['in order']!());
  expect(await failureOf(kind, port)).not.toMatch(/certificate/);
  expect(heard()).toBeGreaterThan(0);
});
