import type { LeaseLock } from '../redis/lease-locks.js';
import { findEndedLocks } from '../store/accounts/find-ended-locks.js';
import { lockValueOf } from './finish-work.js';
import type { BatchContext } from '../requests/handler.js';
import { NEEDS_LOCKS, type UnitOfWork } from './unit-of-work.js';

/** Part of a batch's context that taking locks needs. A job brings it too. */
type LockingContext = Pick<BatchContext, 'sql' | 'locks' | 'afterRollback'>;

/**
 * Takes the lease locks of accounts that are to be granted, all at once: the lock's value by account id, null where
 * Redis is away. An account whose lock somebody holds is not in the answer.
 *
 * A lock whose lease is over is nobody's: the lease has only just ended, or its release did not reach Redis. It is
 * given back, so that a lease ends at its instant in both stores. A lock that no lease of the database explains is left alone.
 */
export async function takeLeaseLocks(
  context: LockingContext,
  work: UnitOfWork,
  accountIds: readonly string[],
): Promise<Map<string, string | null>> {
  const taken = new Map<string, string | null>();
  const held = await tryLocks(context, accountIds, taken);
  const ended = new Set(work.changes.leasesEnded.map(({ lease }) => lockValueOf(lease)));
  // Without a lock on the account its lease may have been renewed since it was read.
  if (work.isGuarded && held.some(({ value }) => ended.has(value))) throw NEEDS_LOCKS;
  for (const value of await findEndedLocks(context.sql, held)) ended.add(value);
  const over = held.filter(({ value }) => ended.has(value));
  if (over.length > 0) {
    await context.locks.release(over);
    await tryLocks(
      context,
      over.map(({ accountId }) => accountId),
      taken,
    );
  }
  return taken;
}

/** Answers with the locks that are in the way. */
async function tryLocks(
  { locks, afterRollback }: LockingContext,
  accountIds: readonly string[],
  taken: Map<string, string | null>,
): Promise<LeaseLock[]> {
  const held: LeaseLock[] = [];
  const acquired: LeaseLock[] = [];
  const results = await locks.acquire(accountIds);
  accountIds.forEach((accountId, index) => {
    const lock = results[index];
    if (lock?.kind === 'held') {
      held.push({ accountId, value: lock.value });
      return;
    }
    const value = lock?.kind === 'locked' ? lock.value : null;
    if (value !== null) acquired.push({ accountId, value });
    taken.set(accountId, value);
  });
  if (acquired.length > 0) afterRollback(() => locks.release(acquired));
  return held;
}
