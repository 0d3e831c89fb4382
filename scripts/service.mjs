#!/usr/bin/env node
// The service on this machine, in the background, with servers of its own.
//
//   service.mjs up DIR     starts the servers and the built service, and prints where everything is
//   service.mjs down DIR   stops both (the service first, by SIGTERM); the data stay

import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { freePort, isRunning, startDaemon, stopProcess, waitUntilReady } from './servers/process.mjs';
import { startServers, stopServers } from './servers.mjs';

const ROOT = path.resolve(import.meta.dirname, '..');
const MAIN = path.join(ROOT, 'dist/src/main.js');

/** The service's own choice, too: people look there first. */
const USUAL_PORT = 3000;

/**
 * @typedef {{ pid: number, url: string, log: string }} Running
 *
 * Starts the built service unless it runs already; resolves when it is ready.
 * @param {string} directory for its process id, its log, and a key for session data where none is given
 * @param {NodeJS.ProcessEnv} environment with DATABASE_URL, REDIS_URL and RABBITMQ_URL
 * @returns {Promise<Running>}
 */
export async function startService(directory, environment) {
  const file = stateFile(directory);
  const previous = readState(file);
  if (previous && isRunning(previous.pid, ROOT) && (await isReady(previous.url))) return previous;
  await stopService(directory);
  const port = Number(
    environment.HTTP_PORT ?? (await freePort(previous ? Number(new URL(previous.url).port) : USUAL_PORT)),
  );
  const log = path.resolve(directory, 'service.log');
  const pid = await startDaemon({
    command: process.execPath,
    args: ['--enable-source-maps', MAIN],
    folder: ROOT,
    log,
    env: {
      ...environment,
      HTTP_PORT: String(port),
      SESSION_ENCRYPTION_KEY: environment.SESSION_ENCRYPTION_KEY ?? sessionKey(directory),
    },
  });
  const running = { pid, url: `http://127.0.0.1:${port}`, log };
  writeFileSync(file, JSON.stringify(running));
  try {
    await waitUntilReady({ name: 'The service', pid, folder: ROOT, log, probe: () => isReady(running.url) });
  } catch (error) {
    await stopService(directory);
    throw error;
  }
  return running;
}

/**
 * Stops what `startService` started there, letting it finish what is under way.
 * @param {string} directory
 */
export async function stopService(directory) {
  const file = stateFile(directory);
  const running = readState(file);
  if (running) await stopProcess({ pid: running.pid, folder: ROOT, signal: 'SIGTERM' });
  rmSync(file, { force: true });
}

/** @param {string} url of the service */
async function isReady(url) {
  try {
    return (await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(2000) })).ok;
  } catch {
    return false;
  }
}

/**
 * The session data in the database can be read with this key only, so it lies beside them.
 * @param {string} directory
 */
function sessionKey(directory) {
  const file = path.join(directory, 'session-encryption-key');
  if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString('hex'), { mode: 0o600 });
  return readFileSync(file, 'utf8');
}

/** @param {string} directory */
function stateFile(directory) {
  return path.resolve(directory, 'service.json');
}

/**
 * @param {string} file
 * @returns {Running | undefined}
 */
function readState(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

/** @param {string} directory */
async function up(directory) {
  const { migrate } = await import('./migrate.mjs'); // not above: `down` must work without installed packages
  const urls = await startServers(directory);
  await migrate(urls.DATABASE_URL, { say: console.log });
  const { url, log } = await startService(directory, { ...process.env, ...urls });
  console.log(`
Account Manager is ready.
  HTTP        ${url} (/health/ready, /metrics)
  RabbitMQ    ${urls.RABBITMQ_URL}
              ${urls.RABBITMQ_MANAGEMENT_URL} (management)
  PostgreSQL  ${urls.DATABASE_URL}
  Redis       ${urls.REDIS_URL}
  log         ${path.relative('', log)}
  addresses   ${path.join(directory, 'env')} (set -a; . ${path.join(directory, 'env')})
make down stops it.`);
}

/** @param {string} directory */
async function down(directory) {
  await stopService(directory);
  await stopServers(directory);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [command, directory] = process.argv.slice(2);
  const work = command === 'up' ? up : command === 'down' ? down : undefined;
  if (!work || !directory) {
    console.error('usage: service.mjs up|down DIR');
    process.exit(2);
  }
  work(directory).catch((/** @type {Error} */ error) => {
    console.error(`service: ${error.message}`);
    process.exitCode = 1;
  });
}
