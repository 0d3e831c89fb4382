import { beforeAll, beforeEach } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';

const DAY_MS = 86_400_000;
/** Longest time of a test that counts the actions of today. */
const TEST_MS = 20_000;

/**
 * No test begins when the UTC date is about to change under it: what it did "today" would be yesterday's halfway
 * through. Midnight has tests of its own, which set the instants.
 */
async function letDateChange(): Promise<void> {
  const leftMs = DAY_MS - (Date.now() % DAY_MS);
  if (leftMs < TEST_MS) await sleep(leftMs);
}

beforeAll(letDateChange, 2 * TEST_MS);
beforeEach(letDateChange, 2 * TEST_MS);
