import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { createBoundedLabel } from '../../src/telemetry/bounded-label.js';
import { ALERTS } from '../../contracts/alerts.js';
import { FAILURES } from '../../contracts/failures.js';
import { createMetrics, FLEET_GAUGES } from '../../src/telemetry/metrics.js';
import { findPrometheus } from '../support/prometheus.js';

const PROMTOOL = findPrometheus('promtool');

/** A scrape's samples, by their name and labels. */
const scrape = async ({ registry }: { registry: { metrics(): Promise<string> } }): Promise<Map<string, number>> => {
  const lines = (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
};

test('every metric has a help text and a name of the form Prometheus asks for', async () => {
  const metrics = await createMetrics().registry.getMetricsAsJSON();
  const wrong = metrics
    .map(({ name, help, type }) => ({ name, help, type: String(type) }))
    .filter(({ name, help, type }) => {
      const isCounter = type === 'counter';
      const wellNamed =
        /^[a-z][a-z0-9_]*$/.test(name) && !/_(count|sum|bucket|gauge|counter|histogram|ms|s)$/.test(name);
      return help === '' || !wellNamed || name.endsWith('_total') !== isCounter;
    });
  expect(wrong).toEqual([]);
  expect(metrics.length).toBeGreaterThan(25);
});

test('promtool finds nothing wrong with a scrape', async () => {
  const metrics = createMetrics();
  metrics.countAllocation({ service: 'inviter', purpose: 'general', outcome: 'success' });
  metrics.operationDuration.observe({ operation: 'account.allocate', outcome: 'success' }, 0.01);
  const input = await metrics.registry.metrics();
  const { stdout, stderr } = spawnSync(PROMTOOL, ['check', 'metrics'], { input, encoding: 'utf8' });
  expect(stdout + stderr).toBe('');
});

test('the fleet is shown as last set, and a service without leases disappears', async () => {
  const metrics = createMetrics();
  const fleet = {
    totalAccounts: 50,
    healthyAccounts: 40,
    floodWaitActive: 7,
    blockedActive: 2,
    outboxPending: 3,
    outboxOldestAgeSeconds: 1.5,
    sessionKeys: [{ keyId: 'new', state: 'current', sessions: 50 }],
  };
  metrics.setFleet({
    ...fleet,
    sessionKeys: [{ keyId: 'old', state: 'old', sessions: 50 }],
    leasesByService: new Map([
      ['inviter', 4],
      ['parser', 1],
    ]),
  });
  metrics.setFleet({ ...fleet, leasesByService: new Map([['inviter', 2]]) });
  const samples = await scrape(metrics);
  expect(samples.get('account_manager_total_accounts')).toBe(50);
  expect(samples.get('account_manager_healthy_accounts')).toBe(40);
  expect(samples.get('account_manager_sessions{key_id="new",state="current"}')).toBe(50);
  expect(samples.get('account_manager_sessions{key_id="old",state="old"}')).toBeUndefined();
  expect(samples.get('account_manager_flood_wait_active')).toBe(7);
  expect(samples.get('account_manager_blocked_active')).toBe(2);
  expect(samples.get('account_manager_outbox_pending_events')).toBe(3);
  expect(samples.get('account_manager_outbox_oldest_age_seconds')).toBe(1.5);
  expect([...samples].filter(([name]) => name.startsWith('account_manager_leases_active'))).toEqual([
    ['account_manager_leases_active{service="inviter"}', 2],
  ]);
});

test('the pool is read at the scrape', async () => {
  const metrics = createMetrics();
  let waiting = 1;
  metrics.watchPool(() => ({ open: 8, idle: 3, waiting }));
  waiting = 2;
  const samples = await scrape(metrics);
  expect(samples.get('account_manager_database_pool_connections{state="idle"}')).toBe(3);
  expect(samples.get('account_manager_database_pool_connections{state="used"}')).toBe(5);
  expect(samples.get('account_manager_database_pool_waiting_requests')).toBe(2);
});

test('service names that callers choose cannot make series without end', async () => {
  const metrics = createMetrics();
  for (let n = 0; n < 150; n++) {
    metrics.countAllocation({ service: `service-${n}`, purpose: 'general', outcome: 'ALL_BUSY' });
  }
  metrics.countAllocation({ service: 'service-3', purpose: 'general', outcome: 'ALL_BUSY' });
  const sample = (service: string) =>
    `account_manager_allocations_total{service="${service}",purpose="general",outcome="ALL_BUSY"}`;
  const samples = await scrape(metrics);
  const series = [...samples.keys()].filter((name) => name.includes('allocations_total'));
  expect(series.filter((name) => name.includes('ALL_BUSY'))).toHaveLength(101);
  // A refusal of another kind is seen as an increase, though it is the first.
  const others = sample('service-3').replace('ALL_BUSY', 'ALL_LIMITED');
  expect(samples.get(others)).toBe(0);
  expect(samples.get(sample('other'))).toBe(50);
  expect(samples.get(sample('service-3'))).toBe(2);
});

test('a bounded label keeps the first values as they are', () => {
  const label = createBoundedLabel(2);
  expect(['a', 'b', 'c', 'a', 'd', 'b'].map(label)).toEqual(['a', 'b', 'other', 'a', 'other', 'b']);
});

test('a counter begins with 0 for every set of labels that is known beforehand', async () => {
  const metrics = createMetrics();
  const begun = await metrics.registry.getMetricsAsJSON();
  const without = begun.filter(({ type, values }) => String(type) === 'counter' && values.length === 0);
  // Callers choose their labels.
  expect(without.map(({ name }) => name)).toEqual([
    'account_manager_allocations_total',
    'account_manager_throttled_total',
  ]);
  const samples = await scrape(metrics);
  expect(samples.get('account_manager_job_runs_total{job="report",outcome="failed"}')).toBe(0);
  expect(samples.get('account_manager_refusals_total{operation="account.release",code="INTERNAL",rule=""}')).toBe(0);
  expect(samples.get('account_manager_refusals_total{operation="action.acquire",code="",rule="burst"}')).toBe(0);
  expect(samples.get('account_manager_events_published_total{type="account.blocked"}')).toBe(0);
  expect(samples.get('account_manager_replies_lost_total')).toBe(0);
  const parked = [...samples.keys()].filter((name) => name.startsWith('account_manager_parked_total'));
  expect(parked).toHaveLength(Object.values(FAILURES).filter((failure) => failure.parked).length);
  // All of it is read at every scrape.
  expect(samples.size).toBeLessThan(1_500);
});

test('open alerts are shown by name, and every other with 0', async () => {
  const metrics = createMetrics();
  const alert = { kind: 'proxy_failing', severity: 'warning' };
  metrics.setAlerts([alert, alert, { kind: 'of_another_version', severity: 'info' }]);
  const shown = async () =>
    new Map([...(await scrape(metrics))].filter(([name]) => name.startsWith('account_manager_alerts_active')));
  const samples = await shown();
  expect(samples.size).toBe(Object.keys(ALERTS).length + 1);
  expect(samples.get('account_manager_alerts_active{alert="proxy_failing",severity="warning"}')).toBe(2);
  expect(samples.get('account_manager_alerts_active{alert="blocked_share",severity="critical"}')).toBe(0);
  expect(samples.get('account_manager_alerts_active{alert="of_another_version",severity="info"}')).toBe(1);
  metrics.setAlerts([]);
  expect([...(await shown()).values()]).toEqual(Object.keys(ALERTS).map(() => 0));
});

test('the version, and the requests in work by door', async () => {
  const metrics = createMetrics();
  metrics.watchWork(() => ({ amqp: 3, http: 1 }));
  const samples = await scrape(metrics);
  expect(samples.get('account_manager_requests_in_work{door="amqp"}')).toBe(3);
  expect(samples.get('account_manager_requests_in_work{door="http"}')).toBe(1);
  const [version] = [...samples.keys()].filter((name) => name.startsWith('account_manager_build_info'));
  expect(version).toMatch(/^account_manager_build_info\{version="\d+\.\d+\.\d+/);
});

test('the gauges of the fleet are among those declared', () => {
  const names = createMetrics()
    .registry.getMetricsAsArray()
    .map(({ name }) => name);
  expect([...FLEET_GAUGES].filter((name) => !names.includes(name))).toEqual([]);
});
