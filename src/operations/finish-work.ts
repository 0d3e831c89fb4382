import { applyChanges } from '../store/changes.js';
import type { BatchContext } from './handler.js';
import type { UnitOfWork } from './unit-of-work.js';

/** Writes what the batch changed; after the commit brings the lease locks and the cached windows in line with it. */
export async function finishWork(context: BatchContext, work: UnitOfWork): Promise<void> {
  const { changes, now } = work;
  await applyChanges(context.sql, changes, now);
  if (changes.leasesEnded.length + changes.leasesOpened.length + changes.leasesExtended.length > 0) {
    context.afterCommit(() => alignLocks(context, work));
  }
  if (changes.windows.size > 0) context.afterCommit(() => cacheWindows(context, work));
}

async function alignLocks({ locks }: BatchContext, { changes, now }: UnitOfWork): Promise<void> {
  const valueOf = (lease: { lockValue: string | null; leaseId: string }) => lease.lockValue ?? lease.leaseId;
  const prolonged = [
    ...changes.leasesOpened.map(({ account, lease }) => ({ accountId: account.accountId, lease })),
    ...changes.leasesExtended,
  ];
  await Promise.all([
    ...changes.leasesEnded.map(({ accountId, lease }) => locks.release({ accountId, value: valueOf(lease) })),
    ...prolonged.map(({ accountId, lease }) =>
      locks.stretch({ accountId, value: valueOf(lease) }, lease.expiresAt - now),
    ),
  ]);
}

async function cacheWindows({ windowCache }: BatchContext, { changes }: UnitOfWork): Promise<void> {
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
