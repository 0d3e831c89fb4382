import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { JOB_NAMES } from '../../contracts/jobs.js';
import { DEFAULT_LIMITS } from '../../src/decide/limits/limits-policy.js';
import { operatorsOf } from '../support/access.js';
import { ask } from '../support/ask.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';
import { readPages } from '../support/read-pages.js';

let harness: OperationsHarness;
beforeAll(async () => {
  const invite = { ...DEFAULT_LIMITS.invite, dailyLimit: 12, hourlyLimit: null };
  harness = await startOperations({ policy: { ...DEFAULT_LIMITS, invite } });
});
afterAll(() => harness.close());

/** Asks as `owner`, who may see the accounts of the users given. */
const asOwner = async <T>(users: number[], work: () => Promise<T>): Promise<T> => {
  harness.access.replace(operatorsOf(...users));
  try {
    return await work();
  } finally {
    harness.access.replace(null);
  }
};

describe('query.jobs', () => {
  const run = (job: string, minutesAgo: number, outcome: string | null) =>
    harness.query(
      `INSERT INTO job_runs (job, scheduled_for, instance, attempt, started_at, lease_until, finished_at, outcome, counts, error)
       VALUES ($1, date_trunc('milliseconds', now()) - $2 * interval '1 minute', 'one', 1, now(), now() + interval '1 hour',
         CASE WHEN $3 = 'done' THEN now() - $2 * interval '1 minute' END, $3, '{"published": 1}', NULL)`,
      [job, minutesAgo, outcome],
    );

  test('tells when each job is due and how its latest runs ended', async () => {
    await run('report', 60, 'done');
    await run('report', 30, 'done');
    await run('report', 1, null);
    const { jobs, total } = await ask(harness, 'query.jobs', {});
    expect(jobs.map(({ job }) => job)).toEqual([...JOB_NAMES]);
    expect(total).toBe(JOB_NAMES.length);
    const report = jobs.find(({ job }) => job === 'report')!;
    expect(report).toMatchObject({
      cadence: '0 */5 * * * *',
      runs: [{ state: 'running' }, { state: 'done' }, { state: 'done' }],
    });
    expect(Date.parse(report.next_run_at)).toBeGreaterThan(Date.now() - 1_000);
    expect(report.runs[0]).toMatchObject({ instance: 'one', attempt: 1, finished_at: null, counts: { published: 1 } });
    expect((await ask(harness, 'query.jobs', { job: 'report', runs: 2 })).jobs[0]?.runs.length).toBe(2);
    expect((await ask(harness, 'query.jobs', { job: 'report', runs: 0 })).jobs[0]?.runs).toEqual([]);
    expect((await ask(harness, 'query.jobs', { job: 'report', runs: 1_000 })).jobs[0]?.runs.length).toBe(3);
  });

  test('a job is overdue that has not finished for twice its cadence', async () => {
    await run('health-scan', 11, 'done');
    await run('cleanup-locks', 9, 'done');
    const { jobs } = await ask(harness, 'query.jobs', {});
    const overdue = Object.fromEntries(jobs.map((entry) => [entry.job, entry.overdue]));
    // The cadence of all of them is 5 minutes here.
    expect(overdue).toMatchObject({ 'health-scan': true, 'cleanup-locks': false, 'process-recoveries': false });
  });

  test('pages hold every job once, and no user owns one', async () => {
    const { entries, pages } = await readPages(harness, 'query.jobs', { limit: 4 }, ({ jobs }) => jobs);
    expect(entries.map(({ job }) => job)).toEqual([...JOB_NAMES]);
    expect(pages).toBe(2);
    await asOwner([1], async () => {
      expect(await ask(harness, 'query.jobs', {}, { caller: 'owner' })).toMatchObject({ jobs: [], total: 0 });
    });
  });
});

describe('query.alerts', () => {
  const raise = async (kind: string, severity: string, minutesAgo: number, resolved: boolean, data = {}) => {
    const id = randomUUID();
    await harness.query(
      `INSERT INTO alerts (id, kind, subject, severity, data, raised_at, resolved_at)
       VALUES ($1, $2, $3, $4, $5, now() - $6 * interval '1 minute', CASE WHEN $7 THEN now() END)`,
      [id, kind, id, severity, data, minutesAgo, resolved],
    );
    return id;
  };

  test('lists the newest first, by state, severity and name', async () => {
    const old = await raise('blocked_share', 'critical', 30, false, { percent: 8 });
    const over = await raise('blocked_share', 'critical', 20, true);
    const recent = await raise('limit_exceeded', 'warning', 10, false, { user_id: 7, account_id: randomUUID() });
    const idsOf = async (filter: Record<string, unknown>, caller: string | null = null) => {
      const { alerts, total } = await ask(harness, 'query.alerts', filter, { caller });
      expect(total).toBe(alerts.length);
      return alerts.map(({ alert_id }) => alert_id);
    };
    expect(await idsOf({})).toEqual([recent, old]);
    expect(await idsOf({ state: 'resolved' })).toEqual([over]);
    expect(await idsOf({ state: 'all' })).toEqual([recent, over, old]);
    expect(await idsOf({ severity: 'critical' })).toEqual([old]);
    expect(await idsOf({ state: 'all', alert: 'blocked_share' })).toEqual([over, old]);
    expect(await idsOf({ alert: 'no_such' })).toEqual([]);
    const { entries } = await readPages(harness, 'query.alerts', { state: 'all', limit: 1 }, ({ alerts }) => alerts);
    expect(entries).toMatchObject([
      { alert_id: recent, alert: 'limit_exceeded', severity: 'warning', resolved_at: null, data: { user_id: 7 } },
      { alert_id: over, resolved_at: expect.any(String) },
      { alert_id: old, subject: old, data: { percent: 8 } },
    ]);
    await asOwner([7], async () => expect(await idsOf({ state: 'all' }, 'owner')).toEqual([recent]));
    await asOwner([8], async () => expect(await idsOf({ state: 'all' }, 'owner')).toEqual([]));
    for (const [field, wrong] of Object.entries({ state: 'shut', severity: 'fatal', alert: 'no such' })) {
      const { message } = await harness.refusal('query.alerts', { [field]: wrong });
      expect(message.split(':')[0]).toBe(field);
    }
  });
});

test('query.policy tells the limits in force, and what of them is not as by default', async () => {
  const policy = await ask(harness, 'query.policy', {});
  expect(policy.limits.invite).toEqual({
    daily_limit: 12,
    hourly_limit: null,
    per_channel_daily: 15,
    per_channel_total: 200,
    cooldown_seconds: 120,
    burst_limit: 3,
    burst_cooldown_seconds: 300,
  });
  expect(policy.differing).toEqual({ invite: { daily_limit: 30, hourly_limit: 5 } });
  expect(policy).toMatchObject({
    count_failed_attempts: true,
    reentry: { days: 3, daily_percent: 50 },
    alerts: { blocked_percent: 5, near_limit_percent: 80 },
    cadences: { report: '0 */5 * * * *' },
    history_days: 30,
  });
});
