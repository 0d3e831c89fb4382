import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import {
  classifyDatabaseFault,
  createDatabase as connectDatabase,
  type Database,
  type Sql,
} from '../../src/store/database.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { freePort } from '../support/ports.js';

let testDatabase: TestDatabase;
let database: Database;
let admin: pg.Client;

beforeAll(async () => {
  testDatabase = await createDatabase();
  database = connectDatabase({ url: testDatabase.url, poolSize: 3, onConnectionError: () => {} });
  admin = new pg.Client({ connectionString: testDatabase.url });
  await admin.connect();
  await admin.query('CREATE TABLE things (id integer PRIMARY KEY, size integer CHECK (size > 0))');
  await admin.query('INSERT INTO things VALUES (1, 1), (2, 1)');
});
afterAll(async () => {
  await admin.end();
  await database.close();
  await testDatabase.drop();
});

/** Class of a transaction's fault; throws where there is none. */
const faultOf = (work: (sql: Sql) => Promise<unknown>, on = database): Promise<string> =>
  on.transaction(work).then(() => Promise.reject(new Error('there was no fault')), classifyDatabaseFault);

const resize = (sql: Sql, id: number) => sql.$executeRaw`UPDATE things SET size = size + 1 WHERE id = ${id}`;

test.each<[what: string, work: (sql: Sql) => Promise<unknown>, fault: string]>([
  ['a key that is there already', (sql) => sql.$executeRaw`INSERT INTO things VALUES (1, 1)`, 'conflict'],
  ['a CHECK', (sql) => sql.$executeRaw`UPDATE things SET size = 0`, 'defect'],
  ['a number too large', (sql) => sql.$executeRaw`UPDATE things SET size = 2147483647 + size`, 'defect'],
  ['a text that is no UUID', (sql) => sql.$queryRaw`SELECT ${'x'}::uuid`, 'defect'],
  ['a statement that is none', (sql) => sql.$queryRaw`SELEC 1`, 'defect'],
  ['a table that is missing', (sql) => sql.$queryRaw`SELECT * FROM nothing`, 'defect'],
  ['a NUL that is not kept', (sql) => sql.$queryRaw`SELECT ${'"\\u0000"'}::jsonb`, 'defect'],
  ['an error of our own', () => Promise.reject(new TypeError('undefined is not a function')), 'defect'],
  ['a lock that is waited for in vain', waitBriefly, 'locked'],
  ['a statement that takes too long', takeTooLong, 'unavailable'],
  ['a server that takes no writes', writeReadOnly, 'unavailable'],
  ['a connection that is closed by the server', loseConnection, 'unavailable'],
])('%s is a fault of the right kind', async (_what, work, fault) => {
  expect(await faultOf(work)).toBe(fault);
});

async function waitBriefly(sql: Sql): Promise<void> {
  await admin.query('BEGIN; UPDATE things SET size = size WHERE id = 1');
  try {
    await sql.$executeRaw`SET LOCAL lock_timeout = '20ms'`;
    await resize(sql, 1);
  } finally {
    await admin.query('ROLLBACK');
  }
}

async function takeTooLong(sql: Sql): Promise<void> {
  await sql.$executeRaw`SET LOCAL statement_timeout = '20ms'`;
  await sql.$queryRaw`SELECT pg_sleep(5)::text`;
}

async function writeReadOnly(sql: Sql): Promise<void> {
  await sql.$executeRaw`SET TRANSACTION READ ONLY`;
  await resize(sql, 1);
}

async function loseConnection(sql: Sql): Promise<void> {
  const [own] = await sql.$queryRaw<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`;
  await admin.query('SELECT pg_terminate_backend($1)', [own?.pid]);
  await resize(sql, 1);
}

test('of two transactions that wait for each other one is in conflict, the other goes on', async () => {
  let meet = () => {};
  const met = new Promise<void>((resolve) => {
    let arrived = 0;
    meet = () => {
      arrived += 1;
      if (arrived === 2) resolve();
    };
  });
  const work = (first: number, second: number) =>
    database
      .transaction(async (sql) => {
        await resize(sql, first);
        meet();
        await met;
        await resize(sql, second);
      })
      .then(() => 'done', classifyDatabaseFault);
  expect((await Promise.all([work(1, 2), work(2, 1)])).sort()).toEqual(['conflict', 'done']);
});

test('a database that is away, or whose connections are all in use, is unavailable, and soon known to be', async () => {
  const url = new URL(testDatabase.url);
  url.port = String(await freePort());
  const away = connectDatabase({ url: url.href, poolSize: 1, onConnectionError: () => {} });
  expect(await faultOf((sql) => resize(sql, 1), away)).toBe('unavailable');
  await away.close();

  const single = connectDatabase({ url: testDatabase.url, poolSize: 1, onConnectionError: () => {} });
  const before = performance.now();
  let finish = () => {};
  const held = single.transaction(() => new Promise<void>((resolve) => (finish = resolve)));
  expect(await faultOf((sql) => resize(sql, 1), single)).toBe('unavailable');
  expect(performance.now() - before).toBeLessThan(10_000);
  finish();
  await held;
  expect(await single.transaction((sql) => resize(sql, 1))).toBe(1);
  await single.close();
});

test('it is available again once it takes writes', async () => {
  const [{ name } = { name: '' }] = (await admin.query<{ name: string }>('SELECT current_database() AS name')).rows;
  await admin.query(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
  const again = connectDatabase({ url: testDatabase.url, poolSize: 1, onConnectionError: () => {} });
  await expect(again.probe()).rejects.toThrow('read-only');
  const stop = new AbortController();
  const waiting = again.waitUntilAvailable(stop.signal);
  stop.abort(new Error('stopped'));
  await expect(waiting).rejects.toThrow('stopped');
  await admin.query(
    `SET default_transaction_read_only = off; ALTER DATABASE ${name} RESET default_transaction_read_only`,
  );
  await admin.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()`,
    [name],
  );
  await again.waitUntilAvailable(new AbortController().signal);
  await again.close();
});
