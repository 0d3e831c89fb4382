import { createHmac } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { get as getHttp } from 'node:http';
import { get as getHttps } from 'node:https';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** Key of the program among the settings: a changed program makes a running service outdated, too. */
const PROGRAM = 'the program';

/**
 * Settings that a service would be started with. Each is a fingerprint of the value, and of the file that the value
 * names, so no secret is written down.
 * @param {NodeJS.ProcessEnv} environment
 * @param {string} main the built program
 * @param {string} key of the fingerprints
 * @returns {Promise<Record<string, string>>}
 */
export async function describeSettings(environment, main, key) {
  const { SETTINGS } = await import(pathToFileURL(path.join(path.dirname(main), 'config/settings.js')).href);
  /** @type {string[]} */
  const names = SETTINGS.flatMap((/** @type {{ name: string }} */ { name }) => [name, `${name}_FILE`]);
  const prints = [...names, 'PGSSLMODE'].flatMap((name) => {
    const value = environment[name];
    return value ? [[name, fingerprint(`${value} ${readIfNamed(name, value)}`, key)]] : [];
  });
  return { ...Object.fromEntries(prints), [PROGRAM]: String(statSync(main).mtimeMs) };
}

/** @param {string} text @param {string} key */
function fingerprint(text, key) {
  return createHmac('sha256', key).update(text).digest('hex').slice(0, 16);
}

/** @param {string} name @param {string} value */
function readIfNamed(name, value) {
  return name.endsWith('_FILE') && existsSync(value) ? readFileSync(value, 'utf8') : '';
}

/**
 * @param {string} url of the service; its certificate need not be for this address
 * @returns {Promise<boolean>}
 */
export function isReady(url) {
  const get = url.startsWith('https:') ? getHttps : getHttp;
  return new Promise((resolve) => {
    const request = get(`${url}/health/ready`, { timeout: 2000, rejectUnauthorized: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });
}

/**
 * Reason why the service could not start, in its own words.
 * @param {string} log its file
 * @param {number} from where its last start begins there
 * @returns {string | undefined}
 */
export function readCause(log, from) {
  const lines = readFileSync(log).subarray(from).toString().split('\n');
  const causes = lines.filter((line) => line.includes('could not start: ')).map(messageOf);
  return causes.length > 0 ? causes.join('\n') : undefined;
}

/** @param {string} line in either format */
function messageOf(line) {
  const text = line.startsWith('{') ? JSON.parse(line).message : line;
  return text.slice(text.indexOf('could not start: '));
}
