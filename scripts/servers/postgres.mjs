import { execFile, execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { inPath } from './binaries.mjs';
import { answersPostgres } from './probe.mjs';
import { freePort, isAlive, isRunning, startDaemon, stopProcess, waitUntilReady } from './process.mjs';

const run = promisify(execFile);
const OLDEST_MAJOR = 15;
const DEBIAN_ROOT = '/usr/lib/postgresql';

/** Durability is for people's data; tests throw theirs away and commit several times faster without it. */
const DISPOSABLE_SETTINGS = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'];

/** @type {import('../servers.mjs').Server} */
export const postgres = {
  name: 'postgres',
  title: 'PostgreSQL',
  variable: 'DATABASE_URL',
  packages: ['postgresql'],

  missing() {
    const found = binaries();
    if (!found) return 'postgres and initdb';
    const version = execFileSync(found.postgres, ['--version'], { encoding: 'utf8' }).trim();
    const major = Number(/(\d+)/.exec(version)?.[1]);
    return major >= OLDEST_MAJOR ? undefined : `PostgreSQL ${OLDEST_MAJOR} or newer (found: ${version})`;
  },

  async start({ folder: wanted, disposable, previous, record }) {
    const { postgres: command, initdb } = /** @type {NonNullable<ReturnType<typeof binaries>>} */ (binaries());
    const user = serverUser();
    const folder = previous?.folder ?? folderFor(wanted, user);
    mkdirSync(folder, { recursive: true });
    if (user) chownSync(folder, user.uid, user.gid);
    const data = path.join(folder, 'data');
    const log = path.join(folder, 'log');
    if (!existsSync(data)) {
      const unfinished = `${data}.new`;
      rmSync(unfinished, { recursive: true, force: true });
      const args = ['-D', unfinished, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8'];
      // Not execFileSync: the two other servers start meanwhile.
      await run(initdb, disposable ? [...args, '--no-sync'] : args, { cwd: folder, ...user });
      renameSync(unfinished, data);
    }
    forgetStranger(data);
    const port = await freePort(previous?.ports.postgres);
    // TCP only: a socket's path may have 107 bytes, and a checkout's folder may be longer.
    const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=300'];
    // Every grant leaves a dead entry where the next one begins to look.
    settings.push('autovacuum_naptime=5s');
    if (disposable) settings.push(...DISPOSABLE_SETTINGS);
    const args = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])];
    const pid = await startDaemon({ command, args, folder, log, user });
    record({
      pid,
      folder,
      ports: { postgres: port },
      urls: { DATABASE_URL: `postgresql://postgres@127.0.0.1:${port}/account_manager` },
    });
    await waitUntilReady({ name: 'PostgreSQL', pid, folder, log, probe: () => answersPostgres(port) });
  },

  async isHealthy({ pid, folder, ports }) {
    return isRunning(pid, folder) && (await answersPostgres(/** @type {number} */ (ports.postgres)));
  },

  async stop({ pid, folder }, { disposable }) {
    // SIGINT ends the sessions and writes a checkpoint, SIGQUIT leaves at once.
    await stopProcess({ pid, folder, signal: disposable ? 'SIGQUIT' : 'SIGINT' });
  },
};

/** @returns {{ postgres: string, initdb: string } | undefined} the newest of Debian's, else what stands in PATH */
function binaries() {
  const versions = existsSync(DEBIAN_ROOT) ? readdirSync(DEBIAN_ROOT).sort((a, b) => Number(b) - Number(a)) : [];
  const debian = versions
    .map((version) => path.join(DEBIAN_ROOT, version, 'bin'))
    .find((bin) => existsSync(path.join(bin, 'initdb')));
  const server = debian ? path.join(debian, 'postgres') : inPath('postgres');
  const initdb = debian ? path.join(debian, 'initdb') : inPath('initdb');
  return server && initdb ? { postgres: server, initdb } : undefined;
}

/**
 * PostgreSQL refuses to run as root, so root hands it to the user that its package made.
 * @returns {import('./process.mjs').SystemUser | undefined}
 */
function serverUser() {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (/** @type {string} */ flag) =>
        Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: 'pipe' }));
      return { uid: id('-u'), gid: id('-g') };
    } catch {
      // No such user.
    }
  }
  throw new Error('PostgreSQL does not run as root, and there is neither a user postgres nor nobody to run it');
}

/**
 * Root's checkout may lie where the server's user may not go (such as /root, mode 700); its data then lie under /var/tmp.
 * @param {string} folder
 * @param {import('./process.mjs').SystemUser | undefined} user
 */
function folderFor(folder, user) {
  if (!user) return folder;
  mkdirSync(folder, { recursive: true });
  try {
    execFileSync('test', ['-x', folder], { stdio: 'ignore', cwd: '/', ...user });
    return folder;
  } catch {
    return mkdtempSync('/var/tmp/account-manager-postgres-');
  }
}

/**
 * After a power cut or in a restarted container the number in postmaster.pid can belong to a stranger, and PostgreSQL
 * would not start because of it. That of a dead process it judges better itself.
 * @param {string} data
 */
function forgetStranger(data) {
  const file = path.join(data, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
  if (isAlive(pid) && !isRunning(pid, data)) rmSync(file);
}
