import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { needsConfirmation } from '../../src/decide/condition/judge-probe.js';
import { dataCentreOf } from '../../src/telegram/data-centres.js';
import { type ProbeOptions, probeSession } from '../../src/telegram/probe-session.js';
import { appConfig, type FakeTelegram, type Script, startFakeTelegram } from '../support/fake-telegram.js';
import { leftBehind } from '../support/left-behind.js';
import { telethonSession } from '../support/session-strings.js';
import { startSocksProxy } from '../support/socks-proxy.js';

let telegram: FakeTelegram;
beforeEach(async () => {
  telegram = await startFakeTelegram();
});
afterEach(() => telegram.close());

const SOCKS_TIMEOUT_MS = 400;
const API = { apiId: 1, apiHash: 'hash' };
const randomKey = () => Buffer.concat([Buffer.of(1), randomBytes(255)]);

/** Probes an account with such a script, and makes sure that nothing is left of the probe. */
async function probe(script: Script | null, options: Partial<ProbeOptions> = {}) {
  const key = randomKey();
  if (script !== null) await telegram.addKey(key, script);
  const server = { address: '127.0.0.1', port: telegram.port };
  let outcome: unknown;
  const left = await leftBehind(
    async () => {
      outcome = await probeSession({ session: telethonSession(key), ...API, timeoutMs: 3_000, server, ...options });
    },
    async () => {
      await telegram.quiet();
      // The time-out of a SOCKS handshake is not the probe's to end.
      if (options.proxy !== undefined) await new Promise((resolve) => setTimeout(resolve, SOCKS_TIMEOUT_MS / 2 + 50));
    },
  );
  expect(left).toEqual([]);
  return outcome;
}

// GramJS is loaded once and makes what it keeps then.
beforeAll(async () => {
  telegram = await startFakeTelegram();
  await probeSession({
    session: telethonSession(randomKey()),
    ...API,
    timeoutMs: 3_000,
    server: { address: '127.0.0.1', port: telegram.port },
  });
  await telegram.close();
});

