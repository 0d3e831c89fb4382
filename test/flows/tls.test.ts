import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import pg from 'pg';
import { type Authority, createAuthority } from '../support/authority.js';
import { createDatabase } from '../support/database.js';
import { type EncryptedServers, startEncryptedServers } from '../support/encrypted-servers.js';
import { connectRpc, type RpcClient } from '../support/rpc.js';
import { askHttp, type RunningService, startService } from '../support/service.js';
import { telethonSession } from '../support/session-strings.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const USER = 1;

let authority: Authority;
let stranger: Authority;
let servers: EncryptedServers;
let env: Record<string, string>;
let service: RunningService;
let rpc: RpcClient;

beforeAll(async () => {
  [authority, stranger] = [createAuthority('ours'), createAuthority('a stranger')];
  servers = await startEncryptedServers(authority);
  const client = authority.issue('account-manager');
  const http = authority.issue('http');
  env = {
    ...servers.urls,
    TLS_CA_FILE: authority.ca,
    TLS_CLIENT_CERT_FILE: client.cert,
    TLS_CLIENT_KEY_FILE: client.key,
    HTTP_TLS_CERT_FILE: http.cert,
    HTTP_TLS_KEY_FILE: http.key,
  };
  await promisify(execFile)(process.execPath, ['scripts/migrate.mjs'], { cwd: ROOT, env: { ...process.env, ...env } });
  service = await startService(env);
  rpc = await connectRpc(servers.urls.RABBITMQ_URL, { ca: readFileSync(authority.ca) });
});
afterAll(async () => {
  await rpc.close();
  await service.kill();
  await servers.remove();
  authority.remove();
  stranger.remove();
});

/** POSTs to an operation over HTTPS; answers the reply. */
const post = async (route: string, body: object): Promise<Record<string, unknown>> => {
  const url = `${service.httpUrl}/api/v1/account-manager${route}`;
  return JSON.parse((await askHttp(url, { caFile: authority.ca, method: 'POST', body })).text);
};

test('an account is registered, leased and given back, and a job runs, over four encrypted connections', async () => {
  const session = telethonSession();
  const accounts = [{ user_id: USER, phone: '+491700000001', session_data: session }];
  expect(await post('/accounts', { accounts })).toMatchObject({ accounts: [{ outcome: 'created' }] });
  const reply = await rpc.call('account.allocate', { user_id: USER, purpose: 'general', service_name: 'inviter' });
  if (!reply.success) throw new Error(JSON.stringify(reply));
  const { account_id, lease_id, fence, session_data } = reply.allocation as Record<string, string>;
  expect(session_data).toBe(session);

  const { cert, key } = authority.issue('a-look-into-redis');
  const tls = { ca: readFileSync(authority.ca), cert: readFileSync(cert), key: readFileSync(key) };
  const redis = new Redis(servers.urls.REDIS_URL.replace('rediss:', 'redis:'), { db: 1, tls });
  expect(await redis.exists(`account_lock:${account_id}`)).toBe(1);
  redis.disconnect();

  // The worker's connections are its own.
  expect(await post('/maintenance/cleanup-locks', {})).toMatchObject({ success: true });
  // A busy machine may be slow to answer; a certificate that is not taken has another cause.
  expect(service.log()).not.toMatch(/cannot be used: (?!it does not answer)|redis failed|job not begun/);
  const released = { service_name: 'inviter', lease_id, fence, usage_stats: {} };
  expect(await post(`/release/${account_id}`, released)).toMatchObject({ success: true });
});

test('nobody of the service speaks to the database unencrypted, or without its certificate', async () => {
  const look = new pg.Client({ connectionString: servers.plainDatabaseUrl });
  await look.connect();
  const { rows } = await look.query<{ application_name: string; ssl: boolean; client_dn: string | null }>(
    `SELECT DISTINCT application_name, ssl, client_dn FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
     WHERE datname = 'account_manager' ORDER BY 1`,
  );
  await look.end();
  const name = '/CN=account-manager';
  expect(rows.map(({ ssl, client_dn }) => ({ ssl, client_dn }))).toEqual(
    rows.map(() => ({ ssl: true, client_dn: name })),
  );
  expect(rows.map((row) => row.application_name)).toEqual(
    expect.arrayContaining(['account-manager', 'account-manager listener']),
  );
  const plain = new URL(servers.urls.DATABASE_URL);
  plain.searchParams.delete('sslmode');
  const refused = new pg.Client({ connectionString: plain.href });
  await expect(refused.connect()).rejects.toThrow(/no encryption/);
});

test('HTTPS alone is served, with a certificate that a stranger to the authority does not take', async () => {
  const url = `${service.httpUrl}/health/ready`;
  const { status, headers } = await askHttp(url, { caFile: authority.ca });
  expect(status).toBe(200);
  expect(headers['strict-transport-security']).toMatch(/^max-age=\d+$/);
  await expect(askHttp(url, { caFile: stranger.ca })).rejects.toThrow(/certificate/);
  await expect(askHttp(url.replace('https:', 'http:'))).rejects.toThrow(/hang up|ECONNRESET|Parse Error/);
  // And still answers: whoever does not speak TLS harms nobody else.
  expect((await askHttp(url, { caFile: authority.ca })).status).toBe(200);
});

test.each([
  'DATABASE_URL',
  'REDIS_URL',
  'RABBITMQ_URL',
] as const)('a server of another authority ends the start: %s, in one line without a secret', async (name) => {
  const url = new URL(servers.urls[name]);
  url.password = 'do-not-tell';
  if (name === 'DATABASE_URL') url.username = 'postgres';
  // Those that are reached before it need no certificate.
  const plain = await createDatabase();
  const others = {
    DATABASE_URL: {},
    REDIS_URL: { DATABASE_URL: plain.url },
    RABBITMQ_URL: { DATABASE_URL: plain.url, REDIS_URL: 'redis://127.0.0.1:1' },
  };
  const other = await startService(
    { ...env, ...others[name], [name]: url.href, TLS_CA_FILE: stranger.ca },
    { waits: false },
  );
  try {
    const [code] = (await once(other.process, 'exit')) as [number];
    const causes = other
      .log()
      .split('\n')
      .filter((line) => line.includes('could not start'));
    expect(code).toBe(1);
    expect(causes).toEqual([
      expect.stringMatching(/its certificate is refused: .*(certificate chain|local issuer).*TLS_CA_FILE/),
    ]);
    expect(other.log()).not.toContain('do-not-tell');
  } finally {
    await other.kill();
    await plain.drop();
  }
});
