import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import pg from 'pg';
import { migrate } from '../../scripts/migrate.mjs';
import { createDatabase } from './database.js';
import { eventually } from './eventually.js';
import { testServers } from './servers.js';
import { databaseUrl } from './template.js';

let directory: string;
let url: string;
let drop: () => Promise<void>;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'migrations-'));
  const database = await createDatabase();
  await database.drop(); // the name of one that does not exist yet
  url = databaseUrl(testServers().databaseUrl, new URL(database.url).pathname.slice(1));
  drop = database.drop;
});

afterEach(async () => {
  await drop();
  await rm(directory, { recursive: true });
});

async function writeMigration(name: string, sql: string): Promise<void> {
  await mkdir(path.join(directory, name), { recursive: true });
  await writeFile(path.join(directory, name, 'migration.sql'), sql);
}

async function query(sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

test('ten instances at once create the database and apply each migration once, in order', async () => {
  await writeMigration('2_second', 'INSERT INTO counts SELECT 1');
  await writeMigration('1_first', 'CREATE TABLE counts (n integer)');
  const applied = await Promise.all(Array.from({ length: 10 }, () => migrate(url, { directory })));
  expect(applied.flat()).toEqual(['1_first', '2_second']);
  expect(await query('SELECT count(*)::int AS rows FROM counts')).toEqual([{ rows: 1 }]);
});

test('a schema named in the URL is created and used', async () => {
  await writeMigration('1_first', 'CREATE TABLE counts (n integer)');
  await migrate(`${url}?schema=Other%20one&sslmode=disable`, { directory });
  const tables = await query(
    `SELECT table_name FROM information_schema.tables WHERE table_schema = 'Other one' ORDER BY 1`,
  );
  expect(tables).toEqual([{ table_name: '_prisma_migrations' }, { table_name: 'counts' }]);
});

test('a migration changed after it was applied is refused by name', async () => {
  await writeMigration('1_first', 'CREATE TABLE counts (n integer)');
  await migrate(url, { directory });
  await writeMigration('1_first', 'CREATE TABLE counts (n bigint)');
  await expect(migrate(url, { directory })).rejects.toThrow('1_first was changed after it was applied');
});

test('a failed migration leaves nothing behind, and stops every later run until it is settled', async () => {
  await writeMigration('1_first', 'CREATE TABLE half (n integer); SELECT * FROM nothing');
  await expect(migrate(url, { directory })).rejects.toThrow('1_first failed: relation "nothing" does not exist');
  expect(await query(`SELECT to_regclass('half') AS half`)).toEqual([{ half: null }]);
  await writeMigration('2_second', 'CREATE TABLE second (n integer)');
  await expect(migrate(url, { directory })).rejects.toThrow(
    /1_first failed earlier \(P3009\).*"nothing" does not exist/,
  );
  await query('UPDATE _prisma_migrations SET rolled_back_at = now()'); // as prisma migrate resolve does
  await writeMigration('1_first', 'CREATE TABLE half (n integer)');
  expect(await migrate(url, { directory })).toEqual(['1_first', '2_second']);
});

test('a migration waits for transactions that are in its way, and for no longer than it must at a time', async () => {
  await writeMigration('1_first', 'CREATE TABLE counts (n integer)');
  await migrate(url, { directory });
  await writeMigration('2_second', 'CREATE TABLE totals (n integer); ALTER TABLE counts ADD COLUMN m integer');
  const busy = new pg.Client({ connectionString: url });
  await busy.connect();
  try {
    await busy.query('BEGIN; INSERT INTO counts SELECT 1');
    const migrated = migrate(url, { directory, lockWaitMs: 50 });
    await eventually('it has given up once', async () => {
      const [row] = (await query(`SELECT count(*)::int AS waiting FROM pg_locks WHERE NOT granted`)) as [
        { waiting: number },
      ];
      return row.waiting > 0;
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    await busy.query('COMMIT');
    expect(await migrated).toEqual(['2_second']);
  } finally {
    await busy.end();
  }
  expect(await query('SELECT n, m FROM counts')).toEqual([{ n: 1, m: null }]);
  expect(await query('SELECT logs FROM _prisma_migrations WHERE logs IS NOT NULL')).toEqual([]);
});
