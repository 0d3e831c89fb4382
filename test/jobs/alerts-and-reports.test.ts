import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { fleetReport } from '../../contracts/jobs.js';
import { FLEET_ALERTS } from '../../src/decide/jobs/judge-shares.js';
import { healthScan } from '../../src/jobs/health-scan.js';
import { makeReport } from '../../src/jobs/report.js';
import { settleAlerts } from '../../src/store/fleet/alerts.js';
import { ask } from '../support/ask.js';
import { type JobsHarness, startJobs } from '../support/jobs.js';
import { type OperationsHarness, startOperations } from '../support/operations.js';
import { letWait, seedAccounts } from '../support/seed-accounts.js';

let operations: OperationsHarness;
let one: JobsHarness;
let two: JobsHarness;

const NOON = Date.parse('2026-03-01T12:00:00Z');

beforeAll(async () => {
  operations = await startOperations();
  const urls = { databaseUrl: operations.databaseUrl, redisUrl: operations.redis.url };
  [one, two] = await Promise.all([startJobs(urls, 'one'), startJobs(urls, 'two')]);
});
afterAll(async () => {
  await Promise.all([one.close(), two.close()]);
  await operations.close();
});
beforeEach(() =>
  operations.query(
    'TRUNCATE alerts, reports, events, leases, answered_requests, counted_actions, telegram_sessions CASCADE',
  ),
);

type Row = { type: string; data: Record<string, unknown> };
/** Alerts as they were announced, oldest first. */
const announced = async (): Promise<string[]> => {
  const rows = await operations.query<Row>(`SELECT type, data FROM events WHERE type LIKE 'alert.%' ORDER BY id`);
  return rows.map(({ type, data }) => [type, data.alert, data.subject, data.state].filter(Boolean).join(' '));
};

test('thresholds of the fleet: raised over them, once, and resolved once', async () => {
  const ids = await seedAccounts(operations, 1, 100);
  const scan = () => one.work(healthScan);
  await letWait(operations, ids.slice(0, 10), { fromMs: 3_600_000 });
  await letWait(operations, ids.slice(10, 15), { status: 'blocked', fromMs: 3_600_000 });
  const near = (count: number) =>
    operations.query(
      `INSERT INTO usage_windows (account_id, action_type, day, day_count)
       SELECT id, a.type, current_date, 24 FROM unnest($1::uuid[]) AS u(id), (VALUES ('invite'), ('message')) AS a(type)
       ON CONFLICT DO NOTHING`,
      [ids.slice(50, 50 + count)],
    );
  await near(30);
  // 10 %, 5 % and 30 % are not more than 10 %, 5 % and 30 %.
  await scan();
  expect(await announced()).toEqual([]);

  await letWait(operations, ids.slice(15, 16), { fromMs: 3_600_000 });
  await letWait(operations, ids.slice(16, 17), { status: 'blocked', fromMs: 3_600_000 });
  await near(31);
  await scan();
  expect(await announced()).toEqual([
    'alert.warning flood_wait_share raised',
    'alert.critical blocked_share raised',
    'alert.info near_limits_share raised',
  ]);
  // Again, by another job, and by both at once.
  await Promise.all([scan(), two.work(healthScan), two.work(makeReport, { scheduledFor: NOON })]);
  expect(await announced()).toHaveLength(3);

  await operations.query(
    `UPDATE telegram_sessions SET status = 'active', flood_wait_until = NULL, blocked_until = NULL`,
  );
  await Promise.all([scan(), two.work(healthScan)]);
  expect((await announced()).slice(3).sort()).toEqual([
    'alert.critical blocked_share resolved',
    'alert.warning flood_wait_share resolved',
  ]);
  const pairs = await operations.query<{ alert_id: string; states: string[] }>(
    `SELECT data ->> 'alert_id' AS alert_id, array_agg(data ->> 'state' ORDER BY id) AS states FROM events
     WHERE data ->> 'alert' = 'blocked_share' GROUP BY 1`,
  );
  expect(pairs).toMatchObject([{ states: ['raised', 'resolved'] }]);

  // A fault that comes again is another alert.
  await letWait(operations, ids.slice(0, 20), { status: 'blocked', fromMs: 3_600_000 });
  await scan();
  expect(await operations.query(`SELECT 1 FROM alerts WHERE kind = 'blocked_share'`)).toHaveLength(2);
});

