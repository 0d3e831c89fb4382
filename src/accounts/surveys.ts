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
  /** An account of the user has become active: nothing is known any more. */
  forget: (userId: number) => void;
}

/** With so many of its first accounts in sight a request finds one that no other has taken meanwhile. */
const ENOUGH = 16;
/** No transaction is in work for longer: what it has used may become visible this much later than it was used. */
const LONGEST_TRANSACTION_MS = 60_000;
/** A change that a survey cannot see, such as limits changed by hand, is found this much later. */
const LONGEST_LIFE_MS = 600_000;
const MAX_KNOWN = 1_000;

export function createSurveys(sql: Sql): Surveys {
  const known = new Map<string, { userId: number; survey: Survey; until: number }>();
  const inWork = new Map<string, Promise<string[]>>();

  async function lookThrough(key: string, userId: number, wish: GrantWish): Promise<string[]> {
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
      if (found.length >= ENOUGH) return found;
      await nextTurn();
    }
    if (found.length > 0 || counts === undefined) return found;
    const endsAt = Math.min(nextAvailableAt, counts.earliestRecoveryAt ?? nextAvailableAt, startedAt + LONGEST_LIFE_MS);
    const survey = {
      unseenAfter: startedAt - LONGEST_TRANSACTION_MS,
      counts,
      limited,
      nextAvailableAt: nextAvailableAt === Number.POSITIVE_INFINITY ? null : nextAvailableAt,
    };
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(key, { userId, survey, until: clock.monotonicMs() + endsAt - startedAt });
    return [];
  }

  return {
    find: (userId, wish) => {
      const entry = known.get(keyOf(userId, wish));
      return entry !== undefined && clock.monotonicMs() < entry.until ? entry.survey : undefined;
    },
    look: (userId, wish) => {
      const key = keyOf(userId, wish);
      const looking = inWork.get(key) ?? lookThrough(key, userId, wish).finally(() => inWork.delete(key));
      inWork.set(key, looking);
      return looking;
    },
    forget: (userId) => {
      for (const [key, entry] of known) if (entry.userId === userId) known.delete(key);
    },
  };
}

const keyOf = (userId: number, { purpose, channel, leaseMs }: GrantWish): string =>
  JSON.stringify([userId, purpose, channel, leaseMs]);
