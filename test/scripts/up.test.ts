import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { stopService } from '../../scripts/service.mjs';
import { buildService } from '../support/build-service.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { createRedis, type TestRedis } from '../support/redis.js';
import { createVhost, type TestVhost } from '../support/vhost.js';

// `make up` on servers that are given, with the build of the tests.

const ROOT = path.resolve(import.meta.dirname, '../..');
let directory: string;
let database: TestDatabase;
let redis: TestRedis;
let vhost: TestVhost;
let main: string;
beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'up-'));
  [database, redis, vhost, main] = await Promise.all([createDatabase(), createRedis(), createVhost(), buildService()]);
});
afterAll(async () => {
  await stopService(directory);
  rmSync(directory, { recursive: true });
  await Promise.all([database.drop(), redis.drop(), vhost.drop()]);
});

/** Runs it; answers what it printed, or why it failed. */
async function up(env: Record<string, string> = {}): Promise<string> {
  const service = path.join(ROOT, 'scripts/service.mjs');
  const program = `import { up } from ${JSON.stringify(service)};
    await up(${JSON.stringify(directory)}, { main: ${JSON.stringify(main)} }).catch((error) => console.log(error.message))`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    cwd: ROOT,
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: database.url,
      REDIS_URL: redis.url,
      RABBITMQ_URL: vhost.url,
      RABBITMQ_MANAGEMENT_URL: vhost.managementUrl,
      ...env,
    },
  });
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  await once(child, 'close');
  return printed;
}

const state = () =>
  JSON.parse(readFileSync(path.join(directory, 'service.json'), 'utf8')) as { pid: number; url: string };

/** Pastes the lines into a shell; returns its output. */
async function paste(lines: readonly string[]): Promise<Record<string, unknown>[]> {
  const { stdout } = await promisify(execFile)('bash', ['-c', lines.join('\n')], { cwd: ROOT });
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('it prints the first requests, which work when they are pasted, and writes the address to env', async () => {
  const printed = await up();
  const { url } = state();
  expect(printed).toContain(`HTTP        ${url}`);
  expect(readFileSync(path.join(directory, 'env'), 'utf8')).toContain(`ACCOUNT_MANAGER_URL='${url}'\n`);
  const requests = printed.split('\n').filter((line) => line.startsWith('curl '));
  const replies = [
    { success: true, accounts: [{ outcome: 'created' }] },
    { success: true, allocation: { allocated_by: 'first-steps' } },
    { success: true, allowed: true },
    { success: true, counted: { invites: 0 } },
  ];
  expect(await paste(requests)).toMatchObject(replies);
  // Again: the account is there, and the action too soon.
  expect(await paste(requests)).toMatchObject([
    { accounts: [{ outcome: 'updated' }] },
    { success: true },
    { allowed: false, reason: 'cooldown' },
    { success: true },
  ]);
  const root = (await (await fetch(`${url}/`)).json()) as { operations: { operation: string; request: string }[] };
  expect(root.operations).toContainEqual(
    expect.objectContaining({ operation: 'account.allocate', request: 'POST /api/v1/account-manager/allocate' }),
  );
});

test('a running service is left alone, and named as such; a changed setting restarts it on the same port', async () => {
  await up();
  const before = state();
  expect(await up()).toMatch(/^Account Manager is running already \(process \d+, since .*\); nothing has changed\.$/m);
  expect(state()).toEqual(before);
  expect(await up({ LOG_LEVEL: 'debug' })).toMatch(/^Restarting Account Manager, since this has changed: LOG_LEVEL$/m);
  expect(state().pid).not.toBe(before.pid);
  expect(state().url).toBe(before.url);
}, 180_000);

test('its port is kept after a stop; where it is taken, it says which one it took and why', async () => {
  await up();
  const { port } = new URL(state().url);
  await stopService(directory);
  const stranger = createServer().listen(Number(port), '127.0.0.1');
  await once(stranger, 'listening');
  try {
    const printed = await up();
    expect(new URL(state().url).port).not.toBe(port);
    expect(printed).toContain(
      `Port ${port} is taken by another program, so HTTP listens on ${new URL(state().url).port}; HTTP_PORT=… chooses a port.`,
    );
    // One that was asked for is not replaced.
    expect(await up({ HTTP_PORT: port })).toContain(`could not start: port ${port} of 127.0.0.1 is taken`);
  } finally {
    stranger.close();
  }
}, 180_000);
