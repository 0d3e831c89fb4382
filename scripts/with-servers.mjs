#!/usr/bin/env node
// with-servers.mjs DIR COMMAND…: runs the command with fresh, migrated servers of its own, whose addresses stand in its
// environment, and stops and forgets them afterwards. KEEP=1 leaves them, and whatever the command leaves, running.

import './check-node.mjs';
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import process from 'node:process';
import { migrate } from './migrate.mjs';
import { startServers, stopServers } from './servers.mjs';
import { stopService } from './service.mjs';

const [directory, command, ...args] = process.argv.slice(2);
if (!directory || !command) {
  console.error('usage: with-servers.mjs DIR COMMAND [ARGUMENT…]');
  process.exit(2);
}
const isKept = Boolean(process.env.KEEP) && process.env.KEEP !== '0';

// Neither ends this process: what it started is stopped first. The terminal sends Ctrl-C to the command as well.
const interruption = new AbortController();
process.on('SIGINT', () => interruption.abort('SIGINT'));
process.on('SIGTERM', () => interruption.abort('SIGTERM'));

try {
  await clean(directory); // of an earlier run that was kept or killed
  const urls = await startServers(directory);
  await migrate(urls.DATABASE_URL);
  process.exitCode = await run(command, args, { ...process.env, ...urls });
} catch (error) {
  console.error(`with-servers: ${/** @type {Error} */ (error).message}`);
  process.exitCode = 1;
} finally {
  if (!isKept) await clean(directory);
}

/** @param {string} folder */
async function clean(folder) {
  await stopService(folder);
  await stopServers(folder, { removeData: true });
}

/**
 * @param {string} program
 * @param {string[]} words
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<number>} its exit status
 */
function run(program, words, env) {
  return new Promise((resolve, reject) => {
    if (interruption.signal.aborted) return resolve(exitStatus(interruption.signal.reason));
    const child = spawn(program, words, { stdio: 'inherit', env });
    process.on('SIGTERM', () => child.kill('SIGTERM'));
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? exitStatus(signal ?? 'SIGTERM')));
  });
}

/** @param {NodeJS.Signals} signal */
function exitStatus(signal) {
  return 128 + constants.signals[signal];
}
