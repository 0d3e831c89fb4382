#!/usr/bin/env node
// Private PostgreSQL, Redis and RabbitMQ for running, showing and testing the service on one machine.
//
//   servers.mjs up DIR [--fast]   starts what is not running, and writes DIR/env (set -a; . DIR/env)
//   servers.mjs status DIR        tells what runs; status 1 when something does not
//   servers.mjs down DIR          stops what was started here
//   servers.mjs clean DIR         the same, and removes the data
//
// Each server comes from the first of: a URL in the environment (DATABASE_URL, REDIS_URL, RABBITMQ_URL); a Docker
// engine that answers; installed programs; Debian's packages, which are installed (not with NO_INSTALL=1).
// RABBITMQ chooses the broker: `docker`, `installed`, or a version such as 4.0, which is taken from a Docker engine, else
// from what is installed, else unpacked from the Debian release that has it, under .local/.
// --fast gives up durability and keeps no data after `down`: for tests.

import './check-node.mjs';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { composeDown, composeUp, isComposeAvailable, isComposeHealthy } from './servers/compose.mjs';
import { installPackages } from './servers/debian.mjs';
import { locked } from './servers/lock.mjs';
import { postgres } from './servers/postgres.mjs';
import { isListening } from './servers/probe.mjs';
import { rabbitmq } from './servers/rabbitmq.mjs';
import { readChoice } from './servers/rabbitmq-release.mjs';
import { redis } from './servers/redis.mjs';

/**
 * A server that this machine can run as a process.
 * @typedef {object} Server
 * @property {'postgres' | 'redis' | 'rabbitmq'} name of its folder and of its service in servers/docker-compose.yml
 * @property {string} title for people
 * @property {'DATABASE_URL' | 'REDIS_URL' | 'RABBITMQ_URL'} variable that says where it is
 * @property {string[]} packages of Debian that bring it
 * @property {() => string | undefined} missing what is not installed
 * @property {(options: StartOptions) => Promise<void>} start resolves when it answers
 * @property {(running: Running) => Promise<boolean>} isHealthy
 * @property {(running: Running, options: { disposable: boolean }) => Promise<void>} stop resolves when it is gone
 *
 * @typedef {object} StartOptions
 * @property {string} folder for its data, configuration and log
 * @property {boolean} disposable no durability wanted
 * @property {Running | undefined} previous run, whose ports and folder are taken again
 * @property {(running: Running) => void} record called as soon as there is a process that may have to be stopped
 *
 * @typedef {{ pid: number, folder: string, ports: Record<string, number>, urls: Record<string, string>, node?: string }} Running
 *   `node`: its name in a cluster
 *
 * @typedef {object} State what DIR/state.json holds
 * @property {boolean} disposable
 * @property {Partial<Record<Server['name'], Running>>} processes
 * @property {import('./servers/compose.mjs').Composed} [composed]
 * @property {Record<string, string>} given
 */

/**
 * @typedef {Record<Server['variable'] | 'RABBITMQ_MANAGEMENT_URL', string>} Urls what DIR/env holds
 */

/** Separates the URLs of a cluster's nodes. */
const BETWEEN_URLS = /\s*,\s*(?=[a-z]+:\/\/)/;

/** @type {Server[]} */
const SERVERS = [postgres, redis, rabbitmq];

/**
 * Brings up what is not running. Safe to call at once from several processes, and again at any time.
 * @param {string} directory
 * @param {{ disposable?: boolean, given?: NodeJS.ProcessEnv, say?: (line: string) => void }} [options]
 *   `given`: where DATABASE_URL, REDIS_URL and RABBITMQ_URL are looked for
 * @returns {Promise<Urls>}
 */
