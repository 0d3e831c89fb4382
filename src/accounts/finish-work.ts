import { dueAt } from '../decide/condition/plan-recovery.js';
import type { OpenLease } from '../store/accounts/account-record.js';
import { raiseAlerts } from '../store/fleet/alerts.js';
import { applyChanges, writesOf } from '../store/accounts/changes.js';
import type { BatchContext } from '../requests/handler.js';
import { NEEDS_LOCKS, type UnitOfWork } from './unit-of-work.js';

/** Part of a batch's context that finishing needs. Jobs bring it too; they run in processes' threads of their own, which remember no accounts. */
export type FinishingContext = Pick<BatchContext, 'sql' | 'afterCommit' | 'locks' | 'windowCache' | 'recoveryQueue'> &
  Partial<Pick<BatchContext, 'surveys' | 'memory'>>;

/** Writes what the batch changed; after the commit brings locks, cached windows and due recoveries in line with it. */
export async function finishWork(context: FinishingContext, work: UnitOfWork): Promise<void> {
  const { changes, now } = work;
  await applyChanges(context.sql, changes, now);
  if (changes.alerts.length > 0) await raiseAlerts(context.sql, changes.alerts);
  bringInLine(context, work);
}

/** As `finishWork`, but writes with the batch's answers, so that nothing may follow that reads what was changed. */
export async function finishWithAnswers(context: BatchContext, work: UnitOfWork): Promise<void> {
  if (work.changes.alerts.length > 0) {
    if (work.isGuarded) throw NEEDS_LOCKS;
    return finishWork(context, work);
  }
  context.writeWithAnswers(writesOf(work.changes, work.now, work.isGuarded));
  bringInLine(context, work);
}

/** After the commit. */
function bringInLine(context: FinishingContext, work: UnitOfWork): void {
  const { changes } = work;
  const { memory } = context;
  // An account that was written under locks is no longer as it is remembered.
  if (memory !== undefined && !work.isGuarded)
    context.afterCommit(() => memory.forget([...changes.accounts].map(({ accountId }) => accountId)));
  if (changes.leasesEnded.length + changes.leasesOpened.length + changes.leasesExtended.length > 0) {
    context.afterCommit(() => alignLocks(context, work));
  }
  // The notice of it may come after the next request, which would be refused by what was known before.
  for (const userId of changes.activated) {
    context.afterCommit(() => {
      context.surveys?.forget(userId);
      memory?.lines.forget(userId);
    });
  }
  if (changes.windows.size > 0) context.afterCommit(() => cacheWindows(context, work));
  if (changes.recoveries.size > 0) {
    const recoveries = [...changes.recoveries].map(({ accountId, condition }) => ({
      accountId,
      dueAt: dueAt(condition),
    }));
    context.afterCommit(async () => {
      await context.recoveryQueue.put(recoveries);
    });
  }
}

/** The value of a lease's lock; of one that was granted while Redis was away, the value its lock is put back with. */
export const lockValueOf = (lease: OpenLease): string => lease.lockValue ?? lease.leaseId;

async function alignLocks({ locks }: FinishingContext, { changes, now }: UnitOfWork): Promise<void> {
  // One that was opened may have ended in the same batch.
  const over = new Set(changes.leasesEnded.map(({ lease }) => lease));
  const prolonged = [
    ...changes.leasesOpened.map(({ account, lease }) => ({ accountId: account.accountId, lease })),
    ...changes.leasesExtended,
  ].filter(({ lease }) => !over.has(lease));
  // A lease that supersedes another goes on under its lock.
  const kept = new Set(prolonged.map(({ lease }) => lockValueOf(lease)));
  const valued = ({ accountId, lease }: { accountId: string; lease: OpenLease }) => ({
    accountId,
    value: lockValueOf(lease),
  });
  await Promise.all([
    locks.release(changes.leasesEnded.map(valued).filter(({ value }) => !kept.has(value))),
    locks.stretch(prolonged.map((held) => ({ ...valued(held), ttlMs: held.lease.expiresAt - now }))),
  ]);
}

async function cacheWindows({ windowCache }: FinishingContext, { changes }: UnitOfWork): Promise<void> {
  await windowCache.store(
    [...changes.windows].flatMap(([account, actionTypes]) =>
      [...actionTypes].flatMap((actionType) => {
        const window = account.windows.get(actionType);
        return window === undefined
          ? []
          : [{ accountId: account.accountId, actionType, usageVersion: account.usageVersion, window }];
      }),
    ),
  );
}
