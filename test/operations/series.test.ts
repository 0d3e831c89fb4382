import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { addUpTallies, type Tally } from '../../src/decide/series/samples.js';
import { HOUR_MS, MINUTE_MS } from '../../src/decide/time-units.js';
import { writeSample } from '../../src/jobs/keep-series.js';
import { createDatabase, type Database } from '../../src/store/database.js';
import { insertSample, keepTally } from '../../src/store/history/series.js';
import { createTally } from '../../src/jobs/tally-requests.js';
import { createMetrics } from '../../src/telemetry/metrics.js';
import { operatorsOf } from '../support/access.js';
import { ask } from '../support/ask.js';
import { holdAccount } from '../support/held-account.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';

let harness: OperationsHarness;
const databases: Database[] = [];
beforeAll(async () => {
  harness = await startOperations();
  // Two instances.
  for (let n = 0; n < 2; n++)
    databases.push(createDatabase({ url: harness.databaseUrl, poolSize: 2, onConnectionError: () => {} }));
});
afterAll(async () => {
  for (const database of databases) await database.close();
  await harness.close();
});

const thisMinute = () => Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
const iso = (at: number) => new Date(at).toISOString();
const boundsMs = [1, 10, 100];
const tallyOf = (counts: number[], refusals: Record<string, number> = {}): Tally => ({
  requests: { account: counts },
  refusals,
  boundsMs,
});
async function ofSeries(body: Record<string, unknown>, caller: string | null = null) {
  const { series, ...rest } = await ask(harness, 'query.series', body, { caller });
  return { ...rest, ...Object.fromEntries(series.map(({ name, points }) => [name, points])) } as Record<
    string,
    unknown
  >;
}

test('a sample tells how the fleet stands and what was done in its minute, by all instances', async () => {
  const { holder, accountId } = await holdAccount(harness);
  await harness.registerAccounts(900, 2);
  await ask(harness, 'action.acquire', { ...holder, action_type: 'invite' });
  await ask(harness, 'account.error', { ...holder, error_message: 'FLOOD_WAIT_300' });
  await ask(harness, 'admin.recover', { account_id: accountId, reason: 'wrong report' });
  const minute = thisMinute();
  const reader = databases[0]!.reader;
  // The latest action is in this minute or in the one before.
  await harness.query('UPDATE leases SET allocated_at = $1', [iso(minute + 1)]);
  await harness.query('UPDATE counted_actions SET counted_at = $1', [iso(minute + 1)]);
  await harness.query('UPDATE error_reports SET reported_at = $1', [iso(minute + 1)]);
  await harness.query(`UPDATE events SET occurred_at = $1 WHERE type = 'account.recovered'`, [iso(minute + 1)]);
  await keepTally(reader, minute, 'one', tallyOf([98, 0, 1], { ALL_BUSY: 2 }));
  await keepTally(reader, minute, 'two', tallyOf([0, 1, 0], { ALL_BUSY: 1 }));

  // Whoever comes first writes it, and nobody a second time.
  await Promise.all(databases.flatMap((database) => [writeSample(database, minute), writeSample(database, minute)]));
  expect(await harness.query('SELECT count(*)::int AS samples FROM series_samples WHERE step_seconds = 60')).toEqual([
    { samples: 1 },
  ]);
  const at = iso(minute);
  const body = { from: at, to: iso(minute + MINUTE_MS), step_seconds: 60 };
  const all = await ofSeries(body);
  expect(all).toMatchObject({
    step_seconds: 60,
    'accounts.active': [[at, 3]],
    'accounts.blocked': [[at, 0]],
    'leases.open': [[at, 1]],
    grants: [[at, 1]],
    'actions.invite': [[at, 1]],
    'errors.flood_wait': [[at, 1]],
    recoveries: [[at, 1]],
    'refusals.ALL_BUSY': [[at, 3]],
    'requests.account': [[at, 100]],
    'requests.account.p99_ms': [[at, 10]],
  });
  const named = await ofSeries({ ...body, names: ['accounts', 'errors.banned'] });
  expect(Object.keys(named).sort()).toEqual([
    'accounts.active',
    'accounts.blocked',
    'accounts.disabled',
    'accounts.draining',
    'accounts.flood_wait',
    'errors.banned',
    'step_seconds',
  ]);
  expect(named['errors.banned']).toEqual([[at, 0]]);

  harness.access.replace(operatorsOf(1));
  expect(await ofSeries(body, 'owner')).toEqual({ step_seconds: 60 });
  harness.access.replace(null);
});

