import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { latestOccurrence, parseCadence } from '../../src/decide/jobs/cadence.js';
import { resetDailyLimits } from '../../src/jobs/reset-daily-limits.js';
import { watchRuns } from '../../src/jobs/watch-runs.js';
import { claimRun, endAttempt } from '../../src/store/fleet/job-runs.js';
import { type JobsHarness, startJobs } from '../support/jobs.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';
import { seedAccounts } from '../support/seed-accounts.js';

let operations: OperationsHarness;
let one: JobsHarness;
let two: JobsHarness;

const DAY = 86_400_000;
/** The last one before the test. */
let midnight: number;
const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);
const DAILY = parseCadence('0 0 * * *')!;

beforeAll(async () => {
  operations = await startOperations();
  const urls = { databaseUrl: operations.databaseUrl, redisUrl: operations.redis.url };
  [one, two] = await Promise.all([startJobs(urls, 'one'), startJobs(urls, 'two')]);
});
afterAll(async () => {
  await Promise.all([one.close(), two.close()]);
  await operations.close();
});
beforeEach(() => {
  midnight = Math.floor(Date.now() / DAY) * DAY;
});
afterEach(() =>
  operations.query('TRUNCATE job_runs, usage_archive, counted_actions, events, telegram_sessions CASCADE'),
);

/** Counts actions as of an instant, as the operations keep them. */
const act = (accountId: string, at: number, quantity: number, action = 'invite') =>
  operations.query(
    `INSERT INTO counted_actions (id, account_id, action_type, quantity, counted_at, settled_at, success)
     VALUES (gen_random_uuid(), $1, $2, $3, $4, $4, true)`,
    [accountId, action, quantity, new Date(at)],
  );
const archive = () =>
  operations.query<{ day: string; account_id: string; action_type: string; quantity: number }>(
    'SELECT day::text, account_id::text, action_type, quantity::int FROM usage_archive ORDER BY day, account_id, action_type',
  );
const announcements = () => operations.query(`SELECT data FROM events WHERE type = 'limits.reset' ORDER BY id`);

/** Everything the reset is to change or to leave alone. */
const state = async () => ({
  archive: await archive(),
  announcements: await announcements(),
  accounts: await operations.query(
    `SELECT id, used_invites_today, used_messages_today, contacts_today, per_channel_invites, usage_date::text,
       last_limit_reset FROM telegram_sessions ORDER BY id`,
  ),
  totals: await operations.query('SELECT * FROM channel_usage ORDER BY account_id, channel'),
  windows: await operations.query('SELECT * FROM usage_windows ORDER BY account_id, action_type'),
});

async function givenYesterday(): Promise<string[]> {
  const ids = await seedAccounts(operations, 1, 1_200);
  await operations.query(
    `UPDATE telegram_sessions SET used_invites_today = 7, used_messages_today = 3, contacts_today = 1,
       per_channel_invites = '{"foo": 7}', usage_date = $1`,
    [dayOf(midnight - DAY)],
  );
  const [first, second, today] = ids as [string, string, string];
  await operations.query(
    `INSERT INTO channel_usage (account_id, action_type, channel, day, day_count, total) VALUES ($1, 'invite', 'foo', $2, 7, 150)`,
    [first, dayOf(midnight - DAY)],
  );
  await operations.query(
    `INSERT INTO usage_windows (account_id, action_type, day, day_count) VALUES ($1, 'invite', $2, 7)`,
    [first, dayOf(midnight - DAY)],
  );
  await act(first, midnight - DAY, 4);
  await act(first, midnight - 1, 3);
  await act(second, midnight - 1, 2, 'message');
  // Acted after midnight, before the reset ran: what it has done today stays, yesterday is archived all the same.
  await act(today, midnight - 5 * 3_600_000, 5);
  await act(today, midnight, 2);
  await operations.query(
    `UPDATE telegram_sessions SET used_invites_today = 2, per_channel_invites = '{"bar": 2}', usage_date = $2 WHERE id = $1`,
    [today, dayOf(midnight)],
  );
  return ids;
}

test('announces the day, archives what was done on the one before, and clears the counters of the day', async () => {
  const [first, second, today] = await givenYesterday();
  const counts = await one.work(resetDailyLimits, { scheduledFor: midnight });
  expect(counts).toEqual({ announced: 1, days_archived: 1, accounts_reset: 1_200 });
  const yesterday = dayOf(midnight - DAY);
  expect(await archive()).toEqual(
    [
      { day: yesterday, account_id: first, action_type: 'invite', quantity: 7 },
      { day: yesterday, account_id: second, action_type: 'message', quantity: 2 },
      { day: yesterday, account_id: today, action_type: 'invite', quantity: 5 },
    ].sort((a, b) => (a.account_id! < b.account_id! ? -1 : 1)),
  );
  expect(await announcements()).toEqual([
    { data: { day: dayOf(midnight), reset_at: new Date(midnight).toISOString() } },
  ]);
  const counters = await operations.query(
    `SELECT used_invites_today AS invites, used_messages_today AS messages, contacts_today AS contacts,
       per_channel_invites AS channels, usage_date::text, last_limit_reset, count(*)::int
     FROM telegram_sessions GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1`,
  );
  const rest = { usage_date: dayOf(midnight), last_limit_reset: new Date(midnight) };
  expect(counters).toEqual([
    { invites: 0, messages: 0, contacts: 0, channels: {}, ...rest, count: 1_199 },
    { invites: 2, messages: 3, contacts: 1, channels: { bar: 2 }, ...rest, count: 1 },
  ]);
  expect(await operations.query('SELECT total::int, day_count FROM channel_usage')).toEqual([
    { total: 150, day_count: 7 },
  ]);
});

