import { randomUUID } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createAccess } from '../../src/requests/access.js';
import { createDispatch } from '../../src/requests/dispatch.js';
import type { Resources } from '../../src/requests/handler.js';
import { createWaitingRoom } from '../../src/requests/waiting-room.js';
import { createDatabase as connectDatabase, type Database } from '../../src/store/database.js';
import { createLog } from '../../src/telemetry/log.js';
import { createMetrics } from '../../src/telemetry/metrics.js';
import { policyOf } from '../support/access.js';
import { requestOf } from '../support/request-of.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';

const OPERATOR = { name: 'ops', role: 'operator', users: '*' };
const policy = policyOf({ name: 'inviting', users: [1] }, OPERATOR);

let harness: OperationsHarness;
let database: Database;
let own: string;
let strange: string;
beforeAll(async () => {
  harness = await startOperations();
  [own = ''] = await harness.registerAccounts(1, 1);
  [strange = ''] = await harness.registerAccounts(2, 1);
  database = connectDatabase({ url: harness.databaseUrl, poolSize: 2, onConnectionError: () => {} });
});
afterAll(async () => {
  await database.close();
  await harness.close();
});

const codeOf = async (judged: ReturnType<ReturnType<typeof createAccess>['judgeBody']>) =>
  (await judged)?.error.code ?? null;

test('an account is had by who may have its user, and asked for once', async () => {
  const queries: unknown[] = [];
  const sql = new Proxy(database.reader, {
    get: (target, name) => {
      if (name === '$queryRaw') queries.push(name);
      return Reflect.get(target, name) as unknown;
    },
  });
  const access = createAccess(policy, sql);
  const judged = [own, strange, randomUUID(), own].map((account_id) => access.judgeBody('inviting', { account_id }));
  expect(await Promise.all(judged.map(codeOf))).toEqual([null, 'FORBIDDEN', null, null]);
  expect(queries).toHaveLength(1);
  expect(await codeOf(access.judgeBody('inviting', { account_id: strange }))).toBe('FORBIDDEN');
  expect(await codeOf(access.judgeBody('ops', { account_id: strange }))).toBeNull();
  expect(queries).toHaveLength(1);
});

test('rights that are withdrawn are gone with the next request, also for a reply that is stored', async () => {
  const restricted = await startOperations({ access: policyOf({ name: 'inviting', users: [1] }, OPERATOR) });
  try {
    const accounts = [{ user_id: 1, phone: '+4915112345678', session_data: 'none' }];
    await restricted.succeed('admin.register', { accounts }, { caller: 'ops' });
    const wish = { user_id: 1, purpose: 'general', service_name: 'inviting' };
    const request = { caller: 'inviting', messageId: randomUUID() };
    const first = await restricted.call('account.allocate', wish, request);
    expect(first).toMatchObject({ error: { code: 'NO_ACCOUNTS' } });
    expect(await restricted.call('account.allocate', wish, request)).toEqual(first);

    restricted.access.replace(policyOf({ name: 'inviting', users: [2] }));
    expect(await restricted.refusal('account.allocate', wish, request)).toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringMatching(/^user_id: /),
      details: { issues: [{ path: 'user_id' }] },
    });
    restricted.access.replace(policyOf(OPERATOR));
    expect(await restricted.refusal('account.allocate', wish, request)).toMatchObject({ code: 'FORBIDDEN' });
    restricted.access.replace(policy);
    expect(await restricted.call('account.allocate', wish, request)).toEqual(first);
  } finally {
    await restricted.close();
  }
});

test('while the database is away nobody is told that an account is not his', async () => {
  const gone = connectDatabase({
    url: 'postgresql://nobody@127.0.0.1:1/gone',
    poolSize: 1,
    onConnectionError: () => {},
  });
  const log = createLog({ level: 'error', instance: 'test', stream: new PassThrough() });
  const access = createAccess(policy, gone.reader);
  const resources = { access, metrics: createMetrics() } as unknown as Resources;
  const dispatch = createDispatch({ database: gone, log, resources }, createWaitingRoom());
  const request = requestOf('query.health', { account_id: own }, { caller: 'inviting' });
  expect(await dispatch(request)).toMatchObject({ error: { code: 'UNAVAILABLE' } });

  access.judgeBody = () => Promise.reject(new Error('a defect'));
  expect(await dispatch(request)).toMatchObject({ error: { code: 'INTERNAL' } });
  await gone.close();
});
