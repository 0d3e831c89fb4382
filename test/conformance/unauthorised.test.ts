import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type pg from 'pg';
import { EXAMPLES } from '../../contracts/examples.js';
import type { Example } from '../../contracts/examples/example.js';
import { type FailureCode, FAILURES, failureReply } from '../../contracts/failures.js';
import { OPERATION_NAMES, OPERATIONS, type OperationName } from '../../contracts/operations.js';
import { type BrokerUsers, createBrokerUsers } from '../support/broker-users.js';
import { createDatabase, openPool, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { createRedis, type TestRedis } from '../support/redis.js';
import { connectRpc, type RpcClient } from '../support/rpc.js';
import { type RunningService, startService } from '../support/service.js';
import { bind, bringAbout } from './bring-about.js';
import {
  type Answered,
  type Door,
  DOORS,
  type OpenService,
  type SendOptions,
  sendOverHttp,
  sendToBroker,
} from './open-service.js';

// Every operation of the table, through both doors, by those who may not call it. The service and its callers have the
// broker's permissions that deploy/rabbitmq gives: at the door the service has to refuse by itself what the broker lets through.

type Body = Record<string, unknown>;

/** Callers with the broker's rights of an operator, so that every operation reaches the door; `slow` and `single` have limits. */
const CALLERS = ['boss', 'owner', 'looker', 'recorder', 'amqponly', 'httponly', 'slow', 'single', 'unlisted'] as const;
type CallerName = (typeof CALLERS)[number];

const tokenOf = (caller: CallerName): string => `token-of-${caller}`;
const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');
/** `bringAbout` counts users from here. */
const OWN_USERS = Array.from({ length: 1_000 }, (_, index) => 7_000_000 + index);
const STRANGER = 42;

const accessFile = path.join(mkdtempSync(path.join(tmpdir(), 'access-')), 'access.json');
let users: BrokerUsers<CallerName>;
let database: TestDatabase;
let redis: TestRedis;
let service: RunningService;
let pool: pg.Pool;
const rpcs = new Map<CallerName, RpcClient>();
/** An account of a user that only `boss` may have. */
let strange: Body;

const writeAccess = (...left: CallerName[]) => {
  const common = { role: 'operator', users: OWN_USERS };
  const services = (
    [
      { ...common, caller: 'boss', users: '*' },
      { ...common, caller: 'owner' },
      { ...common, caller: 'looker', operations: ['query.status'] },
      { ...common, caller: 'recorder', operations: ['action.record'] },
      { ...common, caller: 'amqponly', doors: ['amqp'] },
      { ...common, caller: 'httponly', doors: ['http'] },
      { ...common, caller: 'slow', requests_per_second: 0.001 },
      { ...common, caller: 'single', concurrent_requests: 1 },
    ] as const
  )
    .filter(({ caller }) => !left.includes(caller))
    .map(({ caller, ...rights }) => ({
      name: users.names[caller],
      http_token_sha256: [hashOf('an older token of the same'), hashOf(tokenOf(caller))].slice(
        caller === 'boss' ? 0 : 1,
      ),
      ...rights,
    }));
  writeFileSync(accessFile, JSON.stringify({ services }));
};

/** Sends a request as a caller, or as nobody. */
const sendAs = async (
  caller: CallerName | null,
  door: Door,
  operation: OperationName,
  body: Body,
  options: SendOptions = {},
): Promise<Answered> => {
  if (door === 'http') {
    return sendOverHttp(service, operation, body, { ...(caller && { token: tokenOf(caller) }), ...options });
  }
  const rpc = rpcs.get(caller ?? 'owner')!;
  return sendToBroker(rpc, operation, body, { ...(caller && { userId: users.names[caller] }), ...options });
};
const as = (caller: CallerName) =>
  ({
    send: (door: Door, operation: OperationName, body: Body, options?: SendOptions) =>
      sendAs(caller, door, operation, body, options),
  }) as OpenService;

beforeAll(async () => {
  users = await createBrokerUsers(
    Object.fromEntries(CALLERS.map((caller) => [caller, 'operator'])) as Record<CallerName, 'operator'>,
  );
  [database, redis] = await Promise.all([createDatabase(), createRedis()]);
  writeAccess();
  service = await startService({
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    RABBITMQ_URL: users.urls.own,
    ACCESS_FILE: accessFile,
    HTTP_HOST: '0.0.0.0',
  });
  pool = openPool(database.url);
  for (const caller of CALLERS) rpcs.set(caller, await connectRpc(users.urls[caller]));
  const accounts = [
    {
      user_id: STRANGER,
      phone: '+4930123456',
      session_data: (await bringAbout(as('boss'), 'nothing', '')).session_data,
    },
  ];
  const { reply } = await sendAs('boss', 'http', 'admin.register', { accounts });
  strange = { account_id: (reply as unknown as { accounts: { account_id: string }[] }).accounts[0]!.account_id };
});
afterAll(async () => {
  await Promise.all([...rpcs.values()].map((rpc) => rpc.close()));
  await service.stop();
  await pool.end();
  await Promise.all([database.drop(), redis.drop(), users.drop()]);
});

/** Everything that a request could have changed. */
const everything = async (): Promise<unknown[]> =>
  (
    await pool.query(
      `SELECT (SELECT jsonb_agg(to_jsonb(s) ORDER BY id) FROM telegram_sessions s) AS accounts,
         (SELECT count(*) FROM events WHERE account_id IS NOT NULL) AS events, (SELECT count(*) FROM leases) AS leases,
         (SELECT count(*) FROM answered_requests) AS answered, (SELECT count(*) FROM counted_actions) AS actions,
         (SELECT count(*) FROM job_runs WHERE request_key IS NOT NULL) AS runs`,
    )
  ).rows;

const expectRefusal = ({ reply, status, codeHeader, headers }: Answered, code: FailureCode, field?: string) => {
  const { error } = failureReply.parse(reply);
  expect(error).toMatchObject({ code, retryable: false });
  expect(codeHeader).toBe(code);
  expect([null, FAILURES[code].http]).toContain(status);
  if (code === 'UNAUTHENTICATED' && headers !== undefined) expect(headers.get('www-authenticate')).toBe('Bearer');
  if (field === undefined) return;
  expect(error.message.startsWith(`${field}: `)).toBe(true);
  expect(error.details).toEqual({ issues: [{ path: field, message: error.message }] });
};

/** A request of `owner` that must succeed, with everything it speaks of in place. */
const prepare = async (operation: OperationName): Promise<Body> => {
  const example = (EXAMPLES[operation] as readonly Example<OperationName>[]).find(({ reply }) => reply.success);
  if (example === undefined) throw new Error(`${operation} has no example that succeeds`);
  const bindings = await bringAbout(as('owner'), example.given, users.names.owner);
  return bind(example.request, { ...bindings, service_name: users.names.owner }) as Body;
};

describe.each(
  DOORS.flatMap((door) => OPERATION_NAMES.map((operation) => [door, operation] as const)),
)('%s %s', (door, operation) => {
  test('is answered to who may call it, and to nobody else', async () => {
    const fields = Object.keys(OPERATIONS[operation].request.shape);
    const body = await prepare(operation);
    const before = await everything();
    const refused = (caller: CallerName | null, given: Body = body, options?: SendOptions) =>
      sendAs(caller, door, operation, given, options);

    expectRefusal(await refused(null), 'UNAUTHENTICATED');
    // Nobody learns what would be wrong with a request that is not his to send.
    expectRefusal(await refused(null, { ...body, surprise: true }), 'UNAUTHENTICATED');
    if (door === 'http') {
      for (const token of ['', 'token-of-nobody', hashOf(tokenOf('owner')), `${tokenOf('owner')} `.repeat(2)]) {
        expectRefusal(await refused(null, body, { token }), 'UNAUTHENTICATED');
      }
      expectRefusal(await refused('unlisted'), 'UNAUTHENTICATED');
    } else expectRefusal(await refused('unlisted'), 'FORBIDDEN');
    expectRefusal(await refused(operation === 'query.status' ? 'recorder' : 'looker'), 'FORBIDDEN');
    expectRefusal(await refused(door === 'http' ? 'amqponly' : 'httponly'), 'FORBIDDEN');

    if (fields.includes('service_name')) {
      expectRefusal(await refused('owner', { ...body, service_name: users.names.boss }), 'FORBIDDEN', 'service_name');
    }
    if (fields.includes('user_id')) {
      expectRefusal(await refused('owner', { ...body, user_id: STRANGER }), 'FORBIDDEN', 'user_id');
    }
    if (fields.includes('accounts')) {
      const [account] = body.accounts as Body[];
      const accounts = [account, { ...account, phone: '+4930765432', user_id: STRANGER }];
      expectRefusal(await refused('owner', { ...body, accounts }), 'FORBIDDEN', 'accounts.1.user_id');
    }
    if (fields.includes('account_id')) {
      expectRefusal(await refused('owner', { ...body, ...strange }), 'FORBIDDEN', 'account_id');
    }
    expect(await everything()).toEqual(before);

    const own = await sendAs('owner', door, operation, body);
    expect(own.reply).toMatchObject({ success: true });
  });
});

test.each(
  DOORS,
)('%s: who asks too much is told when to come back, and what it asked is not remembered', async (door) => {
  const messageId = randomUUID();
  const wish = { user_id: OWN_USERS[0], purpose: 'general', service_name: users.names.slow };
  const ask = () => sendAs('slow', door, 'account.allocate', wish, { messageId });
  // One request in a thousand seconds; over whichever door.
  if (door === DOORS[0]) expect((await ask()).reply).not.toMatchObject({ error: { code: 'UNAVAILABLE' } });
  const { reply, headers, status } = await ask();
  const { error } = failureReply.parse(reply);
  expect(error).toMatchObject({
    code: 'UNAVAILABLE',
    retryable: true,
    message: expect.stringMatching(/^requests_per_second: /),
    details: { limit: 'requests_per_second' },
  });
  expect(error.retry_after_ms).toBeGreaterThan(900_000);
  if (door === 'http') {
    expect(status).toBe(503);
    expect(Number(headers?.get('retry-after'))).toBe(Math.ceil(error.retry_after_ms! / 1000));
  }
  const { rows } = await pool.query('SELECT reply FROM answered_requests WHERE message_id = $1', [messageId]);
  expect(JSON.stringify(rows)).not.toContain('UNAVAILABLE');
  // Nobody else is kept waiting by it.
  expect((await sendAs('owner', door, 'query.status', {})).reply).toMatchObject({ success: true, identity: 'on' });
});

test.each(DOORS)('%s: who may have one request in work is never refused the next', async (door) => {
  for (let times = 0; times < 30; times++) {
    expect((await sendAs('single', door, 'query.recovery-stats', {})).reply).toMatchObject({ success: true });
  }
});

test('probes and metrics are open, the state of the fleet is not', async () => {
  const get = (route: string, token?: string) =>
    fetch(`${service.httpUrl}${route}`, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
  for (const route of ['/health/live', '/health/ready', '/metrics']) expect((await get(route)).status).toBe(200);
  // HTTP_HOST holds: there are other machines, which have to show who they are.
  if (process.platform === 'linux') {
    expect((await fetch(service.httpUrl.replace('127.0.0.1', '127.0.0.2'))).status).toBe(200);
  }
  expect((await get('/api/v1/health/detailed')).status).toBe(401);
  expect((await get('/api/v1/health/detailed', tokenOf('recorder'))).status).toBe(403);
  const detailed = await get('/api/v1/health/detailed', tokenOf('looker'));
  expect(await detailed.json()).toMatchObject({ identity: 'on' });
  const metrics = await (await get('/metrics')).text();
  expect(metrics).toMatch(/^account_manager_denied_total\{door="amqp",code="UNAUTHENTICATED"\} [1-9]/m);
  expect(metrics).toMatch(/^account_manager_throttled_total\{caller="slow-\w+",limit="requests_per_second"\} [1-9]/m);
});

test('rights are read again on SIGHUP; a file that is not valid changes nothing', async () => {
  const body = { account_id: (await bringAbout(as('owner'), 'free', '')).account_id };
  const codes = () =>
    Promise.all(DOORS.map(async (door) => (await sendAs('owner', door, 'query.health', body)).codeHeader));
  expect(await codes()).toEqual([null, null]);
  writeFileSync(accessFile, '{"services": "everybody"}');
  service.process.kill('SIGHUP');
  await eventually('it says access file not valid', () => service.log().includes('access file not valid'));
  expect(await codes()).toEqual([null, null]);
  writeAccess('owner');
  service.process.kill('SIGHUP');
  await eventually('it says access file read again', () => service.log().includes('access file read again'));
  expect(await codes()).toEqual(['FORBIDDEN', 'UNAUTHENTICATED']);
});

test('no token is written anywhere', () => {
  const log = service.log();
  expect(log).toContain('refused at the door');
  for (const caller of CALLERS) {
    expect(log).not.toContain(tokenOf(caller));
    expect(log).not.toContain(hashOf(tokenOf(caller)));
  }
});
