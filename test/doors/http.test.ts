import { createConnection } from 'node:net';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { FAILURE_CODES, FAILURES, type FailureCode, failureReply } from '../../contracts/failures.js';
import { OPERATION_NAMES, OPERATIONS } from '../../contracts/operations.js';
import { createHttpDoor, type HttpDoor, type HttpDoorOptions } from '../../src/doors/http/door.js';
import { refuse } from '../../src/requests/refuse.js';
import type { Dispatch, IncomingRequest } from '../../src/requests/request.js';
import { createLog } from '../../src/telemetry/log.js';
import { createMetrics } from '../../src/telemetry/metrics.js';
import { openGate } from './open-gate.js';

const ACCOUNT = '0b8f7a52-6a52-4a55-9c57-0d0a5b0a3d11';
const KEY = '5c0ffee0-1111-4222-8333-444455556666';
const API = '/api/v1/account-manager';

const metrics = createMetrics();
const doors: HttpDoor[] = [];
let common: Awaited<ReturnType<typeof openDoor>>;
beforeAll(async () => {
  common = await openDoor();
});
beforeEach(() => {
  common.received.length = 0;
});
afterAll(() => Promise.all(doors.map((door) => door.stop())));

/** A door on a free port, whose dispatch answers `{success: true}` unless told otherwise. */
const openDoor = async (options: Partial<HttpDoorOptions> = {}) => {
  const received: IncomingRequest[] = [];
  const dispatch: Dispatch = async (request) => {
    received.push(request);
    return options.dispatch ? options.dispatch(request) : { success: true, echoed: request.body };
  };
  const logged = new PassThrough();
  const door = createHttpDoor({
    readiness: () => Promise.resolve({ ready: true, checks: {} }),
    metrics,
    gate: openGate,
    log: createLog({ level: 'info', instance: 'test', stream: logged }),
    ...options,
    dispatch,
  });
  const { port } = await door.start('127.0.0.1', 0);
  doors.push(door);
  const call = async (
    method: string,
    path: string,
    body?: string | Uint8Array<ArrayBuffer>,
    headers: Record<string, string> = {},
  ) => {
    const typed = body === undefined ? headers : { 'content-type': 'application/json', ...headers };
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, body, headers: typed });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: text.startsWith('{') ? JSON.parse(text) : null,
    };
  };
  return { door, port, received, call, logText: () => String(logged.read() ?? '') };
};
type Answer = Awaited<ReturnType<Awaited<ReturnType<typeof openDoor>>['call']>>;

/** The answer is a failure of the contract, with the status of its code. */
const expectFailure = (answer: Answer, code: FailureCode, message?: RegExp, status?: number) => {
  expect(failureReply.safeParse(answer.body).error).toBeUndefined();
  expect(answer.body.error.code).toBe(code);
  if (message) expect(answer.body.error.message).toMatch(message);
  expect(answer.headers.get('x-error-code')).toBe(code);
  expect(answer.status).toBe(status ?? FAILURES[code].http);
};

/** Something to wait for. */
const createSignal = () => {
  let give = () => {};
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { given, give };
};

/** Lets this process read what is in its sockets: on the loopback what was written can be read at once. */
const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate);
};

