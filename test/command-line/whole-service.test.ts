import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { PARKED } from '../../contracts/topology.js';
import { type Installation, startInstallation } from '../flows/installation.js';
import { eventually } from '../support/eventually.js';
import type { RunningService } from '../support/service.js';
import { telethonSession } from '../support/session-strings.js';
import { endCommands, type Ran, runCommand, startCommand, startOnTerminal } from './run-command.js';

// The command against the whole service, as callers of several rights.

// Each run of the command takes a processor half a second, and on a busy machine many.
jest.setTimeout(180_000);
const PATIENCE_MS = 60_000;

const TOKENS = { ops: 'ops-token', owner: 'owner-token', dashboard: 'dashboard-token' } as const;
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const access = {
  services: [
    { name: 'ops', role: 'operator', users: '*', http_token_sha256: [sha256(TOKENS.ops)] },
    { name: 'owner', role: 'operator', users: [8], http_token_sha256: [sha256(TOKENS.owner)] },
    { name: 'dashboard', users: '*', operations: ['query.*'], http_token_sha256: [sha256(TOKENS.dashboard)] },
    { name: 'worker', users: '*', http_token_sha256: [sha256('worker-token')] },
  ],
};

let installation: Installation;
let service: RunningService;
let serviceEnv: Record<string, string>;
beforeAll(async () => {
  installation = await startInstallation();
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'access-')), 'access.json');
  writeFileSync(file, JSON.stringify(access));
  serviceEnv = { ...installation.env, ACCESS_FILE: file, SESSION_ENCRYPTION_KEY: 'ab'.repeat(32) };
  service = await installation.start({ ACCESS_FILE: file });
}, 180_000);
afterEach(endCommands);
afterAll(() => installation.close());

const envOf = (token: string = TOKENS.ops) => ({ ACCOUNT_MANAGER_URL: service.httpUrl, ACCOUNT_MANAGER_TOKEN: token });
/** As an operator for everybody's accounts. */
const run = (...args: string[]): Promise<Ran> => runCommand(args, envOf());
/** The lines of data, each JSON. */
async function data(...args: string[]): Promise<Record<string, unknown>[]> {
  const { code, stdout, stderr } = await run(...args, '-o', 'jsonl');
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${stderr}`);
  return stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Record<string, unknown>]));
}

// Replies of several operations, of which each test reads what it expects.
/* eslint-disable @typescript-eslint/no-explicit-any */
async function ask(pathname: string, body: object, token: string = TOKENS.ops): Promise<Record<string, any>> {
  const response = await fetch(`${service.httpUrl}/api/v1/account-manager${pathname}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await response.json()) as Record<string, any>;
}
/* eslint-enable @typescript-eslint/no-explicit-any */

let lastPhone = 79_990_000_000;
/** Registers accounts of a user; answers their ids. */
async function register(userId: number, count: number): Promise<string[]> {
  const accounts = Array.from({ length: count }, () => ({
    user_id: userId,
    phone: `+${++lastPhone}`,
    session_data: telethonSession(),
  }));
  const reply = await ask('/accounts', { accounts });
  return (reply.accounts as { account_id: string }[]).map(({ account_id: id }) => id);
}

test('a caller without the right, or without a token, exits 4', async () => {
  const [id = ''] = await register(1, 1);
  const ran = await Promise.all([
    runCommand(['status'], envOf('unknown')),
    runCommand(['accounts', 'recover', id], envOf(TOKENS.dashboard)),
    runCommand(['events', 'tail', '--count', '1'], envOf('unknown')),
  ]);
  for (const { code, stdout } of ran) expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
  expect(ran[0].stderr).toMatch(/^account-manager: UNAUTHENTICATED: [^\n]+\n$/);
  expect(ran[1].stderr).toMatch(/^account-manager: FORBIDDEN: /);
});

test('views tell the fleet as a table, as JSON and as lines of JSON', async () => {
  const [id = ''] = await register(2, 2);
  await ask('/allocate', { user_id: 2, purpose: 'general', service_name: 'worker' }, 'worker-token');
  const [status, leases, table, jobs, policy, recoveries] = await Promise.all([
    run('status', '-o', 'json'),
    data('leases', '--user', '2'),
    run('leases', '--service', 'worker'),
    data('jobs'),
    data('policy', 'show'),
    run('recoveries', 'list', '-o', 'json'),
  ]);
  expect(JSON.parse(status.stdout)).toMatchObject({
    identity: 'on',
    open_alerts: 0,
    dependencies: { redis: expect.anything() },
  });
  expect(leases).toEqual([expect.objectContaining({ user_id: 2, service_name: 'worker', purpose: 'general' })]);
  const [heading, ...rows] = table.stdout.trim().split('\n');
  expect(heading).toMatch(/^ACCOUNT +PHONE +USER +SERVICE +PURPOSE/);
  expect(rows).toEqual([expect.stringMatching(/^[0-9a-f-]{36} {2}\+7999\d+ +2 +worker +general +– .* in 30 min +–$/)]);
  expect(jobs.map(({ job }) => job)).toContain('report');
  expect(policy).toEqual([expect.objectContaining({ count_failed_attempts: true })]);
  expect(recoveries).toEqual({ code: 0, stdout: '[]\n', stderr: 'Nothing matches.\n' });

  const [limits, history] = await Promise.all([
    run('accounts', 'limits', id),
    data('accounts', 'history', id, '--type', 'account.registered'),
  ]);
  expect(limits.stdout).toMatch(/^ACTION +TODAY[\s\S]*\ninvite +0 of /);
  expect(history).toEqual([expect.objectContaining({ type: 'account.registered', details: { outcome: 'created' } })]);
});

