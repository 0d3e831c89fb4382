import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CONSOLE_COOKIE, sessionReply } from '../../contracts/console.js';
import { buildConsole } from '../../scripts/build-console.mjs';
import { createHttpDoor, type HttpDoor } from '../../src/doors/http/door.js';
import type { Gate } from '../../src/doors/gate.js';
import type { IncomingRequest } from '../../src/requests/request.js';
import { createLog } from '../../src/telemetry/log.js';
import { createMetrics } from '../../src/telemetry/metrics.js';
import { gateOf, openGate } from './open-gate.js';

const API = '/api/v1/account-manager';
const TOKENS = { ops: 'token-of-ops', reader: 'token-of-reader', worker: 'token-of-worker' };
const ACCOUNT = '0b8f7a52-6a52-4a55-9c57-0d0a5b0a3d11';
const hashOf = (token: string) => createHash('sha256').update(token).digest('hex');
const gate = gateOf([
  { name: 'ops', role: 'operator', users: '*', http_token_sha256: [hashOf(TOKENS.ops)] },
  { name: 'reader', users: '*', operations: ['query.*'], http_token_sha256: [hashOf(TOKENS.reader)] },
  { name: 'worker', users: '*', doors: ['amqp'], http_token_sha256: [hashOf(TOKENS.worker)] },
]);

let folder: string;
const doors: HttpDoor[] = [];
let known: Awaited<ReturnType<typeof openDoor>>;
let open: Awaited<ReturnType<typeof openDoor>>;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'console-'));
  await buildConsole(folder);
  known = await openDoor(gate);
  open = await openDoor(openGate);
});
afterAll(async () => {
  await Promise.all(doors.map((door) => door.stop()));
  rmSync(folder, { recursive: true });
});

/** A door that serves the built console; its dispatch answers with one account. */
async function openDoor(by: Gate, consoleFolder = folder) {
  const received: IncomingRequest[] = [];
  const logged = new PassThrough();
  const door = createHttpDoor({
    readiness: () => Promise.resolve({ ready: true, checks: {} }),
    metrics: createMetrics(),
    gate: by,
    consoleFolder,
    log: createLog({ level: 'info', instance: 'test', stream: logged }),
    dispatch: (request) => {
      received.push(request);
      return Promise.resolve({
        success: true,
        accounts: [{ account_id: ACCOUNT, phone: '+79991234567' }],
        phone: null,
      });
    },
  });
  const { port } = await door.start('127.0.0.1', 0);
  doors.push(door);
  const call = async (method: string, target: string, headers: Record<string, string> = {}, body?: object) => {
    const response = await fetch(`http://127.0.0.1:${port}${target}`, {
      method,
      headers: { ...(body && { 'content-type': 'application/json' }), ...headers },
      body: body && JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) };
  };
  return { call, received, origin: `http://127.0.0.1:${port}`, logText: () => String(logged.read() ?? '') };
}

const SAME = { 'sec-fetch-site': 'same-origin' };
const cookieOf = (token: string) => ({ cookie: `${CONSOLE_COOKIE}=${token}` });

test('the page and what belongs to it come from here alone, under a strict policy, compressed and kept', async () => {
  for (const address of ['/console', '/console/', '/console/accounts', `/console/accounts/${ACCOUNT}?type=x`]) {
    const page = await known.call('GET', address);
    expect([address, page.status, page.headers.get('content-type')]).toEqual([
      address,
      200,
      'text/html; charset=utf-8',
    ]);
    expect(page.headers.get('cache-control')).toBe('no-cache');
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toMatch(/unsafe|\*|https?:|data:/);
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    expect(page.text).not.toMatch(/<script(?![^>]* src=)|<style|style=|\son\w+=|https?:/);
  }
  const { text } = await known.call('GET', '/console');
  const assets = [...text.matchAll(/"(\/console\/assets\/[^"]+)"/g)].map(([, name]) => name!);
  expect(assets.map((name) => path.extname(name)).sort()).toEqual(['.css', '.js', '.svg']);
  for (const asset of assets) {
    const { status, headers } = await known.call('GET', asset, { 'accept-encoding': 'br' });
    expect([status, headers.get('content-encoding')]).toEqual([200, 'br']);
    expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
  }
  const missing = await known.call('GET', '/console/assets/none.js');
  expect([missing.status, missing.json().error.code]).toEqual([404, 'UNKNOWN_OPERATION']);
});

test('where the console is not built, the door says so and serves everything else', async () => {
  const bare = await openDoor(openGate, path.join(folder, 'nothing'));
  const answer = await bare.call('GET', '/console');
  expect([answer.status, answer.json().error.message]).toEqual([404, 'the console is not built: npm run build']);
  expect((await bare.call('GET', `${API}/status`)).status).toBe(200);
});

