import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { JOB_NAMES, type JobName } from '../../contracts/jobs.js';
import { type Cadence, latestOccurrence, parseCadence } from '../../src/decide/jobs/cadence.js';
import { processRecoveries } from '../../src/jobs/process-recoveries.js';
import type { WorkerOptions } from '../../src/jobs/run-in-worker.js';
import type { RunSummary } from '../../src/jobs/run-due.js';
import { createSchedule } from '../../src/jobs/schedule.js';
import { type RunWatch, type RunWatchOptions, watchRuns } from '../../src/jobs/watch-runs.js';
import { createLog } from '../../src/telemetry/log.js';
import { buildService } from '../support/build-service.js';
import { type JobsHarness, startJobs } from '../support/jobs.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';
import { letWait, seedAccounts } from '../support/seed-accounts.js';

let operations: OperationsHarness;
let one: JobsHarness;
let workers: string;

const SELDOM = parseCadence('0 0 1 1 *')!;
const cadencesWith = (job: JobName, cadence: Cadence) =>
  Object.fromEntries(JOB_NAMES.map((name) => [name, name === job ? cadence : SELDOM])) as Record<JobName, Cadence>;

beforeAll(async () => {
  operations = await startOperations();
  one = await startJobs({ databaseUrl: operations.databaseUrl, redisUrl: operations.redis.url });
  workers = path.join(path.dirname(await buildService()), 'jobs/workers');
});
afterAll(async () => {
  await one.close();
  await operations.close();
});
beforeEach(async () => {
  await operations.redis.flush();
  await operations.query('TRUNCATE job_runs, events, alerts, telegram_sessions CASCADE');
});

const workerOptions = (instance: string): Omit<WorkerOptions, 'cadence'> => ({
  databaseUrl: operations.databaseUrl,
  redisUrl: operations.redis.url,
  sessionEncryptionKeys: ['ab'.repeat(32)],
  instance,
  logLevel: 'error',
  logFormat: 'json',
  leaseMs: 10_000,
  timeoutMs: 30_000,
  settings: one.context.settings,
});

function openSchedule(instance: string, cadences: Record<JobName, Cadence>) {
  const summaries: RunSummary[] = [];
  const schedule = createSchedule({
    cadences,
    workers,
    worker: workerOptions(instance),
    log: one.context.log,
    onRun: (summary) => summaries.push(summary),
  });
  return { schedule, summaries };
}

const runs = () =>
  operations.query<{ job: string; scheduled_for: Date; outcome: string | null; attempt: number; instance: string }>(
    `SELECT job, scheduled_for, outcome, attempt, instance FROM job_runs WHERE outcome IS DISTINCT FROM 'skipped' ORDER BY scheduled_for`,
  );

