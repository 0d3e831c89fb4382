import { clock } from '../clock.js';
import type { AccountRecord } from '../store/accounts/account-record.js';
import type { KnownAccount } from '../store/accounts/read-accounts.js';
import { createDatabaseClock, type DatabaseClock } from '../store/database-clock.js';

/**
 * Accounts that this process has read or written, so that the next batch need not read them. It may be out of date: what
 * is decided on it is written only where nothing has changed meanwhile. An account is in the hands of one batch at a
 * time: it is taken out, and put back once the batch stands.
 */
export interface AccountMemory {
  databaseClock: DatabaseClock;
  /** The run of the server that the accounts were read from; null: nothing was read yet. */
  server: () => string | null;
  /** Whether to decide on what is remembered; after a conflict not for some batches. */
  isTrusted: () => boolean;
  take: (accountId: string) => KnownAccount | undefined;
  /**
   * Takes the first so many of a user's candidates, or `least` where the user has no others. Null where fewer are
   * remembered: then `ahead` of them are to be read beyond those needed.
   */
  takeCandidates: (userId: number, wanted: { count: number; least: number }) => KnownAccount[] | null;
  ahead: (userId: number) => number;
  /** Nothing that was read from another run of the server is remembered. */
  noteServer: (server: string) => void;
  keep: (accounts: readonly KnownAccount[]) => void;
  /** Those among them that are remembered already may be newer, and are then left as they are. */
  keepNewer: (accounts: readonly KnownAccount[]) => void;
  /** A user's next candidates, longest rested first. `isWhole`: the user has no others. */
  lineUp: (userId: number, accountIds: readonly string[], options: { isWhole: boolean }) => void;
  /** Candidates of a user that were taken and not used. */
  giveBack: (userId: number, accountIds: readonly string[]) => void;
  forget: (accountIds: readonly string[]) => void;
  /** One of the user's accounts may have become a better candidate than those that are remembered. */
  forgetCandidates: (userId: number) => void;
  /** A user has no account to be had from here; its requests are decided under locks for a while. */
  noteShortage: (userId: number) => void;
  isShort: (userId: number) => boolean;
  /** A batch was written. */
  stood: () => void;
  /** A batch was decided on something out of date. Where that is no exception, nothing is remembered any more. */
  failed: () => void;
}

const MOST_ACCOUNTS = 5_000;
/** An account beyond this is read each time. An ordinary one takes 3 kB. */
const MOST_BYTES = 16_000;
/** An account that became free meanwhile waits for this long behind others that have rested for less. */
const CANDIDATES_LIVE_MS = 5_000;
const LEAST_AHEAD = 8;
const MOST_AHEAD = 128;
const SHORTAGE_MS = 1_000;
const MOST_USERS = 10_000;
/** After conflicts in a row so many batches at most go without what is remembered, before it is tried once more. */
const MOST_PAUSE = 256;

/** The candidates of one user, longest rested first. */
interface Line {
  ids: string[];
  /** The user has no others. */
  isWhole: boolean;
  until: number;
}

export function createAccountMemory(): AccountMemory {
  const accounts = new Map<string, KnownAccount>();
  const lines = new Map<number, Line>();
  const readAhead = new Map<number, number>();
  const shortUntil = new Map<number, number>();
  const databaseClock = createDatabaseClock(clock.monotonicMs);
  let server: string | null = null;
  let pause = 0;
  let pausedFor = 0;

  function takeCandidates(userId: number, { count, least }: { count: number; least: number }): KnownAccount[] | null {
    const line = lines.get(userId);
    if (line === undefined) return null;
    if (line.until < clock.monotonicMs()) {
      lines.delete(userId);
      readAhead.set(userId, Math.max(LEAST_AHEAD, (readAhead.get(userId) ?? 0) / 2));
      return null;
    }
    const taken: KnownAccount[] = [];
    while (taken.length < count && line.ids.length > 0) {
      const known = take(line.ids.shift() ?? '');
      if (known !== undefined) taken.push(known);
    }
    if (taken.length === count || (line.isWhole && taken.length >= least)) return taken;
    // They are read anew with the next ones, so many at once that asking is worth it.
    keep(taken);
    lines.delete(userId);
    if (readAhead.size >= MOST_USERS) readAhead.clear();
    readAhead.set(userId, Math.min(MOST_AHEAD, 2 * (readAhead.get(userId) ?? LEAST_AHEAD / 2)));
    return null;
  }

  function take(accountId: string): KnownAccount | undefined {
    const known = accounts.get(accountId);
    accounts.delete(accountId);
    return known;
  }

  function keep(kept: readonly KnownAccount[]): void {
    for (const known of kept) {
      if (isLarge(known)) continue;
      accounts.set(known.record.accountId, known);
    }
    for (const accountId of accounts.keys()) {
      if (accounts.size <= MOST_ACCOUNTS) break;
      accounts.delete(accountId);
    }
  }

  return {
    databaseClock,
    server: () => server,
    isTrusted: () => {
      if (pausedFor === 0) return true;
      pausedFor -= 1;
      return false;
    },
    take,
    takeCandidates,
    ahead: (userId) => readAhead.get(userId) ?? LEAST_AHEAD,
    noteServer: (read) => {
      if (read !== server) accounts.clear();
      server = read;
    },
    keep,
    keepNewer: (kept) =>
      keep(kept.filter(({ record }) => changesOf(record) >= changesOf(accounts.get(record.accountId)?.record))),
    lineUp: (userId, accountIds, { isWhole }) => {
      if (lines.size >= MOST_USERS) lines.clear();
      lines.set(userId, { ids: [...accountIds], isWhole, until: clock.monotonicMs() + CANDIDATES_LIVE_MS });
    },
    giveBack: (userId, accountIds) => lines.get(userId)?.ids.unshift(...accountIds),
    forget: (accountIds) => {
      for (const accountId of accountIds) accounts.delete(accountId);
    },
    forgetCandidates: (userId) => {
      lines.delete(userId);
      shortUntil.delete(userId);
    },
    noteShortage: (userId) => {
      if (shortUntil.size >= MOST_USERS) shortUntil.clear();
      lines.delete(userId);
      shortUntil.set(userId, clock.monotonicMs() + SHORTAGE_MS);
    },
    isShort: (userId) => (shortUntil.get(userId) ?? 0) > clock.monotonicMs(),
    stood: () => {
      pause = Math.max(0, pause - 1);
    },
    failed: () => {
      databaseClock.forget();
      if (pause > 0) {
        accounts.clear();
        lines.clear();
      }
      pause = Math.min(MOST_PAUSE, Math.max(1, 2 * pause));
      pausedFor = pause;
    },
  };
}

/** Never falls, and rises with whatever an operation changes of an account. */
const changesOf = (record?: AccountRecord): number =>
  record === undefined ? -1 : record.sequence + record.usageVersion;

function isLarge({ connection, permits, record, counted }: KnownAccount): boolean {
  const { windows, channels, invitesByChannelToday } = record;
  let instants = 0;
  for (const { recentAt } of windows.values()) instants += recentAt.length;
  const parts = channels.size + permits.size + (counted?.length ?? 0) + Object.keys(invitesByChannelToday).length;
  return connection.metadata.length + connection.sealed.length + 8 * instants + 150 * parts > MOST_BYTES;
}
