import { clock } from '../clock.js';
import { type AccountCounts, countAccounts } from '../store/accounts/count-accounts.js';
import type { Sql } from '../store/database.js';

/** Counts the accounts of users; a user without accounts is not in the answer. */
export type SharedCounts = (sql: Sql, userIds: readonly number[], now: number) => Promise<Map<number, AccountCounts>>;

/** Counting the accounts of a user with fewer takes less than 3 ms, so they are counted for each refusal. */
const MANY_ACCOUNTS = 10_000;
/** The counts of a user with many are told for this long… */
const TOLD_MS = 500;
/** …or for so many times as long as counting took, so that it takes little of a processor however many ask. */
const TOLD_PER_COUNT = 10;
const MAX_KNOWN = 1_000;

/**
 * Counts for refusals. With 100,000 free accounts a count takes 25 ms; a batch waits for it, and with it the requests of
 * other users.
 */
export function createSharedCounts(): SharedCounts {
  const known = new Map<number, { counts: AccountCounts; until: number }>();

  return async (sql, userIds, now) => {
    const beganAt = clock.monotonicMs();
    const told = new Map<number, AccountCounts>();
    for (const userId of userIds) {
      const entry = known.get(userId);
      if (entry !== undefined && entry.until > beganAt) told.set(userId, entry.counts);
    }
    const counted = await countAccounts(
      sql,
      userIds.filter((userId) => !told.has(userId)),
      now,
    );
    const endedAt = clock.monotonicMs();
    const until = endedAt + Math.max(TOLD_MS, (endedAt - beganAt) * TOLD_PER_COUNT);
    if (known.size >= MAX_KNOWN) known.clear();
    for (const [userId, counts] of counted) {
      told.set(userId, counts);
      if (counts.total >= MANY_ACCOUNTS) known.set(userId, { counts, until });
    }
    return told;
  };
}
