import { settleCondition } from '../decide/condition/transition-account.js';
import type { AccountRecord } from '../store/accounts/account-record.js';
import { noChanges } from '../store/accounts/changes.js';
import { type AccountsWanted, loadAccounts } from '../store/accounts/load-accounts.js';
import { loadCountedInLeases } from '../store/accounts/load-counted-in-leases.js';
import { loadLastLeases } from '../store/accounts/load-last-leases.js';
import { loadPermits } from '../store/accounts/load-permits.js';
import { lockAccounts } from '../store/accounts/locks.js';
import type { Sql } from '../store/database.js';
import { appendEvent, endLease, takeCondition, type UnitOfWork } from './unit-of-work.js';

/** Locks and loads accounts, with the counters of the channels named, and ends what is over by now. */
export async function beginWork(
  sql: Sql,
  accountIds: readonly string[],
  channels: readonly string[],
): Promise<UnitOfWork> {
  const distinct = [...new Set(accountIds)];
  await lockAccounts(sql, distinct);
  return loadWork(sql, { accountIds: distinct, channels });
}

/** As `beginWork`, for accounts that are locked already. */
export async function loadWork(sql: Sql, wanted: AccountsWanted & FactsWanted): Promise<UnitOfWork> {
  const [{ now, accounts, connections }, facts] = await Promise.all([
    loadAccounts(sql, wanted),
    loadFacts(sql, wanted, { locks: true }),
  ]);
  const work: UnitOfWork = { now, isGuarded: false, accounts, connections, ...facts, changes: noChanges() };
  // In the order asked for, so that what ended first is told first; then the candidates.
  for (const accountId of new Set([...wanted.accountIds, ...accounts.keys()])) {
    const account = accounts.get(accountId);
    if (account !== undefined) endWhatIsOver(work, account);
  }
  return work;
}

/** Facts that rules need of accounts beside their records. */
export interface FactsWanted {
  permitIds?: readonly string[];
  /** Accounts whose present leases are asked for what was counted in them. */
  countedOf?: readonly string[];
  /** Accounts whose last leases are wanted, ended or not. */
  lastLeaseOf?: readonly string[];
}

export async function loadFacts(
  sql: Sql,
  { permitIds = [], countedOf = [], lastLeaseOf = [] }: FactsWanted,
  { locks = false }: { locks?: boolean } = {},
) {
  const [permits, countedInLeases, lastLeases] = await Promise.all([
    loadPermits(sql, permitIds, { locks }),
    loadCountedInLeases(sql, countedOf),
    loadLastLeases(sql, lastLeaseOf),
  ]);
  return { permits, countedInLeases, lastLeases };
}

/** Loads further accounts, locked already and not yet loaded, into the work. */
export async function extendWork(
  sql: Sql,
  work: UnitOfWork,
  accountIds: readonly string[],
  channels: readonly string[],
): Promise<void> {
  const { accounts } = await loadAccounts(sql, { accountIds, channels: [...new Set(channels)] });
  for (const account of accounts.values()) {
    work.accounts.set(account.accountId, account);
    endWhatIsOver(work, account);
  }
}

/** Leases and waits end at their instant, whether or not a job has run: their end is written when it is first met. */
export function endWhatIsOver(work: UnitOfWork, account: AccountRecord): void {
  if (account.lease !== null && account.lease.expiresAt <= work.now) {
    endLease(work, account, 'expired', account.lease.expiresAt, 'account.lease_expired', {}, null);
  }
  const { condition, recovered } = settleCondition(account.condition, work.now);
  if (condition === account.condition) return;
  const before = account.condition.status;
  takeCondition(work, account, condition);
  if (recovered) appendEvent(work, account, 'account.recovered', { previous_status: before }, null);
}
