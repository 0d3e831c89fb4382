import { ExecutionError, Lock, Redlock, ResourceLockedError } from '@sesamecare-oss/redlock';
import type { Redis } from 'ioredis';
import { clock } from '../clock.js';
import type { RedisConnection } from './connection.js';

/** Redlock on a connection's own database; what is held by somebody is not waited for. */
export function openRedlock(redis: RedisConnection): Redlock {
  const redlock = new Redlock([redis.client], { retryCount: 0 });
  // As an option redlock takes databases 0 to 15 only and falls back to 0 without a word.
  return Object.assign(redlock, { settings: { ...redlock.settings, db: redis.database } });
}

/** A lock taken by whoever it was, to be extended or released here. */
export const rebuildLock = (redlock: Redlock, key: string, value: string): Lock =>
  // Redlock refuses to extend what is over by this clock; Redis knows better.
  new Lock(redlock, [key], value, [], clock.now() + 60_000);

/**
 * Takes a lock; undefined where somebody holds it. Every lock of ours is a text with an end. A value of another
 * kind was written by nobody of ours and would stand in the way for ever: it is removed.
 */
export async function acquireLock(
  redlock: Redlock,
  client: Redis,
  key: string,
  ttlMs: number,
): Promise<Lock | undefined> {
  const lock = await unlessHeld(redlock.acquire([key], ttlMs));
  if (lock !== undefined || (await isLock(client, key))) return lock;
  await client.unlink(key);
  return unlessHeld(redlock.acquire([key], ttlMs));
}

async function isLock(client: Redis, key: string): Promise<boolean> {
  const [type, pttl] = await Promise.all([client.type(key), client.pttl(key)]);
  return type === 'none' || (type === 'string' && pttl !== NO_END);
}

/** Answer of Redis to PTTL for a key without an expiry. */
const NO_END = -1;

/** Undefined where the lock is another's or gone; rejects where Redis is away. */
export async function unlessHeld<T>(act: Promise<T>): Promise<T | undefined> {
  try {
    return await act;
  } catch (error) {
    if (!(await isHeld(error))) throw error;
    return undefined;
  }
}

async function isHeld(error: unknown): Promise<boolean> {
  if (!(error instanceof ExecutionError)) return false;
  const attempts = await Promise.all(error.attempts);
  return attempts.some((attempt) =>
    [...attempt.votesAgainst.values()].some(
      // A value of another type is somebody else's as well, and no reason to take Redis for away.
      (vote) => vote instanceof ResourceLockedError || vote.message.includes('WRONGTYPE'),
    ),
  );
}
