import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { inPath } from './binaries.mjs';

const OTHER_SERVERS = 'start a Docker engine, or give DATABASE_URL, REDIS_URL and RABBITMQ_URL';
const LOCK = '/tmp/account-manager-apt.lock';

/**
 * Installs packages of the distribution, after saying so.
 * @param {{ packages: string[], why: string[], say: (line: string) => void, instead?: string | null }} options
 *   `why`: what is not there; `instead`: what else would help; null: nothing, a Docker engine neither
 */
export function installPackages({ packages, why, say, instead = OTHER_SERVERS }) {
  const names = packages.join(' ');
  const lack = `Not on this machine: ${why.join(', ')}${instead === null ? '' : ', and no Docker engine answers'}`;
  const or = instead === null ? '' : `, or ${instead}`;
  if (process.env.NO_INSTALL) {
    throw new Error(
      `${lack}. NO_INSTALL is set, so nothing is installed; install them (Debian: apt-get install ${names})${or}`,
    );
  }
  if (!inPath('apt-get')) throw new Error(`${lack}; install them${or}`);
  const isRoot = process.getuid?.() === 0;
  if (!isRoot && !inPath('sudo')) throw new Error(`${lack}; run as root, or install them: apt-get install ${names}`);
  say(`${lack}: installing Debian's packages ${names} (NO_INSTALL=1 refuses)`);
  // Several test files may lack something at the same time, and apt-get fails where another one runs.
  const apt = (/** @type {string[]} */ ...args) => runAsRoot(['flock', LOCK, 'apt-get', '-qq', ...args], isRoot);
  apt('update');
  // Private servers are wanted, not the system's: the scripts of its packages start none with this.
  const policy = '/usr/sbin/policy-rc.d';
  const isOurs = !existsSync(policy);
  if (isOurs) runAsRoot(['sh', '-c', `printf '#!/bin/sh\\nexit 101\\n' >${policy} && chmod 755 ${policy}`], isRoot);
  try {
    apt('install', '-y', '--no-install-recommends', ...packages);
  } finally {
    if (isOurs) runAsRoot(['rm', '-f', policy], isRoot);
  }
}

/**
 * @param {string[]} command
 * @param {boolean} isRoot
 */
function runAsRoot(command, isRoot) {
  const [program, ...args] = isRoot ? command : ['sudo', ...command];
  const { status } = spawnSync(/** @type {string} */ (program), args, {
    // Output goes to stderr: `status` lines on stdout stay readable.
    stdio: ['ignore', 2, 2],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (status !== 0) throw new Error(`${command.join(' ')} failed`);
}