test('an account is found by its phone number, and told why it is not handed out', async () => {
  const [id = '', free = ''] = await register(9, 2);
  const [first, second] = [`+${lastPhone - 1}`, `+${lastPhone}`];
  await ask(`/accounts/${id}/status`, { status: 'disabled', reason: 'seen twice' });
  const [listed, shown, why, whyFree, unknown, several] = await Promise.all([
    data('accounts', 'list', '--user', '9', '--status', 'disabled'),
    data('accounts', 'show', first),
    run('accounts', 'why', first.slice(1)),
    run('accounts', 'why', second, '--purpose', 'parsing'),
    run('accounts', 'why', '+10000000000'),
    run('accounts', 'why'),
  ]);
  expect(listed).toEqual([expect.objectContaining({ account_id: id, user_id: 9, phone: first })]);
  expect(shown).toEqual([expect.objectContaining({ account_id: id, status: 'disabled' })]);
  expect(why).toMatchObject({ code: 0, stderr: '' });
  expect(why.stdout).toContain(`${first} (${id}, user 9)\nDisabled`);
  expect(why.stdout).toContain('seen twice');
  expect(whyFree.stdout).toContain(`(${free}, user 9)\nparsing: Free`);
  expect(unknown).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('there is no account') });
  expect(several.code).toBe(2);
});

test('accounts that are named are changed one by one; what is refused exits 1 and names it', async () => {
  const [first = '', second = ''] = await register(3, 2);
  const missing = randomUUID();
  const refused = await run('accounts', 'disable', first, missing, '--yes', '--reason', 'looks odd', '-o', 'jsonl');
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('1 account of 2 could not be disabled');
  expect(
    refused.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual([
    expect.objectContaining({ account_id: first, outcome: 'changed', status: 'disabled', previous_status: 'active' }),
    expect.objectContaining({ account_id: missing, outcome: 'failed', code: 'ACCOUNT_NOT_FOUND' }),
  ]);
  const [tried] = await data('accounts', 'drain', second, '--dry-run');
  expect(tried).toEqual({ matched: 1, changed: 1, unchanged: 0, failed: [] });
  const [activated] = await data('accounts', 'activate', first);
  expect(activated).toMatchObject({ outcome: 'changed', status: 'active' });
  const [again] = await data('accounts', 'activate', first);
  expect(again).toMatchObject({ outcome: 'unchanged' });
  // Another's account.
  const foreign = await runCommand(['accounts', 'drain', second, '--yes'], envOf(TOKENS.owner));
  expect(foreign).toMatchObject({ code: 4, stdout: '', stderr: expect.stringContaining('FORBIDDEN') });
});

test('accounts that match a filter are changed once their number is agreed to', async () => {
  await register(4, 3);
  const withoutTerminal = await run('accounts', 'drain', '--user', '4');
  expect(withoutTerminal).toMatchObject({ code: 2, stdout: '' });
  expect(withoutTerminal.stderr).toContain('Drain 3 accounts (user 4)?');
  const changed = await run('accounts', 'drain', '--user', '4', '--expected-count', '5', '--yes');
  expect(changed).toMatchObject({ code: 1, stderr: expect.stringContaining('COUNT_CHANGED') });

  const running = await startOnTerminal(['accounts', 'drain', '--user', '4'], { ...envOf(), NO_COLOR: '1' });
  await eventually(
    'it says Drain 3 accounts (user 4)?',
    () => running.stdout().includes('Drain 3 accounts (user 4)?'),
    PATIENCE_MS,
  );
  running.process.stdin.write('y\r');
  expect(await running.ended).toMatchObject({ code: 0, stdout: expect.stringMatching(/\nmatched +3\r?\nchanged +3/) });
  const [done] = await data('accounts', 'activate', '--user', '4', '--status', 'draining', '--yes');
  expect(done).toEqual({ matched: 3, changed: 3, unchanged: 0, failed: [] });
});

test('events are told as they come, across a restart of the service', async () => {
  const running = await startCommand(['events', 'tail', '--user', '5', '--count', '3', '-o', 'jsonl'], envOf());
  await eventually('it says The stream stands.', () => running.stderr().includes('The stream stands.'), PATIENCE_MS);
  const [id = ''] = await register(5, 1);
  await eventually('it says account.registered', () => running.stdout().includes('account.registered'), PATIENCE_MS);
  const { port } = new URL(service.httpUrl);
  await service.stop();
  service = await installation.start({ ...serviceEnv, HTTP_PORT: port });
  for (const status of ['draining', 'active']) await ask(`/accounts/${id}/status`, { status, reason: 'test' });
  const { code, stdout, stderr } = await running.ended;
  expect(code).toBe(0);
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { position: string; event: { type: string } });
  expect(events.map(({ event }) => event.type)).toEqual([
    'account.registered',
    'account.draining',
    'account.recovered',
  ]);
  expect(stderr).toContain(`--after ${events[2]!.position}`);
  const [resumed] = await data('events', 'tail', '--user', '5', '--after', events[1]!.position, '--count', '1');
  // A position tells what stood when it was read, which is more by now.
  expect(resumed).toEqual({ ...events[2], position: expect.any(String) as unknown });
});

