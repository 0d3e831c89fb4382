import { finishWork, type FinishingContext } from '../operations/finish-work.js';
import { loadWork } from '../operations/unit-of-work.js';
import type { Database, Sql } from '../store/database.js';

/** What settling works with: the truth, and what is brought in line with it after the commit. */
export interface SettlingContext extends Omit<FinishingContext, 'sql' | 'afterCommit'> {
  database: Database;
}

export interface Settled {
  /** Accounts that were locked and looked at. */
  accounts: number;
  /** Of these, those that are active again. */
  recovered: number;
  leasesExpired: number;
}

/**
 * Ends what is over on the accounts that `lock` takes, in one transaction, with its events: the same code that ends it
 * when a request meets it first. What was begun anew in the meantime stays, since it is judged under the row's lock.
 */
export async function settleEnded(
  { database, ...context }: SettlingContext,
  lock: (sql: Sql) => Promise<string[]>,
): Promise<Settled> {
  const committed: (() => void | Promise<void>)[] = [];
  const settled = await database.transaction(async (sql) => {
    const accountIds = await lock(sql);
    if (accountIds.length === 0) return { accounts: 0, recovered: 0, leasesExpired: 0 };
    const work = await loadWork(sql, accountIds, []);
    await finishWork({ ...context, sql, afterCommit: (act) => void committed.push(act) }, work);
    return {
      accounts: accountIds.length,
      recovered: work.changes.events.filter(({ type }) => type === 'account.recovered').length,
      leasesExpired: work.changes.leasesEnded.length,
    };
  });
  await Promise.all(committed.map(async (act) => act()));
  return settled;
}
