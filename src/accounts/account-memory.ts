import { clock } from '../clock.js';
import type { AccountRecord } from '../store/accounts/account-record.js';
import type { RememberedAccount } from '../store/accounts/read-accounts.js';
import { createEstimatedClock, type EstimatedClock } from '../store/estimated-clock.js';
import { type CandidateLines, createCandidateLines } from './candidate-lines.js';

/**
 * Accounts that this process has read or written, so that the next batch need not read them. It may be out of date: what
 * is decided on it is written only where nothing has changed meanwhile. An account is in the hands of one batch at a
 * time: it is taken out, and put back once the batch stands.
 */
export interface AccountMemory {
  databaseClock: EstimatedClock;
  lines: CandidateLines;
  /** The run of the server that the accounts were read from; null: nothing was read yet. */
  server: () => string | null;
  /** Nothing that was read from another run of the server is remembered. */
  noteServer: (server: string) => void;
  /** Whether to decide on what is remembered; after a conflict not for some batches. */
  isTrusted: () => boolean;
  take: (accountId: string) => RememberedAccount | undefined;
  /**
   * Takes the first so many of a user's candidates, or `least` where the user has no others. Null where fewer are
   * remembered.
   */
  takeCandidates: (userId: number, wanted: { count: number; least: number }) => RememberedAccount[] | null;
  keep: (accounts: readonly RememberedAccount[]) => void;
  /** Those among them that are remembered already may be newer, and are then left as they are. */
  keepNewer: (accounts: readonly RememberedAccount[]) => void;
  forget: (accountIds: readonly string[]) => void;
  /** A batch was written. */
  stood: () => void;
  /** A batch was decided on something out of date. Where that is no exception, nothing is remembered any more. */
  failed: () => void;
}

const MOST_ACCOUNTS = 5_000;
/** An account beyond this is read each time. An ordinary one takes 3 kB. */
const MOST_BYTES = 16_000;

export function createAccountMemory(): AccountMemory {
  const accounts = new Map<string, RememberedAccount>();
  const lines = createCandidateLines();
  const databaseClock = createEstimatedClock(clock.monotonicMs);
  const { isTrusted, stood, failed } = createTrust();
  let server: string | null = null;

  function take(accountId: string): RememberedAccount | undefined {
    const known = accounts.get(accountId);
    accounts.delete(accountId);
    return known;
  }

  function takeCandidates(userId: number, wanted: { count: number; least: number }): RememberedAccount[] | null {
    const line = lines.of(userId);
    if (line === undefined) return null;
    const taken: RememberedAccount[] = [];
    while (taken.length < wanted.count && line.ids.length > 0) {
      const known = take(line.ids.shift() ?? '');
      if (known !== undefined) taken.push(known);
    }
    if (taken.length === wanted.count || (line.isWhole && taken.length >= wanted.least)) return taken;
    // They are read anew together with the next ones.
    keep(taken);
    lines.noteUsedUp(userId);
    return null;
  }

  function keep(kept: readonly RememberedAccount[]): void {
    for (const known of kept) if (!isLarge(known)) accounts.set(known.record.accountId, known);
    for (const accountId of accounts.keys()) {
      if (accounts.size <= MOST_ACCOUNTS) break;
      accounts.delete(accountId);
    }
  }

  return {
    databaseClock,
    lines,
    server: () => server,
    noteServer: (read) => {
      if (read !== server) accounts.clear();
      server = read;
    },
    isTrusted,
    take,
    takeCandidates,
    keep,
    keepNewer: (kept) =>
      keep(kept.filter(({ record }) => changesOf(record) >= changesOf(accounts.get(record.accountId)?.record))),
    forget: (accountIds) => {
      for (const accountId of accountIds) accounts.delete(accountId);
    },
    stood,
    failed: () => {
      databaseClock.forget();
      if (failed() === 'again') {
        accounts.clear();
        lines.clear();
      }
    },
  };
}

/** After conflicts in a row so many batches at most go without what is remembered, before it is tried once more. */
const MOST_PAUSE = 256;

/** Each conflict in a row doubles the batches that go without what is remembered; each batch that stands takes one off. */
function createTrust() {
  let pause = 0;
  let pausedFor = 0;
  return {
    isTrusted: (): boolean => {
      if (pausedFor === 0) return true;
      pausedFor -= 1;
      return false;
    },
    stood: () => {
      pause = Math.max(0, pause - 1);
    },
    failed: (): 'once' | 'again' => {
      const before = pause;
      pause = Math.min(MOST_PAUSE, Math.max(1, 2 * pause));
      pausedFor = pause;
      return before === 0 ? 'once' : 'again';
    },
  };
}

/** Never falls, and rises with whatever an operation changes of an account. */
const changesOf = (record?: AccountRecord): number =>
  record === undefined ? -1 : record.sequence + record.usageVersion;

function isLarge({ connection, permits, record, counted }: RememberedAccount): boolean {
  const { windows, channels, invitesByChannelToday } = record;
  let instants = 0;
  for (const { recentAt } of windows.values()) instants += recentAt.length;
  const parts = channels.size + permits.size + (counted?.length ?? 0) + Object.keys(invitesByChannelToday).length;
  return connection.metadata.length + connection.sealed.length + 8 * instants + 150 * parts > MOST_BYTES;
}
