#!/usr/bin/env -S node --experimental-wasm-modules --no-warnings
// Stands in for Prisma's schema engine, a native program that the CLI would download: the same engine compiled to
// WebAssembly, behind the same command line and JSON-RPC. PRISMA_SCHEMA_ENGINE_BINARY names it to the CLI, for
// generate, validate and migrate status, deploy, diff and resolve.

import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } from '@prisma/driver-adapter-utils';
import pg from 'pg';

/** The type "char" of PostgreSQL's catalogue. */
const CHAR = 18;

/**
 * Types of the catalogue that the adapter does not know, and what they are read as: "char", its array, int2vector, regproc.
 * @type {Record<number, number>}
 */
const KNOWN_TYPES = { [CHAR]: 25, 1002: 1009, 22: 1009, 24: 25 };

/** @type {Record<string, string>} PostgreSQL's and Node's error codes as Prisma's CLI knows them */
const PRISMA_CODES = { '3D000': 'P1003', '28P01': 'P1000', 28000: 'P1010', ECONNREFUSED: 'P1001', ENOTFOUND: 'P1001' };

const { values, positionals } = parseArgs({
  options: { datamodels: { type: 'string', multiple: true, default: [] }, datasource: { type: 'string' } },
  strict: false,
  allowPositionals: true,
});
const url = typeof values.datasource === 'string' ? JSON.parse(values.datasource).url : process.env.DATABASE_URL;

if (positionals[0] === 'cli') await runCommand(positionals[1]);
else await serve();

/**
 * The two commands that the CLI calls without JSON-RPC. A failure is one log line in the engine's form.
 * @param {string | undefined} command `can-connect-to-database` or `create-database`
 */
async function runCommand(command) {
  const isCreation = command === 'create-database';
  const client = new pg.Client(isCreation ? connectionTo('postgres') : connectionTo(databaseName()));
  try {
    await client.connect();
    if (isCreation) await client.query(`CREATE DATABASE ${pg.escapeIdentifier(databaseName())}`);
    await client.end();
  } catch (error) {
    const { code = '', message } = /** @type {NodeJS.ErrnoException} */ (error);
    const fields = { message: message || code, error_code: PRISMA_CODES[code] ?? 'P1000', is_panic: false };
    // The CLI skips the first line of the log.
    console.error(`\n${JSON.stringify({ level: 'ERROR', fields, target: 'schema_engine::logger' })}`);
    process.exitCode = 1;
  }
}

/** Answers JSON-RPC requests, one a line, until standard input ends. */
async function serve() {
  /** @type {Promise<Engine> | undefined} */
  let engine;
  const send = (/** @type {object} */ message) =>
    console.log(JSON.stringify({ jsonrpc: '2.0', ...message }, withoutMaps));
  for await (const line of createInterface({ input: process.stdin })) {
    if (!line.trim()) continue;
    const { id, method, params = {} } = JSON.parse(line);
    if (!method) continue; // an answer to a `print` of ours
    try {
      engine ??= openEngine();
      const result = await call(await engine, method, params);
      // The native engine prints a diff by calling back.
      if (method === 'diff' && result?.stdout)
        send({ id: randomUUID(), method: 'print', params: { content: result.stdout } });
      send({ id, result: result ?? {} });
    } catch (error) {
      const { message, code, meta } = /** @type {Error & { code?: string, meta?: unknown }} */ (error);
      send({ id, error: { code: 4466, message, data: { is_panic: false, message, error_code: code, meta } } });
    }
  }
  process.exit(); // pools of the engine would keep the process alive
}

/**
 * @typedef {import('@prisma/schema-engine-wasm').SchemaEngine} Engine
 * @typedef {Record<string, (params: object) => Promise<{ stdout?: string } | undefined>>} Methods
 *
 * @param {Engine} engine
 * @param {string} method
 * @param {object} params
 */
async function call(engine, method, params) {
  const methods = /** @type {Methods} */ (/** @type {unknown} */ (engine));
  const name = method === 'getDatabaseVersion' ? 'version' : method;
  if (!methods[name]) throw new Error(`the WebAssembly engine has no ${method}`);
  return await methods[name](params);
}

