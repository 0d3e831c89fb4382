import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { Redis } from 'ioredis';
import pg from 'pg';
import { clock } from '../../src/clock.js';
import { createRecoveryTimer, type RecoveryTimer } from '../../src/jobs/recovery-timer.js';
import { processRecoveries } from '../../src/jobs/process-recoveries.js';
import { settleEnded } from '../../src/jobs/settle-ended.js';
import { RECOVERY_QUEUE_KEY } from '../../src/redis/recovery-queue.js';
import { loadRecoveries } from '../../src/store/accounts/load-recoveries.js';
import { lockEndedWaits } from '../../src/store/accounts/lock-ended.js';
import { type JobsHarness, startJobs } from '../support/jobs.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';
import { letWait, seedAccounts } from '../support/seed-accounts.js';

let operations: OperationsHarness;
let one: JobsHarness;
let two: JobsHarness;
let queue: Redis;
const timers: RecoveryTimer[] = [];

beforeAll(async () => {
  operations = await startOperations();
  const urls = { databaseUrl: operations.databaseUrl, redisUrl: operations.redis.url };
  [one, two] = await Promise.all([startJobs(urls, 'one'), startJobs(urls, 'two')]);
  // A path in the URL would win over the option.
  queue = new Redis<'legacy'>(new URL('/', operations.redis.url).href, { db: operations.redis.database + 2 });
});
afterAll(async () => {
  queue.disconnect();
  await Promise.all([one.close(), two.close()]);
  await operations.close();
});
beforeEach(async () => {
  await operations.redis.flush();
  await operations.query(
    `UPDATE telegram_sessions SET status = 'active', flood_wait_until = NULL, blocked_until = NULL, is_active = true,
     disabled_reason = NULL WHERE status <> 'active'`,
  );
});
afterEach(async () => {
  await Promise.all(timers.splice(0).map((timer) => timer.stop()));
});

function startTimer({ context }: JobsHarness, more: Partial<JobsHarness['context']> = {}): { recovered: () => number } {
  let recovered = 0;
  const timer = createRecoveryTimer({ ...context, ...more, onRecovered: (accounts) => (recovered += accounts) });
  timer.start();
  timers.push(timer);
  return { recovered: () => recovered };
}