test('an exceeded limit: its alert is resolved once, when there is room again, and raised anew after that', async () => {
  const [account_id] = await operations.registerAccounts(4, 1);
  const exceed = async () => {
    for (let count = 1; count <= 6; count++)
      await operations.succeed('action.record', { account_id, action_type: 'invite' });
  };
  await exceed();
  const told = ['raised', 'resolved', 'raised'].map(
    (state) => `alert.warning limit_exceeded ${account_id} invite ${state}`,
  );
  await one.work(healthScan);
  expect(await announced()).toEqual(told.slice(0, 1));
  await operations.query(`UPDATE alerts SET data = data || jsonb_build_object('until', now())`);
  await Promise.all([one.work(healthScan), two.work(healthScan)]);
  expect(await announced()).toEqual(told.slice(0, 2));
  await exceed();
  expect(await announced()).toEqual(told);
  const ids = await operations.query(
    `SELECT DISTINCT data ->> 'alert_id' AS id FROM events WHERE type = 'alert.warning'`,
  );
  expect(ids).toHaveLength(2);
});

test('an alert that two instances find at the same time is raised once', async () => {
  const alert = { kind: FLEET_ALERTS[0], subject: '', severity: 'warning', data: { accounts: 1 } } as const;
  const settle = (harness: JobsHarness) => settleAlerts(harness.context.database, FLEET_ALERTS, [alert]);
  const settled = await Promise.all([settle(one), settle(two), settle(one), settle(two)]);
  expect(settled.map(({ raised }) => raised).sort()).toEqual([0, 0, 0, 1]);
  expect(await announced()).toHaveLength(1);
});

test('the scan finds trouble in the data, plans recoveries, and says what it found', async () => {
  const ids = await seedAccounts(operations, 2, 40);
  await operations.query('UPDATE telegram_sessions SET error_count = 5 WHERE id = $1', [ids[0]]);
  await letWait(operations, [ids[1]!], { fromMs: 90 * 86_400_000 });
  await letWait(operations, [ids[2]!], { fromMs: -600_000 });
  await operations.query(
    `UPDATE telegram_sessions SET locked = true, locked_by = 'gone', locked_until = now() - interval '3 hours',
       lease_id = gen_random_uuid() WHERE id = $1`,
    [ids[3]],
  );
  // Five accounts behind one proxy, told in several ways; three of them fail. Behind the other one of four does.
  const proxies = ['socks5://user:secret@10.0.0.1:1080', '10.0.0.1:1080', { host: '10.0.0.1', port: 1080 }];
  for (const [index, proxy] of [...proxies, proxies[0], proxies[1]].entries()) {
    await operations.query(
      `UPDATE telegram_sessions SET session_metadata = jsonb_build_object('proxy', $2::jsonb), error_count = $3 WHERE id = $1`,
      [ids[10 + index], JSON.stringify(proxy), index < 3 ? 9 : 0],
    );
  }
  await operations.query(
    `UPDATE telegram_sessions SET session_metadata = '{"proxy": "http://10.0.0.2:3128"}' WHERE id = ANY($1::uuid[])`,
    [ids.slice(20, 24)],
  );
  await operations.query('UPDATE telegram_sessions SET error_count = 5 WHERE id = $1', [ids[20]]);

  expect(await one.work(healthScan)).toMatchObject({
    high_error_counts: 5,
    waits_without_end: 1,
    overdue_recoveries: 1,
    expired_leases: 1,
    failing_proxies: 1,
    recovered: 1,
    recoveries_planned: 1,
  });
  expect((await announced()).sort()).toEqual([
    'alert.warning expired_leases raised',
    'alert.warning high_error_counts raised',
    'alert.warning overdue_recoveries raised',
    'alert.warning proxy_failing 10.0.0.1:1080 raised',
    'alert.warning waits_without_end raised',
  ]);
  const everything = JSON.stringify(await operations.query('SELECT * FROM events, alerts'));
  expect(everything).not.toContain('secret');
  await one.work(healthScan);
  expect((await announced()).slice(5)).toEqual(['alert.warning overdue_recoveries resolved']);
});

test('an account that cannot be settled fails the scan, and keeps nothing else of it from being done', async () => {
  const [broken, waiting] = (await seedAccounts(operations, 6, 2)) as [string, string];
  await letWait(operations, [broken], { fromMs: -1_000 });
  await letWait(operations, [waiting], { fromMs: 3_600_000 });
  // Its next event has a number that is taken, as where rows were put back by hand.
  await operations.query(
    `INSERT INTO events (event_id, type, account_id, sequence, data, occurred_at) VALUES (gen_random_uuid(), 'test', $1, 1, '{}', now())`,
    [broken],
  );
  await operations.redis.flush();
  await expect(one.work(healthScan)).rejects.toThrow(/duplicate key/);
  expect(await one.context.recoveryQueue.state()).toMatchObject({ kind: 'whole' });
});