/** @returns {Promise<Engine>} */
async function openEngine() {
  // The engine calls this when it panics; the error that follows lacks the text.
  Object.assign(globalThis, { PRISMA_WASM_PANIC_REGISTRY: { set_message: console.error } });
  const { SchemaEngine } = await import('@prisma/schema-engine-wasm');
  const files = /** @type {string[]} */ (values.datamodels);
  const datamodels = await Promise.all(files.map(readDatamodel));
  return await SchemaEngine.new(
    { datamodels: datamodels.length > 0 ? datamodels : undefined },
    () => {},
    bindMigrationAwareSqlAdapterFactory({
      provider: 'postgres',
      adapterName: '@prisma/adapter-pg',
      connect: () => connectAdapter(databaseName()),
      connectToShadowDb,
    }),
  );
}

/**
 * @param {string} file
 * @returns {Promise<[string, string]>}
 */
async function readDatamodel(file) {
  return [file, await readFile(file, 'utf8')];
}

/**
 * An empty database on the same server, removed when the engine lets go of it. The adapter's own version opens the
 * real database instead when it was configured by a URL, and leaves its pool open when it drops this one.
 */
async function connectToShadowDb() {
  const name = `prisma_migrate_shadow_db_${randomUUID()}`;
  const admin = new pg.Client(connectionTo(databaseName()));
  await admin.connect();
  await admin.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
  const adapter = await connectAdapter(name);
  const disposePool = adapter.dispose.bind(adapter);
  adapter.dispose = async () => {
    await disposePool();
    await admin.query(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)} WITH (FORCE)`);
    await admin.end();
  };
  return adapter;
}

/**
 * @typedef {Awaited<ReturnType<PrismaPg['connect']>>} Adapter
 * @typedef {{ client: pg.Pool, onError(error: unknown): never, performIO(query: object): Promise<pg.QueryArrayResult> }} AdapterParts
 *
 * @param {string} database
 * @returns {Promise<Adapter>} with two faults mended: it splits scripts at every semicolon, be it inside a function or
 *   a string, and it does not know some types of the catalogue
 */
async function connectAdapter(database) {
  const schema = new URL(url).searchParams.get('schema') ?? undefined;
  const adapter = await new PrismaPg({ ...connectionTo(database), max: 4 }, { schema }).connect();
  const parts = /** @type {AdapterParts} */ (/** @type {unknown} */ (adapter));
  adapter.executeScript = async (script) => {
    await parts.client.query(script).catch((error) => parts.onError(error));
  };
  adapter.queryRaw = async (query) => {
    /** @type {pg.FieldDef[]} */
    let fields = [];
    const performIO = async (/** @type {object} */ io) => {
      const result = await parts.performIO(io);
      fields = result.fields;
      const known = fields.map((field) => ({
        ...field,
        dataTypeID: KNOWN_TYPES[field.dataTypeID] ?? field.dataTypeID,
      }));
      return { ...result, fields: known };
    };
    const prototype = /** @type {Adapter} */ (Object.getPrototypeOf(adapter));
    const result = await prototype.queryRaw.call(Object.create(adapter, { performIO: { value: performIO } }), query);
    const columnTypes = result.columnTypes.map((type, i) =>
      fields[i]?.dataTypeID === CHAR ? ColumnTypeEnum.Character : type,
    );
    return { ...result, columnTypes };
  };
  const dispose = adapter.dispose.bind(adapter);
  adapter.dispose = async () => {
    await dispose();
    if (!parts.client.ended) await parts.client.end();
  };
  return adapter;
}

/**
 * The connection of the URL, with another database. In parts and not as a URL, which would win over `database`.
 * @param {string} database
 */
function connectionTo(database) {
  const { host, port, user, password, ssl } = new pg.Client({ connectionString: url });
  return { host, port, user, password: password ?? undefined, ssl, database, connectionTimeoutMillis: 5000 };
}

function databaseName() {
  return decodeURIComponent(new URL(url).pathname.slice(1));
}

/**
 * @param {string} _key
 * @param {unknown} value
 */
function withoutMaps(_key, value) {
  return value instanceof Map ? Object.fromEntries(value) : value;
}