test('wait ends when the condition comes about, and with 1 when it does not in time', async () => {
  const [id = ''] = await register(6, 1);
  const waiting = startCommand(['wait', id, '--for', 'status=draining', '--timeout', '2m', '-o', 'json'], envOf());
  const late = run('accounts', 'wait', id, '--for', 'leased=true', '--timeout', '100ms');
  await ask(`/accounts/${id}/status`, { status: 'draining', reason: 'test' });
  expect(JSON.parse((await (await waiting).ended).stdout)).toEqual({
    account_id: id,
    status: 'draining',
    leased_by: null,
  });
  expect(await late).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('not leased=true') });
});

test('a job is run to its end', async () => {
  const [ran] = await data('jobs', 'run', 'report');
  expect(ran).toMatchObject({ job: 'report', state: 'done', counts: { published: 1 } });
});

test('parked messages are listed, shown and discarded', async () => {
  const { channel } = installation.client;
  channel.sendToQueue(PARKED.name, Buffer.from('{"user_id": '), {
    messageId: randomUUID(),
    headers: {
      'x-error-code': 'MALFORMED_MESSAGE',
      'x-error-message': 'body: must be JSON',
      'x-original-routing-key': 'account.release',
    },
  });
  let parked: Record<string, unknown>[] = [];
  await eventually('it is parked', async () => (parked = await data('parked')).length === 1, PATIENCE_MS);
  const id = String(parked[0]!.parked_id);
  expect(parked[0]).toMatchObject({ operation: 'account.release', code: 'MALFORMED_MESSAGE', copies: 1 });
  const [shown, refused] = await Promise.all([run('parked', 'show', id, randomUUID()), run('parked', 'discard', id)]);
  expect(shown).toMatchObject({ code: 1, stdout: expect.stringContaining('MALFORMED_MESSAGE') });
  expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('Discard 1 message?') });
  const [discarded] = await data('parked', 'discard', '--all', '--yes');
  expect(discarded).toMatchObject({ parked_id: id, outcome: 'discarded' });
  expect(await data('parked')).toEqual([]);
});

test('watch shows the fleet until q is pressed', async () => {
  const running = await startOnTerminal(['watch'], envOf());
  await eventually('it says RECOVERIES', () => running.stdout().includes('RECOVERIES'), PATIENCE_MS);
  running.process.stdin.write('q');
  const { code, stdout } = await running.ended;
  expect(code).toBe(0);
  // The terminal is given back.
  expect(stdout).toMatch(/^\x1b\[\?1049h[\s\S]*\x1b\[\?1049l/);
});

test('doctor finds a sound installation sound, and names each fault with its cure', async () => {
  const diagnose = async (env: Record<string, string>) => {
    const { code, stdout } = await runCommand(['doctor', '-o', 'jsonl'], env);
    const findings = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, string | null>);
    return { code, findings };
  };
  const sound = await diagnose({ ...serviceEnv, ...envOf() });
  expect(sound.findings.filter(({ state }) => state === 'fail')).toEqual([]);
  expect(sound.code).toBe(0);
  for (const where of ['configuration', 'postgresql', 'redis', 'rabbitmq', 'service']) {
    expect(sound.findings.map((finding) => finding.where)).toContain(where);
  }

  await installation.query(`DELETE FROM _prisma_migrations WHERE migration_name LIKE '%_removal'`);
  await installation.query('ALTER TABLE leases SET (autovacuum_enabled = false)');
  // It would declare the queue again.
  await service.stop();
  await installation.client.channel.deleteQueue('account-manager.retry.5s');
  const broken = await diagnose({
    ...serviceEnv,
    REDIS_URL: 'redis://127.0.0.1:1/0',
    ACCOUNT_MANAGER_URL: service.httpUrl,
  });
  expect(broken.code).toBe(1);
  const failed = broken.findings.filter(({ state }) => state === 'fail');
  expect(failed.map(({ where, check }) => `${where} ${check}`)).toEqual(
    expect.arrayContaining([
      'postgresql migrations',
      'postgresql autovacuum',
      'redis connection',
      'rabbitmq topology',
      'service answers',
    ]),
  );
  for (const { cure } of failed) expect(cure).toEqual(expect.stringMatching(/\w/));

  const misconfigured = await diagnose({ ...serviceEnv, SESSION_ENCRYPTION_KEY: 'short', ...envOf() });
  expect(misconfigured.code).toBe(1);
  expect(JSON.stringify(misconfigured.findings)).not.toMatch(/short/);
});