export async function startServers(directory, { disposable = false, given = process.env, say = console.error } = {}) {
  const folder = path.resolve(directory);
  mkdirSync(folder, { recursive: true });
  return await locked(path.join(folder, 'lock'), async () => {
    const state = { ...(readState(folder) ?? { processes: {} }), disposable, given: givenUrls(given) };
    const save = () => writeAtomically(path.join(folder, 'state.json'), `${JSON.stringify(state, null, 2)}\n`);
    save();
    for (const { variable, title } of SERVERS) {
      const url = state.given[variable];
      if (url && !(await isGivenUp(url)))
        throw new Error(`${variable} is given, but no ${title} answers at ${withoutPassword(url)}`);
    }
    const wanted = SERVERS.filter(({ variable }) => !state.given[variable]);
    const running = await Promise.all(wanted.map((server) => isUp(server, state)));
    const down = wanted.filter((_, index) => !running[index]);
    const composed = await startComposed(folder, { state, servers: down, say });
    if (composed) Object.assign(state, { composed });
    else await startProcesses(folder, { state, servers: down, save, say });
    save();
    const urls = /** @type {Urls} */ (urlsOf(state));
    writeAtomically(
      path.join(folder, 'env'),
      Object.entries(urls)
        .map(([name, url]) => `${name}='${url.replaceAll("'", "'\\''")}'\n`)
        .join(''),
    );
    return urls;
  });
}

/**
 * Stops what `startServers` started, and removes data that nobody wants to keep.
 * @param {string} directory
 * @param {{ removeData?: boolean, isWanted?: () => boolean }} [options] `removeData`: also of servers that keep theirs;
 *   `isWanted` is asked when nobody can start them any more: true leaves them running
 */
export async function stopServers(directory, { removeData = false, isWanted = () => false } = {}) {
  const folder = path.resolve(directory);
  if (!readState(folder)) return;
  await locked(path.join(folder, 'lock'), async () => {
    const state = readState(folder);
    if (!state || isWanted()) return;
    const { disposable, processes, composed } = state;
    if (composed) await composeDown(composed, { removeData: removeData || disposable });
    await Promise.all(
      SERVERS.map(async (server) => {
        const running = processes[server.name];
        if (!running) return;
        await server.stop(running, { disposable });
        if (!removeData && !disposable) return;
        rmSync(running.folder, { recursive: true, force: true });
        rmSync(path.join(folder, server.name), { recursive: true, force: true });
      }),
    );
    rmSync(path.join(folder, 'env'), { force: true });
    if (removeData || disposable) rmSync(path.join(folder, 'state.json'));
  });
}

/**
 * @param {string} directory
 * @returns {Promise<{ title: string, url: string, isUp: boolean }[]>}
 */
export async function listServers(directory) {
  const state = readState(path.resolve(directory)) ?? { disposable: false, processes: {}, given: {} };
  const urls = urlsOf(state);
  return await Promise.all(
    SERVERS.map(async (server) => {
      const url = urls[server.variable] ?? '';
      const given = state.given[server.variable];
      return {
        title: server.title,
        url: withoutPassword(url),
        isUp: given ? await isGivenUp(given) : await isUp(server, state),
      };
    }),
  );
}

/**
 * @param {string} folder
 * @param {{ state: State, servers: Server[], say: (line: string) => void }} options
 */
async function startComposed(folder, { state, servers, say }) {
  if (servers.length === 0 || servers.some(({ name }) => state.processes[name])) return undefined;
  const choice = readChoice();
  if (choice === 'installed') return undefined;
  if (!(await isComposeAvailable())) {
    if (choice === 'docker') throw new Error('RABBITMQ is docker, but no Docker engine answers');
    return undefined;
  }
  say(`Starting ${titles(servers)} with docker compose`);
  try {
    return await composeUp({
      folder,
      disposable: state.disposable,
      services: servers.map(({ name }) => name),
      previous: state.composed,
      rabbitmqVersion: typeof choice === 'object' ? choice.version : undefined,
    });
  } catch (error) {
    const { message } = /** @type {Error} */ (error);
    if (state.composed || choice === 'docker') throw error; // the data are in its volumes
    say(`docker compose failed, so looking for installed programs instead: ${message.trim()}`);
    return undefined;
  }
}

/**
 * @param {string} folder
 * @param {{ state: State, servers: Server[], save: () => void, say: (line: string) => void }} options
 */