async function until<T>(ask: () => Promise<T>, isGood: (answer: T) => boolean): Promise<T> {
  for (const giveUpAt = Date.now() + 60_000; Date.now() < giveUpAt; ) {
    const answer = await ask();
    if (isGood(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('it did not come to be');
}

test('two schedules on one clock: workers run each occurrence once, and end with the schedule', async () => {
  const cadences = cadencesWith('cleanup-locks', parseCadence('2')!);
  const instances = ['one', 'two'].map((instance) => openSchedule(instance, cadences));
  await Promise.all(instances.map(({ schedule }) => schedule.open()));
  await until(runs, (rows) => rows.filter(({ outcome }) => outcome === 'done').length >= 2);
  await Promise.all(instances.map(({ schedule }) => schedule.close({ timeoutMs: 20_000 })));
  const rows = await runs();
  const done = rows.filter(({ outcome }) => outcome === 'done');
  expect(new Set(done.map(({ attempt }) => attempt))).toEqual(new Set([1]));
  const times = done.map(({ scheduled_for: at }) => at.getTime());
  expect(times.map((at) => at % 2_000)).toEqual(times.map(() => 0));
  const told = instances.flatMap(({ summaries }) => summaries).filter(({ outcome }) => outcome === 'done');
  expect(told.map(({ scheduledFor }) => scheduledFor).sort()).toEqual(times);
});

test('a shutdown lets a running job finish its chunk; another instance does the rest', async () => {
  const ids = await seedAccounts(operations, 1, 2_000);
  await letWait(operations, ids, { fromMs: -60_000, toMs: -1_000 });
  const { schedule } = openSchedule('one', cadencesWith('process-recoveries', SELDOM));
  await schedule.open();
  const ended = schedule.start('process-recoveries');
  await until(recovered, (count) => count > 0);
  await schedule.close({ timeoutMs: 20_000 });
  await ended;
  const before = await recovered();
  expect(before % 200).toBe(0);
  expect(before).toBeLessThan(2_000);
  expect(await runs()).toMatchObject([{ outcome: 'interrupted', attempt: 1 }]);
  await one.run(processRecoveries, latestOccurrence(SELDOM, Date.now()));
  await expectEachRecoveredOnce(2_000);
  expect(await runs()).toMatchObject([{ outcome: 'done', attempt: 2 }]);
});

test('a worker killed mid-run: the rest is done by the next, and nothing twice', async () => {
  const ids = await seedAccounts(operations, 2, 2_000);
  await letWait(operations, ids, { fromMs: -60_000, toMs: -1_000 });
  const script = `
    import { Worker } from 'node:worker_threads';
    new Worker(process.argv[1], { execArgv: [], workerData: JSON.parse(process.argv[2]) });`;
  const data = JSON.stringify({ ...workerOptions('killed'), cadence: SELDOM } satisfies WorkerOptions);
  const child = spawn(process.execPath, [
    '--input-type=module',
    '-e',
    script,
    path.join(workers, 'process-recoveries.js'),
    data,
  ]);
  const exited = once(child, 'exit');
  await until(recovered, (count) => count > 0);
  child.kill('SIGKILL');
  await exited;
  const before = await recovered();
  expect(before).toBeLessThan(2_000);
  expect(await runs()).toMatchObject([{ outcome: null, attempt: 1, instance: 'killed' }]);

  const occurrence = latestOccurrence(SELDOM, Date.now());
  expect(await one.run(processRecoveries, occurrence)).toBeNull();
  // Its lease and its lock end by themselves; here at once.
  await operations.query(`UPDATE job_runs SET lease_until = now()`);
  await operations.redis.flush();
  const summary = await one.run(processRecoveries, occurrence);
  expect(summary).toMatchObject({ outcome: 'done', counts: { recovered: 2_000 - before } });
  await expectEachRecoveredOnce(2_000);
  expect(await runs()).toMatchObject([{ outcome: 'done', attempt: 2, instance: 'one' }]);
});

test('a worker that hangs is ended, which is told, and its job can be run again', async () => {
  const hanging = mkdtempSync(path.join(tmpdir(), 'workers-'));
  for (const job of JOB_NAMES) writeFileSync(path.join(hanging, `${job}.js`), 'for (;;);');
  const lines = new PassThrough();
  const schedule = createSchedule({
    cadences: cadencesWith('report', SELDOM),
    workers: hanging,
    worker: { ...workerOptions('one'), timeoutMs: 50 },
    terminateAfterMs: 50,
    log: createLog({ level: 'warn', instance: 'one', stream: lines }),
    onRun: () => {},
  });
  await schedule.open();
  for (let time = 0; time < 2; time++) await schedule.start('report');
  await schedule.close({ timeoutMs: 1_000 });
  rmSync(hanging, { recursive: true });
  const told = String(lines.read()).trim().split('\n');
  expect(told.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { level: 'error', message: 'worker ended before its job', job: 'report' },
    { level: 'error', message: 'worker ended before its job', job: 'report' },
  ]);
});

function watchOn(cadences: Record<JobName, Cadence>, more: Partial<RunWatchOptions> = {}): RunWatch {
  return watchRuns({
    database: one.context.database,
    cadences,
    log: one.context.log,
    onAlerts: () => {},
    onDone: () => {},
    jobs: { instance: 'test', start: () => Promise.resolve(), isClosing: () => false },
    graceMs: 0,
    ...more,
  });
}

/** As if the only run of the job had been over for so long. */
const doneAt = (seconds: number) =>
  operations.query(
    `UPDATE job_runs SET scheduled_for = now() - $1::float8 * interval '1 second', finished_at = now() - $1::float8 * interval '1 second'
     WHERE job = 'health-scan'`,
    [seconds],
  );
const raised = { type: 'alert.critical', subject: 'health-scan', state: 'raised' };
const resolved = { ...raised, state: 'resolved' };

test('a job that has not finished for twice its cadence raises an alert, once, until it has', async () => {
  const watch = watchOn(cadencesWith('health-scan', parseCadence('5')!));
  // The first look owes nothing.
  await watch.look();
  expect(await alerts()).toEqual([]);
  await doneAt(8);
  await watch.look();
  expect(await alerts()).toEqual([]);
  await doneAt(15);
  await watch.look();
  await watch.look();
  expect(await alerts()).toEqual([raised]);
  await doneAt(-1);
  await watch.look();
  await watch.look();
  expect(await alerts()).toEqual([raised, resolved]);
});

test('neither an instance that has just come up, nor one of another cadence, nor another attempt takes the alert back', async () => {
  const cadences = cadencesWith('health-scan', parseCadence('5')!);
  const watch = watchOn(cadences);
  await watch.look();
  await doneAt(15);
  await watch.look();
  const others = [watchOn(cadences, { graceMs: 60_000 }), watchOn(cadencesWith('health-scan', SELDOM))];
  for (const other of others) await other.look();
  await operations.query(
    `INSERT INTO job_runs (job, scheduled_for, instance, attempt, started_at, lease_until)
     VALUES ('health-scan', now(), 'hangs', 1, now(), now() + interval '1 minute')`,
  );
  await watch.look();
  expect(await alerts()).toEqual([raised]);
});

test('missed jobs are started in turn, and do not wait for a job that takes its time', async () => {
  const started: JobName[] = [];
  const jobs = {
    instance: 'test',
    isClosing: () => false,
    start: (job: JobName) => {
      started.push(job);
      return job === 'health-scan' ? new Promise<void>(() => {}) : Promise.resolve();
    },
  };
  const watch = watchOn(cadencesWith('health-scan', parseCadence('5')!), { jobs });
  await watch.look();
  await operations.query(`UPDATE job_runs SET scheduled_for = '2020-01-01T00:00:00Z'`);
  await watch.look();
  await until(
    () => Promise.resolve(started),
    ({ length }) => length === JOB_NAMES.length,
  );
  expect(started).toEqual(JOB_NAMES);
});

const alerts = () =>
  operations.query(
    `SELECT type, data ->> 'subject' AS subject, data ->> 'state' AS state FROM events
     WHERE data ->> 'alert' = 'job_overdue' ORDER BY id`,
  );

const recovered = async (): Promise<number> => {
  const [row] = await operations.query<{ count: number }>(
    `SELECT count(*)::int FROM events WHERE type = 'account.recovered'`,
  );
  return row!.count;
};

async function expectEachRecoveredOnce(count: number): Promise<void> {
  const [row] = await operations.query(
    `SELECT (SELECT count(*)::int FROM telegram_sessions WHERE status = 'active') AS active, count(*)::int AS events,
       count(DISTINCT account_id)::int AS accounts FROM events WHERE type = 'account.recovered'`,
  );
  expect(row).toEqual({ active: count, events: count, accounts: count });
}
