import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Job } from '../../src/jobs/job.js';
import { type JobsHarness, startJobs } from '../support/jobs.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';

let operations: OperationsHarness;
let one: JobsHarness;
let two: JobsHarness;

const MINUTE = 60_000;
/** A round instant of long ago: occurrences are only names here. */
const NOON = Date.parse('2026-03-01T12:00:00Z');
const never = (): Promise<never> => Promise.reject(new Error('should not have run'));
const doing = (run: Job['run']): Job => ({ name: 'report', run });

const runs = () =>
  operations.query<{ scheduled_for: Date; outcome: string | null; attempt: number; error: string | null }>(
    'SELECT scheduled_for, outcome, attempt, error FROM job_runs ORDER BY scheduled_for',
  );
const endLease = () => operations.query(`UPDATE job_runs SET lease_until = now() - interval '1 second'`);

beforeAll(async () => {
  operations = await startOperations();
  const urls = { databaseUrl: operations.databaseUrl, redisUrl: operations.redis.url };
  [one, two] = await Promise.all([startJobs(urls, 'one'), startJobs(urls, 'two')]);
});
afterAll(async () => {
  await Promise.all([one.close(), two.close()]);
  await operations.close();
});
beforeEach(async () => {
  await operations.query('TRUNCATE job_runs');
  await operations.redis.flush();
});

test('200 ticks of two instances give exactly 200 runs', async () => {
  const ran: number[] = [];
  const job = doing(async (_context, { scheduledFor }) => {
    ran.push(scheduledFor);
    await new Promise(setImmediate);
  });
  for (let tick = 0; tick < 200; tick++) {
    const occurrence = NOON + tick * MINUTE;
    // Redis is away for some of them: the row judges alone.
    const away = { acquire: () => Promise.resolve(null), extend: never, release: never };
    const options = tick % 3 === 0 ? { jobLocks: away } : {};
    await Promise.all([one.run(job, occurrence, options), two.run(job, occurrence, options)]);
  }
  expect(ran).toEqual(Array.from({ length: 200 }, (_, tick) => NOON + tick * MINUTE));
  const rows = await runs();
  expect(rows.length).toBe(200);
  expect(new Set(rows.map(({ outcome, attempt }) => `${outcome} ${attempt}`))).toEqual(new Set(['done 1']));
});

test('an occurrence has its run once, whoever comes later', async () => {
  let ran = 0;
  const job = doing(() => {
    ran += 1;
    return Promise.resolve();
  });
  await one.run(job, NOON);
  expect(await two.run(job, NOON)).toBeNull();
  expect(await one.run(job, NOON - MINUTE)).toBeNull();
  expect(ran).toBe(1);
});

test('beside a run under way none begins, and the next occurrence has its turn afterwards', async () => {
  let finish = () => {};
  const blocked = new Promise<void>((resolve) => (finish = resolve));
  let begin = () => {};
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const slow = one.run(
    doing(async () => {
      begin();
      await blocked;
    }),
    NOON,
  );
  await begun;
  expect(await two.run(doing(never), NOON + MINUTE)).toBeNull();
  await operations.redis.flush();
  expect(await two.run(doing(never), NOON + MINUTE)).toBeNull();
  finish();
  await slow;
  expect(
    await two.run(
      doing(() => Promise.resolve()),
      NOON + MINUTE,
    ),
  ).toMatchObject({ outcome: 'done' });
});

test('the run of a dead worker is taken over once its lease is over', async () => {
  let end = () => {};
  const hanging = one.run(
    doing(() => new Promise((resolve) => (end = resolve))),
    NOON,
    { leaseMs: 600_000 },
  );
  for (let rows = await runs(); rows.length === 0; rows = await runs());
  await operations.redis.flush();
  expect(await two.run(doing(never), NOON)).toBeNull();
  await endLease();
  expect(
    await two.run(
      doing(() => Promise.resolve()),
      NOON,
    ),
  ).toMatchObject({ outcome: 'done', scheduledFor: NOON });
  end();
  await hanging;
  expect(await runs()).toMatchObject([{ outcome: 'done', attempt: 2 }]);
});

test('a worker whose run was taken over stops, and does not write how it ended', async () => {
  let aborted = false;
  const outlived = one.run(
    doing(async (_context, { signal }) => {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      aborted = true;
    }),
    NOON,
    { leaseMs: 900 },
  );
  for (let rows = await runs(); rows.length === 0; rows = await runs());
  // Paused, as far as the row tells: its lease is over before it is renewed.
  await operations.redis.flush();
  await endLease();
  await two.run(
    doing(() => Promise.resolve()),
    NOON,
  );
  expect(await outlived).toMatchObject({ outcome: 'interrupted' });
  expect(aborted).toBe(true);
  expect(await runs()).toMatchObject([{ outcome: 'done', attempt: 2 }]);
});