/** A bare connection: what is sent on it, and all that came back once the server has ended it. */
const openConnection = (port: number) => {
  const socket = createConnection(port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const received = new Promise<string>((resolve, reject) => {
    socket.on('close', () => resolve(text)).on('error', reject);
  });
  const send = (bytes: string) => new Promise<void>((resolve) => socket.write(bytes, () => resolve()));
  return { send, received };
};

test('whoever serves a request hears when its caller has gone', async () => {
  const arrived = createSignal();
  const gone = createSignal();
  const { port } = await openDoor({
    dispatch: async (request) => {
      request.gone?.addEventListener('abort', gone.give);
      arrived.give();
      await gone.given;
      return { success: true };
    },
  });
  const caller = new AbortController();
  const call = fetch(`http://127.0.0.1:${port}${API}/allocate`, { method: 'POST', signal: caller.signal });
  await arrived.given;
  caller.abort();
  await expect(call).rejects.toThrow();
  await gone.given;
});

test.each(OPERATION_NAMES)('%s is served at its route', async (name) => {
  const { call, received } = common;
  const { http } = OPERATIONS[name];
  const inPath = [...http.path.matchAll(/\{(\w+)\}/g)].map(([, field]) => field ?? '');
  const path = API + http.path.replace(/\{\w+\}/g, ACCOUNT);
  const answer = await call(http.method, path, http.method === 'POST' ? '{"service_name":"inviter"}' : undefined);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(received).toHaveLength(1);
  expect(received[0]).toMatchObject({ operation: name, caller: null, deadlineAt: null, traceparent: null });
  expect(answer.body).toEqual({ success: true, echoed: received[0]?.body });
  expect(received[0]?.body).toEqual({
    ...(http.method === 'POST' && { service_name: 'inviter' }),
    ...Object.fromEntries(inPath.map((field) => [field, ACCOUNT])),
  });
});

test('headers become the envelope, and are answered', async () => {
  const { call, received } = common;
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const answer = await call('POST', `${API}/allocate`, '{}', {
    'idempotency-key': KEY.toUpperCase(),
    'x-deadline': '2030-01-01T02:00:00.000+02:00',
    'x-request-id': 'campaign-7/42',
    traceparent,
  });
  expect(received[0]).toMatchObject({
    messageId: KEY,
    requestId: 'campaign-7/42',
    deadlineAt: Date.UTC(2030, 0, 1),
    traceparent,
  });
  expect(answer.headers.get('idempotency-key')).toBe(KEY);
  expect(answer.headers.get('x-request-id')).toBe('campaign-7/42');
  expect(answer.headers.get('traceparent')).toBe(traceparent);
});

test('a key is made up where there is none, and told; ids out of bounds are not taken over', async () => {
  const { call, received } = common;
  const answer = await call('POST', `${API}/allocate`, undefined, {
    'x-request-id': 'x'.repeat(129),
    traceparent: 'odd',
  });
  await call('POST', `${API}/allocate`, undefined, { 'idempotency-key': KEY });
  expect(received[0]?.messageId).toMatch(/^[0-9a-f-]{36}$/);
  expect(received[0]?.requestId).toMatch(/^[0-9a-f-]{36}$/);
  expect(received[0]?.traceparent).toBeNull();
  expect(answer.headers.get('idempotency-key')).toBe(received[0]?.messageId);
  expect(received[1]).toMatchObject({ messageId: KEY, requestId: KEY });
});

test.each([
  ['Idempotency-Key', { 'idempotency-key': 'seven' }, /^Idempotency-Key: must be a UUID/],
  ['x-deadline', { 'x-deadline': 'tomorrow' }, /^x-deadline: must be an ISO 8601 instant/],
  ['x-deadline without an offset', { 'x-deadline': '2030-01-01T00:00:00' }, /^x-deadline: /],
])('a wrong %s is refused by name', async (_name, headers, message) => {
  const { call, received } = common;
  expectFailure(await call('POST', `${API}/allocate`, '{}', headers), 'VALIDATION_FAILED', message);
  expect(received).toEqual([]);
});

test('a POST without a body has no fields; null stays null', async () => {
  const { call, received } = common;
  await call('POST', `${API}/allocate`);
  await call('POST', `${API}/allocate`, '', { 'content-type': 'application/json' });
  await call('POST', `${API}/allocate`, '{"target_channel_id":null}', {
    'content-type': 'application/json; charset=utf-8',
  });
  expect(received.map(({ body }) => body)).toEqual([{}, {}, { target_channel_id: null }]);
});

test('the account of the path is the account; a body that says another is refused', async () => {
  const { call, received } = common;
  const release = `${API}/release/${ACCOUNT}`;
  await call('POST', release, JSON.stringify({ account_id: ACCOUNT.toUpperCase() }));
  await call('POST', release, JSON.stringify({ account_id: null }));
  expect(received.map(({ body }) => body)).toEqual([{ account_id: ACCOUNT }, { account_id: ACCOUNT }]);
  for (const account_id of [KEY, 7, { toLowerCase: 'x' }]) {
    const answer = await call('POST', release, JSON.stringify({ account_id }));
    expectFailure(answer, 'VALIDATION_FAILED', /^account_id: differs from the one in the path/);
  }
  expect(received).toHaveLength(2);
});

test('a GET reads the query string; a POST has none', async () => {
  const { call, received } = common;
  await call('GET', `${API}/stats/recovery?colour=red&colour=blue`);
  expect(received[0]?.body).toEqual({ colour: ['red', 'blue'] });
  const answer = await call('POST', `${API}/allocate?user_id=7`, '{}');
  expectFailure(answer, 'VALIDATION_FAILED', /^user_id: belongs into the body/);
  expectFailure(await call('GET', `${API}/stats/recovery?a=%00`), 'VALIDATION_FAILED', /^a: must not contain NUL/);
  expectFailure(
    await call('GET', `${API}/rate-limit/status/%00`),
    'VALIDATION_FAILED',
    /^account_id: must not contain/,
  );
  expect(received).toHaveLength(1);
});

test('a POST reads from its query string the fields that the predecessor put there, and no other', async () => {
  const { call, received } = common;
  const schedule = `${API}/schedule-recovery/${ACCOUNT}`;
  const time = '2030-01-01T00:00:00+00:00';
  const query = new URLSearchParams({ recovery_time: time, reason: 'rests' }).toString();
  await call('POST', `${schedule}?${query}`);
  await call('POST', `${schedule}?${query}`, JSON.stringify({ recovery_time: time, recovery_type: 'manual' }));
  await call('POST', `${API}/maintenance/process-recoveries?limit=50`, undefined, {
    'content-type': 'application/json',
  });
  expect(received.map(({ body }) => body)).toEqual([
    { account_id: ACCOUNT, recovery_time: time, reason: 'rests' },
    { account_id: ACCOUNT, recovery_time: time, reason: 'rests', recovery_type: 'manual' },
    { job: 'process-recoveries', limit: 50 },
  ]);
  const refused: [string, string | undefined, RegExp][] = [
    [`${schedule}?force=true`, undefined, /^force: belongs into the body/],
    [`${schedule}?account_id=${KEY}`, undefined, /^account_id: belongs into the body/],
    [`${schedule}?reason=this`, '{"reason":"that"}', /^reason: differs from the one in the query string/],
    [`${schedule}?reason=%00`, undefined, /^reason: must not contain NUL/],
  ];
  for (const [url, body, message] of refused) {
    expectFailure(await call('POST', url, body), 'VALIDATION_FAILED', message);
  }
  expect(received).toHaveLength(3);
});

const deep = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
interface BadBody {
  is: string;
  body: string | Uint8Array<ArrayBuffer>;
  code: FailureCode;
  message: RegExp;
  headers?: Record<string, string>;
}
const malformed = (is: string, body: BadBody['body'], message: RegExp, headers?: Record<string, string>): BadBody => ({
  is,
  body,
  code: 'MALFORMED_MESSAGE',
  message,
  headers,
});
const invalid = (is: string, body: string, message: RegExp): BadBody => ({
  is,
  body,
  code: 'VALIDATION_FAILED',
  message,
});

test.each([
  malformed('not JSON', '{"a":', /^body: must be JSON/),
  malformed('an array', '[]', /^body: must be a JSON object/),
  malformed('17 levels deep', deep(17), /^body: must be at most 16 levels/),
  malformed('5,000 levels deep', deep(5000), /^body: must be at most 16 levels/),
  malformed('one byte too long', `{"a":"${'x'.repeat(256 * 1024 - 7)}"}`, /^body: must be at most 262144 bytes/),
  malformed('10 MB', 'x'.repeat(10_000_000), /^body: must be at most 262144 bytes/),
  malformed('bad UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), /^body: must be UTF-8/),
  malformed('of another type', '{}', /^content-type: must be/, { 'content-type': 'text/plain' }),
  malformed('of no type known', '{}', /^content-type: must be/, { 'content-type': ';;' }),
  malformed('of another charset', '{}', /^content-type/, { 'content-type': 'application/json; charset=latin1' }),
  malformed('encoded', '{}', /^content-encoding: /, { 'content-encoding': 'gzip' }),
  invalid('forging', '{"a":{"__proto__":{}}}', /^a\.__proto__: /),
  invalid('holding NUL', '{"a":["b\\u0000"]}', /^a\.0: must not contain NUL/),
  invalid('holding half a surrogate pair', '{"a":"\\ud800"}', /^a: must not contain half/),
  invalid('holding an infinite number', '{"a":1e999}', /^a: must be a finite number/),
])('a body $is is refused, and the next request is served', async ({ body, code, message, headers }) => {
  const { call, received } = common;
  expectFailure(await call('POST', `${API}/allocate`, body, headers), code, message);
  expect(received).toEqual([]);
  expect((await call('POST', `${API}/allocate`, '{}')).status).toBe(200);
});

test('the largest body allowed is taken', async () => {
  const { call } = common;
  expect((await call('POST', `${API}/allocate`, `{"a":"${'x'.repeat(256 * 1024 - 8)}"}`)).status).toBe(200);
});

test('every failure is answered with the status of its code', async () => {
  let failure = refuse('INTERNAL');
  const { call } = await openDoor({ dispatch: () => Promise.resolve(failure) });
  for (const code of FAILURE_CODES) {
    failure = refuse(code, { retryAfterMs: 1200 });
    const answer = await call('POST', `${API}/allocate`, '{}');
    expectFailure(answer, code);
    expect(answer.body).toEqual(failure);
    expect(answer.headers.get('retry-after')).toBe('2');
  }
});

test('a defect is answered INTERNAL with the id under which it is logged, and nothing of its text', async () => {
  const { call, logText } = await openDoor({ dispatch: () => Promise.reject(new Error('what broke')) });
  const answer = await call('POST', `${API}/allocate`, '{}');
  expectFailure(answer, 'INTERNAL');
  expect(answer.text).not.toContain('what broke');
  const line = JSON.parse(logText());
  expect(line).toMatchObject({ level: 'error', error: { message: 'what broke' } });
  expect(line.error_id).toBe(answer.body.error.details.error_id);
});

test('a path or method that is not served says so', async () => {
  const { call, received } = common;
  expectFailure(await call('GET', '/nothing'), 'UNKNOWN_OPERATION');
  expectFailure(await call('POST', `${API}/no-such`, '{"a":1}'), 'UNKNOWN_OPERATION');
  for (const method of ['GET', 'PUT', 'DELETE', 'PATCH']) {
    const answer = await call(method, `${API}/allocate`);
    expectFailure(answer, 'UNKNOWN_OPERATION', /POST$/, 405);
    expect(answer.headers.get('allow')).toBe('POST');
  }
  const answer = await call('POST', `${API}/stats/recovery`, '{}');
  expectFailure(answer, 'UNKNOWN_OPERATION', undefined, 405);
  expect(answer.headers.get('allow')).toBe('GET, HEAD');
  expectFailure(await call('GET', `${API}/rate-limit/status/%zz`), 'MALFORMED_MESSAGE', /^path: /);
  expectFailure(await call('GET', `${API}/rate-limit/status/${'a'.repeat(500)}`), 'MALFORMED_MESSAGE', /^path: /);
  expect(received).toEqual([]);
});

test.each([
  ['bytes that are not HTTP', 'HELO\r\n\r\n', /request: must be well-formed HTTP/],
  ['too much of headers', `GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, /headers: are too large/],
  ['headers that do not end', 'GET / HTTP/1.1\r\nhost: x\r\n', /request: took too long/],
  [
    'a body that does not come',
    `POST ${API}/allocate HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{`,
    /request: took too long/,
  ],
])('%s is refused in the shape of the contract and ends the connection', async (_name, bytes, message) => {
  const { port, received } = await openDoor({ timeouts: { headersMs: 100, requestMs: 150, checkMs: 20 } });
  const connection = openConnection(port);
  await connection.send(bytes);
  const answer = await connection.received;
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(answer).toMatch(/x-error-code: MALFORMED_MESSAGE/i);
  const body = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));
  expect(failureReply.parse(body).error.message).toMatch(message);
  expect(received).toEqual([]);
});

test('health and metrics are served', async () => {
  let ready = true;
  const { call } = await openDoor({
    readiness: () => Promise.resolve({ ready, checks: { database: { ok: ready, latency_ms: 1 } } }),
    detailedHealth: () => Promise.resolve({ status: ready ? 'degraded' : 'unhealthy', components: {} }),
  });
  expect(await call('GET', '/health/live')).toMatchObject({ status: 200, body: { status: 'alive' } });
  expect(await call('GET', '/health/ready')).toMatchObject({
    status: 200,
    body: { ready: true, checks: { database: { ok: true, latency_ms: 1 } } },
  });
  expect(await call('GET', '/api/v1/health/detailed')).toMatchObject({ status: 200, body: { status: 'degraded' } });
  ready = false;
  expect(await call('GET', '/health/ready')).toMatchObject({ status: 503, body: { ready: false } });
  expect(await call('GET', '/api/v1/health/detailed')).toMatchObject({ status: 503, body: { status: 'unhealthy' } });

  const scrape = await call('GET', '/metrics');
  expect(scrape.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(scrape.text).toMatch(/^account_manager_total_accounts 0$/m);
});

test('readiness that cannot be found out is not readiness', async () => {
  const { call, logText } = await openDoor({ readiness: () => Promise.reject(new Error('pool is closed')) });
  expect(await call('GET', '/health/ready')).toMatchObject({ status: 503, body: { ready: false } });
  expect(logText()).toContain('pool is closed');
});

test('stop lets a request under way finish, and takes no other', async () => {
  const arrived = createSignal();
  const allowed = createSignal();
  const { door, call, port } = await openDoor({
    dispatch: async () => {
      arrived.give();
      await allowed.given;
      return { success: true };
    },
  });
  // Both have never sent a request, and so are not what Node closes as idle.
  const silent = openConnection(port);
  const started = openConnection(port);
  await started.send(`POST ${API}/allocate HTTP/1.1\r\n`);
  const underWay = call('POST', `${API}/allocate`, '{}');
  await arrived.given;
  const stopped = door.stop();
  await expect(call('POST', `${API}/allocate`, '{}')).rejects.toThrow();
  allowed.give();
  expect((await underWay).status).toBe(200);
  await stopped;
  expect(await silent.received).toBe('');
  expect(await started.received).toBe('');
});

test('a request on a connection that is still open at stop is refused UNAVAILABLE', async () => {
  const arrived = createSignal();
  const allowed = createSignal();
  const { door, port, received } = await openDoor({
    dispatch: async () => {
      arrived.give();
      await allowed.given;
      return { success: true };
    },
  });
  const request = `POST ${API}/allocate HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}`;
  const connection = openConnection(port);
  await connection.send(request);
  await arrived.given;
  const stopped = door.stop();
  // Answers go out in the order of the requests, so the second request is read before the first is answered.
  await connection.send(request);
  await turns(3);
  allowed.give();
  const answers = await connection.received;
  await stopped;
  expect(answers).toMatch(/^HTTP\/1\.1 200 OK[^]*HTTP\/1\.1 503 [^]*UNAVAILABLE[^]*shutting down/);
  expect(received).toHaveLength(1);
});

test('stop does not wait for ever', async () => {
  const arrived = createSignal();
  const { door, call } = await openDoor({
    drainMs: 50,
    dispatch: () => {
      arrived.give();
      return new Promise(() => undefined);
    },
  });
  const underWay = call('POST', `${API}/allocate`, '{}').catch((error: unknown) => error);
  await arrived.given;
  expect([door.inWork(), common.door.inWork()]).toEqual([1, 0]);
  await door.stop();
  expect(await underWay).toMatchObject({ name: 'TypeError' });
});

test('an address that is taken is an error at start', async () => {
  const { port } = common;
  const second = createHttpDoor({
    dispatch: () => Promise.resolve({ success: true }),
    readiness: () => Promise.resolve({ ready: true, checks: {} }),
    metrics,
    gate: openGate,
    log: createLog({ level: 'info', instance: 'test', stream: new PassThrough() }),
  });
  await expect(second.start('127.0.0.1', port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
});
