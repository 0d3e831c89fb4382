import { setImmediate as nextTurn } from 'node:timers/promises';
import { clock } from '../clock.js';
import { canBeGranted } from '../decide/condition/plan-recovery.js';
import { judgeCandidate } from '../decide/selection/select-account.js';
import { type AccountCounts, countAccounts } from '../store/accounts/count-accounts.js';
import { listFreeAccounts } from '../store/accounts/list-free.js';
import { loadAccounts } from '../store/accounts/load-accounts.js';
import type { Sql } from '../store/database.js';
import { type GrantWish, toOffer } from './judge-grant.js';

/** All free accounts of a user were looked through for a wish, and none of them had room. */
export interface Survey {
  /** Accounts that were freed, used or registered since have been used last after this instant, or never. */
  unseenAfter: number;
  counts: AccountCounts;
  limited: number;
  /** When the first of them has room; null: none ever. */
  nextAvailableAt: number | null;
}

/**
 * Surveys of users with more accounts than a batch may look at. Without a survey each of their requests would look at all
 * accounts, and its neighbours would wait for it.
 */
export interface Surveys {
  /** The survey for a wish, while it holds. */
  find: (userId: number, wish: GrantWish) => Survey | undefined;
  /**
   * Looks through the user's free accounts, a page at a time and without locks: answers some that have room, or none,
   * and then the survey can be found. Requests with the same wish share one look.
   */
  look: (userId: number, wish: GrantWish) => Promise<string[]>;
  /** An account of the user has become active: nothing is known any more, nor will be from a look in work. */
  forget: (userId: number) => void;
}

/** With so many of its first accounts in sight a request finds one that no other has taken meanwhile. */
const ENOUGH = 16;
/** No transaction is in work for longer: what it has used may become visible this much later than it was used. */
const LONGEST_TRANSACTION_MS = 60_000;
/** A change that a survey cannot see, such as limits changed by hand, is found this much later. */
const LONGEST_LIFE_MS = 600_000;
const MAX_KNOWN = 1_000;

/** A survey, and until when it holds by this process's rising clock. */
interface Known {
  userId: number;
  survey: Survey;
  until: number;
}

/** A look that is in work, for all who ask the same meanwhile. */
interface Look {
  userId: number;
  found: Promise<string[]>;
}

export function createSurveys(sql: Sql): Surveys {
  const known = new Map<string, Known>();
  /** Only looks that no account of their user has become active during. */
  const inWork = new Map<string, Look>();

  function begin(key: string, userId: number, wish: GrantWish): Look {
    const look: Look = {
      userId,
      found: lookThrough(sql, userId, wish)
        .then(({ found, known: seen }) => {
          if (seen !== null && inWork.get(key) === look) keep(key, seen);
          return found;
        })
        .finally(() => {
          if (inWork.get(key) === look) inWork.delete(key);
        }),
    };
    inWork.set(key, look);
    return look;
  }

  function keep(key: string, seen: Known): void {
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(key, seen);
  }

  return {
    find: (userId, wish) => {
      const entry = known.get(keyOf(userId, wish));
      return entry !== undefined && clock.monotonicMs() < entry.until ? entry.survey : undefined;
    },
    look: (userId, wish) => {
      const key = keyOf(userId, wish);
      return (inWork.get(key) ?? begin(key, userId, wish)).found;
    },
    forget: (userId) => {
      for (const entries of [known, inWork]) {
        for (const [key, entry] of entries) if (entry.userId === userId) entries.delete(key);
      }
    },
  };
}

/** Some accounts that have room; where there is none, what is known from now on. */
async function lookThrough(
  sql: Sql,
  userId: number,
  wish: GrantWish,
): Promise<{ found: string[]; known: Known | null }> {
  const beganAt = clock.monotonicMs();
  const { now: startedAt } = await loadAccounts(sql, { accountIds: [], channels: [] });
  const counts = (await countAccounts(sql, [userId], startedAt)).get(userId);
  const found: string[] = [];
  let limited = 0;
  let nextAvailableAt = Number.POSITIVE_INFINITY;
  for await (const page of listFreeAccounts(sql, userId)) {
    const channels = wish.channel === null ? [] : [wish.channel];
    const { now, accounts } = await loadAccounts(sql, { accountIds: page, channels });
    for (const account of accounts.values()) {
      if (account.lease !== null || !canBeGranted(account.condition)) continue;
      const { eligible, eligibleAt } = judgeCandidate(toOffer(account, wish, now), wish, now);
      if (eligible) found.push(account.accountId);
      else {
        limited += 1;
        nextAvailableAt = Math.min(nextAvailableAt, eligibleAt ?? nextAvailableAt);
      }
    }
    if (found.length >= ENOUGH) return { found, known: null };
    await nextTurn();
  }
  if (found.length > 0 || counts === undefined) return { found, known: null };
  const endsAt = Math.min(nextAvailableAt, counts.earliestRecoveryAt ?? nextAvailableAt, startedAt + LONGEST_LIFE_MS);
  const survey = {
    unseenAfter: startedAt - LONGEST_TRANSACTION_MS,
    counts,
    limited,
    nextAvailableAt: nextAvailableAt === Number.POSITIVE_INFINITY ? null : nextAvailableAt,
  };
  return { found, known: { userId, survey, until: beganAt + endsAt - startedAt } };
}

const keyOf = (userId: number, { purpose, channel, leaseMs }: GrantWish): string =>
  JSON.stringify([userId, purpose, channel, leaseMs]);
