import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { answersAmqp, answersManagement } from './probe.mjs';
import { freePort, isRunning, startDaemon, stopProcess, waitUntilReady } from './process.mjs';
import { commandOf, findRelease, prepareRelease, readChoice } from './rabbitmq-release.mjs';

const run = promisify(execFile);

/** @type {import('../servers.mjs').Server} */
export const rabbitmq = {
  name: 'rabbitmq',
  title: 'RabbitMQ',
  variable: 'RABBITMQ_URL',
  packages: ['rabbitmq-server'],

  missing() {
    // A version that is named is unpacked at the start.
    return findRelease() || typeof readChoice() === 'object' ? undefined : 'rabbitmq-server';
  },

  async start({ folder, previous, record }) {
    mkdirSync(path.join(folder, 'data'), { recursive: true });
    // The nodes of a cluster share one, which the others still need.
    const sharesPortMapper = previous?.node !== undefined;
    // It outlives a node that was killed.
    if (previous?.ports.epmd && !sharesPortMapper) await stopPortMapper(previous.ports.epmd);
    const ports = {
      amqp: await freePort(previous?.ports.amqp),
      management: await freePort(previous?.ports.management),
      distribution: await freePort(previous?.ports.distribution),
      epmd: sharesPortMapper && previous.ports.epmd ? previous.ports.epmd : await freePort(previous?.ports.epmd),
    };
    const log = path.join(folder, 'log');
    configure(folder, ports);
    await prepareRelease();
    const node = previous?.node;
    const pid = await startDaemon({
      ...programOf('rabbitmq-server', folder),
      folder,
      log,
      env: environment(folder, ports, node),
    });
    const managementUrl = `http://guest:guest@127.0.0.1:${ports.management}`;
    const urls = { RABBITMQ_URL: `amqp://guest:guest@127.0.0.1:${ports.amqp}`, RABBITMQ_MANAGEMENT_URL: managementUrl };
    record({ pid, folder, ports, urls, node });
    const probe = async () => (await answersAmqp(ports.amqp)) && (await answersManagement(managementUrl));
    await waitUntilReady({ name: 'RabbitMQ', pid, folder, log, probe });
  },

  async isHealthy({ pid, folder, ports, urls }) {
    return (
      isRunning(pid, folder) &&
      (await answersAmqp(/** @type {number} */ (ports.amqp))) &&
      (await answersManagement(/** @type {string} */ (urls.RABBITMQ_MANAGEMENT_URL)))
    );
  },

  async stop({ pid, folder, ports }) {
    await stopProcess({ pid, folder, signal: 'SIGTERM', group: true });
    await stopPortMapper(/** @type {number} */ (ports.epmd));
  },
};

/**
 * Runs RabbitMQ's own command line on a server.
 * @param {Pick<import('../servers.mjs').Running, 'folder' | 'ports' | 'node'>} running
 * @param {...string} args
 * @returns {Promise<string>} what it prints
 */
export async function rabbitmqctl({ folder, ports, node }, ...args) {
  const { command, args: before } = programOf('rabbitmqctl', folder);
  const env = environment(folder, /** @type {Record<'distribution' | 'epmd', number>} */ (ports), node);
  const { stdout } = await run(command, [...before, ...args], { cwd: folder, env });
  return stdout;
}

/**
 * @param {string} program
 * @param {string} folder
 */
function programOf(program, folder) {
  const release = findRelease();
  if (!release) throw new Error('RabbitMQ is not installed');
  return commandOf(release, program, folder);
}

/**
 * @param {string} folder
 * @param {Record<'amqp' | 'management', number>} ports
 */
function configure(folder, ports) {
  const settings = [
    `listeners.tcp.1 = 127.0.0.1:${ports.amqp}`,
    'management.tcp.ip = 127.0.0.1',
    `management.tcp.port = ${ports.management}`,
    'log.console = true',
    'log.console.level = warning',
    'log.file = false',
    'disk_free_limit.absolute = 50MB',
    // How often the management page looks; every 5 s is slow for who waits for a connection to be listed.
    'management.sample_retention_policies.global.minute = 1',
    'management.sample_retention_policies.basic.minute = 1',
    'management.sample_retention_policies.detailed.10 = 1',
  ];
  writeFileSync(path.join(folder, 'rabbitmq.conf'), `${settings.join('\n')}\n`);
  writeFileSync(path.join(folder, 'enabled_plugins'), '[rabbitmq_management].\n');
}

/**
 * Everything that RabbitMQ and Erlang would else take from /etc, the home folder or fixed ports. The node's name stays
 * the same for good, since its data stand under it; the port mapper (epmd) is its own, so that nobody else's is in the way.
 * @param {string} folder
 * @param {Record<'distribution' | 'epmd', number>} ports
 * @param {string} [node]
 * @returns {NodeJS.ProcessEnv}
 */
function environment(folder, ports, node = 'account-manager') {
  return {
    ...process.env,
    HOME: folder,
    RABBITMQ_NODENAME: `${node}@localhost`,
    RABBITMQ_BASE: folder,
    RABBITMQ_MNESIA_BASE: path.join(folder, 'data'),
    RABBITMQ_LOG_BASE: folder,
    RABBITMQ_CONFIG_FILE: path.join(folder, 'rabbitmq.conf'),
    RABBITMQ_CONFIG_FILES: path.join(folder, 'conf.d'), // what a test adds
    RABBITMQ_ADVANCED_CONFIG_FILE: path.join(folder, 'advanced.config'),
    RABBITMQ_CONF_ENV_FILE: path.join(folder, 'none'),
    RABBITMQ_ENABLED_PLUGINS_FILE: path.join(folder, 'enabled_plugins'),
    RABBITMQ_PID_FILE: path.join(folder, 'pid'),
    RABBITMQ_DIST_PORT: String(ports.distribution),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
    ERL_EPMD_PORT: String(ports.epmd),
    ERL_EPMD_ADDRESS: '127.0.0.1',
  };
}

/**
 * The port mapper outlives its node; it obeys `k` (kill) once no node is registered with it, and it hears a moment late
 * of one that was killed. Resolves when it is gone: a node that registers with one that is ending is known to nobody.
 * @param {number} port
 */
async function stopPortMapper(port) {
  for (let tries = 0; tries < 40; tries++) {
    if (await isPortMapperGone(port)) return;
    await sleep(50);
  }
}

/**
 * Asks it to stop.
 * @param {number} port
 * @returns {Promise<boolean>} whether it was gone before
 */
function isPortMapperGone(port) {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: 2000 });
    socket.once('connect', () => socket.write(Buffer.from([0, 1, 'k'.charCodeAt(0)])));
    socket.once('timeout', () => socket.destroy());
    socket.once('error', (/** @type {NodeJS.ErrnoException} */ { code }) => resolve(code === 'ECONNREFUSED'));
    socket.once('close', () => resolve(false));
    socket.resume();
  });
}
