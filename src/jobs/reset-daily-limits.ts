import { fromIso, toIso } from '../clock.js';
import { utcDay } from '../decide/limits/usage-window.js';
import { HOUR_MS } from '../decide/time-units.js';
import { announce } from '../store/history/announce.js';
import { FIRST_ID } from '../store/accounts/account-record.js';
import { archiveUsage, listUnarchivedDays, sumUsage, type UsageSum } from '../store/fleet/archive-usage.js';
import { resetCounters } from '../store/fleet/reset-counters.js';
import { inChunks } from './in-chunks.js';
import type { Job, JobContext, JobTask } from './job.js';

const CHUNK = 500;
const HOURS = 24;

/**
 * Announces the new day, archives the usage of the days that are over, and clears the predecessor's counters. Limits
 * hold at midnight by their dates, whether or not this has run.
 */
export const resetDailyLimits: Job = {
  name: 'reset-daily-limits',
  run: async (context, task) => {
    const day = utcDay(task.scheduledFor);
    await announceDay(context, task, day);
    await archiveDays(context, task, day);
    await clearCounters(context, task, day);
  },
};

async function announceDay({ database }: JobContext, { count }: JobTask, day: string): Promise<void> {
  const data = { day, reset_at: toIso(fromIso(day)) };
  const announced = await announce(database.reader, [{ name: `limits.reset ${day}`, type: 'limits.reset', data }]);
  count('announced', announced);
}

async function archiveDays({ database }: JobContext, { signal, count }: JobTask, today: string): Promise<void> {
  for (const day of await listUnarchivedDays(database.reader, today)) {
    const sums = await sumDay(database.reader, day, signal);
    for (let from = 0; from < sums.length && !signal.aborted; from += CHUNK) {
      await archiveUsage(database.reader, day, sums.slice(from, from + CHUNK));
    }
    if (signal.aborted) return;
    count('days_archived', 1);
  }
}

/** Hour by hour, since a day of a large fleet is more than one statement should take. */
async function sumDay(sql: JobContext['database']['reader'], day: string, signal: AbortSignal): Promise<UsageSum[]> {
  const byName = new Map<string, UsageSum>();
  for (let hour = 0; hour < HOURS && !signal.aborted; hour++) {
    const from = fromIso(day) + hour * HOUR_MS;
    for (const sum of await sumUsage(sql, from, from + HOUR_MS)) {
      const name = `${sum.accountId} ${sum.actionType}`;
      byName.set(name, { ...sum, quantity: sum.quantity + (byName.get(name)?.quantity ?? 0) });
    }
  }
  return [...byName.values()];
}

async function clearCounters({ database }: JobContext, { signal, count }: JobTask, day: string): Promise<void> {
  let afterId = FIRST_ID;
  await inChunks(signal, async () => {
    const { lastId, accounts, reset } = await resetCounters(database.reader, { day, afterId, limit: CHUNK });
    afterId = lastId ?? afterId;
    count('accounts_reset', reset);
    return accounts;
  });
}
