import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ActionType } from '../../contracts/fields.js';
import { clock } from '../clock.js';
import { PURPOSE_ACTIONS } from '../decide/limits/limits-policy.js';
import { policyFor, reentersSince } from '../decide/limits/reentry.js';
import { eligibleAt } from '../decide/selection/select-account.js';
import type { ChannelUsage } from '../decide/limits/usage-window.js';
import { channelKey } from '../store/accounts/account-record.js';
import { type AccountCounts, countAccounts } from '../store/accounts/count-accounts.js';
import { type FreeAccount, listFreeAccounts, type UsageWanted } from '../store/accounts/list-free.js';
import { loadAccounts } from '../store/accounts/load-accounts.js';
import type { Sql } from '../store/database.js';
import type { GrantWish } from './judge-grant.js';
import { createSharedCounts, type SharedCounts } from './shared-counts.js';

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
   * and then the survey can be found. Requests with the same wish share one look; other wishes for the same user share
   * the next. There is one look at a time, so that the neighbours feel no more than one.
   */
  look: (userId: number, wish: GrantWish) => Promise<string[]>;
  /** Counts for refusals; those of a user with very many accounts may be some time old. */
  count: SharedCounts;
  /** An account of the user has become active: nothing is known any more, nor will be from a look in work. */
  forget: (userId: number) => void;
}

/** With so many of its first accounts in sight a request finds one that no other has taken meanwhile. */
const ENOUGH = 16;
/** A page may show thousands that have room; a batch would load all that it is told of. */
const MAX_FOUND = 64;
/** Each wish that names another channel adds a look-up for every account. */
const MAX_WISHES = 16;
/** So many judgements are made before others on the same thread get their turn; it takes 2 ms on a slow core. */
const SLICE = 500;
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

/** A look that waits or is in work, for all who ask the same meanwhile. */
interface Look {
  userId: number;
  found: Promise<string[]>;
}

/** One look for several wishes. */
interface SharedLook {
  wishes: GrantWish[];
  /** In the order of the wishes. */
  seen: Promise<Seen[]>;
}

export function createSurveys(sql: Sql): Surveys {
  const known = new Map<string, Known>();
  /** Only looks that no account of their user has become active during. */
  const current = new Map<string, Look>();
  /** By user: the look that other wishes may still join, since it has not begun. */
  const gathering = new Map<number, SharedLook>();
  /** The end of the looks so far. */
  let last: Promise<unknown> = Promise.resolve();

  function begin(key: string, userId: number, wish: GrantWish): Look {
    const shared = gathering.get(userId) ?? gather(userId);
    const place = shared.wishes.push(wish) - 1;
    if (shared.wishes.length === MAX_WISHES) gathering.delete(userId);
    const look: Look = {
      userId,
      found: shared.seen
        .then((seen) => {
          const { found, known: survey } = seen[place] ?? NOTHING_SEEN;
          if (survey !== null && current.get(key) === look) keep(key, survey);
          return found;
        })
        .finally(() => {
          if (current.get(key) === look) current.delete(key);
        }),
    };
    current.set(key, look);
    return look;
  }

  function gather(userId: number): SharedLook {
    const wishes: GrantWish[] = [];
    const seen = last.then(() => {
      if (gathering.get(userId)?.wishes === wishes) gathering.delete(userId);
      return lookThrough(sql, userId, wishes);
    });
    last = seen.catch(() => undefined);
    const shared = { wishes, seen };
    gathering.set(userId, shared);
    return shared;
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
      return (current.get(key) ?? begin(key, userId, wish)).found;
    },
    count: createSharedCounts(),
    forget: (userId) => {
      for (const entries of [known, current]) {
        for (const [key, entry] of entries) if (entry.userId === userId) entries.delete(key);
      }
    },
  };
}

/** Some accounts that have room; where there is none, what is known from now on. */
interface Seen {
  found: string[];
  known: Known | null;
}

const NOTHING_SEEN: Seen = { found: [], known: null };

/** Findings of a look so far, for one wish. */
interface Tally {
  wish: GrantWish;
  found: FreeAccount[];
  limited: number;
  /** `Infinity`: never so far. */
  nextAvailableAt: number;
}

