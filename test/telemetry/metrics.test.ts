import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { createBoundedLabel } from '../../src/telemetry/bounded-label.js';
import { createMetrics } from '../../src/telemetry/metrics.js';

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

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
(hasPromtool ? test : test.skip)('promtool finds nothing wrong with a scrape', async () => {
  const metrics = createMetrics();
  metrics.countAllocation({ service: 'inviter', purpose: 'general', outcome: 'success' });
  metrics.operationDuration.observe({ operation: 'account.allocate', outcome: 'success' }, 0.01);
  const input = await metrics.registry.metrics();
  const { stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' });
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
  expect([...samples.keys()].filter((name) => name.includes('allocations_total'))).toHaveLength(101);
  expect(samples.get(sample('other'))).toBe(50);
  expect(samples.get(sample('service-3'))).toBe(2);
});

test('a bounded label keeps the first values as they are', () => {
  const label = createBoundedLabel(2);
  expect(['a', 'b', 'c', 'a', 'd', 'b'].map(label)).toEqual(['a', 'b', 'other', 'a', 'other', 'b']);
});
