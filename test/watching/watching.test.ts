import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type OpenService, openService } from '../conformance/open-service.js';
import { buildService } from '../support/build-service.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/ports.js';
import { findPrometheus } from '../support/prometheus.js';
import { telethonSession } from '../support/session-strings.js';
import { blocksOf, readDashboard, readRules, readRunbooks, RULES_FILE } from '../support/watching.js';

// A service at work and a Prometheus that scrapes it: `make watch-test`.

jest.setTimeout(300_000);
const PROMETHEUS = findPrometheus('prometheus');
const JOB = 'account-manager';
const TOKEN = 'a-token-of-the-operator';
const ACCESS = {
  services: [
    {
      name: 'operator',
      role: 'operator',
      users: '*',
      http_token_sha256: [createHash('sha256').update(TOKEN).digest('hex')],
    },
  ],
};

let folder: string;
let service: OpenService;
let prometheus: ChildProcess;
let prometheusUrl: string;
let accountId: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'watching-'));
  const accessFile = path.join(folder, 'access.json');
  writeFileSync(accessFile, JSON.stringify(ACCESS));
  service = await openService({ ACCESS_FILE: accessFile });
  await work();
  await startPrometheus();
});
afterAll(async () => {
  prometheus.kill();
  await once(prometheus, 'exit');
  await service.close();
  rmSync(folder, { recursive: true });
});

const ask = async (operation: Parameters<OpenService['send']>[1], body: Record<string, unknown>) =>
  (await service.send('http', operation, body, { token: TOKEN })).reply as Record<string, unknown>;

/** Something of everything, so that queries find something to show. */
async function work(): Promise<void> {
  const registered = (await ask('admin.register', {
    accounts: [1, 2].map((n) => ({ user_id: 1, phone: `+4915100000${n}`, session_data: telethonSession() })),
  })) as { accounts: { account_id: string }[] };
  accountId = registered.accounts[0]!.account_id;
  const granted = { user_id: 1, purpose: 'general', service_name: 'operator' };
  const { allocation } = (await ask('account.allocate', granted)) as {
    allocation: { account_id: string; lease_id: string };
  };
  const held = { account_id: allocation.account_id, service_name: 'operator', lease_id: allocation.lease_id };
  await ask('action.acquire', { ...held, action_type: 'message' });
  await ask('account.release', held);
  await ask('admin.run-job', { job: 'process-recoveries' });
  // Invalid: it is parked.
  await service.rpc.ask('account.release', { nonsense: true }).catch(() => undefined);
}

async function startPrometheus(): Promise<void> {
  const config = path.join(folder, 'prometheus.yml');
  const target = new URL(service.service.httpUrl).host;
  writeFileSync(
    config,
    JSON.stringify({
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: [RULES_FILE],
      scrape_configs: [{ job_name: JOB, static_configs: [{ targets: [target] }] }],
    }),
  );
  const address = `127.0.0.1:${await freePort()}`;
  prometheusUrl = `http://${address}`;
  prometheus = spawn(
    PROMETHEUS,
    [`--config.file=${config}`, `--storage.tsdb.path=${folder}/data`, `--web.listen-address=${address}`],
    { stdio: 'ignore' },
  );
  // The gauges of the fleet and the watch over the broker have their values with the third scrape.
  const scrapes = `count_over_time(account_manager_queue_messages{queue="account-manager.parked"}[5m]) > 2`;
  await eventually('it has scraped', async () => (await query(scrapes).catch(() => [])).length > 0, 120_000);
}

/** Result of a query to Prometheus; rejects with its error message. */
async function query(text: string): Promise<{ metric: Record<string, string>; value: [number, string] }[]> {
  const response = await fetch(`${prometheusUrl}/api/v1/query?${new URLSearchParams({ query: text }).toString()}`);
  const answer = (await response.json()) as { status: string; error?: string; data: { result: never[] } };
  if (answer.status !== 'success') throw new Error(`${text}: ${answer.error ?? ''}`);
  return answer.data.result;
}

test('every query of the dashboard is answered, and shows something where there is something to show', async () => {
  const empty: string[] = [];
  for (const { panel, query: text } of readDashboard({ job: JOB, interval: '1m' })) {
    const found = await query(text);
    // A query that compares may show nothing.
    if (found.length === 0 && !/ > 0$/.test(text)) empty.push(`${panel}: ${text}`);
  }
  // Nobody is over a limit of its own.
  expect(empty.filter((one) => !one.includes('throttled_total'))).toEqual([]);
  const [healthy] = await query('max(account_manager_healthy_accounts)');
  expect(healthy?.value[1]).toBe('2');
  await expect(query('sum(')).rejects.toThrow();
});

test('Prometheus evaluates every rule, and none fires about a sound service', async () => {
  const read = async () => {
    const response = await fetch(`${prometheusUrl}/api/v1/rules`);
    const { data } = (await response.json()) as {
      data: { groups: { rules: { name: string; health: string; state: string }[] }[] };
    };
    return data.groups.flatMap(({ rules }) => rules);
  };
  await eventually('all are evaluated', async () => (await read()).every(({ health }) => health !== 'unknown'), 60_000);
  const rules = await read();
  expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
  expect(rules.map(({ name }) => name)).toEqual(readRules().map(({ alert }) => alert));
  expect(rules.filter(({ state }) => state === 'firing').map(({ name }) => name)).toEqual([]);
});

test('every query of the runbook is answered', async () => {
  for (const page of readRunbooks().values()) for (const text of blocksOf(page, 'promql')) await query(text);
});

test('every command of the runbook does what it says', async () => {
  const main = path.join(path.dirname(await buildService()), 'cli/main.js');
  const program = path.join(folder, 'account-manager');
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`);
  chmodSync(program, 0o755);
  const env = {
    ...service.environment,
    PATH: `${folder}:${process.env.PATH ?? ''}`,
    HOME: folder,
    SESSION_ENCRYPTION_KEY: 'ab'.repeat(32),
    ACCOUNT_MANAGER_URL: service.service.httpUrl,
    ACCOUNT_MANAGER_TOKEN: TOKEN,
    ACCOUNT: accountId,
  };
  const lines = new Set([...readRunbooks().values()].flatMap((page) => blocksOf(page, 'sh')));
  expect(lines.size).toBeGreaterThan(30);
  const failed: string[] = [];
  for (const line of lines) {
    const child = spawn('bash', ['-c', `exec ${line}`], { env });
    let said = '';
    const listen = (chunk: Buffer): void => {
      said += chunk.toString();
      // It follows events for ever.
      if (line.includes('events tail') && said.includes('The stream stands.')) child.kill('SIGINT');
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== (line.includes('events tail') ? 130 : 0)) failed.push(`${line} ended with ${code}: ${said}`);
  }
  expect(failed).toEqual([]);
});