/** One look for all the wishes; answers in their order. */
async function lookThrough(sql: Sql, userId: number, wishes: readonly GrantWish[]): Promise<Seen[]> {
  const beganAt = clock.monotonicMs();
  const { now: startedAt } = await loadAccounts(sql, { accountIds: [], channels: [] });
  const tallies = wishes.map((wish): Tally => ({ wish, found: [], limited: 0, nextAvailableAt: Infinity }));
  for await (const { now, accounts } of listFreeAccounts(sql, userId, usageFor(wishes, startedAt))) {
    const unmet = tallies.filter(({ found }) => found.length < ENOUGH);
    if (unmet.length === 0) break;
    let judged = 0;
    for (const account of accounts) {
      for (const tally of unmet) judge(tally, account, now);
      judged += unmet.length;
      if (judged >= SLICE) {
        judged = 0;
        await nextTurn();
      }
    }
  }
  const isRefused = tallies.some(({ found }) => found.length === 0);
  const counts = isRefused ? (await countAccounts(sql, [userId], startedAt)).get(userId) : undefined;
  return tallies.map((tally) => conclude(tally, { userId, counts, startedAt, beganAt }));
}

/** The windows and counters that the wishes are judged by, each once. */
export function usageFor(wishes: readonly GrantWish[], now: number): UsageWanted {
  const windows = new Map<ActionType, UsageWanted['windows'][number]>();
  const counters = new Map<string, UsageWanted['counters'][number]>();
  for (const { purpose, channel, policy } of wishes) {
    for (const action of PURPOSE_ACTIONS[purpose]) {
      windows.set(action, { action, hourlyLimit: policy[action].hourlyLimit });
      if (channel !== null) counters.set(channelKey(action, channel), { action, channel });
    }
  }
  const blocksSince = Math.min(...wishes.map(({ reentry }) => reentersSince(reentry, now)));
  return { windows: [...windows.values()], counters: [...counters.values()], blocksSince };
}

function judge(tally: Tally, account: FreeAccount, now: number): void {
  const at = roomAt(account, tally.wish, now);
  if (at !== null && at <= now) {
    tally.found.push(account);
    return;
  }
  tally.limited += 1;
  if (at !== null) tally.nextAvailableAt = Math.min(tally.nextAvailableAt, at);
}

/** When a free account has room for the wish, if nothing more is done: `now` if it has; null: never. */
export function roomAt(account: FreeAccount, wish: GrantWish, now: number): number | null {
  const { windows, channels, lastBlockEndedAt } = account;
  const channelUsage: Partial<Record<ActionType, ChannelUsage>> = {};
  if (wish.channel !== null) {
    for (const action of PURPOSE_ACTIONS[wish.purpose]) {
      const usage = channels.get(channelKey(action, wish.channel));
      if (usage !== undefined) channelUsage[action] = usage;
    }
  }
  // One that is active is not blocked.
  const policy = policyFor({ blockedUntil: null, lastBlockEndedAt }, wish, now);
  return eligibleAt({ windows, channelUsage, policy }, wish, now);
}

interface LookEnd {
  userId: number;
  counts: AccountCounts | undefined;
  /** By the database's clock. */
  startedAt: number;
  /** By this process's rising clock. */
  beganAt: number;
}

function conclude({ found, limited, nextAvailableAt }: Tally, { userId, counts, startedAt, beganAt }: LookEnd): Seen {
  if (found.length > 0) return { found: longestRested(found), known: null };
  if (counts === undefined) return NOTHING_SEEN;
  const endsAt = Math.min(nextAvailableAt, counts.earliestRecoveryAt ?? nextAvailableAt, startedAt + LONGEST_LIFE_MS);
  const survey = {
    unseenAfter: startedAt - LONGEST_TRANSACTION_MS,
    counts,
    limited,
    nextAvailableAt: nextAvailableAt === Infinity ? null : nextAvailableAt,
  };
  return { found: [], known: { userId, survey, until: beganAt + endsAt - startedAt } };
}

const longestRested = (accounts: readonly FreeAccount[]): string[] =>
  accounts
    .toSorted((a, b) => (a.lastUsedAt ?? 0) - (b.lastUsedAt ?? 0))
    .slice(0, MAX_FOUND)
    .map(({ accountId }) => accountId);

const keyOf = (userId: number, { purpose, channel, leaseMs }: GrantWish): string =>
  JSON.stringify([userId, purpose, channel, leaseMs]);
