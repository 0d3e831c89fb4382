import { createHash } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { expect, test } from '@jest/globals';
import { parseAccess } from '../../src/decide/access/access-policy.js';
import { createGate, type Entry } from '../../src/doors/gate.js';
import { createHttpDoor } from '../../src/doors/http/door.js';
import { createLog } from '../../src/telemetry/log.js';
import { createMetrics } from '../../src/telemetry/metrics.js';
import { openGate } from './open-gate.js';

const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');

const openWith = (services: object[] | null) => {
  const parsed = services === null ? null : parseAccess({ services }, null);
  if (parsed?.ok === false) throw new Error(JSON.stringify(parsed.issues));
  let policy = parsed === null ? null : parsed.policy;
  const metrics = createMetrics();
  const log = createLog({ level: 'info', instance: 'test', stream: new PassThrough() });
  return {
    gate: createGate({ access: { policy: () => policy }, metrics, log }),
    metrics,
    log,
    close: () => (policy = new Map()),
  };
};

const codeOf = (entry: Entry): string => (entry.ok ? 'in' : entry.refusal.error.code);

test('a token is known by its hash, an old and a new one alike', () => {
  const { gate, close } = openWith([
    { name: 'inviting', users: '*', http_token_sha256: [hashOf('old'), hashOf('new').toUpperCase()] },
    { name: 'messaging', users: '*', http_token_sha256: [hashOf('other')] },
    { name: 'none', users: '*' },
  ]);
  const callers = ['Bearer old', 'bearer new', 'Bearer  other '].map((header) => gate.identify(header));
  expect(callers).toEqual(['inviting', 'inviting', 'messaging']);
  const strange = [undefined, '', 'Bearer', 'Bearer ', 'Basic old', 'old', 'Bearer old new', `Bearer ${hashOf('old')}`];
  for (const header of strange) expect(gate.identify(header)).toBeNull();
  close();
  expect(gate.identify('Bearer old')).toBeNull();
});

test.each<[string | null, string, boolean]>([
  ['inviting', 'reply.inviting', true],
  ['inviting', 'reply.inviting.7', true],
  ['inviting', 'reply.inviting.a.b', true],
  ['inviting', 'reply.inviting2', false],
  ['inviting', 'reply.invitin', false],
  ['inviting', 'reply.messaging', false],
  ['inviting', 'reply.messaging.inviting', false],
  ['inviting', 'reply.x', false],
  ['inviting', 'reply..inviting', false],
  ['inviting', 'reply.inviting.late', false],
  ['inviting.late', 'reply.inviting.late', true],
  ['inviting.late', 'reply.inviting.late.1', true],
  ['inviting.late', 'reply.inviting', false],
  [null, 'reply.inviting', false],
  [null, 'reply.x', false],
  ['inviting', 'amq.rabbitmq.reply-to.g1h2', true],
  ['inviting', 'amq.gen-abc', true],
])('%s may be answered at %s: %s', (caller, replyTo, may) => {
  const { gate } = openWith(['inviting', 'inviting.late', 'messaging'].map((name) => ({ name, users: '*' })));
  expect(gate.mayBeAnsweredAt(caller, replyTo)).toBe(may);
  expect(openGate.mayBeAnsweredAt(caller, replyTo)).toBe(true);
});

test('without an access file everybody is let in, and nobody is known', () => {
  const arrival = { door: 'amqp', caller: null, operation: 'admin.register', requestId: '1', again: false } as const;
  expect(openGate.identify('Bearer any')).toBeNull();
  expect(codeOf(openGate.enter(arrival))).toBe('in');
});

test('a caller has no more in work than it may; what was let in before is let in', async () => {
  const { gate, metrics } = openWith([
    { name: 'inviting', users: '*', concurrent_requests: 2 },
    { name: 'messaging', users: '*' },
  ]);
  const enter = (caller = 'inviting', again = false) =>
    gate.enter({ door: 'amqp', caller, operation: 'query.status', requestId: '1', again });
  const entries = [enter(), enter(), enter(), enter('inviting', true), enter('messaging')];
  expect(entries.map(codeOf)).toEqual(['in', 'in', 'UNAVAILABLE', 'in', 'in']);
  const [first, , third] = entries;
  expect(third?.ok === false && third.refusal.error).toMatchObject({
    retryable: true,
    retry_after_ms: expect.any(Number),
    message: expect.stringMatching(/^concurrent_requests: /),
  });
  if (first?.ok) {
    first.leave();
    first.leave();
  }
  expect([enter(), enter()].map(codeOf)).toEqual(['in', 'UNAVAILABLE']);
  expect(await metrics.registry.getSingleMetricAsString('account_manager_throttled_total')).toContain(
    'account_manager_throttled_total{caller="inviting",limit="concurrent_requests"} 2',
  );
});

test('a rate is of one caller, and a request that is not allowed takes nothing from it', () => {
  const { gate } = openWith([
    { name: 'inviting', users: '*', requests_per_second: 0.001 },
    { name: 'messaging', users: '*', requests_per_second: 0.001 },
  ]);
  const enter = (caller: string, operation = 'query.status') =>
    gate.enter({ door: 'amqp', caller, operation, requestId: '1', again: false });
  expect(codeOf(enter('inviting', 'admin.register'))).toBe('FORBIDDEN');
  expect([enter('inviting'), enter('inviting'), enter('messaging')].map(codeOf)).toEqual(['in', 'UNAVAILABLE', 'in']);
});

test('over HTTP nobody’s body is read, and a place is free again once the answer is out', async () => {
  const { gate, metrics, log } = openWith([
    { name: 'inviting', users: '*', http_token_sha256: [hashOf('token')], concurrent_requests: 1 },
  ]);
  let answerFirst = () => {};
  const held = new Promise<void>((resolve) => (answerFirst = resolve));
  let arrived = () => {};
  const inWork = new Promise<void>((resolve) => (arrived = resolve));
  const door = createHttpDoor({
    gate,
    metrics,
    log,
    readiness: () => Promise.resolve({ ready: true, checks: {} }),
    dispatch: async ({ caller }) => {
      arrived();
      await held;
      return { success: true, caller };
    },
  });
  const { port } = await door.start('127.0.0.1', 0);
  const ask = async (body: string, token?: string) => {
    const authorization = token === undefined ? undefined : `Bearer ${token}`;
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/account-manager/allocate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(authorization && { authorization }) },
      body,
    });
    return { status: response.status, body: await response.json(), headers: response.headers };
  };
  try {
    // Too large, for who may send one.
    expect(await ask(JSON.stringify('x'.repeat(300_000)))).toMatchObject({ status: 401 });
    const first = ask('{}', 'token');
    await inWork;
    expect((await ask('{}', 'token')).status).toBe(503);
    answerFirst();
    expect(await first).toMatchObject({ status: 200, body: { caller: 'inviting' } });
    expect(await ask('{}', 'token')).toMatchObject({ status: 200 });
  } finally {
    await door.stop();
  }
});