test('hours are made of minutes, old samples go, and a long view has both', async () => {
  await harness.query('TRUNCATE series_samples, series_parts');
  const database = databases[0]!;
  const hour = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
  for (let n = 0; n < 59; n++) {
    const values = { 'leases.open': n, grants: 2, 'outbox.age_seconds': n };
    await insertSample(database.reader, MINUTE_MS, { at: hour - HOUR_MS + n * MINUTE_MS, values });
  }
  await insertSample(database.reader, MINUTE_MS, { at: hour - 49 * HOUR_MS, values: { grants: 1 } });
  await insertSample(database.reader, HOUR_MS, { at: hour - 60 * HOUR_MS, values: { grants: 7 } });
  await insertSample(database.reader, HOUR_MS, { at: hour - 91 * 24 * HOUR_MS, values: { grants: 1 } });
  await harness.query(`INSERT INTO series_parts VALUES (now() - interval '2 hours', 'one', '{}')`);
  await writeSample(database, hour - MINUTE_MS);
  const kept = await harness.query<{ step_seconds: number; at: Date }>(
    "SELECT step_seconds, at FROM series_samples WHERE step_seconds = 3600 OR at < now() - interval '3 hours' ORDER BY at",
  );
  expect(kept.map(({ step_seconds, at }) => [step_seconds, at.getTime()])).toEqual([
    [3600, hour - 60 * HOUR_MS],
    [3600, hour - HOUR_MS],
  ]);
  expect(await harness.query('SELECT * FROM series_parts')).toEqual([]);

  const names = ['grants', 'leases.open', 'outbox.age_seconds'];
  const long = await ofSeries({ names, from: iso(hour - 70 * HOUR_MS), to: iso(hour), step_seconds: 3600 });
  const grants = long.grants as [string, number][];
  expect(grants[0]).toEqual([iso(hour - 60 * HOUR_MS), 7]);
  expect(grants[1]?.[0]).toBe(iso(hour - HOUR_MS));
  expect(grants[1]?.[1]).toBeGreaterThanOrEqual(118);
  const ages = long['outbox.age_seconds'] as [string, number][];
  expect(ages).toEqual([[iso(hour - HOUR_MS), expect.any(Number)]]);
  expect(ages[0]?.[1]).toBeGreaterThanOrEqual(58);
  const fine = await ofSeries({ names: ['grants'], from: iso(hour - HOUR_MS), to: iso(hour), step_seconds: 300 });
  expect((fine.grants as unknown[]).length).toBe(12);
  expect((await ofSeries({ names: ['grants'], from: iso(hour - 89 * 24 * HOUR_MS) })).step_seconds).toBe(21_600);
});

test('refuses what names no series, and a time that ends before it begins', async () => {
  for (const [body, field] of [
    [{ names: ['moods'] }, 'names.0'],
    [{ from: iso(Date.now()), to: iso(Date.now() - 1) }, 'from'],
    [{ from: iso(Date.now() + HOUR_MS) }, 'from'],
    [{ step_seconds: 59 }, 'step_seconds'],
    [{ step_seconds: 86_401 }, 'step_seconds'],
    [{ from: 'yesterday' }, 'from'],
  ] as const) {
    const { code, details } = await harness.refusal('query.series', body);
    const [issue] = details?.issues as { path: string }[];
    expect({ code, path: issue?.path }).toEqual({ code: 'VALIDATION_FAILED', path: field });
  }
});

test('an instance tallies what it has answered since it was asked before', async () => {
  const metrics = createMetrics();
  const take = createTally(metrics);
  const answer = (operation: string, outcome: string, seconds: number) =>
    metrics.operationDuration.observe({ operation, outcome }, seconds);
  answer('account.allocate', 'success', 0.004);
  answer('account.allocate', 'ALL_BUSY', 0.3);
  answer('query.status', 'success', 500);
  const first = addUpTallies([await take()]);
  expect(first).toMatchObject({ 'requests.account': 2, 'refusals.ALL_BUSY': 1, 'requests.query': 1 });
  expect(first['requests.account.p50_ms']).toBe(5);
  expect(first['requests.query.p99_ms']).toBeGreaterThan(60_000);
  expect(addUpTallies([await take()])).toEqual({});
  answer('account.allocate', 'ALL_BUSY', 0.3);
  expect(addUpTallies([await take()])).toMatchObject({ 'requests.account': 1, 'refusals.ALL_BUSY': 1 });
});
