#!/usr/bin/env node
// The service on this machine, in the background, with servers of its own.
//
//   service.mjs up DIR     starts the servers and the built service, and prints where everything is and how to begin; leaves
//                          what runs already as it is, unless the program or its settings have changed
//   service.mjs down DIR   stops both (the service first, by SIGTERM); the data stay

import './check-node.mjs';
import { randomBytes } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { firstRequests } from './first-requests.mjs';
import { freePort, isRunning, startDaemon, stopProcess, waitUntilReady } from './servers/process.mjs';
import { startServers, stopServers } from './servers.mjs';
import { describeSettings, isReady, readCause } from './service-state.mjs';

const ROOT = path.resolve(import.meta.dirname, '..');
const MAIN = path.join(ROOT, 'dist/src/main.js');

/** Node's own arguments for the service, as `npm start` gives them: `exec node … dist/src/main.js`. */
export const NODE_ARGUMENTS = /** @type {{ scripts: { start: string } }} */ (
  JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'))
).scripts.start
  .split(' ')
  .slice(2, -1);

/** The service's own choice, too: people look there first. */
const USUAL_PORT = 3000;

/**
 * @typedef {{ pid: number, url: string, log: string }} Running
 *
 * @typedef {Partial<Running> & { port?: number, startedAt?: string, settings?: Record<string, string> }} State what
 *   service.json holds; of a service that was stopped its port
 *
 * @typedef {object} StartOptions
 * @property {string} [main] the file to start
 * @property {() => Promise<unknown>} [prepare] what must be done while it does not run, before it starts
 * @property {(line: string) => void} [say]
 */

/**
 * Starts the built service; resolves when it is ready. One that runs already stays, unless the program or its settings
 * have changed. It keeps the port that it had; where that is taken it gets another one, and `say` says so.
 * @param {string} directory for its process id, its log, and a key for session data where none is given
 * @param {NodeJS.ProcessEnv} environment with DATABASE_URL, REDIS_URL and RABBITMQ_URL
 * @param {StartOptions} [options]
 * @returns {Promise<Running>}
 */
export async function startService(directory, environment, { main = MAIN, prepare, say = () => {} } = {}) {
  const file = stateFile(directory);
  const state = readState(file);
  const env = {
    ...environment,
    LOG_FORMAT: environment.LOG_FORMAT || 'pretty',
    SESSION_ENCRYPTION_KEY: environment.SESSION_ENCRYPTION_KEY ?? sessionKey(directory),
  };
  const settings = await describeSettings(env, main, sessionKey(directory));
  const there = findRunning(state);
  if (there && (await isReady(there.url))) {
    const changed = Object.keys({ ...state.settings, ...settings }).filter(
      (name) => state.settings?.[name] !== settings[name],
    );
    if (changed.length === 0) {
      say(`Account Manager is running already (process ${there.pid}, since ${state.startedAt}); nothing has changed.`);
      return there;
    }
    say(`Restarting Account Manager, since this has changed: ${changed.join(', ')}`);
  }
  await stopService(directory);
  await prepare?.();
  const port = Number(environment.HTTP_PORT) || (await choosePort(state.port ?? USUAL_PORT, say));
  const log = path.resolve(directory, 'service.log');
  const logged = existsSync(log) ? statSync(log).size : 0;
  const pid = await startDaemon({
    command: process.execPath,
    args: [...NODE_ARGUMENTS, main],
    folder: ROOT,
    log,
    env: { ...env, HTTP_PORT: String(port) },
  });
  const url = `${environment.HTTP_TLS_CERT_FILE ? 'https' : 'http'}://127.0.0.1:${port}`;
  const running = { pid, url, log };
  writeFileSync(file, JSON.stringify({ ...running, port, startedAt: new Date().toISOString(), settings }), {
    mode: 0o600,
  });
  try {
    await waitUntilReady({ name: 'The service', pid, folder: ROOT, log, probe: () => isReady(url) });
  } catch (error) {
    await stopService(directory);
    const cause = readCause(log, logged);
    throw cause === undefined ? error : new Error(cause);
  }
  return running;
}

/**
 * @param {number} wanted
 * @param {(line: string) => void} say
 */
async function choosePort(wanted, say) {
  const port = await freePort(wanted);
  if (port !== wanted) {
    say(`Port ${wanted} is taken by another program, so HTTP listens on ${port}; HTTP_PORT=… chooses a port.`);
  }
  return port;
}

/**
 * Stops what `startService` started there, letting it finish what is under way. Its port is remembered.
 * @param {string} directory
 */
export async function stopService(directory) {
  const file = stateFile(directory);
  const state = readState(file);
  const there = findRunning(state);
  if (there) await stopProcess({ pid: there.pid, folder: ROOT, signal: 'SIGTERM' });
  if (state.port === undefined) rmSync(file, { force: true });
  else writeFileSync(file, JSON.stringify({ port: state.port }), { mode: 0o600 });
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
 * @returns {State}
 */
function readState(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
}

/**
 * @param {State} state
 * @returns {Running | undefined} what was started and is alive
 */
function findRunning({ pid, url, log }) {
  return pid !== undefined && url !== undefined && log !== undefined && isRunning(pid, ROOT)
    ? { pid, url, log }
    : undefined;
}

/**
 * Where the console is, and what it takes to log in.
 * @param {string} url of the service
 * @param {NodeJS.ProcessEnv} environment of the service
 */
export function describeConsole(url, { ACCESS_FILE }) {
  const login = ACCESS_FILE
    ? `log in with the token of a caller in ${ACCESS_FILE}`
    : 'no token is needed without ACCESS_FILE';
  return `${url}/console (${login})`;
}

/**
 * @param {string} directory
 * @param {Pick<StartOptions, 'main'>} [options]
 */
export async function up(directory, { main } = {}) {
  const { migrate } = await import('./migrate.mjs'); // not above: `down` must work without installed packages
  const urls = await startServers(directory);
  const { url, log } = await startService(
    directory,
    { ...process.env, ...urls },
    { main, say: console.log, prepare: () => migrate(urls.DATABASE_URL, { say: console.log }) },
  );
  const env = path.join(directory, 'env');
  appendFileSync(env, `ACCOUNT_MANAGER_URL='${url}'\n`);
  const needsToken = Boolean(process.env.ACCESS_FILE);
  console.log(`
Account Manager is ready.
  HTTP        ${url} (/health/ready, /metrics; GET / lists the requests)
  console     ${describeConsole(url, process.env)}
  RabbitMQ    ${urls.RABBITMQ_URL}
              ${urls.RABBITMQ_MANAGEMENT_URL} (management)
  PostgreSQL  ${urls.DATABASE_URL}
  Redis       ${urls.REDIS_URL}
  log         ${path.relative('', log)}
  addresses   ${env} (set -a; . ${env})

The first requests, to copy: register an account (made up), allocate it, act, release it.
${firstRequests({ directory, url, needsToken }).join('\n')}
${needsToken ? '(TOKEN: of a caller in ACCESS_FILE who may have this user; service_name is its name)\n' : ''}
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
