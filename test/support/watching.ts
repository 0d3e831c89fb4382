import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { readBlocks } from './guide.js';

// The files for watching the service: rules, the dashboard, and the pages of the runbook.

const ROOT = path.resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');

export const RULES_FOLDER = path.join(ROOT, 'deploy/prometheus');
export const RULES_FILE = path.join(RULES_FOLDER, 'rules.yml');

export interface Rule {
  alert: string;
  expr: string;
  for?: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

export const readRules = (): Rule[] =>
  (parse(read('deploy/prometheus/rules.yml')) as { groups: { rules: Rule[] }[] }).groups.flatMap(({ rules }) => rules);

export interface RuleCase {
  name: string;
  promql_expr_test?: { expr: string; exp_samples: { value: number }[] }[];
}

export const readRuleCases = (): RuleCase[] =>
  (parse(read('deploy/prometheus/rules.test.yml')) as { tests: RuleCase[] }).tests;

/** The pages of the runbook by name, but for their index. */
export const readRunbooks = (): Map<string, string> =>
  new Map(
    readdirSync(path.join(ROOT, 'docs/runbooks'))
      .filter((file) => file !== 'README.md')
      .map((file) => [file.replace(/\.md$/, ''), read(`docs/runbooks/${file}`)]),
  );

/** The lines of every block of a language in a page. */
export const blocksOf = (page: string, language: string): string[] =>
  readBlocks(page)
    .filter((block) => block.language === language)
    .flatMap(({ text }) => text.split('\n'))
    .filter((line) => line !== '');

export interface DashboardQuery {
  /** The title of its panel. */
  panel: string;
  /** As Prometheus takes it, for one installation. */
  query: string;
}

interface Panel {
  title: string;
  targets?: { expr: string }[];
}

interface Dashboard {
  panels: Panel[];
  annotations: { list: { name: string; expr: string }[] };
}

/** Every query of the dashboard, with its variables replaced as Grafana replaces them. */
export function readDashboard({ job, interval }: { job: string; interval: string }): DashboardQuery[] {
  const { panels, annotations } = JSON.parse(read('deploy/grafana/dashboards/account-manager.json')) as Dashboard;
  const queries = [
    ...panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ panel: title, expr }))),
    ...annotations.list.map(({ name, expr }) => ({ panel: name, expr })),
  ];
  return queries.map(({ panel, expr }) => ({
    panel,
    query: expr.replaceAll('$job', job).replaceAll('$__rate_interval', interval),
  }));
}
