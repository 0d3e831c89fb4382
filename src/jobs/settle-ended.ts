import { finishWork, type FinishingContext } from '../accounts/finish-work.js';
import { loadWork } from '../accounts/load-work.js';
import { classifyDatabaseFault, type Database, type Sql } from '../store/database.js';
import { lockAccounts } from '../store/accounts/locks.js';
import type { Log } from '../telemetry/log.js';

/** Dependencies of settling: the database, and the stores that follow it after the commit. */
export interface SettlingContext extends Omit<FinishingContext, 'sql' | 'afterCommit'> {
  database: Database;
  log: Log;
}

export interface Settled {
  /** Accounts that were locked and looked at. */
  accounts: number;
  /** Those among them that are active again. */
  recovered: number;
  leasesExpired: number;
}

/**
 * Ends leases and waits that are over on the accounts that `lock` takes, in one transaction, with their events. A
 * request that meets them first ends them by the same code. A wait or lease begun anew in the meantime stays, since it
 * is judged under the row's lock. Where one account cannot be settled, the others are, one by one; rejects where none
 * can.
 */
export async function settleEnded(context: SettlingContext, lock: (sql: Sql) => Promise<string[]>): Promise<Settled> {
  let accountIds: string[] = [];
  try {
    return await settle(context, async (sql) => (accountIds = await lock(sql)));
  } catch (error) {
    if (accountIds.length < 2 || !isOfTheRows(error)) throw error;
    return settleOneByOne(context, accountIds, error);
  }
}

async function settleOneByOne(
  context: SettlingContext,
  accountIds: readonly string[],
  fault: unknown,
): Promise<Settled> {
  const sum: Settled = { accounts: 0, recovered: 0, leasesExpired: 0 };
  for (const accountId of accountIds) {
    try {
      const settled = await settle(context, async (sql) => {
        await lockAccounts(sql, [accountId]);
        return [accountId];
      });
      sum.accounts += settled.accounts;
      sum.recovered += settled.recovered;
      sum.leasesExpired += settled.leasesExpired;
    } catch (error) {
      if (!isOfTheRows(error)) throw error;
      context.log.error('account not settled', { account_id: accountId, error });
    }
  }
  if (sum.accounts === 0) throw fault;
  return sum;
}

/** Else the database is away, and would be for each account. */
function isOfTheRows(error: unknown): boolean {
  const fault = classifyDatabaseFault(error);
  return fault === 'defect' || fault === 'conflict' || fault === 'locked';
}

async function settle(
  { database, ...context }: SettlingContext,
  lock: (sql: Sql) => Promise<string[]>,
): Promise<Settled> {
  return database.transaction(async (sql, hooks) => {
    const accountIds = await lock(sql);
    if (accountIds.length === 0) return { accounts: 0, recovered: 0, leasesExpired: 0 };
    const work = await loadWork(sql, { accountIds, channels: [] });
    await finishWork({ ...context, ...hooks, sql }, work);
    return {
      accounts: accountIds.length,
      recovered: work.changes.events.filter(({ type }) => type === 'account.recovered').length,
      leasesExpired: work.changes.leasesEnded.length,
    };
  });
}
