import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, jest, test } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/ports.js';
import { endCommands, runCommand, startCommand, startOnTerminal } from './run-command.js';

// The command without a service, and with something that only looks like one.

// Each run of the command takes a processor half a second, and on a busy machine many.
jest.setTimeout(180_000);
const PATIENCE_MS = 60_000;

const servers: Server[] = [];
afterEach(async () => {
  endCommands();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
});

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const ACCOUNT = '6f1c2d3e-4b5a-4c6d-8e7f-001122334455';

test('wrong usage exits 2, says why on stderr, and writes no data', async () => {
  const wrong: [string[], RegExp][] = [
    [[], /Usage: account-manager/],
    [['accounts', 'lisst'], /unknown command 'lisst'[\s\S]*Did you mean list/],
    [['status', '-o', 'yaml'], /Allowed choices are table, json, jsonl/],
    [['leases', '--user', 'x'], /--user <id>.*must be a whole number/],
    [['wait', ACCOUNT, '--for', 'status=well'], /status=/],
    [['accounts', 'disable'], /name accounts, or give a filter/],
    [['accounts', 'disable', ACCOUNT, '--user', '7'], /not both/],
    [['status', '--url', 'ftp://x'], /the URL must be/],
    [['status', '--token', 'a b'], /printable ASCII/],
    [['parked', 'discard'], /name the messages, or say --all/],
    [['watch'], /needs a terminal/],
  ];
  const ran = await Promise.all(wrong.map(([args]) => runCommand(args)));
  ran.forEach(({ code, stdout, stderr }, at) => {
    const [args, text] = wrong[at]!;
    expect({ args, code, stdout }).toEqual({ args, code: 2, stdout: '' });
    expect(stderr).toMatch(text);
    expect(stderr).not.toMatch(/\x1b\[| at file:/);
  });
});

test('help and version are data', async () => {
  const [help, version] = await Promise.all([runCommand(['accounts', 'why', '--help']), runCommand(['--version'])]);
  expect(help).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('--purpose') });
  expect(version).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
});

test('a service that cannot be reached exits 3, and so does what is none', async () => {
  const nobody = `http://127.0.0.1:${await freePort()}`;
  const page = await serve((_request, response) => response.end('<html>hello</html>'));
  const away = await serve((_request, response) => {
    response.writeHead(503, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({ success: false, error: { code: 'UNAVAILABLE', message: 'no database', retryable: true } }),
    );
  });
  const commands: [string[], RegExp][] = [
    [['status', '--url', nobody], /cannot be reached \(ECONNREFUSED\)/],
    [['accounts', 'disable', ACCOUNT, '--yes', '--url', nobody], /cannot be reached/],
    [['events', 'tail', '--url', nobody], /cannot be reached/],
    [['wait', ACCOUNT, '--for', 'status=active', '--url', nobody], /cannot be reached/],
    [['status', '--url', page], /not as an account manager \(HTTP 200\)/],
    [['leases', '--url', away], /UNAVAILABLE: no database/],
  ];
  const ran = await Promise.all(commands.map(([args]) => runCommand(args)));
  ran.forEach(({ code, stdout, stderr }, at) => {
    const [args, text] = commands[at]!;
    expect({ args, code, stdout }).toEqual({ args, code: 3, stdout: '' });
    expect(stderr).toMatch(text);
  });
});

/** Answers what it was asked with. */
const serveEcho = (): Promise<string> =>
  serve((request, response) => {
    response.end(
      JSON.stringify({ success: true, leases: [{ lease_id: request.headers.authorization ?? 'nobody' }], total: 1 }),
    );
  });

test('url and token come from flags, else the environment, else a profile that nobody else can read', async () => {
  const url = await serveEcho();
  const home = mkdtempSync(path.join(tmpdir(), 'profile-'));
  const file = path.join(home, 'account-manager', 'profile.json');
  mkdirSync(path.dirname(file));
  writeFileSync(file, JSON.stringify({ url, token: 'of-the-profile' }), { mode: 0o600 });
  const env = { XDG_CONFIG_HOME: home };
  const ask = async (args: string[], own: Record<string, string> = {}): Promise<string> => {
    const { stdout, stderr, code } = await runCommand(['leases', '-o', 'jsonl', ...args], { ...env, ...own });
    return code === 0 ? (JSON.parse(stdout) as { lease_id: string }).lease_id : `${code}: ${stderr}`;
  };
  const other = await serveEcho();
  const [profile, environment, flag, stranger, same] = await Promise.all([
    ask([]),
    ask([], { ACCOUNT_MANAGER_TOKEN: 'of-the-environment' }),
    ask(['--token', 'of-the-flag'], { ACCOUNT_MANAGER_TOKEN: 'of-the-environment', ACCOUNT_MANAGER_URL: url }),
    // Its token is for its own service.
    ask(['--url', other]),
    ask(['--url', `${url}/api/v1/account-manager/`]),
  ]);
  expect({ profile, environment, flag, stranger, same }).toEqual({
    profile: 'Bearer of-the-profile',
    environment: 'Bearer of-the-environment',
    flag: 'Bearer of-the-flag',
    stranger: 'nobody',
    same: 'Bearer of-the-profile',
  });

  const broken = path.join(home, 'broken.json');
  writeFileSync(broken, '{"url": 7}', { mode: 0o600 });
  chmodSync(file, 0o640);
  const [open, wrong, missing] = await Promise.all([
    ask([]),
    ask(['--profile', broken]),
    ask([], { ACCOUNT_MANAGER_PROFILE: path.join(home, 'none.json') }),
  ]);
  expect(open).toMatch(/^2: .*can be read or changed by others: run "chmod 600 /);
  expect(wrong).toMatch(/^2: .*must be a JSON object with "url" and "token"/);
  expect(missing).toMatch(/^2: .*does not exist/);
});

test('Ctrl-C exits 130, whatever is under way', async () => {
  const silent = await serve(() => undefined);
  const asked = [];
  for (const server of servers) server.on('request', () => asked.push(1));
  const runs = await Promise.all([
    startCommand(['status', '--url', silent]),
    startCommand(['events', 'tail', '--url', silent]),
  ]);
  await eventually('it has asked', () => asked.length >= 3, PATIENCE_MS);
  for (const { process } of runs) process.kill('SIGINT');
  for (const { ended } of runs) expect(await ended).toEqual({ code: 130, stdout: '', stderr: 'interrupted\n' });
});

test('a request whose answer got lost is sent again under its message id', async () => {
  const ids: unknown[] = [];
  const url = await serve((request, response) => {
    ids.push(request.headers['idempotency-key']);
    request.resume();
    if (ids.length === 1) return void response.destroy();
    response.end(JSON.stringify({ success: true, account_id: ACCOUNT, changed: true }));
  });
  const { code, stdout } = await runCommand(['accounts', 'recover', ACCOUNT, '-o', 'jsonl', '--url', url]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ account_id: ACCOUNT, outcome: 'changed' });
  expect(ids).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/), ids[0]]);
});

