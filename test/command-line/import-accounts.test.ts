import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import pg from 'pg';
import initSqlJs from 'sql.js';
import { type Installation, startInstallation } from '../flows/installation.js';
import type { RunningService } from '../support/service.js';
import { telethonSession } from '../support/session-strings.js';
import { endCommands, runCommand } from './run-command.js';

// A thousand accounts from each form, into the whole service.

jest.setTimeout(180_000);
const COUNT = 1_000;

let installation: Installation;
let service: RunningService;
let folder: string;
beforeAll(async () => {
  installation = await startInstallation();
  service = await installation.start();
  folder = mkdtempSync(path.join(tmpdir(), 'import-'));
});
afterEach(endCommands);
afterAll(() => installation.close());

const run = (...args: string[]) =>
  runCommand(['accounts', ...args], {
    ...installation.env,
    SESSION_ENCRYPTION_KEY: 'ab'.repeat(32),
    ACCOUNT_MANAGER_URL: service.httpUrl,
  });
const file = (name: string, content: string | Uint8Array): string => {
  const whole = path.join(folder, name);
  writeFileSync(whole, content);
  return whole;
};
const stored = (userId: number) =>
  installation.query<Record<string, unknown>>('SELECT * FROM telegram_sessions WHERE user_id = $1 ORDER BY phone', [
    userId,
  ]);

let lastPhone = 70_000_000_000;
const fleet = (userId: number, count = COUNT) =>
  Array.from({ length: count }, () => ({ user_id: userId, phone: `+${++lastPhone}`, session_data: telethonSession() }));

test.each([
  [
    'csv',
    31,
    (accounts: ReturnType<typeof fleet>) =>
      `session_data,owner,phone\n${accounts.map((a) => `${a.session_data},${a.user_id},${a.phone}\n`).join('')}`,
    ['--map', 'user_id=owner'],
  ],
  ['json', 32, (accounts: ReturnType<typeof fleet>) => JSON.stringify(accounts), []],
  ['jsonl', 33, (accounts: ReturnType<typeof fleet>) => accounts.map((a) => `${JSON.stringify(a)}\n`).join(''), []],
  [
    'txt',
    34,
    (accounts: ReturnType<typeof fleet>) => accounts.map((a) => `${a.phone}:${a.session_data}\n`).join(''),
    ['--user', '34'],
  ],
] as const)('%s', async (ending, userId, write, more) => {
  const source = file(`fleet.${ending}`, write(fleet(userId)));
  const { code, stderr } = await run('import', source, ...more);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '1,000 created, 0 updated, 0 rejected.\n' });
  expect(await stored(userId)).toHaveLength(COUNT);
});

test('a directory of .session files', async () => {
  const { Database } = await initSqlJs();
  const directory = path.join(folder, 'sessions');
  mkdirSync(directory);
  for (let n = 0; n < 50; n++) {
    const database = new Database();
    database.run('CREATE TABLE sessions (dc_id, server_address, port, auth_key, takeout_id)');
    const key = Buffer.from(telethonSession().slice(1), 'base64url').subarray(7);
    database.run('INSERT INTO sessions VALUES (?, ?, ?, ?, NULL)', [2, '149.154.167.51', 443, key]);
    writeFileSync(path.join(directory, `${++lastPhone}.session`), database.export());
    database.close();
  }
  expect((await run('import', directory, '--user', '35')).stderr).toBe('50 created, 0 updated, 0 rejected.\n');
  expect(await stored(35)).toHaveLength(50);
});

/** The predecessor's table, with one account in each state that it knew. */
async function createPredecessor(): Promise<{ url: string; close: () => Promise<void> }> {
  const name = `old_${randomUUID().replaceAll('-', '')}`;
  await installation.query(`CREATE DATABASE ${name}`);
  const url = Object.assign(new URL(installation.env['DATABASE_URL']), { pathname: `/${name}` }).href;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`CREATE TABLE telegram_sessions (id uuid, user_id bigint, phone text, session_data jsonb, is_active boolean,
    status text, flood_wait_until timestamp, blocked_until timestamp, used_invites_today int, per_channel_invites jsonb,
    locked boolean, locked_by text, locked_until timestamp, last_used_at timestamp, error_count int, created_at timestamp)`);
  const insert = (more: Record<string, unknown>) => {
    const encrypted_session = Buffer.from(telethonSession()).toString('base64');
    const row = {
      id: randomUUID(),
      user_id: 36,
      phone: `${++lastPhone}`,
      session_data: { encrypted_session },
      is_active: true,
      status: 'active',
      ...more,
    };
    const names = Object.keys(row);
    return client.query(
      `INSERT INTO telegram_sessions (${names.join()}) VALUES (${names.map((_, index) => `$${index + 1}`).join()})`,
      Object.values(row),
    );
  };
  const soon = new Date(Date.now() + 3_600_000).toISOString().slice(0, 19);
  await insert({});
  await insert({ status: 'flood_wait', flood_wait_until: soon });
  await insert({ status: 'blocked', blocked_until: soon });
  await insert({ status: 'banned', is_active: false });
  await insert({ locked: true, locked_by: 'invite-service', locked_until: soon });
  const now = new Date().toISOString().slice(0, 19);
  await insert({ used_invites_today: 30, last_used_at: now, per_channel_invites: { '@c': { today: 15, total: 200 } } });
  await client.end();
  return {
    url,
    close: async () => {
      await installation.query(`DROP DATABASE ${name}`);
    },
  };
}

