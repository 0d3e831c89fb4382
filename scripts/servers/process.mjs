import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * A TCP port of 127.0.0.1 that is free now: `preferred` where it is still free, so that addresses survive a restart.
 * @param {number} [preferred]
 * @returns {Promise<number>}
 */
export async function freePort(preferred = 0) {
  const port = await listenOnce(preferred);
  return port ?? (await freePort());
}

/**
 * @param {number} port
 * @returns {Promise<number | undefined>} the port that was listened on for a moment; undefined where it is taken
 */
function listenOnce(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : undefined));
    });
  });
}

/**
 * Starts a process that outlives this one, in a process group of its own, its output appended to `log`.
 * @param {{ command: string, args: string[], folder: string, log: string, env?: NodeJS.ProcessEnv, user?: SystemUser | undefined }} daemon
 * @returns {Promise<number>} the process id
 *
 * @typedef {{ uid: number, gid: number }} SystemUser
 */
export function startDaemon({ command, args, folder, log, env = process.env, user }) {
  const output = openSync(log, 'a');
  const child = spawn(command, args, { cwd: folder, env, detached: true, stdio: ['ignore', output, output], ...user });
  closeSync(output);
  child.unref();
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => resolve(/** @type {number} */ (child.pid)));
  });
}

/**
 * Whether `pid` is alive and works in `folder`. The folder tells our server from a stranger that got the number of
 * a dead one, as happens after a reboot and in every container.
 * @param {number} pid
 * @param {string} folder
 */
export function isRunning(pid, folder) {
  if (!isAlive(pid)) return false;
  if (process.platform !== 'linux') return true;
  try {
    const at = `/proc/${pid}/cwd`;
    // In a file tree of its own it has the same folder under another path.
    return readlinkSync(at).startsWith(realpathSync(folder)) || isSame(statSync(at), statSync(folder));
  } catch {
    return false;
  }
}

/**
 * @param {import('node:fs').Stats} one
 * @param {import('node:fs').Stats} other
 */
function isSame(one, other) {
  return one.dev === other.dev && one.ino === other.ino;
}

/** @param {number} pid */
export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

/** So many looks in a row must miss a process that has ended. */
const MISSED_LOOKS = 5;

/**
 * Waits until `probe` answers true; fails with the end of the log when the process dies or `timeoutMs` pass first.
 * @param {{ name: string, pid: number, folder: string, log: string, timeoutMs?: number, probe: () => Promise<boolean> }} daemon
 */
export async function waitUntilReady({ name, pid, folder, log, timeoutMs = 60_000, probe }) {
  const deadline = Date.now() + timeoutMs;
  let missed = 0;
  while (!(await probe())) {
    // On its way into a file tree of its own a process is elsewhere for a moment.
    missed = isRunning(pid, folder) ? 0 : missed + 1;
    if (missed === MISSED_LOOKS) throw new Error(`${name} ended while starting; the end of ${log}:\n${tail(log)}`);
    if (Date.now() > deadline)
      throw new Error(`${name} is not ready after ${timeoutMs} ms; the end of ${log}:\n${tail(log)}`);
    await sleep(100);
  }
}

/**
 * Ends a process that works in `folder`, by `signal`, and by SIGKILL where it is still there after 30 s.
 * @param {{ pid: number, folder: string, signal: NodeJS.Signals, group?: boolean }} daemon `group`: its whole process group
 */
export async function stopProcess({ pid, folder, signal, group = false }) {
  for (const next of [signal, /** @type {const} */ ('SIGKILL')]) {
    if (!isRunning(pid, folder)) return;
    process.kill(group ? -pid : pid, next);
    const deadline = Date.now() + 30_000;
    while (isRunning(pid, folder) && Date.now() < deadline) await sleep(50);
  }
}

/** @param {string} file */
function tail(file) {
  return readFileSync(file, 'utf8').split('\n').slice(-20).join('\n');
}
