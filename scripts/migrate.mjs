#!/usr/bin/env node
// Applies prisma/migrations/*/migration.sql to DATABASE_URL, as `prisma migrate deploy` would, without its engine:
// same lock, same table, same checksums, so that either may follow the other.

import './check-node.mjs';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';

/** The advisory lock that Prisma takes for the same purpose. */
const LOCK = 72_707_369;

/**
 * How long a statement waits for the transactions of a running service, milliseconds. Requests queue up behind it meanwhile.
 */
const LOCK_WAIT_MS = 3_000;
const TRIES = 20;
const PAUSE_MS = 500;
/** PostgreSQL's codes for transactions that were in the way: a deadlock, and a lock that was not had in time. */
const IN_THE_WAY = ['40P01', '55P03'];

export const MIGRATIONS = path.resolve(import.meta.dirname, '../prisma/migrations');

/**
 * Creates the database where it is missing and brings it up to date. Any number of instances may call it at once: one
 * works, the others wait and find everything done.
 * @param {string} databaseUrl may carry `?schema=` and the parameters of `pg`, such as `sslmode`
 * @param {{ directory?: string, say?: (line: string) => void, lockWaitMs?: number }} [options]
 * @returns {Promise<string[]>} the names of the migrations applied now
 * @throws when an applied migration was changed since, or when one failed, now or earlier; both name it
 */
export async function migrate(databaseUrl, { directory = MIGRATIONS, say = () => {}, lockWaitMs = LOCK_WAIT_MS } = {}) {
  const migrations = await readMigrations(directory);
  const client = await connectCreating(databaseUrl);
  try {
    await client.query('SELECT pg_advisory_lock($1)', [LOCK]);
    await enterSchema(client, new URL(databaseUrl).searchParams.get('schema'));
    const rows = await loadApplied(client);
    const pending = migrations.filter((migration) => !isApplied(migration, rows.get(migration.name)));
    await client.query("SELECT set_config('lock_timeout', $1, false)", [`${lockWaitMs}ms`]);
    for (const migration of pending) {
      await apply(client, migration);
      say(`Applied ${migration.name}`);
    }
    return pending.map(({ name }) => name);
  } finally {
    await client.end(); // gives the lock back
  }
}

/**
 * @typedef {{ name: string, sql: string, checksum: string }} Migration
 * @typedef {{ migration_name: string, checksum: string, finished_at: Date | null, logs: string | null }} Row
 *
 * @param {string} directory
 * @returns {Promise<Migration[]>} in the order of their names
 */
