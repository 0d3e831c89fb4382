import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import path from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './process.mjs';

const run = promisify(execFile);
const FILE = path.resolve(import.meta.dirname, 'docker-compose.yml');

/**
 * @typedef {object} Composed
 * @property {string} project its name for docker compose
 * @property {string[]} services that were started
 * @property {Record<string, string>} environment that docker-compose.yml beside this file reads: ports and settings
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
 * @param {{ folder: string, disposable: boolean, services: string[], previous: Composed | undefined,
 *   rabbitmqVersion: string | undefined }} options `rabbitmqVersion`: another than that of docker-compose.yml
 * @returns {Promise<Composed>} when all of them, and those of before, are healthy
 */
export async function composeUp({ folder, disposable, services: wanted, previous, rabbitmqVersion }) {
  const services = [...new Set([...(previous?.services ?? []), ...wanted])];
  const environment = previous?.environment ?? {
    ...(await newEnvironment(disposable)),
    ...(rabbitmqVersion && { RABBITMQ_VERSION: rabbitmqVersion }),
  };
  const project = `account-manager-${createHash('sha256').update(folder).digest('hex').slice(0, 8)}`;
  const urls = Object.assign({}, ...services.map((service) => urlsOf(service, environment)));
  const composed = { project, services, environment, urls };
  try {
    await compose(composed, ['up', '--detach', '--wait', ...services]);
  } catch (error) {
    if (!previous) await compose(composed, ['down', '--volumes']).catch(() => {}); // nobody knows of them
    throw error;
  }
  return composed;
}

/**
 * @param {boolean} disposable
 * @returns {Promise<Record<string, string>>} the variables of docker-compose.yml
 */
async function newEnvironment(disposable) {
  return {
    POSTGRES_PORT: String(await freePort()),
    REDIS_PORT: String(await freePort()),
    RABBITMQ_PORT: String(await freePort()),
    RABBITMQ_MANAGEMENT_PORT: String(await freePort()),
    REDIS_DATABASES: disposable ? '1024' : '16',
    POSTGRES_DURABLE: disposable ? 'off' : 'on',
  };
}

/**
 * @param {string} service
 * @param {Record<string, string>} environment
 * @returns {Record<string, string>}
 */
function urlsOf(service, { POSTGRES_PORT, REDIS_PORT, RABBITMQ_PORT, RABBITMQ_MANAGEMENT_PORT }) {
  switch (service) {
    case 'postgres':
      return { DATABASE_URL: `postgresql://postgres:postgres@127.0.0.1:${POSTGRES_PORT}/account_manager` };
    case 'redis':
      return { REDIS_URL: `redis://127.0.0.1:${REDIS_PORT}` };
    default:
      return {
        RABBITMQ_URL: `amqp://guest:guest@127.0.0.1:${RABBITMQ_PORT}`,
        RABBITMQ_MANAGEMENT_URL: `http://guest:guest@127.0.0.1:${RABBITMQ_MANAGEMENT_PORT}`,
      };
  }
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
