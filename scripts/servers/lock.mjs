import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from './process.mjs';

/**
 * Runs `work` while no other process does so under the same lock.
 * @template T
 * @param {string} lock its file, which is there while somebody has it
 * @param {() => T | Promise<T>} work
 * @returns {Promise<T>}
 */
export async function locked(lock, work) {
  while (!isTaken(lock)) await sleep(100);
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

/**
 * @param {string} lock
 * @returns {boolean} whether the lock is ours now; one whose owner has died is taken away first
 */
function isTaken(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
  }
  const owner = ownerOf(lock);
  if (owner > 0 && !isAlive(owner)) rmSync(lock, { force: true });
  return false;
}

/**
 * @param {string} lock
 * @returns {number} its process id; 0 where nobody has it any more, or it is being written
 */
function ownerOf(lock) {
  try {
    return Number(readFileSync(lock, 'utf8'));
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return 0;
    throw error;
  }
}