test('the predecessor’s database: states, counters and locks come along; a repeat changes nothing', async () => {
  const old = await createPredecessor();
  const dry = await run('import', '--from', old.url, '--dry-run');
  expect(dry.stderr).toBe('Would be 6 created, 0 updated, 0 as they are, 0 rejected.\n');
  expect(await stored(36)).toEqual([]);
  const first = await run('import', '--from', old.url);
  expect({ code: first.code, stderr: first.stderr }).toEqual({
    code: 0,
    stderr: '6 created, 0 updated, 0 rejected.\n',
  });
  const accounts = await stored(36);
  expect(accounts.map(({ status, disabled_reason: reason }) => [status, reason])).toEqual([
    ['active', null],
    ['flood_wait', null],
    ['blocked', null],
    ['disabled', 'banned'],
    ['flood_wait', null],
    ['active', null],
  ]);
  const used = String(accounts[5]?.['id']);
  const limits = await (await fetch(`${service.httpUrl}/api/v1/account-manager/rate-limit/status/${used}`)).json();
  expect(limits).toMatchObject({
    status: {
      daily_limits: { invite: { used: 30 } },
      per_channel_limits: { invite: { c: { used: 15, total: { used: 200 } } } },
    },
  });
  expect((await run('import', '--from', old.url)).stderr).toBe('0 created, 6 updated, 0 rejected.\n');
  expect(await stored(36)).toMatchObject(
    accounts.map(({ id, status, disabled_reason }) => ({ id, status, disabled_reason })),
  );
  await old.close();
});

test('a bad row is told by file, line and field, without its secret; the rest goes on', async () => {
  const [good, bad] = fleet(37, 2);
  const source = file(
    'some.csv',
    `user_id,phone,session_data\n37,${good?.phone},${good?.session_data}\n37,${bad?.phone},${bad?.session_data.slice(0, 200)}\nx,1,y\n`,
  );
  const { code, stdout, stderr } = await run('import', source, '-o', 'jsonl');
  expect(code).toBe(1);
  const outcomes = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(outcomes).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ place: 'some.csv:2', outcome: 'created' }),
      expect.objectContaining({ place: 'some.csv:3', outcome: 'rejected', field: 'session_data' }),
      expect.objectContaining({ place: 'some.csv:4', outcome: 'rejected', field: 'user_id' }),
    ]),
  );
  expect(`${stdout}${stderr}`).not.toContain(bad?.session_data.slice(0, 40));
});

test('a sealed export is imported with sessions, metadata and standing; an unsealed one holds no secret', async () => {
  const [account] = fleet(38, 1);
  const source = file(
    'one.json',
    JSON.stringify([
      {
        ...account,
        metadata: { proxy: { host: 'h', password: 'pw-of-proxy' } },
        status: 'disabled',
        disabled_reason: 'frozen',
      },
    ]),
  );
  await run('import', source);
  const key = file('key', 'cd'.repeat(32));
  const [plain, sealed] = [
    await run('export', '--user', '38'),
    await run('export', '--user', '38', '--sealed-with', key),
  ];
  for (const { stdout } of [plain, sealed]) {
    expect(stdout).not.toContain(account?.session_data);
    expect(stdout).not.toContain('pw-of-proxy');
  }
  expect(JSON.parse(plain.stdout)).toMatchObject({
    user_id: 38,
    phone: account?.phone,
    status: 'disabled',
    disabled_reason: 'frozen',
    metadata: { proxy: { host: 'h' } },
  });
  const moved = file('moved.jsonl', sealed.stdout);
  expect((await run('import', moved)).stderr).toContain('1 rejected');
  expect((await run('import', moved, '--sealed-with', key, '-o', 'jsonl')).stdout).toContain('"outcome":"updated"');
});