test('a report tells waits as they are now, and the error that began them whatever an operator did since', async () => {
  const [account_id] = await operations.registerAccounts(5, 1);
  await operations.succeed('account.error', { account_id, error_message: 'FLOOD_WAIT_7200' });
  await operations.succeed('account.error', { account_id, error_message: 'PEER_FLOOD' });
  const waits = async (scheduledFor: number) => {
    await one.work(makeReport, { scheduledFor });
    return (await ask(operations, 'query.report', {})).report?.waits;
  };
  await operations.succeed('admin.schedule-recovery', {
    account_id,
    recovery_time: new Date(Date.now() + 7_000_000).toISOString(),
  });
  expect(await waits(NOON)).toEqual([{ status: 'blocked', cause: 'peer_flood', accounts: 1 }]);
  // The block is over, the flood wait under it is not, and nobody has met the account since.
  await operations.query(`UPDATE telegram_sessions SET blocked_until = now() - interval '1 second'`);
  expect(await waits(NOON + 1)).toEqual([{ status: 'flood_wait', cause: 'flood_wait', accounts: 1 }]);
});

test('a report tells the state of the fleet; it is stored, announced once, and found by id and time', async () => {
  const [first, second, third] = await operations.registerAccounts(3, 4);
  const wish = { user_id: 3, purpose: 'general', service_name: 'inviter' };
  await operations.succeed('account.allocate', { ...wish, preferred_account_id: first });
  await operations.succeed('action.acquire', {
    account_id: first,
    action_type: 'invite',
    service_name: 'inviter',
  });
  const denied = await operations.succeed('action.acquire', {
    account_id: first,
    action_type: 'invite',
    service_name: 'inviter',
  });
  expect(denied.allowed).toBe(false);
  await operations.refusal('account.release', {
    account_id: first,
    service_name: 'stranger',
    usage_stats: { invites_sent: 0, messages_sent: 0, contacts_added: 0, success: true },
  });
  await operations.succeed('account.error', { account_id: second, error_message: 'FLOOD_WAIT_600' });
  await operations.succeed('account.error', { account_id: third, error_message: 'PEER_FLOOD' });

  await one.work(makeReport, { scheduledFor: NOON });
  await two.work(makeReport, { scheduledFor: NOON });
  const { report: latest } = await ask(operations, 'query.report', {});
  const found = fleetReport.parse(latest);
  expect(found).toMatchObject({
    total_accounts: 4,
    healthy_accounts: 2,
    health_percent: 50,
    status_breakdown: { active: 2, flood_wait: 1, blocked: 1, draining: 0, disabled: 0 },
    near_limits: 0,
    usage_today: { invite: 1, message: 0 },
    refusals: [
      { operation: 'account.release', code: 'NOT_HELD', rule: null, count: 1 },
      { operation: 'action.acquire', code: null, rule: 'cooldown', count: 1 },
    ],
    services: [{ service_name: 'inviter', leases: 1, open_leases: 1, actions: 1 }],
    waits: [
      { status: 'blocked', cause: 'peer_flood', accounts: 1 },
      { status: 'flood_wait', cause: 'flood_wait', accounts: 1 },
    ],
  });
  expect(found.alerts.map(({ alert }) => alert).sort()).toEqual(['blocked_share', 'flood_wait_share']);
  // Two active accounts, and the flood wait that ends today unless today does so first.
  expect(found.remaining_today.invite).toBeLessThanOrEqual(89);
  const events = await operations.query<Row>(`SELECT type, data FROM events WHERE type = 'report.generated'`);
  expect(events).toEqual([{ type: 'report.generated', data: found }]);

  // More than an `integer` holds.
  await operations.query(
    `INSERT INTO counted_actions (id, account_id, action_type, service_name, quantity, counted_at, settled_at, success)
     SELECT gen_random_uuid(), $1, 'parse', 'parser', 2000000000, now(), now(), true FROM generate_series(1, 2)`,
    [first],
  );
  await two.work(makeReport, { scheduledFor: NOON + 6 * 3_600_000 });
  const { report: next } = await ask(operations, 'query.report', {});
  expect(next?.report_id).not.toBe(found.report_id);
  expect(next?.since).toBe(found.generated_at);
  expect(next?.services.find(({ service_name }) => service_name === 'parser')?.actions).toBe(4_000_000_000);
  expect(next?.refusals).toEqual([]);
  expect((await ask(operations, 'query.report', { report_id: found.report_id })).report).toEqual(found);
  expect((await ask(operations, 'query.report', { at: found.generated_at })).report).toEqual(found);
  expect((await ask(operations, 'query.report', { at: '2020-01-01T00:00:00Z' })).report).toBeNull();
  expect((await ask(operations, 'query.report', { at: '0001-01-01T00:00:00Z' })).report).toBeNull();
  expect((await ask(operations, 'query.report', { at: '9999-12-31T23:59:59Z' })).report).toEqual(next);
  expect((await operations.refusal('query.report', { at: '0000-12-31T00:00:00Z' })).code).toBe('VALIDATION_FAILED');
});