export async function readMigrations(directory) {
  if (!existsSync(directory)) return [];
  const entries = await readdir(directory, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return await Promise.all(
    names.sort().map(async (name) => {
      const sql = await readFile(path.join(directory, name, 'migration.sql'), 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

/**
 * @param {Migration} migration
 * @param {Row | undefined} row
 */
function isApplied({ name, checksum }, row) {
  if (!row) return false;
  if (!row.finished_at) {
    throw new Error(
      `migration ${name} failed earlier (P3009), and nothing more is applied until that is settled: ` +
        `repair the database, then run "npx prisma migrate resolve --rolled-back ${name}" (or --applied). ` +
        `What it said: ${row.logs ?? 'nothing, it was interrupted'}`,
    );
  }
  if (row.checksum !== checksum) {
    throw new Error(
      `migration ${name} was changed after it was applied; migrations are append-only: restore it, add a new one`,
    );
  }
  return true;
}

/**
 * @param {pg.Client} client
 * @param {Migration} migration
 */
async function apply(client, { name, sql, checksum }) {
  const id = randomUUID();
  await client.query('INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ($1, $2, $3)', [
    id,
    checksum,
    name,
  ]);
  try {
    await runPatiently(client, sql);
  } catch (error) {
    const { message } = /** @type {Error} */ (error);
    await client.query('UPDATE _prisma_migrations SET logs = $2 WHERE id = $1', [id, message]);
    throw new Error(`migration ${name} failed: ${message}`, { cause: error });
  }
  await client.query('UPDATE _prisma_migrations SET finished_at = now(), applied_steps_count = 1 WHERE id = $1', [id]);
}

/**
 * Runs a migration, again where a running service was in the way: it then was rolled back whole.
 * @param {pg.Client} client
 * @param {string} sql one message, so one transaction unless the file says otherwise
 */
async function runPatiently(client, sql) {
  const isWhole = !/^\s*(BEGIN|COMMIT)\b|\bCONCURRENTLY\b/im.test(sql.replaceAll(/\$\$.*?\$\$/gs, ''));
  for (let tried = 1; ; tried++) {
    try {
      await client.query(sql);
      return;
    } catch (error) {
      await client.query('ROLLBACK'); // of a transaction that the file itself began
      const code = error instanceof pg.DatabaseError ? (error.code ?? '') : '';
      if (!isWhole || !IN_THE_WAY.includes(code) || tried === TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

/**
 * @param {pg.Client} client
 * @returns {Promise<Map<string, Row>>} what was begun and not rolled back, by name
 */
async function loadApplied(client) {
  await client.query(`
    CREATE TABLE IF NOT EXISTS _prisma_migrations (
      id VARCHAR(36) PRIMARY KEY NOT NULL,
      checksum VARCHAR(64) NOT NULL,
      finished_at TIMESTAMPTZ,
      migration_name VARCHAR(255) NOT NULL,
      logs TEXT,
      rolled_back_at TIMESTAMPTZ,
      started_at TIMESTAMPTZ NOT NULL DEFAULT now(),
      applied_steps_count INTEGER NOT NULL DEFAULT 0
    )`);
  const { rows } = await client.query(
    'SELECT migration_name, checksum, finished_at, logs FROM _prisma_migrations WHERE rolled_back_at IS NULL',
  );
  return new Map(rows.map((row) => [row.migration_name, row]));
}

/**
 * @param {pg.Client} client
 * @param {string | null} schema
 */
async function enterSchema(client, schema) {
  if (!schema) return;
  await client.query(`CREATE SCHEMA IF NOT EXISTS ${pg.escapeIdentifier(schema)}`);
  await client.query("SELECT set_config('search_path', $1, false)", [pg.escapeIdentifier(schema)]);
}

/**
 * @param {string} databaseUrl
 * @returns {Promise<pg.Client>} connected
 */
async function connectCreating(databaseUrl) {
  try {
    return await connect(databaseUrl);
  } catch (error) {
    const isMissing = error instanceof pg.DatabaseError && error.code === '3D000';
    if (!isMissing) throw error;
  }
  await createDatabase(databaseUrl);
  return await connect(databaseUrl);
}

/** @param {string} databaseUrl */
async function createDatabase(databaseUrl) {
  const url = new URL(databaseUrl);
  const name = decodeURIComponent(url.pathname.slice(1));
  url.pathname = '/postgres';
  const client = await connect(url.href);
  try {
    await client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
  } catch (error) {
    // Another instance was faster: "already exists", or the unique index of pg_database.
    const isThere = error instanceof pg.DatabaseError && (error.code === '42P04' || error.code === '23505');
    if (!isThere) throw error;
  } finally {
    await client.end();
  }
}

/** @param {string} databaseUrl */
async function connect(databaseUrl) {
  const client = new pg.Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: 10_000,
    application_name: 'migrate',
  });
  await client.connect();
  return client;
}

const SSL_MODES = ['disable', 'require', 'verify-ca', 'verify-full'];

/**
 * The URL with the certificates of the environment and libpq's meaning of its sslmode, as the service reads it.
 * @param {NodeJS.ProcessEnv} env
 * @returns {string}
 */
function databaseUrlOf({ DATABASE_URL, DATABASE_URL_FILE, PGSSLMODE, ...env }) {
  const given = DATABASE_URL || (DATABASE_URL_FILE && readFileSync(DATABASE_URL_FILE, 'utf8').trim());
  if (!given) throw new Error('DATABASE_URL is not set');
  const url = new URL(given);
  const mode = url.searchParams.get('sslmode') ?? (PGSSLMODE || 'disable');
  if (url.searchParams.has('ssl') || !SSL_MODES.includes(mode))
    throw new Error(`DATABASE_URL must say sslmode, one of ${SSL_MODES.join(', ')}`);
  if (mode === 'disable') return given;
  const files = { sslrootcert: env.TLS_CA_FILE, sslcert: env.TLS_CLIENT_CERT_FILE, sslkey: env.TLS_CLIENT_KEY_FILE };
  for (const [name, file] of Object.entries({ sslmode: mode, uselibpqcompat: 'true', ...files }))
    if (file && !url.searchParams.has(name)) url.searchParams.set(name, file);
  return url.href;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const work = Promise.resolve().then(() => migrate(databaseUrlOf(process.env), { say: console.log }));
  work.then(
    (applied) => console.log(applied.length === 0 ? 'The database is up to date' : `Applied ${applied.length} in all`),
    (/** @type {Error} */ error) => {
      // Where several addresses were tried, the error has a code and no message.
      console.error(`migrate: ${error.message || /** @type {NodeJS.ErrnoException} */ (error).code}`);
      process.exitCode = 1;
    },
  );
}
