import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import pg from 'pg';
import type { OperationName } from '../../contracts/operations.js';
import { createDatabase, openPool } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { createRedis, type TestRedis } from '../support/redis.js';
import { connectRpc, type RpcClient } from '../support/rpc.js';
import { type RunningService, startService } from '../support/service.js';
import { telethonSession } from '../support/session-strings.js';
import { databaseUrl } from '../support/template.js';
import { createVhost, type TestVhost } from '../support/vhost.js';
import { testServers } from '../support/servers.js';
import { readBlocks } from '../support/guide.js';

// docs/backup.md, carried out: a dump, work that goes on, the loss of the database, and its restore.

const run = promisify(execFile);
const PAGE = readFileSync(path.resolve(import.meta.dirname, '../../docs/backup.md'), 'utf8');
/** The statements of step 3, as the page has them. */
const AFTER_A_DUMP = /```sql\n(.*?)```/s.exec(PAGE)?.[1] ?? '';

/** Observations of the drill, line by line; printed at its end. */
const told: string[] = [];
const tell = (line: string): void => void told.push(`${new Date().toISOString().slice(11, 23)} ${line}`);

let folder: string;
let bin: string;
const closers: (() => unknown)[] = [];
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'restore-'));
  const pool = openPool(databaseUrl(testServers().databaseUrl, 'postgres'));
  const { rows } = await pool.query<{ setting: string }>("SELECT setting FROM pg_config WHERE name = 'BINDIR'");
  await pool.end();
  bin = rows[0]?.setting ?? '';
});
afterAll(async () => {
  for (const close of closers.toReversed()) await close();
  rmSync(folder, { recursive: true, force: true });
  process.stdout.write(`The restore drill:\n${told.join('\n')}\n`);
});

type Reply = Record<string, unknown> & { success: boolean; error?: { code: string } };

interface Site {
  url: string;
  redis: TestRedis;
  vhost: TestVhost;
  service: RunningService;
  rpc: RpcClient;
  ask: (operation: OperationName, body: Record<string, unknown>, messageId?: string) => Promise<Reply>;
  accounts: string[];
  holder: (reply: Reply) => Record<string, unknown>;
}

const USER = 4_400;

async function openSite(): Promise<Site> {
  const [database, redis, vhost] = await Promise.all([createDatabase(), createRedis(), createVhost()]);
  const site = { url: database.url, redis, vhost } as Site;
  site.service = await start(site);
  site.rpc = await connectRpc(vhost.url);
  closers.push(
    () => database.drop(),
    () => redis.drop(),
    () => vhost.drop(),
    () => site.service.kill(),
    () => site.rpc.close().catch(() => undefined),
  );
  site.ask = async (operation, body, messageId = randomUUID()) =>
    (await site.rpc.ask(operation, body, { messageId })).reply;
  const accounts = Array.from({ length: 3 }, (_, index) => ({
    user_id: USER,
    phone: `+4400${index}${Date.now()}`,
    session_data: telethonSession(),
  }));
  const registered = await site.ask('admin.register', { accounts });
  site.accounts = (registered.accounts as { account_id: string }[]).map(({ account_id: id }) => id);
  site.holder = (reply) => {
    const { account_id, lease_id, fence } = reply.allocation as Record<string, unknown>;
    return { account_id, lease_id, fence, service_name: 'drill' };
  };
  return site;
}

const start = (site: Site): Promise<RunningService> =>
  startService({
    DATABASE_URL: site.url,
    REDIS_URL: site.redis.url,
    RABBITMQ_URL: site.vhost.url,
    LOG_LEVEL: 'warn',
  });

const wish = (account: string) => ({
  user_id: USER,
  purpose: 'general',
  service_name: 'drill',
  preferred_account_id: account,
  preferred_mode: 'require',
  timeout_minutes: 30,
});

async function dump(site: Site): Promise<string> {
  const file = path.join(folder, `${randomUUID()}.dump`);
  await run(path.join(bin, 'pg_dump'), ['--format=custom', `--file=${file}`, site.url]);
  return file;
}

async function restore(site: Site, file: string): Promise<void> {
  const name = new URL(site.url).pathname.slice(1);
  const admin = new pg.Client({ connectionString: databaseUrl(site.url, 'postgres') });
  await admin.connect();
  await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
  await admin.query(`CREATE DATABASE ${name}`);
  await admin.end();
  await run(path.join(bin, 'pg_restore'), ['--no-owner', '--exit-on-error', `--dbname=${site.url}`, file]);
  const client = new pg.Client({ connectionString: site.url });
  await client.connect();
  await client.query(AFTER_A_DUMP);
  await client.end();
}

