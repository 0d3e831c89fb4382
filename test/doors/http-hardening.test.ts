import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createHttpDoor, type HttpDoor, type HttpDoorOptions } from '../../src/doors/http/door.js';
import { createLog } from '../../src/telemetry/log.js';
import { createMetrics } from '../../src/telemetry/metrics.js';
import { eventually } from '../support/eventually.js';
import { createAuthority } from '../support/authority.js';
import { openGate } from './open-gate.js';

const createDoor = (options: Partial<HttpDoorOptions>): HttpDoor =>
  createHttpDoor({
    dispatch: () => Promise.resolve({ success: true }),
    gate: openGate,
    readiness: () => Promise.resolve({ ready: true, checks: {} }),
    metrics: createMetrics(),
    log: createLog({ level: 'error', instance: 'test', stream: new PassThrough() }),
    ...options,
  });

let door: HttpDoor;
let port: number;
beforeAll(async () => {
  door = createDoor({ timeouts: { headersMs: 300, requestMs: 500, keepAliveMs: 300, checkMs: 50 } });
  ({ port } = await door.start('127.0.0.1', 0));
});
afterAll(() => door.stop());

test.each([
  '/api/v1/account-manager/status',
  '/no/such/path',
  '/health/live',
  '/metrics',
])('nobody else may keep, guess or show the answer of %s', async (path) => {
  const { headers } = await fetch(`http://127.0.0.1:${port}${path}`);
  expect(Object.fromEntries(headers)).toMatchObject({
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  });
  // Without encryption it would be a lie.
  expect(headers.get('strict-transport-security')).toBeNull();
  expect(headers.get('server') ?? headers.get('x-powered-by')).toBeNull();
});

/** Opens a connection and sends a byte of the text every 20 ms; resolves with what came back once it is closed. */
const drip = (text: string): { closed: Promise<string>; socket: Socket } => {
  const socket = createConnection(port, '127.0.0.1');
  let received = '';
  let sent = 0;
  const timer = setInterval(() => sent < text.length && socket.write(text[sent++]!), 20);
  socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
  socket.on('error', () => {});
  const closed = new Promise<string>((resolve) => {
    socket.once('close', () => {
      clearInterval(timer);
      resolve(received);
    });
  });
  return { closed, socket };
};

test('who sends a byte at a time, or none, is shown out, and keeps nobody waiting', async () => {
  const slow = Array.from({ length: 100 }, (_, index) =>
    drip(
      index % 3 === 0
        ? ''
        : index % 3 === 1
          ? `GET /health/live HTTP/1.1\r\nhost: x\r\n${'x: y\r\n'.repeat(1_000)}`
          : `POST /api/v1/account-manager/allocate HTTP/1.1\r\nhost: x\r\ncontent-length: 9999\r\n\r\n${' '.repeat(9_999)}`,
    ),
  );
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => fetch(`http://127.0.0.1:${port}/api/v1/account-manager/status`)),
  );
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  const received = await Promise.all(slow.map(({ closed }) => closed));
  for (const text of received) expect(text === '' || text.startsWith('HTTP/1.1 400 ')).toBe(true);
});

test.each([
  'content-length: 5000000',
  'transfer-encoding: chunked',
])('who sends too much, and listens only then, hears what was wrong (%s)', async (framing) => {
  const patient = createDoor({});
  const socket = createConnection((await patient.start('127.0.0.1', 0)).port, '127.0.0.1');
  socket.write(`POST /api/v1/account-manager/allocate HTTP/1.1\r\nhost: x\r\n${framing}\r\n\r\n`);
  const body = Buffer.alloc(5_000_000, ' ');
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    if (framing.endsWith('chunked')) socket.write(`${body.length.toString(16)}\r\n`);
    socket.write(body, () => resolve());
    if (framing.endsWith('chunked')) socket.write('\r\n0\r\n\r\n');
  });
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1.1 400 .*"body: must be at most 262144 bytes"/s);
  socket.write('GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n');
  const [next] = (await once(socket, 'data')) as [Buffer];
  expect(next.toString()).toMatch(/^HTTP\/1.1 200 /);
  socket.destroy();
  await patient.stop();
});

test('a connection that asks nothing more is closed', async () => {
  const { closed, socket } = drip('');
  socket.write('GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n');
  expect(await closed).toMatch(/^HTTP\/1.1 200 /);
});

test('who comes when all connections are taken is shown out; the others are served', async () => {
  const small = createDoor({ maxConnections: 2 });
  const { port: smallPort } = await small.start('127.0.0.1', 0);
  const open = (): Socket => createConnection(smallPort, '127.0.0.1');
  const [first, second] = [open(), open()];
  await Promise.all([first, second].map((socket) => once(socket, 'connect')));
  const third = open();
  third.on('error', () => {});
  await once(third, 'close');
  second.write('GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n');
  expect(String(await once(second, 'data'))).toContain('200 OK');
  for (const socket of [first, second]) socket.destroy();
  await small.stop();
});

test('who is told to go and stays is cut off, and others have its place', async () => {
  const small = createDoor({ maxConnections: 1, timeouts: { headersMs: 100, requestMs: 100, checkMs: 20 } });
  const { port: smallPort } = await small.start('127.0.0.1', 0);
  const stays = createConnection({ port: smallPort, host: '127.0.0.1', allowHalfOpen: true });
  stays.on('error', () => {});
  const [told] = (await once(stays, 'data')) as [Buffer];
  expect(told.toString()).toMatch(/^HTTP\/1.1 400 /);
  const ask = () => fetch(`http://127.0.0.1:${smallPort}/health/live`, { headers: { connection: 'close' } });
  await expect(ask()).rejects.toThrow('fetch failed');
  await eventually('its place is free', async () => (await ask().catch(() => null))?.ok);
  stays.destroy();
  await small.stop();
});

test('who does not finish the handshake of HTTPS is shown out, and does not keep the door from closing', async () => {
  const authority = createAuthority('ours');
  const { cert, key } = authority.issue('door');
  const tls = { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
  authority.remove();
  const [strict, patient] = [createDoor({ tls, timeouts: { headersMs: 300 } }), createDoor({ tls })];
  const beginOfHello = Buffer.from('160301020001000', 'hex');
  const enter = async (entered: HttpDoor): Promise<{ closed: Promise<unknown> }> => {
    const socket = createConnection((await entered.start('127.0.0.1', 0)).port, '127.0.0.1');
    socket.on('error', () => {});
    const closed = new Promise((resolve) => socket.resume().once('close', resolve));
    await once(socket, 'connect');
    socket.write(beginOfHello);
    return { closed };
  };
  await (await enter(strict)).closed;
  const { closed } = await enter(patient);
  await Promise.all([strict.stop(), patient.stop(), closed]);
});