test('a lease is renewed for as long as its worker works', async () => {
  const leases = new Set<number>();
  await one.run(
    doing(async () => {
      const giveUpAt = Date.now() + 60_000;
      while (leases.size < 3 && Date.now() < giveUpAt) {
        const [row] = await operations.query<{ lease_until: Date }>('SELECT lease_until FROM job_runs');
        leases.add(row!.lease_until.getTime());
      }
    }),
    NOON,
    { leaseMs: 300 },
  );
  expect(leases.size).toBeGreaterThanOrEqual(3);
});

test('a failed run rests, longer each time, and is tried again', async () => {
  const failing = doing(() => Promise.reject(new Error('no luck')));
  const rests: number[] = [];
  for (const _ of [1, 2, 3]) {
    expect(await one.run(failing, NOON)).toMatchObject({ outcome: 'failed' });
    const [row] = await operations.query<{ rest: number }>(
      'SELECT extract(epoch FROM lease_until - clock_timestamp())::float8 AS rest FROM job_runs',
    );
    rests.push(row!.rest);
    expect(await two.run(doing(never), NOON)).toBeNull();
    await endLease();
  }
  expect(rests.map((rest) => Math.round(rest / 15))).toEqual([1, 2, 4]);
  expect(await runs()).toMatchObject([{ outcome: 'failed', attempt: 3, error: 'Error: no luck' }]);
  expect(
    await two.run(
      doing(() => Promise.resolve()),
      NOON,
    ),
  ).toMatchObject({ outcome: 'done' });
});

test('a run that goes on failing is replaced by its next occurrence', async () => {
  await one.run(
    doing(() => Promise.reject(new Error('no luck'))),
    NOON,
  );
  await endLease();
  await two.run(
    doing(() => Promise.resolve()),
    NOON + MINUTE,
  );
  expect(await runs()).toMatchObject([{ outcome: 'replaced' }, { outcome: 'done', attempt: 1 }]);
});

test('a shutdown ends a run after the chunk in hand, and another instance goes on at once', async () => {
  const shutdown = new AbortController();
  const chunks: string[] = [];
  const job = (by: string) =>
    doing(async (_context, { signal, count }) => {
      while (chunks.length < 5 && !signal.aborted) {
        await Promise.resolve(chunks.push(by));
        count('chunks', 1);
        if (chunks.length === 2) shutdown.abort();
      }
    });
  expect(await one.run(job('one'), NOON, { cancel: shutdown.signal })).toMatchObject({ outcome: 'interrupted' });
  const summary = await two.run(job('two'), NOON);
  expect(chunks).toEqual(['one', 'one', 'two', 'two', 'two']);
  // Metrics add up each attempt's own work; the run tells the whole.
  expect(summary).toMatchObject({ outcome: 'done', counts: { chunks: 3 } });
  expect(await operations.query('SELECT counts FROM job_runs')).toEqual([{ counts: { chunks: 5 } }]);
});

test('a run whose end the database does not take is told of all the same, and taken over once its lease is over', async () => {
  const { database } = one.context;
  let isAway = false;
  // The run is claimed in a transaction; how it ended is written with the reader.
  const context = {
    ...one.context,
    database: {
      ...database,
      reader: {
        $queryRaw: database.reader.$queryRaw.bind(database.reader),
        $executeRaw: (...statement: Parameters<typeof database.reader.$executeRaw>) =>
          isAway ? Promise.reject(new Error('away')) : database.reader.$executeRaw(...statement),
      },
    },
  };
  const job = doing(() => {
    isAway = true;
    return Promise.reject(new Error('the connection broke'));
  });
  expect(await one.run(job, NOON, { context })).toMatchObject({ outcome: 'failed' });
  expect(await runs()).toMatchObject([{ outcome: null, attempt: 1 }]);
  await endLease();
  const again = await two.run(
    doing(() => Promise.resolve()),
    NOON,
  );
  expect(again).toMatchObject({ outcome: 'done' });
});

test('a run that takes too long is stopped and has failed', async () => {
  const job = doing(async (_context, { signal }) => {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  });
  expect(await one.run(job, NOON, { timeoutMs: 20 })).toMatchObject({ outcome: 'failed' });
  expect(await runs()).toMatchObject([{ outcome: 'failed', error: 'Error: not finished within 20 ms' }]);
});