/** A listener that is stopped, and whose queue is full: the next attempt to connect is neither taken nor refused. */
async function startStalledServer(): Promise<{ port: number; stop: () => void }> {
  const listen = `const s = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 },
    () => console.log(s.address().port))`;
  const child = spawn(process.execPath, ['-e', listen], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = (await once(child.stdout, 'data')).map(Number) as [number];
  child.kill('SIGSTOP');
  const queued = Array.from({ length: 8 }, () => net.connect(port, '127.0.0.1').on('error', () => undefined));
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(queued.some((socket) => socket.connecting)).toBe(true);
  return {
    port,
    stop: () => {
      for (const socket of queued) socket.destroy();
      child.kill('SIGKILL');
    },
  };
}

test('a healthy account: asked who it is and whether it is frozen, on one connection', async () => {
  expect(await probe({})).toEqual({ kind: 'healthy' });
  expect(telegram.calls).toEqual(['help.GetConfig', 'users.GetUsers', 'help.GetAppConfig']);
  expect(telegram.connections()).toBe(1);
});

test('a freeze date of 0, or an app config without one, is no freeze', async () => {
  expect(await probe({ answers: { 'help.GetAppConfig': appConfig({ freeze_since_date: 0 }) } })).toEqual({
    kind: 'healthy',
  });
});

test('a frozen account answers, and says so in its app config', async () => {
  const answers = { 'help.GetAppConfig': appConfig({ a: 1, freeze_since_date: 1_790_000_000 }) };
  expect(await probe({ answers })).toEqual({ kind: 'frozen' });
});

const errors: [name: string, code: number, message: string, report: Record<string, unknown>][] = [
  ['revoked', 401, 'AUTH_KEY_UNREGISTERED', { errorCode: 401, seconds: null }],
  ['banned', 401, 'USER_DEACTIVATED_BAN', { errorCode: 401, seconds: null }],
  ['a flood wait', 420, 'FLOOD_WAIT_77', { errorType: 'FloodWaitError', seconds: 77 }],
  ['a key used twice', 406, 'AUTH_KEY_DUPLICATED', { errorCode: 406 }],
  ['another data centre', 303, 'USER_MIGRATE_4', { errorType: 'UserMigrateError' }],
  ['trouble of the server', 500, 'RPC_CALL_FAIL', { errorCode: 500 }],
];
test.each(errors)('%s: what Telegram says is handed on', async (_name, code, message, report) => {
  for (const request of ['help.GetConfig', 'users.GetUsers', 'help.GetAppConfig']) {
    const startedAt = performance.now();
    const outcome = await probe({ answers: { [request]: { error: [code, message] } } });
    expect(outcome).toMatchObject({ kind: 'error', report });
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  }
  expect(telegram.connections()).toBe(3);
});

test('a key the server does not know is told apart, at once', async () => {
  const outcome = await probe(null);
  expect(outcome).toEqual({ kind: 'key_unknown' });
  expect(needsConfirmation({ kind: 'key_unknown' })).toBe(true);
  expect(telegram.connections()).toBe(1);
});

test('a silent server is left when time is up', async () => {
  const answers = { 'users.GetUsers': 'silence' } as const;
  expect(await probe({ answers }, { timeoutMs: 200 })).toEqual({
    kind: 'unreachable',
    detail: 'no answer within 200 ms',
  });
});

test('a server that accepts and never says a word is left when time is up', async () => {
  const mute = net.createServer();
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
  const server = { address: '127.0.0.1', port: (mute.address() as net.AddressInfo).port };
  const closed: Promise<unknown>[] = [];
  mute.on('connection', (socket) => closed.push(new Promise((resolve) => socket.resume().once('close', resolve))));
  let outcome: unknown;
  const left = await leftBehind(
    async () => {
      outcome = await probeSession({ session: telethonSession(randomKey()), ...API, timeoutMs: 200, server });
    },
    async () => {
      await Promise.all(closed);
    },
  );
  expect(outcome).toMatchObject({ kind: 'unreachable' });
  expect(closed).toHaveLength(1);
  expect(left).toEqual([]);
  await new Promise((resolve) => mute.close(resolve));
});

test('a server that does not even accept is dialled until time is up, and no longer', async () => {
  const stalled = await startStalledServer();
  const server = { address: '127.0.0.1', port: stalled.port };
  expect(await probe(null, { timeoutMs: 200, server })).toEqual({
    kind: 'unreachable',
    detail: 'no answer within 200 ms',
  });
  stalled.stop();
});

test('a refused port is told with its reason, and is not dialled again', async () => {
  const { port } = telegram;
  await telegram.close();
  const outcome = await probe(null, { server: { address: '127.0.0.1', port } });
  expect(outcome).toEqual({ kind: 'unreachable', detail: expect.stringContaining('ECONNREFUSED') });
  telegram = await startFakeTelegram();
});

test('a connection that breaks in mid-call is not made anew', async () => {
  for (const request of ['help.GetConfig', 'users.GetUsers', 'help.GetAppConfig']) {
    expect(await probe({ answers: { [request]: 'cut' } })).toEqual({
      kind: 'unreachable',
      detail: 'the connection broke',
    });
  }
  // GramJS would dial again a second after.
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  expect(telegram.connections()).toBe(3);
});

test('the session may have any form that registration takes', async () => {
  const u16 = (value: number) => Buffer.of(value >> 8, value & 255);
  const zeros = (count: number) => Buffer.alloc(count);
  const user = Buffer.from('00000000ee6b2801', 'hex');
  const forms: Record<string, (key: Buffer) => string> = {
    telethon: telethonSession,
    telethonIpv6: (key) =>
      `1${Buffer.concat([Buffer.of(2), Buffer.from('2001067c04e8f002000000000000000a', 'hex'), u16(443), key]).toString('base64url')}`,
    gramjs: (key) => {
      const host = Buffer.from('venus.web.telegram.org');
      return `1${Buffer.concat([Buffer.of(2), u16(host.length), host, u16(443), key]).toString('base64')}`;
    },
    pyrogram2: (key) => Buffer.concat([Buffer.of(2, 0, 0, 7, 248, 0), key, user, zeros(1)]).toString('base64url'),
    pyrogram267: (key) => Buffer.concat([Buffer.of(2, 0), key, user, zeros(1)]).toString('base64url'),
    pyrogram263: (key) => Buffer.concat([Buffer.of(2, 0), key, user.subarray(4), zeros(1)]).toString('base64url'),
  };
  for (const [form, write] of Object.entries(forms)) {
    const key = randomKey();
    await telegram.addKey(key);
    expect([form, await probe(null, { session: write(key) })]).toEqual([form, { kind: 'healthy' }]);
  }
});

test('every data centre has an address, and no other has', () => {
  const addresses = [1, 2, 3, 4, 5].map((dcId) => dataCentreOf(dcId)?.address);
  expect(new Set(addresses).size).toBe(5);
  for (const address of addresses) expect(net.isIPv4(address ?? '')).toBe(true);
  for (const dcId of [0, 6, -1, 1.5]) expect(dataCentreOf(dcId)).toBeUndefined();
});

test('nothing is dialled with what is not a session, or a proxy that cannot be used', async () => {
  expect(await probe({}, { session: 'not a session' })).toMatchObject({ kind: 'unusable' });
  expect(await probe({}, { proxy: 'http://127.0.0.1:1' })).toMatchObject({ kind: 'unusable' });
  expect(telegram.connections()).toBe(0);
});

test('an account with a proxy is tried through it alone', async () => {
  const proxy = await startSocksProxy('serve');
  const outcome = await probe(
    {},
    {
      proxy: `socks5://name:secret@127.0.0.1:${proxy.port}`,
      timeoutMs: SOCKS_TIMEOUT_MS,
    },
  );
  expect(outcome).toEqual({ kind: 'healthy' });
  expect(proxy.asked).toEqual([`name:secret 127.0.0.1:${telegram.port}`]);
  await proxy.close();
});

test('a proxy that is silent, refuses or is away leaves Telegram undialled, and nothing behind', async () => {
  const silent = await startSocksProxy('silence');
  const refusing = await startSocksProxy('refuse');
  const at = (port: number) => ({ timeoutMs: SOCKS_TIMEOUT_MS, proxy: { ip: '127.0.0.1', port, socksType: 5 } });
  expect(await probe({}, at(silent.port))).toMatchObject({ kind: 'unreachable' });
  expect(await probe({}, at(refusing.port))).toMatchObject({ kind: 'unreachable' });
  const { port } = refusing;
  await Promise.all([silent.close(), refusing.close()]);
  expect(await probe({}, at(port))).toEqual({ kind: 'unreachable', detail: expect.stringContaining('ECONNREFUSED') });
  expect(telegram.connections()).toBe(0);
});
