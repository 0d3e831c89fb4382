import { id } from '../../contracts/fields.js';
import { lockKey } from '../redis/lease-locks.js';
import { restoreLeaseLocks } from '../redis/restore-lease-locks.js';
import { scanKeys } from '../redis/scan-keys.js';
import { findEndedLocks } from '../store/accounts/find-ended-locks.js';
import { loadOpenLeases } from '../store/accounts/load-open-leases.js';
import { lockEndedLeases } from '../store/accounts/lock-ended.js';
import { inChunks } from './in-chunks.js';
import type { Job, JobContext, JobTask } from './job.js';
import { settleEnded } from './settle-ended.js';

const CHUNK = 200;

/** Closes leases that are over, and brings the lease locks in Redis in line with those that are open. */
export const cleanupLocks: Job = {
  name: 'cleanup-locks',
  run: async (context, task) => {
    try {
      await inChunks(task.signal, async () => {
        const { accounts, leasesExpired } = await settleEnded(context, (sql) => lockEndedLeases(sql, CHUNK));
        task.count('leases_expired', leasesExpired);
        return accounts;
      });
    } finally {
      // A lease that cannot be closed fails the run, and has nothing to do with the locks of the others.
      await alignLocks(context, task);
    }
  },
};

async function alignLocks(context: JobContext, task: JobTask): Promise<void> {
  const leases = await loadOpenLeases(context.database.reader);
  await removeStaleLocks(context, task, new Map(leases.map(({ accountId, lockValue }) => [accountId, lockValue])));
  if (!task.signal.aborted) task.count('locks_restored', await restoreLeaseLocks(context.lockConnection, leases));
}

/**
 * Removes locks whose lease the database knows to be over. A lock it knows nothing of stays until it ends by itself:
 * it is of a lease about to be committed, or guards one that a failover of the database has forgotten, or it is not ours.
 */
async function removeStaleLocks(
  { database, locks, lockConnection }: JobContext,
  { signal, count }: JobTask,
  open: ReadonlyMap<string, string>,
): Promise<void> {
  for await (const keys of scanKeys(lockConnection, lockKey('*'))) {
    if (signal.aborted) return;
    const values = (await lockConnection.attempt((client) => client.mget(keys))) ?? [];
    const doubtful = keys.flatMap((key, index) => {
      const lock = { accountId: key.slice(lockKey('').length), value: values[index] ?? '' };
      const isOurs = id.safeParse(lock.accountId).success && lock.value !== '';
      return !isOurs || open.get(lock.accountId) === lock.value ? [] : [lock];
    });
    const ended = await findEndedLocks(database.reader, doubtful);
    const stale = doubtful.filter(({ value }) => ended.has(value));
    await locks.release(stale);
    count('locks_removed', stale.length);
  }
}
