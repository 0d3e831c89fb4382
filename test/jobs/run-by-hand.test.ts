import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { JobName } from '../../contracts/jobs.js';
import { processRecoveries } from '../../src/jobs/process-recoveries.js';
import type { Job } from '../../src/jobs/job.js';
import { ask } from '../support/ask.js';
import { type JobsHarness, startJobs } from '../support/jobs.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';
import { letWait, seedAccounts } from '../support/seed-accounts.js';

let operations: OperationsHarness;
let one: JobsHarness;
/** Stands for the worker threads: what a worker does when it is started. */
let work: Job['run'];
let started: JobName[];

const LONG_AGO = Date.parse('2026-03-01T12:00:00Z');

beforeAll(async () => {
  operations = await startOperations({
    jobs: {
      instance: 'one',
      isClosing: () => false,
      start: async (job) => {
        started.push(job);
        await one.run({ name: job, run: (context, task) => work(context, task) }, LONG_AGO);
      },
    },
  });
  one = await startJobs({ databaseUrl: operations.databaseUrl, redisUrl: operations.redis.url });
});
afterAll(async () => {
  await one.close();
  await operations.close();
});
beforeEach(async () => {
  started = [];
  work = (context, task) => processRecoveries.run(context, task);
  await operations.redis.flush();
  await operations.query('TRUNCATE job_runs, events, telegram_sessions CASCADE');
  // The occurrence has had its run: what runs now was asked for.
  await operations.query(
    `INSERT INTO job_runs (job, scheduled_for, instance, lease_until, finished_at, outcome)
     VALUES ('process-recoveries', $1, 'one', now(), now(), 'done')`,
    [new Date(LONG_AGO)],
  );
});

const runs = () =>
  operations.query<{ outcome: string; attempt: number }>(
    'SELECT outcome, attempt FROM job_runs WHERE scheduled_for > $1 ORDER BY scheduled_for',
    [new Date(LONG_AGO)],
  );
const job = 'process-recoveries';

test('is run and answered with what it did; a repeat gets the same answer and no second run', async () => {
  const ids = await seedAccounts(operations, 1, 5);
  await letWait(operations, ids, { fromMs: -1_000 });
  const messageId = randomUUID();
  const reply = await ask(operations, 'admin.run-job', { job }, { messageId });
  expect(reply).toMatchObject({
    job,
    state: 'done',
    attempt: 1,
    counts: { recovered: 5, waits_ended: 5 },
    failure: null,
  });
  expect(await ask(operations, 'admin.run-job', { job }, { messageId })).toEqual(reply);
  expect(await runs()).toEqual([{ outcome: 'done', attempt: 1 }]);
  const conflict = await operations.refusal('admin.run-job', { job: 'report' }, { messageId });
  expect(conflict.code).toBe('IDEMPOTENCY_CONFLICT');
});

test('the same request twenty times at once is one run', async () => {
  const messageId = randomUUID();
  const replies = await Promise.all(
    Array.from({ length: 20 }, () => ask(operations, 'admin.run-job', { job }, { messageId })),
  );
  expect(new Set(replies.map((reply) => JSON.stringify(reply))).size).toBe(1);
  expect(await runs()).toEqual([{ outcome: 'done', attempt: 1 }]);
});

test('a process that died with the request unanswered: the redelivered request finds its run', async () => {
  const messageId = randomUUID();
  const reply = await ask(operations, 'admin.run-job', { job }, { messageId });
  // The run had ended, but the answer was not stored.
  await operations.query('DELETE FROM answered_requests WHERE message_id = $1', [messageId]);
  expect(await ask(operations, 'admin.run-job', { job }, { messageId })).toEqual(reply);
  expect(await runs()).toHaveLength(1);
});

test('beside a run under way it waits for its turn', async () => {
  let finish = () => {};
  const blocked = new Promise<void>((resolve) => (finish = resolve));
  let begin = () => {};
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const scheduled = one.run(
    {
      name: job,
      run: () => {
        begin();
        return blocked;
      },
    },
    LONG_AGO + 60_000,
  );
  await begun;
  const asked = ask(operations, 'admin.run-job', { job });
  for (const giveUpAt = Date.now() + 60_000; started.length < 2 && Date.now() < giveUpAt; )
    await new Promise((resolve) => setTimeout(resolve, 10));
  expect(await runs()).toHaveLength(1);
  finish();
  await scheduled;
  expect(await asked).toMatchObject({ state: 'done' });
  expect(await runs()).toEqual([
    { outcome: 'done', attempt: 1 },
    { outcome: 'done', attempt: 1 },
  ]);
});

test('one that fails is answered as failed, and a repeat tells how it stands by then', async () => {
  work = () => Promise.reject(new Error('no luck'));
  const messageId = randomUUID();
  const failed = await ask(operations, 'admin.run-job', { job }, { messageId });
  expect(failed).toMatchObject({ state: 'failed', attempt: 1, finished_at: null, failure: 'Error: no luck' });
  // It is tried again by itself, whatever occurrence is due.
  work = (context, task) => processRecoveries.run(context, task);
  await operations.query('UPDATE job_runs SET lease_until = now() WHERE finished_at IS NULL');
  await one.run(processRecoveries, LONG_AGO + 120_000);
  const later = await ask(operations, 'admin.run-job', { job }, { messageId });
  expect(later).toMatchObject({ state: 'done', attempt: 2, scheduled_for: failed.scheduled_for });
});

test('unknown jobs are refused', async () => {
  const refused = await operations.refusal('admin.run-job', { job: 'drop-everything' });
  expect(refused.code).toBe('VALIDATION_FAILED');
});
