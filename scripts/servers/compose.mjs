import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import path from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './process.mjs';

const run = promisify(execFile);
const FILE = path.resolve(import.meta.dirname, '../../docker-compose.yml');

/**
 * @typedef {object} Composed
 * @property {string} project its name for docker compose
 * @property {string[]} services that were started
 * @property {Record<string, string>} environment that docker-compose.yml reads: ports and settings
 * @property {Record<string, string>} urls
 */

/** @returns {Promise<boolean>} whether a Docker engine answers, and the compose plug-in is there */
export async function isComposeAvailable() {
  try {
    await run('docker', ['info', '--format', '{{.ServerVersion}}'], { timeout: 10_000 });
    await run('docker', ['compose', 'version'], { timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}

/**
 * @param {{ folder: string, disposable: boolean, services: string[], previous: Composed | undefined }} options
 * @returns {Promise<Composed>} when all of them are healthy
 */
export async function composeUp({ folder, disposable, services, previous }) {
  const ports = {
    POSTGRES_PORT: await freePort(Number(previous?.environment.POSTGRES_PORT ?? 0)),
    REDIS_PORT: await freePort(Number(previous?.environment.REDIS_PORT ?? 0)),
    RABBITMQ_PORT: await freePort(Number(previous?.environment.RABBITMQ_PORT ?? 0)),
    RABBITMQ_MANAGEMENT_PORT: await freePort(Number(previous?.environment.RABBITMQ_MANAGEMENT_PORT ?? 0)),
  };
  const environment = {
    ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)])),
    REDIS_DATABASES: disposable ? '1024' : '16',
    POSTGRES_DURABLE: disposable ? 'off' : 'on',
  };
  const project = `account-manager-${createHash('sha256').update(folder).digest('hex').slice(0, 8)}`;
  const all = {
    postgres: { DATABASE_URL: `postgresql://postgres:postgres@127.0.0.1:${ports.POSTGRES_PORT}/account_manager` },
    redis: { REDIS_URL: `redis://127.0.0.1:${ports.REDIS_PORT}` },
    rabbitmq: {
      RABBITMQ_URL: `amqp://guest:guest@127.0.0.1:${ports.RABBITMQ_PORT}`,
      RABBITMQ_MANAGEMENT_URL: `http://guest:guest@127.0.0.1:${ports.RABBITMQ_MANAGEMENT_PORT}`,
    },
  };
  const urls = Object.assign({}, ...services.map((service) => all[/** @type {keyof typeof all} */ (service)]));
  const composed = { project, services, environment, urls };
  await compose(composed, ['up', '--detach', '--wait', ...services]);
  return composed;
}

/**
 * @param {Composed} composed
 * @param {{ removeData: boolean }} options
 */
export async function composeDown(composed, { removeData }) {
  await compose(composed, ['down', ...(removeData ? ['--volumes'] : [])]);
}

/**
 * @param {Composed} composed
 * @param {string} service
 */
export async function isComposeHealthy(composed, service) {
  try {
    const { stdout } = await compose(composed, ['ps', '--format', '{{.Health}}', service]);
    return stdout.trim() === 'healthy';
  } catch {
    return false;
  }
}

/**
 * @param {Composed} composed
 * @param {string[]} args
 */
function compose({ project, environment }, args) {
  return run('docker', ['compose', '--project-name', project, '--file', FILE, ...args], {
    env: { ...process.env, ...environment },
  });
}
