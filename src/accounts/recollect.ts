import type { AccountRecord } from '../store/accounts/account-record.js';
import { noChanges } from '../store/accounts/changes.js';
import type { CandidatesWanted } from '../store/accounts/claim-candidates.js';
import type { CountedInLease } from '../store/accounts/load-counted-in-leases.js';
import type { Permit } from '../store/accounts/load-permits.js';
import { type RememberedAccount, readAccounts } from '../store/accounts/read-accounts.js';
import type { Sql } from '../store/database.js';
import type { Guard, Written } from '../store/guarded-write.js';
import type { AccountMemory } from './account-memory.js';
import { isFree } from './judge-grant.js';
import { endWhatIsOver, type FactsWanted, loadFacts } from './load-work.js';
import type { UnitOfWork } from './unit-of-work.js';

/** Everything that a batch is decided by, without a lock. */
export interface Recollected {
  work: UnitOfWork;
  /** By user. */
  candidates: ReadonlyMap<number, readonly string[]>;
  /** Takes further candidates of a user into the work, as far as they are remembered; answers how many. */
  moreCandidates: (userId: number, count: number) => number;
  /** Everything that must still be so when the decisions are written. */
  guard: () => Omit<Guard, 'deadline'>;
  /** Puts the accounts back as they are now that the batch stands. */
  remember: (written: Written) => void;
  /** The batch was decided on something out of date: its users' candidates are not remembered either. */
  dismiss: () => void;
}

const MOST_BEHIND_MS = 1_000;

export interface WorkWanted extends Required<FactsWanted> {
  /** Accounts that requests name. */
  accountIds: readonly string[];
  channels: readonly string[];
  candidates: readonly (CandidatesWanted & { least: number })[];
}

/** Accounts that a batch has in its hands. */
interface Hand {
  accounts: Map<string, RememberedAccount>;
  candidates: Map<number, string[]>;
  /** To be asked for. */
  unknown: string[];
  usersToAsk: CandidatesWanted[];
}

/**
 * Takes from memory what a batch is decided by, and reads what is not there, without a lock. Null where what is
 * remembered is of another run of the server.
 */
export async function recollectWork(memory: AccountMemory, sql: Sql, wanted: WorkWanted): Promise<Recollected | null> {
  const serverBefore = memory.server();
  const hand = takeRemembered(memory, wanted);
  const readAt = await readMissing(memory, sql, hand, wanted);
  const remembered = permitsOf(hand, wanted.permitIds);
  // Facts are read behind the accounts they are of: the guard finds what was changed since an account was read.
  const { permits, countedInLeases, lastLeases } = await loadFacts(sql, factsMissing(hand, wanted, remembered));
  const server = memory.server() ?? '';
  if (serverBefore !== null && serverBefore !== server) return null;

  const known = [...hand.accounts.values()];
  const now = memory.databaseClock.now() ?? readAt;
  const lastUsedAt = Math.max(0, ...known.map(({ record }) => record.lastUsedAt ?? 0));
  // The estimate is behind by the way of a message; a clock that was once ahead is for those who hold locks.
  if (now === 0 || lastUsedAt > now + MOST_BEHIND_MS) return null;
  for (const one of known) {
    const { lease } = one.record;
    if (lease !== null && wanted.countedOf.includes(one.record.accountId))
      one.counted ??= countedInLeases.get(lease.leaseId) ?? [];
  }
  const work: UnitOfWork = {
    // On one account time never runs backwards.
    now: Math.max(now, readAt, lastUsedAt),
    isGuarded: true,
    accounts: new Map(known.map(({ record }) => [record.accountId, record])),
    connections: new Map(known.map(({ record, connection }) => [record.accountId, connection])),
    permits: new Map([...permits, ...remembered]),
    countedInLeases: new Map(
      known.flatMap(({ record, counted }): [string, CountedInLease[]][] =>
        record.lease === null || counted === null ? [] : [[record.lease.leaseId, counted]],
      ),
    ),
    lastLeases,
    changes: noChanges(),
  };
  for (const account of work.accounts.values()) endWhatIsOver(work, account);
  return {
    work,
    candidates: hand.candidates,
    moreCandidates: (userId, count) => takeMore(memory, hand, work, { userId, count, channels: wanted.channels }),
    guard: () => guardOf(work, server, wanted.accountIds),
    remember: (written) => {
      if (memory.server() === server) remember(memory, hand, work, written);
    },
    dismiss: () => {
      for (const { userId } of wanted.candidates) memory.lines.forget(userId);
    },
  };
}

const knowsChannels =
  (channels: readonly string[]) =>
  ({ channels: known }: RememberedAccount): boolean =>
    known === null || channels.every((channel) => known.has(channel));

/** Those among the permits wanted that are remembered. */
function permitsOf({ accounts }: Hand, permitIds: readonly string[]): Map<string, Permit> {
  const wanted = new Set(permitIds);
  const found = new Map<string, Permit>();
  if (wanted.size === 0) return found;
  for (const { permits } of accounts.values())
    for (const [id, permit] of permits) if (wanted.has(id)) found.set(id, permit);
  return found;
}

function takeRemembered(memory: AccountMemory, { accountIds, channels, candidates }: WorkWanted): Hand {
  const hand: Hand = { accounts: new Map(), candidates: new Map(), unknown: [], usersToAsk: [] };
  const knows = knowsChannels(channels);
  for (const accountId of new Set(accountIds)) {
    const known = memory.take(accountId);
    if (known !== undefined && knows(known)) hand.accounts.set(accountId, known);
    else hand.unknown.push(accountId);
  }
  for (const { userId, count, least } of candidates) {
    const found = memory.takeCandidates(userId, { count, least });
    if (found === null || !found.every(knows)) {
      hand.usersToAsk.push({ userId, count: count + memory.lines.ahead(userId) });
      continue;
    }
    for (const known of found) hand.accounts.set(known.record.accountId, known);
    hand.candidates.set(
      userId,
      found.map(({ record }) => record.accountId),
    );
  }
  return hand;
}