test('run twice, late, and on two instances at once: the same as once', async () => {
  await givenYesterday();
  await one.work(resetDailyLimits, { scheduledFor: midnight });
  const once = await state();
  await two.work(resetDailyLimits, { scheduledFor: midnight });
  expect(await state()).toEqual(once);
  await Promise.all(
    [one, two].map((instance) => instance.work(resetDailyLimits, { scheduledFor: midnight + 3 * 3_600_000 })),
  );
  expect(await state()).toEqual(once);
});

test('an archived day stays whole, even when it is archived again while the clean-up removes its actions', async () => {
  const [id] = await seedAccounts(operations, 5, 1);
  await act(id!, midnight - 40 * DAY, 4);
  await act(id!, midnight - 39 * DAY - 1, 3);
  await one.work(resetDailyLimits, { scheduledFor: midnight });
  await operations.query(`DELETE FROM counted_actions WHERE quantity = 4`);
  await one.work(resetDailyLimits, { scheduledFor: midnight });
  expect(await archive()).toMatchObject([{ quantity: 7 }]);
});

test('one that was stopped halfway is finished by the next', async () => {
  await givenYesterday();
  const [whole] = await Promise.all([
    (async () => {
      const stop = new AbortController();
      stop.abort();
      return one.work(resetDailyLimits, { scheduledFor: midnight, signal: stop.signal });
    })(),
  ]);
  expect(whole).toEqual({ announced: 1 });
  expect(await two.work(resetDailyLimits, { scheduledFor: midnight })).toEqual({
    announced: 0,
    days_archived: 1,
    accounts_reset: 1_200,
  });
});

test('midnights missed for three days are caught up once, with every day archived', async () => {
  const [id] = await seedAccounts(operations, 2, 1);
  for (const daysAgo of [1, 2, 3, 4]) await act(id!, midnight - daysAgo * DAY + 3_600_000, daysAgo);
  // The last reset was three days ago: nothing was up since.
  const before = await claimRun(one.context.database, {
    job: 'reset-daily-limits',
    instance: 'old',
    leaseMs: 1_000,
    occurrenceAt: () => midnight - 3 * DAY,
  });
  await endAttempt(one.context.database.reader, before.run!, { outcome: 'done', counts: {}, error: null, restMs: 0 });

  const due = (now: number) => latestOccurrence(DAILY, now);
  const started: string[] = [];
  const summaries: unknown[] = [];
  const cadences = Object.fromEntries(
    ['process-recoveries', 'cleanup-locks', 'health-scan', 'cleanup-rate-limits', 'report', 'reset-daily-limits'].map(
      (job) => [job, DAILY],
    ),
  ) as Parameters<typeof watchRuns>[0]['cadences'];
  const watchOn = (harness: JobsHarness) =>
    watchRuns({
      database: harness.context.database,
      cadences,
      log: harness.context.log,
      onAlerts: () => {},
      onDone: () => {},
      jobs: {
        instance: 'test',
        isClosing: () => false,
        start: async (job) => {
          started.push(job);
          const summary = await harness.run(resetDailyLimits, 0, { occurrenceAt: due });
          if (summary !== null) summaries.push(summary);
        },
      },
    });
  const watches = [watchOn(one), watchOn(two)];
  for (let look = 0; look < 3; look++) {
    await Promise.all(watches.map((watch) => watch.look()));
    for (const watch of watches) await watch.stop();
  }
  for (const giveUpAt = Date.now() + 60_000; summaries.length === 0 && Date.now() < giveUpAt; )
    await new Promise((resolve) => setTimeout(resolve, 10));

  expect(new Set(started)).toEqual(new Set(['reset-daily-limits']));
  expect(summaries).toMatchObject([{ scheduledFor: midnight, outcome: 'done' }]);
  expect((await archive()).map(({ day, quantity }) => [day, quantity])).toEqual(
    [4, 3, 2, 1].map((daysAgo) => [dayOf(midnight - daysAgo * DAY), daysAgo]),
  );
  expect(await announcements()).toHaveLength(1);
});

test('limits are those of the new day without any reset', async () => {
  const [account_id] = await operations.registerAccounts(3, 1);
  await operations.query(
    `INSERT INTO usage_windows (account_id, action_type, day, day_count, recent, last_action_at)
     VALUES ($1, 'invite', $2, 30, '{}', $3)`,
    [account_id, dayOf(midnight - DAY), new Date(midnight - 2 * 3_600_000)],
  );
  const { checks } = await operations.succeed('action.check', { account_id, action_type: 'invite' });
  expect(checks.daily).toEqual({ used: 0, limit: 30, remaining: 30 });
});