test('a reader that has read enough ends the command', async () => {
  const url = await serve((_request, response) => {
    const leases = Array.from({ length: 500 }, () => ({ lease_id: 'x'.repeat(1000) }));
    response.end(
      JSON.stringify({ success: true, leases, total: 10_000, total_is_at_least: true, next_cursor: 'more' }),
    );
  });
  const running = await startCommand(['leases', '--all', '-o', 'jsonl', '--url', url]);
  running.process.stdout.once('data', () => running.process.stdout.destroy());
  expect(await running.ended).toMatchObject({ code: 0, stderr: '' });
});

test('on a terminal there is colour, unless NO_COLOR or a plain terminal forbids it', async () => {
  const url = await serve((_request, response) => {
    const alerts = [{ severity: 'critical', alert: 'x', subject: '', raised_at: '2026-01-01T00:00:00.000Z', data: {} }];
    response.end(JSON.stringify({ success: true, alerts, total: 1, next_cursor: null }));
  });
  const args = ['alerts', '--url', url];
  const runs = await Promise.all([
    startOnTerminal(args),
    startOnTerminal(args, { NO_COLOR: '1' }),
    startOnTerminal(args, { TERM: 'dumb' }),
    startCommand(args),
  ]);
  const [coloured, ...plain] = await Promise.all(runs.map(({ ended }) => ended));
  expect(coloured?.stdout).toContain('\x1b[31mcritical\x1b[0m');
  for (const { code, stdout } of plain) {
    expect(stdout).toContain('critical');
    expect({ code, hasColour: stdout.includes('\x1b[') }).toEqual({ code: 0, hasColour: false });
  }
});

test('a person is asked before anything is taken away, and may say no', async () => {
  const asked: string[] = [];
  const url = await serve((request, response) => {
    asked.push(request.url ?? '');
    request.resume();
    response.end(
      JSON.stringify({
        success: true,
        account_id: ACCOUNT,
        changed: true,
        previous_status: 'active',
        status: 'disabled',
      }),
    );
  });
  const answer = async (keys: string, env: Record<string, string> = {}) => {
    const running = await startOnTerminal(['accounts', 'disable', ACCOUNT, '--url', url], env);
    await eventually('it says Disable account', () => running.stdout().includes('Disable account'), PATIENCE_MS);
    running.process.stdin.write(keys);
    const { code } = await running.ended;
    return code;
  };
  expect(
    await Promise.all([
      answer('n'),
      answer('\x03'),
      answer('n\r', { NO_COLOR: '1' }),
      answer('\x03', { NO_COLOR: '1' }),
    ]),
  ).toEqual([1, 130, 1, 130]);
  expect(asked).toEqual([]);
  expect(await Promise.all([answer('y'), answer('y\r', { NO_COLOR: '1' })])).toEqual([0, 0]);
  expect(asked.length).toBe(2);

  const withoutTerminal = await runCommand(['accounts', 'disable', ACCOUNT, '--url', url]);
  expect(withoutTerminal).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('say --yes') });
  expect(asked.length).toBe(2);
});

test('the shell completes nouns, verbs, options and their values', async () => {
  const { stdout } = await runCommand(['completion', 'bash']);
  const complete = (...words: string[]): string[] => {
    const list = ['account-manager', ...words].map((word) => `'${word}'`).join(' ');
    const script = `${stdout}\nCOMP_WORDS=(${list}); COMP_CWORD=${words.length}; _account_manager; echo "\${COMPREPLY[*]}"`;
    return execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim().split(' ');
  };
  expect(complete('par')).toEqual(['parked']);
  expect(complete('accounts', 're')).toEqual(['recover', 'release', 'remove']);
  expect(complete('--url', 'http://x', 'accounts', 'hi')).toEqual(['history']);
  expect(complete('accounts', 'list', '--stat')).toEqual(['--status']);
  expect(complete('accounts', 'list', '--status', 'd')).toEqual(['draining', 'disabled']);
  expect(complete('jobs', 'run', 'rep')).toEqual(['report']);
  expect(complete('leases', '--out')).toEqual(['--output']);
  for (const shell of ['zsh', 'fish']) {
    const other = await runCommand(['completion', shell]);
    expect(other).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('recover') });
  }
});