function factsMissing(
  { accounts }: Hand,
  { permitIds, countedOf, lastLeaseOf }: WorkWanted,
  remembered: ReadonlyMap<string, Permit>,
): FactsWanted {
  const isToBeCounted = (accountId: string): boolean => {
    const known = accounts.get(accountId);
    return known !== undefined && known.record.lease !== null && known.counted === null;
  };
  return {
    permitIds: permitIds.filter((id) => !remembered.has(id)),
    countedOf: countedOf.filter(isToBeCounted),
    lastLeaseOf,
  };
}

/** Answers the database's clock where something was read, else 0. */
async function readMissing(memory: AccountMemory, sql: Sql, hand: Hand, wanted: WorkWanted): Promise<number> {
  const { accounts, candidates, unknown, usersToAsk } = hand;
  if (unknown.length + usersToAsk.length === 0 && memory.databaseClock.now() !== null) return 0;
  const read = await readAccounts(sql, { accountIds: unknown, channels: wanted.channels, candidates: usersToAsk });
  memory.databaseClock.note(read.now);
  memory.noteServer(read.server);
  const take = (accountId: string): void => {
    const fresh = read.accounts.get(accountId);
    if (fresh !== undefined && accounts.get(accountId)?.record.version !== fresh.record.version)
      accounts.set(accountId, fresh);
  };
  for (const accountId of unknown) take(accountId);
  for (const { userId, count } of usersToAsk) {
    const ids = read.candidates.get(userId) ?? [];
    const enough = wanted.candidates.find((one) => one.userId === userId)?.count ?? 0;
    const first = ids.slice(0, enough);
    candidates.set(userId, first);
    for (const accountId of first) take(accountId);
    const rest = ids.slice(enough).filter((accountId) => !accounts.has(accountId));
    memory.keepNewer(rest.flatMap((accountId) => read.accounts.get(accountId) ?? []));
    memory.lines.lineUp(userId, rest, { isWhole: ids.length < count });
  }
  return read.now;
}

function takeMore(
  memory: AccountMemory,
  { accounts, candidates }: Hand,
  work: UnitOfWork,
  { userId, count, channels }: { userId: number; count: number; channels: readonly string[] },
): number {
  const found = (memory.takeCandidates(userId, { count, least: 1 }) ?? [])
    .filter(knowsChannels(channels))
    // Another batch may have given one back since this one began: on one account time never runs backwards.
    .filter(({ record }) => (record.lastUsedAt ?? 0) <= work.now);
  for (const known of found) {
    const { record, connection } = known;
    accounts.set(record.accountId, known);
    work.accounts.set(record.accountId, record);
    work.connections.set(record.accountId, connection);
    endWhatIsOver(work, record);
  }
  candidates.get(userId)?.push(...found.map(({ record }) => record.accountId));
  return found.length;
}

function guardOf(
  { now, accounts, changes }: UnitOfWork,
  server: string,
  named: readonly string[],
): Omit<Guard, 'deadline'> {
  const unchanged = [...new Set(named)].flatMap((accountId) => {
    const record = accounts.get(accountId);
    return record === undefined || changes.accounts.has(record) ? [] : { accountId, version: record.version };
  });
  return {
    changed: changes.accounts.size,
    settled: changes.permitsSettled.length,
    hasEvents: changes.events.length > 0,
    unchanged,
    server,
    now,
  };
}

function remember(memory: AccountMemory, hand: Hand, { changes }: UnitOfWork, { version, now }: Written): void {
  memory.databaseClock.note(now.getTime());
  const opened = new Set(changes.leasesOpened.map(({ account }) => account));
  for (const known of hand.accounts.values()) {
    const { record } = known;
    if (changes.accounts.has(record)) record.version = version;
    if (record.lease === null) known.counted = null;
    else if (opened.has(record)) known.counted = [];
  }
  for (const { id, accountId, actionType, leaseId, channel, quantity, success } of changes.actionsCounted) {
    const known = hand.accounts.get(accountId);
    if (known === undefined) continue;
    if (success === null) known.permits.set(id, { accountId, actionType, settled: false });
    if (leaseId !== null && leaseId === known.record.lease?.leaseId && known.counted !== null)
      known.counted = addCounted(known.counted, { actionType, channel, quantity });
  }
  memory.keep([...hand.accounts.values()]);
  const isUnused = (record: AccountRecord | undefined): boolean =>
    record !== undefined && record.lease === null && !changes.accounts.has(record);
  for (const [userId, ids] of hand.candidates) {
    memory.lines.of(userId)?.ids.unshift(...ids.filter((accountId) => isUnused(hand.accounts.get(accountId)?.record)));
  }
  // They have rested for the shortest time of all; a lease that expired may have ended long ago.
  for (const { accountId, userId, reason } of changes.leasesEnded) {
    const record = hand.accounts.get(accountId)?.record;
    if (reason !== 'expired' && record !== undefined && isFree(record)) memory.lines.lineUpAgain(userId, accountId);
  }
  memory.stood();
}

/** One sum for each action and channel, as they are read. */
function addCounted(counted: readonly CountedInLease[], more: CountedInLease): CountedInLease[] {
  const isSame = ({ actionType, channel }: CountedInLease): boolean =>
    actionType === more.actionType && channel === more.channel;
  const before = counted.find(isSame)?.quantity ?? 0;
  return [...counted.filter((one) => !isSame(one)), { ...more, quantity: before + more.quantity }];
}