test('a token is posted once and then kept where no script can read it', async () => {
  const before = await known.call('GET', '/console/session');
  expect(before.json()).toEqual({ session: null });

  const login = await known.call('POST', '/console/login', SAME, { token: TOKENS.reader });
  expect(login.status).toBe(200);
  expect(sessionReply.parse(login.json()).session?.caller).toBe('reader');
  const cookie = login.headers.get('set-cookie') ?? '';
  expect(cookie).toMatch(/; HttpOnly(;|$)/);
  expect(cookie).toMatch(/; SameSite=Strict(;|$)/);
  expect(cookie).toMatch(/; Path=\/(;|$)/);
  expect(login.text).not.toContain(TOKENS.reader);

  const { session } = sessionReply.parse((await known.call('GET', '/console/session', cookieOf(TOKENS.reader))).json());
  expect(session?.operations['query.status']).toEqual({ method: 'GET', path: `${API}/status` });
  expect(Object.keys(session?.operations ?? {}).filter((name) => !name.startsWith('query.'))).toEqual([]);

  const logout = await known.call('POST', '/console/logout', { ...SAME, ...cookieOf(TOKENS.reader) });
  expect(logout.status).toBe(204);
  expect(logout.headers.get('set-cookie')).toMatch(
    new RegExp(`^${CONSOLE_COOKIE}=;.*(Max-Age=0|Expires=Thu, 01 Jan 1970)`),
  );
  expect(known.logText()).not.toContain(TOKENS.reader);
});

test.each([
  ['an unknown token', { token: 'nobody' }, 401, 'UNAUTHENTICATED'],
  ['a caller that may not come over http', { token: TOKENS.worker }, 401, 'UNAUTHENTICATED'],
  ['an empty token', { token: '' }, 422, 'VALIDATION_FAILED'],
  ['a token of two words', { token: 'a b' }, 422, 'VALIDATION_FAILED'],
  ['another field', { token: TOKENS.ops, name: 'ops' }, 422, 'VALIDATION_FAILED'],
  ['no body', undefined, 400, 'MALFORMED_MESSAGE'],
])('log-in with %s is refused, and no cookie is set', async (_, body, status, code) => {
  const answer = await known.call('POST', '/console/login', SAME, body);
  expect([answer.status, answer.json().error.code, answer.headers.get('set-cookie')]).toEqual([status, code, null]);
});

test('the cookie stands for its caller, with its rights and no more', async () => {
  known.received.length = 0;
  expect((await known.call('GET', `${API}/status`, cookieOf(TOKENS.reader))).status).toBe(200);
  expect(known.received.map(({ caller }) => caller)).toEqual(['reader']);
  const change = await known.call('POST', `${API}/maintenance/report`, { ...SAME, ...cookieOf(TOKENS.reader) }, {});
  expect([change.status, change.json().error.code]).toEqual([403, 'FORBIDDEN']);
  expect((await known.call('GET', `${API}/status`, cookieOf('stolen'))).status).toBe(401);
  expect((await known.call('GET', `${API}/status`)).status).toBe(401);
});

test('a change under the cookie is taken from a page of this origin alone', async () => {
  const change = async (headers: Record<string, string>) =>
    (await known.call('POST', `${API}/maintenance/report`, { ...cookieOf(TOKENS.ops), ...headers }, {})).status;
  expect(await change(SAME)).toBe(200);
  // Over plain HTTP elsewhere than on this machine browsers tell the origin alone.
  expect(await change({ origin: known.origin })).toBe(200);
  for (const site of ['cross-site', 'same-site', 'none']) expect(await change({ 'sec-fetch-site': site })).toBe(403);
  expect(await change({ origin: 'http://elsewhere.example' })).toBe(403);
  expect(await change({ origin: 'null' })).toBe(403);
  expect(await change({})).toBe(403);
  // A caller that shows a token itself is no browser's victim.
  expect(await change({ authorization: `Bearer ${TOKENS.ops}`, 'sec-fetch-site': 'cross-site' })).toBe(200);
  for (const target of ['/console/login', '/console/logout']) {
    const headers = { ...cookieOf(TOKENS.ops), 'sec-fetch-site': 'cross-site' };
    expect((await known.call('POST', target, headers, { token: TOKENS.ops })).status).toBe(403);
  }
});

test('without an access file the console asks for no token, and other sites still change nothing', async () => {
  const { session } = sessionReply.parse((await open.call('GET', '/console/session')).json());
  expect(session?.caller).toBeNull();
  expect(session?.operations['admin.recover']).toBeDefined();
  const change = async (headers: Record<string, string>) =>
    (await open.call('POST', `${API}/maintenance/report`, headers, {})).status;
  expect(await change({})).toBe(200);
  expect(await change(SAME)).toBe(200);
  expect(await change({ 'sec-fetch-site': 'cross-site' })).toBe(403);
  expect(await change({ origin: 'http://elsewhere.example' })).toBe(403);
});

test('phone numbers are masked for the console until it asks for them, and the log tells who has asked', async () => {
  const phoneOf = async (headers: Record<string, string>) =>
    (await known.call('GET', `${API}/leases`, headers)).json().accounts[0].phone;
  known.logText();
  expect(await phoneOf(cookieOf(TOKENS.reader))).toBe('••••••••4567');
  expect(await phoneOf({ authorization: `Bearer ${TOKENS.reader}` })).toBe('+79991234567');
  expect(known.logText()).not.toContain('phone numbers shown');
  expect(await phoneOf({ ...cookieOf(TOKENS.reader), 'x-phones': 'shown' })).toBe('+79991234567');
  const logged = known.logText();
  expect(logged).toContain('phone numbers shown');
  expect(logged).toContain('"caller":"reader"');
  expect(logged).toContain(ACCOUNT);
  expect(logged).not.toContain('79991234567');
});
