import { ENVELOPE } from '../../contracts/envelope.js';
import { actionsWithoutTotal } from '../decide/limits/limits-policy.js';
import { scanKeys } from '../redis/scan-keys.js';
import { readWindowEntry } from '../redis/window-cache.js';
import { loadAccountHeads } from '../store/accounts/load-account-heads.js';
import {
  allowRemoval,
  removeAnsweredRequests,
  removeArchivedUsage,
  removeChannelUsage,
  removeCountedActions,
  removeEndedLeases,
  removeErrorReports,
  removeEvents,
  removeJobRuns,
  type RemoveOld,
  removeReports,
  removeResolvedAlerts,
  retireWindows,
} from '../store/history/remove-old.js';
import { inChunks } from './in-chunks.js';
import type { Job, JobContext, JobTask } from './job.js';
import { DAY_MS, HOUR_MS } from '../decide/time-units.js';

const CHUNK = 1_000;

/** Removes what has been kept long enough, and copies of usage windows that are not the present ones. */
export const cleanupRateLimits: Job = {
  name: 'cleanup-rate-limits',
  run: async (context, task) => {
    const { historyDays, usageArchiveDays, policy } = context.settings;
    const history = historyDays * DAY_MS;
    const kept: [name: string, remove: RemoveOld, keepMs: number][] = [
      ['answered_requests', removeAnsweredRequests, ENVELOPE.replyKeptHours * HOUR_MS],
      // A day and a bit after the last action every limit is over, wherever midnight fell.
      ['windows_retired', retireWindows, 2 * DAY_MS],
      ['channel_counters', removeChannelUsage(actionsWithoutTotal(policy)), history],
      ['events', removeEvents, history],
      ['counted_actions', removeCountedActions, history],
      ['error_reports', removeErrorReports, history],
      ['leases', removeEndedLeases, history],
      ['job_runs', removeJobRuns, history],
      ['reports', removeReports, history],
      ['alerts', removeResolvedAlerts, history],
      ['archived_usage', removeArchivedUsage, usageArchiveDays * DAY_MS],
    ];
    const { now } = await loadAccountHeads(context.database.reader, []);
    for (const [name, remove, keepMs] of kept) {
      await inChunks(task.signal, async () => {
        const removed = await context.database.transaction(async (sql) => {
          await allowRemoval(sql);
          return remove(sql, now - keepMs, CHUNK);
        });
        task.count(name, removed);
        return removed;
      });
    }
    await removeStaleWindows(context, task);
  },
};

/** A copy is of use only in the account's present version; what is removed in error is read anew. */
async function removeStaleWindows(
  { database, windowConnection }: JobContext,
  { signal, count }: JobTask,
): Promise<void> {
  for await (const keys of scanKeys(windowConnection, '*')) {
    if (signal.aborted) return;
    const values = (await windowConnection.attempt((client) => client.mget(keys))) ?? [];
    const copies = keys.flatMap((key, index) => {
      const entry = readWindowEntry(key, values[index] ?? '');
      return entry === null ? [] : [{ key, ...entry }];
    });
    const accountIds = [...new Set(copies.map(({ accountId }) => accountId))];
    const { heads } = await loadAccountHeads(database.reader, accountIds);
    const stale = copies.filter(({ accountId, usageVersion }) => heads.get(accountId)?.usageVersion !== usageVersion);
    if (stale.length === 0) continue;
    await windowConnection.attempt((client) => client.del(stale.map(({ key }) => key)));
    count('cached_windows', stale.length);
  }
}