/** Asks again and again until the answer will do. */
async function until<T>(ask: () => Promise<T>, isGood: (answer: T) => boolean, withinMs = 15_000): Promise<T> {
  const giveUpAt = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (isGood(answer)) return answer;
    if (Date.now() > giveUpAt) throw new Error(`still ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const countOf = async (ids: readonly string[], status: string): Promise<number> => {
  const [row] = await operations.query<{ count: number }>(
    'SELECT count(*)::int FROM telegram_sessions WHERE id = ANY($1::uuid[]) AND status::text = $2',
    [ids, status],
  );
  return row!.count;
};
/** How many wait, as the queue has it. */
const queued = () => queue.zcount(RECOVERY_QUEUE_KEY, '-inf', Date.now() + 86_400_000);
const allActive = (ids: readonly string[]) =>
  until(
    () => countOf(ids, 'active'),
    (active) => active === ids.length,
  );

/** From the end of each wait to the instant of its event, milliseconds; in the order of the ends. */
const lagsOf = async (ids: readonly string[]): Promise<number[]> => {
  const rows = await operations.query<{ lag: number }>(
    `SELECT (extract(epoch FROM e.occurred_at - w.until) * 1000)::float8 AS lag
     FROM ends w JOIN events e ON e.account_id = w.id AND e.type = 'account.recovered'
     WHERE w.id = ANY($1::uuid[]) ORDER BY w.until`,
    [ids],
  );
  return rows.map(({ lag }) => lag);
};
const noteEnds = () =>
  operations.query(`
    DROP TABLE IF EXISTS ends;
    CREATE TABLE ends AS SELECT id, GREATEST(flood_wait_until, blocked_until) AS until FROM telegram_sessions
    WHERE status IN ('flood_wait', 'blocked')`);

test('400 waits that end within seconds end on time, once each, shared by two instances', async () => {
  const ids = await seedAccounts(operations, 1, 400);
  await letWait(operations, ids, { fromMs: 1_500, toMs: 4_000 });
  await noteEnds();
  const counters = [startTimer(one), startTimer(two)];
  await allActive(ids);
  const lags = await lagsOf(ids);
  expect(lags.length).toBe(400);
  expect(Math.min(...lags)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...lags)).toBeLessThan(2_000);
  expect(await until(queued, (left) => left === 0)).toBe(0);
  expect(counters.reduce((sum, { recovered }) => sum + recovered(), 0)).toBe(400);
});

test('300 that end in the same instant are handled in chunks, in the order of their ends', async () => {
  const ids = await seedAccounts(operations, 2, 300);
  await letWait(operations, ids, { fromMs: -1_000, toMs: -900 });
  await noteEnds();
  startTimer(one);
  await allActive(ids);
  const ordered = await operations.query<{ in_order: boolean }>(
    `SELECT bool_and(until >= previous) AS in_order FROM (
       SELECT w.until, lag(w.until) OVER (ORDER BY e.id) AS previous
       FROM ends w JOIN events e ON e.account_id = w.id AND e.type = 'account.recovered') o`,
  );
  expect(ordered).toEqual([{ in_order: true }]);
});

test.each([
  [
    'Redis is away',
    () => ({
      recoveryQueue: { ...one.context.recoveryQueue, state: () => Promise.resolve({ kind: 'away' as const }) },
    }),
  ],
  ['everything in Redis is lost under way', () => ({})],
  ['the queue alone is lost under way', () => ({}), () => queue.del(RECOVERY_QUEUE_KEY)],
])('waits end on time while %s', async (_what, more, lose: () => Promise<unknown> = operations.redis.flush) => {
  const ids = await seedAccounts(operations, 3, 20);
  await letWait(operations, ids, { fromMs: 1_500 });
  await noteEnds();
  startTimer(one, more());
  await until(queued, (size) => size >= 20);
  await lose();
  await allActive(ids);
  expect(Math.max(...(await lagsOf(ids)))).toBeLessThan(2_000);
});

test('a queue that was lost is rebuilt from the database', async () => {
  const ids = await seedAccounts(operations, 4, 50);
  await letWait(operations, ids, { fromMs: 3_600_000, toMs: 7_200_000 });
  startTimer(one);
  const whole = () => until(queued, (size) => size === 50);
  await whole();
  await operations.redis.flush();
  await whole();
  await queue.del(RECOVERY_QUEUE_KEY);
  await whole();
  const [due] = await operations.query<{ at: number }>(
    'SELECT (extract(epoch FROM flood_wait_until) * 1000)::float8 AS at FROM telegram_sessions WHERE id = $1',
    [ids[7]],
  );
  expect(Number(await queue.zscore(RECOVERY_QUEUE_KEY, ids[7]!))).toBe(due!.at);
});

test('a queue longer than a page is filled whole, ends in the same instant included', async () => {
  const ids = await seedAccounts(operations, 13, 2_300);
  await letWait(operations, ids.slice(0, 1_500), { fromMs: 3_600_000 });
  await letWait(operations, ids.slice(1_500), { status: 'blocked', fromMs: 60_000, toMs: 7_200_000 });
  startTimer(one);
  await until(queued, (size) => size === 2_300);
});

test('a queue that is lost while it is filled does not count as whole', async () => {
  const { recoveryQueue } = one.context;
  const [first, second] = await seedAccounts(operations, 17, 2);
  const dueAt = Date.now() + 3_600_000;
  async function* pages() {
    yield [{ accountId: first!, dueAt }];
    await queue.del(RECOVERY_QUEUE_KEY);
    yield [{ accountId: second!, dueAt }];
  }
  await recoveryQueue.fill(pages());
  expect(await recoveryQueue.state()).toEqual({ kind: 'lost' });
  await recoveryQueue.fill(
    (async function* () {
      yield await Promise.resolve([{ accountId: first!, dueAt }]);
    })(),
  );
  expect(await recoveryQueue.state()).toEqual({ kind: 'whole', nextDueAt: dueAt });
});

test('while a lost queue is filled, what is due does not wait for it', async () => {
  const ids = await seedAccounts(operations, 14, 3);
  await letWait(operations, ids, { fromMs: 1_000 });
  await noteEnds();
  let finish = () => {};
  const filled = new Promise<number>((resolve) => (finish = () => resolve(0)));
  startTimer(one, { recoveryQueue: { ...one.context.recoveryQueue, fill: () => filled } });
  await allActive(ids);
  finish();
  expect(Math.max(...(await lagsOf(ids)))).toBeLessThan(2_000);
});

test('this machine’s clock set back by an hour delays no recovery', async () => {
  const ids = await seedAccounts(operations, 15, 3);
  await letWait(operations, ids, { fromMs: 2_500 });
  await noteEnds();
  startTimer(one);
  await until(queued, (size) => size === 3);
  // Its queue and its clock are both known by now.
  await until(one.context.recoveryQueue.state, ({ kind }) => kind === 'whole');
  const now = jest.spyOn(clock, 'now').mockImplementation(() => Date.now() - 3_600_000);
  await allActive(ids);
  now.mockRestore();
  expect(Math.max(...(await lagsOf(ids)))).toBeLessThan(2_000);
});

test('a slow answer of the database does not make the timer late', async () => {
  const ids = await seedAccounts(operations, 18, 3);
  await letWait(operations, ids, { fromMs: 3_000 });
  await noteEnds();
  const { database, recoveryQueue } = one.context;
  let looks = 0;
  startTimer(one, {
    recoveryQueue: {
      ...recoveryQueue,
      state: () => (++looks <= 2 ? Promise.resolve({ kind: 'away' as const }) : recoveryQueue.state()),
    },
    database: {
      ...database,
      reader: {
        $executeRaw: database.reader.$executeRaw.bind(database.reader),
        $queryRaw: async <T>(...statement: Parameters<typeof database.reader.$queryRaw>) => {
          const answer = await database.reader.$queryRaw<T>(...statement);
          if (looks === 2) await new Promise((resolve) => setTimeout(resolve, 1_200));
          return answer;
        },
      },
    },
  });
  await recoveryQueue.fill(loadRecoveries(database.reader));
  await allActive(ids);
  expect(Math.max(...(await lagsOf(ids)))).toBeLessThan(800);
});

test('wrong entries of the queue are corrected, and no account recovers because of them', async () => {
  const [idle, waiting] = await seedAccounts(operations, 5, 2);
  await letWait(operations, [waiting!], { fromMs: 3_600_000 });
  startTimer(one);
  await until(queued, (size) => size === 1);
  await queue.zadd(RECOVERY_QUEUE_KEY, Date.now() - 1_000, idle!, Date.now() - 1_000, waiting!);
  await until(
    () => queue.zrange(RECOVERY_QUEUE_KEY, '0', '-1', 'WITHSCORES'),
    ([id, due, mark]) => id === waiting && Number(due) > Date.now() + 3_500_000 && mark === 'whole',
  );
  expect(await countOf([waiting!], 'flood_wait')).toBe(1);
});

test('the job alone ends waits too', async () => {
  const ids = await seedAccounts(operations, 6, 450);
  await letWait(operations, ids, { fromMs: -60_000, toMs: -1_000 });
  expect(await one.work(processRecoveries)).toEqual({ waits_ended: 450, recovered: 450 });
  expect(await countOf(ids, 'active')).toBe(450);
  expect(await one.work(processRecoveries)).toEqual({ waits_ended: 0, recovered: 0 });
});

test('an account that cannot be settled keeps no other from recovering', async () => {
  const ids = await seedAccounts(operations, 16, 250);
  await letWait(operations, ids, { fromMs: -60_000, toMs: -1_000 });
  // Its next event has a number that is taken, as where rows were put back by hand.
  await operations.query(
    `INSERT INTO events (event_id, type, account_id, sequence, data, occurred_at) VALUES (gen_random_uuid(), 'test', $1, 1, '{}', now())`,
    [ids[0]],
  );
  await expect(one.work(processRecoveries)).rejects.toThrow(/duplicate key/);
  expect(await countOf(ids, 'active')).toBe(249);
  expect(await countOf([ids[0]!], 'flood_wait')).toBe(1);
});

test('a wait begun anew is not erased by the end of the old one', async () => {
  const [id] = await seedAccounts(operations, 7, 1);
  await letWait(operations, [id!], { fromMs: -1_000 });
  const settle = () => settleEnded(one.context, (sql) => lockEndedWaits(sql, 10));
  const client = new pg.Client({ connectionString: operations.databaseUrl });
  await client.connect();
  await client.query('BEGIN');
  await client.query(`UPDATE telegram_sessions SET flood_wait_until = now() + interval '1 hour' WHERE id = $1`, [id]);
  // Another transaction holds the row: it is left to it.
  expect(await settle()).toMatchObject({ accounts: 0 });
  await client.query('COMMIT');
  await client.end();
  expect(await settle()).toMatchObject({ accounts: 0 });
  expect(await countOf([id!], 'flood_wait')).toBe(1);
});

test('reports that come while waits end win', async () => {
  const ids = await operations.registerAccounts(8, 30);
  await letWait(operations, ids, { fromMs: 0, toMs: 300 });
  startTimer(one);
  startTimer(two);
  const report = (account_id: string) =>
    operations.succeed('account.error', { account_id, error_message: 'FLOOD_WAIT_600' });
  await Promise.all(
    ids.map(async (id, index) => {
      await new Promise((resolve) => setTimeout(resolve, index * 10));
      await report(id);
    }),
  );
  await one.work(processRecoveries);
  expect(await countOf(ids, 'flood_wait')).toBe(30);
  // Each wait that ended was announced before the one that followed it, and none after.
  const late = await operations.query(
    `SELECT account_id FROM events e WHERE account_id = ANY($1::uuid[]) AND type = 'account.recovered'
     AND sequence > (SELECT max(sequence) FROM events f WHERE f.account_id = e.account_id AND f.type = 'account.flood_wait')`,
    [ids],
  );
  expect(late).toEqual([]);
});

test('disabled and draining accounts stay what they are when their wait is over', async () => {
  const [disabled, draining] = await operations.registerAccounts(9, 2);
  for (const [account_id, status] of [
    [disabled, 'disabled'],
    [draining, 'draining'],
  ]) {
    await operations.succeed('account.error', { account_id, error_message: 'FLOOD_WAIT_600' });
    await operations.succeed('admin.set-status', { account_id, status, reason: 'test' });
  }
  await operations.query(
    `UPDATE telegram_sessions SET flood_wait_until = now() - interval '1 second' WHERE id = ANY($1::uuid[])`,
    [[disabled, draining]],
  );
  expect(await one.work(processRecoveries)).toMatchObject({ recovered: 0 });
  expect(await countOf([disabled!], 'disabled')).toBe(1);
  expect(await countOf([draining!], 'draining')).toBe(1);
});

test('the queue follows every change of a wait', async () => {
  const [account_id] = await operations.registerAccounts(10, 1);
  const due = async () => {
    const score = await queue.zscore(RECOVERY_QUEUE_KEY, account_id!);
    return score === null ? null : Number(score);
  };
  const becomes = (expected: number | null) => until(due, (score) => score === expected);
  const { result } = await operations.succeed('account.error', { account_id, error_message: 'FLOOD_WAIT_600' });
  await becomes(Date.parse(result.recovery_time!));
  const later = new Date(Date.now() + 7_200_000).toISOString();
  await operations.succeed('admin.schedule-recovery', { account_id, recovery_time: later });
  await becomes(Date.parse(later));
  await operations.succeed('admin.set-status', { account_id, status: 'draining', reason: 'test' });
  await becomes(null);
  await operations.succeed('admin.set-status', { account_id, status: 'active', reason: 'test' });
  await becomes(Date.parse(later));
  await operations.succeed('admin.recover', { account_id, reason: 'test' });
  await becomes(null);
});

test('members that the service has not written are passed over, and told once', async () => {
  const ids = await seedAccounts(operations, 30, 3);
  await letWait(operations, ids, { fromMs: 400, toMs: 800 });
  await queue.zadd(RECOVERY_QUEUE_KEY, 0, 'somebody-else', 1, 'account:7', Date.now(), `{"account_id":"${ids[0]}"}`);
  one.foreign.length = 0;
  startTimer(one);
  await allActive(ids);
  await until(queued, (left) => left === 3);
  // Several looks later it is still said once, and what is not the service's is left alone.
  const looks = jest.spyOn(one.context.recoveryQueue, 'state');
  await until(
    () => Promise.resolve(looks.mock.calls.length),
    (count) => count >= 3,
  );
  looks.mockRestore();
  expect(one.foreign).toEqual([{ members: ['somebody-else', 'account:7', expect.stringContaining('account_id')] }]);
});

test.each([
  ['a text', () => queue.set(RECOVERY_QUEUE_KEY, 'mine'), () => one],
  ['a list', () => queue.rpush(RECOVERY_QUEUE_KEY, 'mine'), () => two],
])('waits end on time though the queue is %s of somebody else, which is told once', async (_kind, spoil, instance) => {
  const ids = await seedAccounts(operations, 31, 2);
  await spoil();
  await letWait(operations, ids, { fromMs: 300, toMs: 600 });
  instance().foreign.length = 0;
  startTimer(instance());
  await allActive(ids);
  expect(instance().foreign).toEqual([{ type: 'wrong' }]);
  expect(await queue.type(RECOVERY_QUEUE_KEY)).toBe('zset');
});