async function startProcesses(folder, { state, servers, save, say }) {
  const missing = servers.filter((server) => server.missing());
  if (missing.length > 0) {
    installPackages({
      packages: missing.flatMap(({ packages }) => packages),
      why: missing.map((server) => `${server.missing()}`),
      say,
    });
    const still = missing.flatMap((server) => server.missing() ?? []);
    if (still.length > 0) throw new Error(`Debian's packages did not bring ${still.join(', ')}`);
  }
  if (servers.length > 0) say(`Starting ${titles(servers)}`);
  const results = await Promise.allSettled(
    servers.map((server) =>
      server.start({
        folder: path.join(folder, server.name),
        disposable: state.disposable,
        previous: state.processes[server.name],
        record(running) {
          state.processes[server.name] = running;
          save();
        },
      }),
    ),
  );
  const failure = results.find((result) => result.status === 'rejected');
  if (!failure) return;
  await Promise.all(
    servers.map(async (server) => {
      const running = state.processes[server.name];
      if (running) await server.stop(running, { disposable: state.disposable });
    }),
  );
  throw failure.reason;
}

/**
 * @param {Server} server
 * @param {State} state
 */
async function isUp(server, { processes, composed }) {
  if (composed?.services.includes(server.name)) return await isComposeHealthy(composed, server.name);
  const running = processes[server.name];
  return running !== undefined && (await server.isHealthy(running));
}

/**
 * @param {State} state
 * @returns {Partial<Urls>} those that are known so far
 */
function urlsOf({ given, processes, composed }) {
  return Object.assign({}, composed?.urls, ...Object.values(processes).map(({ urls }) => urls), given);
}

/**
 * @param {string} urls one or several
 * @returns {Promise<boolean>} whether somebody listens at one of them
 */
async function isGivenUp(urls) {
  const answers = await Promise.all(urls.split(BETWEEN_URLS).map(isListening));
  return answers.includes(true);
}

/**
 * @param {NodeJS.ProcessEnv} environment
 * @returns {Record<string, string>}
 */
function givenUrls(environment) {
  const names = [...SERVERS.map(({ variable }) => variable), 'RABBITMQ_MANAGEMENT_URL'];
  const given = Object.fromEntries(names.flatMap((name) => (environment[name] ? [[name, environment[name]]] : [])));
  if (given.RABBITMQ_URL && !given.RABBITMQ_MANAGEMENT_URL) {
    const [first = ''] = given.RABBITMQ_URL.split(BETWEEN_URLS);
    const { username, password, hostname } = new URL(first);
    given.RABBITMQ_MANAGEMENT_URL = `http://${username}:${password}@${hostname}:15672`;
  }
  return given;
}

/**
 * @param {string} folder
 * @returns {State | undefined}
 */
function readState(folder) {
  const text = readIfThere(path.join(folder, 'state.json'));
  return text === undefined ? undefined : JSON.parse(text);
}

/** @param {string} file */
function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * @param {string} file
 * @param {string} text
 */
function writeAtomically(file, text) {
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** @param {string} url */
function withoutPassword(url) {
  return url.replace(/:[^:@/]*@/g, ':…@');
}

/** @param {Server[]} servers */
function titles(servers) {
  return servers.map(({ title }) => title).join(', ');
}

async function main() {
  const [command, directory, ...flags] = process.argv.slice(2);
  if (!directory || flags.some((flag) => flag !== '--fast'))
    throw new Error('usage: servers.mjs up|status|down|clean DIR [--fast]');
  if (command === 'up') await startServers(directory, { disposable: flags.includes('--fast') });
  else if (command === 'down') await stopServers(directory);
  else if (command === 'clean') await stopServers(directory, { removeData: true });
  else if (command !== 'status') throw new Error(`unknown command ${command}: up, status, down or clean`);
  if (command === 'up' || command === 'status') {
    const servers = await listServers(directory);
    for (const { title, url, isUp } of servers) console.log(`${title.padEnd(10)} ${isUp ? 'up  ' : 'down'} ${url}`);
    if (servers.some(({ isUp }) => !isUp)) process.exitCode = 1;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  main().catch((/** @type {Error} */ error) => {
    console.error(`servers: ${error.message}`);
    process.exitCode = 1;
  });
}
