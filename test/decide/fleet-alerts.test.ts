import { expect, test } from '@jest/globals';
import { type Alert, compareAlerts } from '../../src/decide/jobs/compare-alerts.js';
import { findFailingProxies, nameProxy } from '../../src/decide/condition/failing-proxies.js';
import { judgeShares } from '../../src/decide/jobs/judge-shares.js';

const THRESHOLDS = { floodWaitPercent: 10, blockedPercent: 5, nearLimitsPercent: 30 };
const kinds = (flood_wait: number, blocked: number, nearLimits: number, active: number): string[] =>
  judgeShares({ byStatus: { active, flood_wait, blocked, draining: 0, disabled: 0 }, nearLimits }, THRESHOLDS).map(
    ({ kind, severity }) => `${severity} ${kind}`,
  );

test('shares over their threshold are alerts, those at it are not', () => {
  expect(kinds(10, 5, 30, 85)).toEqual([]);
  expect(kinds(11, 5, 30, 84)).toEqual(['warning flood_wait_share']);
  expect(kinds(10, 6, 31, 84)).toEqual(['critical blocked_share', 'info near_limits_share']);
  expect(kinds(0, 0, 0, 0)).toEqual([]);
  expect(kinds(1, 0, 0, 0)).toEqual(['warning flood_wait_share']);
});

test('an alert tells its figures', () => {
  const byStatus = { active: 2, flood_wait: 1, blocked: 0, draining: 0, disabled: 0 };
  expect(judgeShares({ byStatus, nearLimits: 0 }, THRESHOLDS)[0]?.data).toEqual({
    accounts: 1,
    total_accounts: 3,
    percent: 33.3,
    threshold_percent: 10,
  });
});

test('new findings are raised, alerts without a finding are resolved, the others are kept', () => {
  const alert = (kind: Alert['kind'], subject = '', accounts = 1): Alert => ({
    kind,
    subject,
    severity: 'warning',
    data: { accounts },
  });
  const open = [
    { ...alert('broker'), alertId: '1' },
    { ...alert('proxy_failing', 'x'), alertId: '2' },
    { ...alert('proxy_failing', 'y'), alertId: '3' },
  ];
  const changes = compareAlerts(open, [
    alert('proxy_failing', 'y', 5),
    alert('proxy_failing', 'z'),
    alert('proxy_failing', 'z'),
  ]);
  expect(changes.raise).toEqual([alert('proxy_failing', 'z')]);
  expect(changes.resolve.map(({ alertId }) => alertId)).toEqual(['1', '2']);
  expect(changes.keep).toEqual([{ open: open[2], found: alert('proxy_failing', 'y', 5) }]);
});

test.each([
  ['socks5://user:pass@10.0.0.1:1080', '10.0.0.1:1080'],
  ['http://Proxy.Example.com:3128/path?x=1', 'proxy.example.com:3128'],
  ['10.0.0.1:1080', '10.0.0.1:1080'],
  ['10.0.0.1:1080:user:pass', '10.0.0.1:1080'],
  ['socks5://user:p@ss@10.0.0.1:1080', '10.0.0.1:1080'],
  ['[2001:db8::1]:1080', '[2001:db8::1]:1080'],
  [{ host: '10.0.0.1', port: 1080, username: 'u', password: 'secret' }, '10.0.0.1:1080'],
  [{ addr: '10.0.0.1', port: '1080' }, '10.0.0.1:1080'],
  [{ hostname: 'proxy' }, 'proxy'],
  [{ url: 'socks5://u:p@10.0.0.1:1080' }, '10.0.0.1:1080'],
  [{ username: 'u' }, null],
  ['', null],
  [17, null],
  [null, null],
])('%j is the proxy %s', (proxy, name) => {
  expect(nameProxy(proxy)).toBe(name);
});

test('a proxy fails when three of its accounts do, and half of them at least', () => {
  const subjects = (accounts: number, failing: number) =>
    findFailingProxies([{ proxy: 'a:1', accounts, failing }]).map(({ subject }) => subject);
  expect(subjects(2, 2)).toEqual([]);
  expect(subjects(6, 3)).toEqual(['a:1']);
  expect(subjects(7, 3)).toEqual([]);
  // One proxy told in two ways.
  expect(
    findFailingProxies([
      { proxy: 'socks5://x:y@a:1', accounts: 2, failing: 2 },
      { proxy: { host: 'a', port: 1 }, accounts: 1, failing: 1 },
    ]),
  ).toMatchObject([{ subject: 'a:1', data: { accounts: 3, failing: 3 } }]);
});
