import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { migrate } from '../../scripts/migrate.mjs';
import { createDatabase } from '../support/database.js';
import { createRedis } from '../support/redis.js';
import { connectRpc, type RpcClient } from '../support/rpc.js';
import { type RunningService, startService } from '../support/service.js';
import { telethonSession } from '../support/session-strings.js';
import { createVhost } from '../support/vhost.js';

// docs/upgrading.md, carried out: the version before the latest migration and this one, beside each other on one database.

const ROOT = path.resolve(import.meta.dirname, '../..');
const run = promisify(execFile);
const git = (...args: string[]): string => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();

const latest =
  readdirSync(path.join(ROOT, 'prisma/migrations'))
    .filter((name) => /^\d/.test(name))
    .sort()
    .at(-1) ?? '';
const before = git('log', '-1', '--diff-filter=A', '--format=%H^', '--', `prisma/migrations/${latest}`);

let folder: string;
let oldMain: string;
const closers: (() => unknown)[] = [];
beforeAll(async () => {
  mkdirSync(path.join(ROOT, '.local'), { recursive: true });
  folder = mkdtempSync(path.join(ROOT, '.local/before-'));
  await run('sh', ['-c', `git archive ${before} | tar -x -C ${folder}`], { cwd: ROOT });
  // The console's style sheet names a file of a package by its path.
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  await run('npm', ['run', '--silent', 'generate'], { cwd: folder });
  const build = `import('./test/support/build-service.js').then(({ buildService }) => buildService()).then(console.log)`;
  oldMain = (await run(process.execPath, ['-e', build], { cwd: folder })).stdout.trim();
}, 180_000);
afterAll(async () => {
  for (const close of closers.toReversed()) await close();
  rmSync(folder, { recursive: true, force: true });
});

const USER = 5_500;
const wish = { user_id: USER, purpose: 'general', service_name: 'drill' };

interface Granted {
  account_id: string;
  lease_id: string;
  fence: number;
}

async function allocate(rpc: RpcClient): Promise<Granted> {
  const reply = await rpc.call('account.allocate', { ...wish, wait_ms: 10_000 });
  if (!reply.success) throw new Error(JSON.stringify(reply.error));
  return (reply as unknown as { allocation: Granted }).allocation;
}

async function release(rpc: RpcClient, { account_id, lease_id, fence }: Granted): Promise<void> {
  const holder = { account_id, lease_id, fence, service_name: 'drill' };
  const reply = await rpc.call('account.release', { ...holder, usage_stats: { success: true } });
  if (!reply.success) throw new Error(JSON.stringify(reply.error));
}

/** Callers that work without a pause until they are stopped; answers how many cycles they did, none of them refused. */
function work(rpc: RpcClient): () => Promise<number> {
  let isOver = false;
  let cycles = 0;
  const callers = Array.from({ length: 4 }, async () => {
    while (!isOver) {
      await release(rpc, await allocate(rpc));
      cycles++;
    }
  });
  return async () => {
    isOver = true;
    await Promise.all(callers);
    return cycles;
  };
}

test('two versions serve one database, before, during and after the upgrade, and back again', async () => {
  const { drop, url } = await createDatabase();
  await drop(); // the name of one that does not exist yet
  const [redis, vhost] = await Promise.all([createRedis(), createVhost()]);
  closers.push(drop, redis.drop, vhost.drop);
  const env = { DATABASE_URL: url, REDIS_URL: redis.url, RABBITMQ_URL: vhost.url, LOG_LEVEL: 'warn' };
  const applied = await migrate(url, { directory: path.join(folder, 'prisma/migrations') });
  expect(applied).not.toContain(latest);
  const startOld = async (): Promise<RunningService> => {
    const service = await startService(env, { main: oldMain });
    closers.push(() => service.kill());
    return service;
  };

  const old = await startOld();
  const rpc = await connectRpc(vhost.url);
  closers.push(() => rpc.close());
  const accounts = Array.from({ length: 8 }, (_, index) => ({
    user_id: USER,
    phone: `+5500${index}${Date.now()}`,
    session_data: telethonSession(),
  }));
  expect((await rpc.call('admin.register', { accounts })).success).toBe(true);
  const held = await allocate(rpc);

  // Expand: the old version goes on while the database is migrated.
  let stop = work(rpc);
  expect(await migrate(url)).toContain(latest);
  expect(await stop()).toBeGreaterThan(0);

  // Both versions, then the new one alone.
  const young = await startService(env);
  closers.push(() => young.kill());
  stop = work(rpc);
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  expect(await old.stop()).toBe(0);
  expect(await stop()).toBeGreaterThan(0);
  await release(rpc, held);

  // Back: the old version on the new database.
  const again = await startOld();
  stop = work(rpc);
  expect(await young.stop()).toBe(0);
  expect(await stop()).toBeGreaterThan(0);
  expect(await again.stop()).toBe(0);
}, 180_000);
