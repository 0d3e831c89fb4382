import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { inPath } from './binaries.mjs';
import { installPackages } from './debian.mjs';
import { locked } from './lock.mjs';

// Which RabbitMQ runs: RABBITMQ=docker, installed, or a version. A version that is not installed is unpacked from the
// Debian release that has it, with its own Erlang and C library, and runs in that tree by chroot.

/** Debian releases by the version of RabbitMQ that they bring. */
const SUITES = new Map([
  ['3.10', 'bookworm'],
  ['4.0', 'trixie'],
  ['4.3', 'forky'],
]);
/** debootstrap's script for every release of today; that of a release which is younger than debootstrap is not there. */
const SCRIPT = '/usr/share/debootstrap/scripts/sid';
const LOCAL = path.resolve(import.meta.dirname, '../../.local');
/** Where Debian's package puts it, below the root. */
const RELEASES = 'usr/lib/rabbitmq/lib';

/**
 * @typedef {'docker' | 'installed' | { version: string } | undefined} Choice undefined: the first that is there
 *
 * @typedef {object} Release
 * @property {string} root of the file tree it runs in; `/` is this machine's own
 * @property {string} programs the folder of its scripts, as seen from within the root
 */

/**
 * @param {string | undefined} text what RABBITMQ says
 * @returns {Choice}
 */
export function readChoice(text = process.env.RABBITMQ) {
  if (!text) return undefined;
  if (text === 'docker' || text === 'installed') return text;
  if (/^\d+\.\d+$/.test(text)) return { version: text };
  throw new Error(`RABBITMQ must be docker, installed, or a version such as 4.0 (here: ${text})`);
}

/** @returns {Release | undefined} the one to run as a process; undefined where it has to be installed or unpacked first */
export function findRelease() {
  const choice = readChoice();
  if (typeof choice !== 'object') return installedRelease();
  const installed = installedRelease();
  return installed && isOf(installed, choice.version) ? installed : releaseIn(rootOf(choice.version));
}

/**
 * Unpacks the version that RABBITMQ names where it is neither installed nor unpacked.
 * @param {(line: string) => void} [say]
 */
export async function prepareRelease(say = console.error) {
  const choice = readChoice();
  if (typeof choice !== 'object' || findRelease()) return;
  const { version } = choice;
  mkdirSync(LOCAL, { recursive: true });
  await locked(`${rootOf(version)}.lock`, () => {
    if (!findRelease()) unpack(version, say);
  });
}

/**
 * How to run one of its programs. In a tree of its own the program sees the server's folder, and this machine's devices
 * and processes, through mounts that end with it.
 * @param {Release} release
 * @param {string} program such as `rabbitmqctl`
 * @param {string} folder of the server
 * @returns {{ command: string, args: string[] }}
 */
export function commandOf({ root, programs }, program, folder) {
  const file = path.posix.join(programs, program);
  if (root === '/') return { command: file, args: [] };
  const enter = `set -e; root=$0 folder=$1; shift
mkdir -p "$root$folder"
for shared in /dev /proc /sys "$folder"; do mount --rbind "$shared" "$root$shared"; done
exec chroot "$root" sh -c 'cd "$0" && exec "$@"' "$folder" "$@"`;
  return { command: 'unshare', args: ['--mount', 'sh', '-c', enter, root, folder, file] };
}

/** @returns {Release | undefined} Debian's own scripts, since the wrapper in PATH insists on the user rabbitmq */
function installedRelease() {
  const found = releaseIn('/');
  if (found) return found;
  const program = inPath('rabbitmq-server');
  return program === undefined ? undefined : { root: '/', programs: path.dirname(realpathSync(program)) };
}

/**
 * @param {string} root
 * @returns {Release | undefined} the newest in this tree
 */
function releaseIn(root) {
  const folder = path.join(root, RELEASES);
  const names = existsSync(folder) ? readdirSync(folder).sort() : [];
  const name = names.findLast((one) => existsSync(path.join(folder, one, 'sbin/rabbitmq-server')));
  if (name === undefined) return undefined;
  return { root: realpathSync(root), programs: path.posix.join('/', RELEASES, name, 'sbin') };
}

/**
 * @param {Release} release
 * @param {string} version
 */
const isOf = ({ programs }, version) => programs.includes(`rabbitmq_server-${version}.`);

/** @param {string} version */
const rootOf = (version) => path.join(LOCAL, `rabbitmq-${version}`);

/**
 * @param {string} version
 * @param {(line: string) => void} say
 */
function unpack(version, say) {
  const suite = SUITES.get(version);
  if (suite === undefined) {
    const known = [...SUITES].map(([one, name]) => `${one} (${name})`).join(', ');
    throw new Error(
      `RabbitMQ ${version} is not installed, no Docker engine answers, and Debian brings only ${known}; see RABBITMQ in docs/operating.md`,
    );
  }
  if (process.getuid?.() !== 0)
    throw new Error(`RabbitMQ ${version} is not installed; only root can unpack and run it`);
  if (!inPath('debootstrap')) installPackages({ packages: ['debootstrap'], why: ['debootstrap'], say });
  say(
    `RabbitMQ ${version} is not installed: unpacking it from Debian ${suite} into ${rootOf(version)}, some 2 minutes`,
  );
  const fresh = `${rootOf(version)}.new`;
  rmSync(fresh, { recursive: true, force: true });
  run('debootstrap', ['--variant=minbase', suite, fresh, process.env.DEBIAN_MIRROR || findMirror(), SCRIPT]);
  writeFileSync(path.join(fresh, 'etc/hosts'), '127.0.0.1 localhost\n');
  // Nothing may start while packages are installed there.
  writeFileSync(path.join(fresh, 'usr/sbin/policy-rc.d'), '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  run('chroot', [fresh, 'apt-get', 'install', '-qq', '-y', '--no-install-recommends', 'rabbitmq-server']);
  const found = releaseIn(fresh);
  if (!found || !isOf(found, version)) {
    throw new Error(`Debian ${suite} brings ${found ? path.basename(path.dirname(found.programs)) : 'no RabbitMQ'}`);
  }
  renameSync(fresh, rootOf(version));
}

/** @returns {string} where this machine's own packages come from */
function findMirror() {
  const { stdout } = spawnSync('apt-get', ['indextargets', '--format', '$(REPO_URI)'], { encoding: 'utf8' });
  // Security updates come from elsewhere, for one release only.
  const found = stdout.split('\n').find((uri) => uri !== '' && !uri.includes('security'));
  if (found === undefined) throw new Error('apt-get names no source of packages: set DEBIAN_MIRROR');
  return found;
}

/**
 * @param {string} command
 * @param {string[]} args
 */
function run(command, args) {
  const { status } = spawnSync(command, args, {
    stdio: ['ignore', 'ignore', 2],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed`);
}