const answerOf = (reply: Reply): string => (reply.success ? 'done' : (reply.error?.code ?? ''));

test.each([
  ['Redis kept', false],
  ['Redis empty', true],
])(
  'a database restored from a dump, %s',
  async (name, redisIsEmpty) => {
    tell(`-- ${name}`);
    const site = await openSite();
    const [first = '', second = '', third = ''] = site.accounts;
    const before = { id: randomUUID(), reply: {} as Reply };
    before.reply = await site.ask('account.allocate', wish(first), before.id);
    tell(`lease of the first account before the dump: ${answerOf(before.reply)}`);
    const file = await dump(site);
    tell('dumped');

    const after = { id: randomUUID(), reply: {} as Reply };
    after.reply = await site.ask('account.allocate', wish(second), after.id);
    const counted = await site.ask('action.acquire', {
      ...site.holder(after.reply),
      action_type: 'invite',
      target_channel_id: '@a',
    });
    const flood = await site.ask('account.error', { account_id: third, error_message: 'FLOOD_WAIT_3000' });
    const newest = await site.ask('query.events', { limit: 500 });
    tell(
      `after the dump: a lease of the second account ${answerOf(after.reply)}, an invite ${answerOf(counted)}, a flood wait ${answerOf(flood)}`,
    );

    // A commit answered is a lock prolonged; it is what the restore lives by.
    await eventually('the lock of the lease lasts', async () => {
      const { ttl } = await lockOf(site, second);
      return ttl > 60;
    });
    await site.service.kill();
    await restore(site, file);
    if (redisIsEmpty) await site.redis.flush();
    tell('database lost and restored; the service starts');
    site.service = await start(site);

    const repeated = await site.ask('account.allocate', wish(first), before.id);
    expect(repeated.allocation).toMatchObject({ lease_id: (before.reply.allocation as { lease_id: string }).lease_id });
    tell('the request from before the dump, repeated: its first reply');

    const stranger = await site.ask('account.allocate', { ...wish(second), service_name: 'another' });
    tell(`the second account, whose lease is forgotten, asked for by another: ${answerOf(stranger)}`);
    expect(answerOf(stranger)).toBe(redisIsEmpty ? 'done' : 'PREFERRED_UNAVAILABLE');

    const late = await site.ask('action.acquire', {
      ...site.holder(after.reply),
      action_type: 'invite',
      target_channel_id: '@a',
    });
    tell(`its holder asks for an action: ${answerOf(late)}`);
    expect(['NOT_HELD', 'LEASE_LOST']).toContain(answerOf(late));

    const limits = await site.ask('query.limits', { account_id: second });
    const invite = (limits.status as { daily_limits: { invite: { used: number } } }).daily_limits.invite;
    tell(`invites of the second account that are counted today: ${invite.used} (1 was done)`);
    expect(invite.used).toBe(0);

    const wait = await site.ask('query.flood-wait', { account_id: third });
    tell(`the flood wait of the third account: ${wait.flood_wait_active === true ? 'known' : 'forgotten'}`);
    expect(wait.flood_wait_active).toBe(false);

    const released = await site.ask('account.release', {
      ...site.holder(before.reply),
      usage_stats: { success: true },
    });
    tell(`the holder of the first account gives it back: ${answerOf(released)}`);
    expect(answerOf(released)).toBe('done');

    const feed = await site.ask('query.events', { after: newest.next_after, limit: 500 });
    const types = (feed.events as { event: { type: string } }[]).map(({ event }) => event.type);
    tell(`events that a reader from before the loss gets: ${types.join(', ')}`);
    expect(answerOf(feed)).toBe('done');
    expect(types).toContain('account.released');
  },
  180_000,
);

test('the page has the commands that the drill runs', () => {
  const commands = readBlocks(PAGE.replaceAll(/^ {3}/gm, ''))
    .map(({ text }) => text)
    .join('');
  expect(commands).toContain('pg_dump --format=custom --file=account-manager.dump');
  expect(commands).toContain('pg_restore --no-owner --exit-on-error');
  expect(AFTER_A_DUMP).toContain('UPDATE events');
});

/** The rest of an account's lease lock, in the first database that the service uses: N+1. */
async function lockOf({ redis }: Site, account: string): Promise<{ ttl: number }> {
  const server = new URL(redis.url);
  // The path would win over `db`.
  server.pathname = '';
  const client = new Redis(server.href, { db: redis.database + 1 });
  try {
    return { ttl: await client.ttl(`account_lock:${account}`) };
  } finally {
    client.disconnect();
  }
}
