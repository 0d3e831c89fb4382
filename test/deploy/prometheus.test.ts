import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, jest, test } from '@jest/globals';
import { stringify } from 'yaml';
import { findPrometheus } from '../support/prometheus.js';
import { readRuleCases, readRules, RULES_FILE, RULES_FOLDER } from '../support/watching.js';

const PROMTOOL = findPrometheus('promtool');
// promtool opens a database for each case: 4 s of a processor.
jest.setTimeout(120_000);

/** Runs promtool in a folder; answers its exit code and what it has said. */
function promtool(folder: string, ...args: string[]): { status: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync(PROMTOOL, args, { cwd: folder, encoding: 'utf8' });
  return { status, said: stdout + stderr };
}

test('promtool takes the rules, and each fires when it should and only then', () => {
  const checked = promtool(RULES_FOLDER, 'check', 'rules', 'rules.yml');
  expect(checked).toEqual({ status: 0, said: expect.stringContaining(`${readRules().length} rules found`) });
  const tested = promtool(RULES_FOLDER, 'test', 'rules', 'rules.test.yml');
  expect(tested).toEqual({ status: 0, said: expect.stringContaining('SUCCESS') });
});

test('promtool notices a rule that fires too early, and one that is no PromQL', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'rules-'));
  const rules = readFileSync(RULES_FILE, 'utf8');
  const tests = readRuleCases().filter(({ name }) => name === 'AccountManagerBlockedShare');
  writeFileSync(path.join(folder, 'one.yml'), stringify({ rule_files: ['rules.yml'], tests }));
  const change = (from: string, to: string): void => {
    expect(rules).toContain(from);
    writeFileSync(path.join(folder, 'rules.yml'), rules.replace(from, to));
  };
  change('alert="blocked_share"}) > 0', 'alert="blocked_share"}) >= 0');
  const tested = promtool(folder, 'test', 'rules', 'one.yml');
  expect(tested).toEqual({ status: 1, said: expect.stringContaining('AccountManagerBlockedShare') });
  change('alert="blocked_share"}) > 0', 'alert="blocked_share"}) >');
  expect(promtool(folder, 'check', 'rules', 'rules.yml').status).toBe(1);
});

test('promtool takes the configuration of Prometheus, and notices a setting that it does not know', () => {
  const checked = promtool(RULES_FOLDER, 'check', 'config', 'prometheus.yml');
  expect(checked).toEqual({ status: 0, said: expect.stringContaining('SUCCESS') });
  const folder = mkdtempSync(path.join(tmpdir(), 'prometheus-'));
  const config = readFileSync(path.join(RULES_FOLDER, 'prometheus.yml'), 'utf8');
  writeFileSync(path.join(folder, 'prometheus.yml'), config.replace('scrape_interval', 'scrape_intervall'));
  const refused = promtool(folder, 'check', 'config', '--syntax-only', 'prometheus.yml');
  expect(refused).toEqual({ status: 1, said: expect.stringContaining('scrape_intervall') });
});
