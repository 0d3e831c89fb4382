import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { ALERTS } from '../../contracts/alerts.js';
import { createMetrics, FLEET_GAUGES } from '../../src/telemetry/metrics.js';
import { readMetrics } from '../support/promql.js';
import { blocksOf, readDashboard, readRuleCases, readRules, readRunbooks } from '../support/watching.js';

// Alerts, rules, dashboard and runbook say the same, and name only what there is.

const ROOT = path.resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');

const rules = readRules();
const runbooks = readRunbooks();
const dashboard = readDashboard({ job: 'account-manager', interval: '1m' });
const queries = [
  ...rules.map(({ alert, expr }) => ({ where: alert, query: expr })),
  ...dashboard.map(({ panel, query }) => ({ where: panel, query })),
  ...[...runbooks].flatMap(([where, page]) => blocksOf(page, 'promql').map((query) => ({ where, query }))),
];

/** `AccountManagerBlockedShare` is told by the page `blocked_share`. */
const pageOf = (rule: string): string =>
  rule
    .replace(/^AccountManager/, '')
    .replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    .slice(1);

test('every alert of the service has a rule of its severity, and the manual lists it', () => {
  const passedOn = rules.flatMap(({ alert, expr, labels }) => {
    const [, name] = /account_manager_alerts_active\{alert="(\w+)"\}/.exec(expr) ?? [];
    return name === undefined ? [] : [[alert, name, labels.severity]];
  });
  const rule = (name: string) =>
    `AccountManager${name.replaceAll(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase())}`;
  expect(passedOn).toEqual(Object.entries(ALERTS).map(([name, severity]) => [rule(name), name, severity]));
  const manual = read('docs/operating.md').split('\n## Alerts')[1]!.split('\n## ')[0]!;
  const listed = [...manual.matchAll(/^\| `(\w+)` \| (\w+) \|/gm)].map(([, name, severity]) => [name, severity]);
  expect(Object.fromEntries(listed)).toEqual(ALERTS);
});

test('every rule has a page, and every page a rule', () => {
  expect(rules.map(({ alert }) => pageOf(alert)).toSorted()).toEqual([...runbooks.keys()].toSorted());
  const index = read('docs/runbooks/README.md');
  for (const { alert, labels, annotations } of rules) {
    const name = pageOf(alert);
    const page = runbooks.get(name) ?? '';
    expect(annotations.runbook_url).toMatch(new RegExp(`^https://[^ ]+/docs/runbooks/${name}\\.md$`));
    expect(annotations.summary).toMatch(/^[A-Z{].{10,}[^.]$/);
    expect(annotations.description).toMatch(/^[A-Z{].{20,}\.$/);
    expect(['info', 'warning', 'critical']).toContain(labels.severity);
    expect(page.split('\n').slice(0, 3)).toEqual([
      `# ${name}`,
      '',
      expect.stringContaining(`Severity: ${labels.severity!}. Rule: \`${alert}\``),
    ]);
    expect([...page.matchAll(/^## (.+)\n\n\S/gm)].map(([, title]) => title)).toEqual([
      'Meaning',
      'Impact',
      'What to look at',
      'Cure',
    ]);
    expect(index).toContain(`| [${name}](${name}.md) | ${labels.severity!} |`);
  }
});

test('every rule has a case in which it is quiet and one in which it fires', () => {
  const seen = new Map(rules.map(({ alert }) => [alert, new Set<string>()]));
  for (const { promql_expr_test: asked = [] } of readRuleCases()) {
    for (const { expr, exp_samples: expected } of asked) {
      const [, alert = ''] = /alertname="(\w+)"/.exec(expr) ?? [];
      seen.get(alert)?.add(expected.length === 0 ? 'quiet' : 'fires');
    }
  }
  expect([...seen].filter(([, outcomes]) => outcomes.size < 2)).toEqual([]);
});

test('queries name only metrics that there are', async () => {
  const declared = await createMetrics().registry.getMetricsAsJSON();
  const known = new Set(['up', ...declared.flatMap(({ name, type }) => seriesOf(name, String(type)))]);
  const unknown = queries.flatMap(({ where, query }) =>
    readMetrics(query).flatMap(({ name }) => (known.has(name) ? [] : [`${where}: ${name}`])),
  );
  expect(queries.length).toBeGreaterThan(100);
  expect(unknown).toEqual([]);
  expect(readMetrics('sum(rate(unheard_of[5m]))')).toEqual([{ name: 'unheard_of', aggregation: 'sum' }]);
});

const seriesOf = (name: string, type: string): string[] =>
  type === 'histogram' ? ['_bucket', '_sum', '_count'].map((part) => name + part) : [name];

test('a metric that every instance shows alike is not added up', () => {
  const added = queries.flatMap(({ where, query }) =>
    readMetrics(query).flatMap(({ name, aggregation }) =>
      FLEET_GAUGES.has(name) && aggregation !== 'max' && aggregation !== null
        ? [`${where}: ${aggregation}(${name})`]
        : [],
    ),
  );
  expect(added).toEqual([]);
  const shown = dashboard.flatMap(({ query }) => readMetrics(query)).filter(({ name }) => FLEET_GAUGES.has(name));
  expect(shown.filter(({ aggregation }) => aggregation === null)).toEqual([]);
  expect(new Set(shown.map(({ name }) => name))).toEqual(FLEET_GAUGES);
});

test('the dashboard shows every metric of the service', async () => {
  const declared = await createMetrics().registry.getMetricsAsJSON();
  const shown = new Set(dashboard.flatMap(({ query }) => readMetrics(query).map(({ name }) => name)));
  const missing = declared
    .filter(({ name }) => name.startsWith('account_manager_'))
    .filter(({ name, type }) => !seriesOf(name, String(type)).some((series) => shown.has(series)));
  expect(missing.map(({ name }) => name)).toEqual([]);
});
