import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { DCLinter } from 'dclint';
import { parse } from 'yaml';
import { parseAccess } from '../../src/decide/access/access-policy.js';

// The compose files, without a Docker engine: against the schema of Compose, and what they promise.

const ROOT = path.resolve(import.meta.dirname, '../..');
const TRIAL = 'docker-compose.yml';
const SERVERS = 'scripts/servers/docker-compose.yml';
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');

interface Service {
  image?: string;
  build?: string;
  init?: boolean;
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  environment?: Record<string, string>;
  ports?: string[];
  volumes?: string[];
  stop_grace_period?: string;
  deploy?: { replicas?: number; resources?: { limits?: Record<string, unknown> } };
}
interface Compose {
  services: Record<string, Service>;
  volumes: Record<string, null>;
}
const compose = (file: string) => parse(read(file), { merge: true }) as Compose;
const trial = compose(TRIAL);
const program = trial.services['account-manager']!;
/** The text with the default of each variable in place of it. */
const withDefaults = (text: string): string => text.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1');

/** The linter's other rules are matters of taste, such as the order of fields. */
const RULES = ['invalid-yaml', 'invalid-schema', 'no-unbound-port-interfaces'];

/** Faults by the schema of Compose and the rule on ports. */
function faultsOf(text: string): string[] {
  const folder = mkdtempSync(path.join(tmpdir(), 'compose-'));
  const file = path.join(folder, 'docker-compose.yml');
  writeFileSync(file, text);
  try {
    const linter = new DCLinter({ rules: {}, quiet: true, debug: false, exclude: [] });
    // Its types lead nowhere.
    const results = linter.lintFiles([file], false) as { messages: { rule: string; message: string }[] }[];
    const messages = results.flatMap((result) => result.messages);
    return messages.filter(({ rule }) => RULES.includes(rule)).map(({ rule, message }) => `${rule}: ${message}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test.each([TRIAL, SERVERS])('%s meets the schema of Compose', (file) => {
  expect(faultsOf(read(file))).toEqual([]);
});

test.each([
  ['an unknown field', 'read_only: true', 'readonly: true', 'must NOT have additional properties'],
  ['an unknown condition', 'condition: service_healthy', 'condition: healthy', 'invalid-schema'],
  ['broken YAML', 'services:\n', 'services: [\n', 'invalid-yaml'],
  [
    'a port that is open to everybody',
    "'127.0.0.1:${REDIS_PORT:-6379}:6379'",
    "'6379:6379'",
    'no-unbound-port-interfaces',
  ],
])('%s is found', (_, good, bad, fault) => {
  const text = read(TRIAL);
  expect(text).toContain(good);
  expect(faultsOf(text.replace(good, bad)).join('\n')).toContain(fault);
});

test.each(Object.entries(trial.services))('%s is confined and limited', (_, service) => {
  expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
  expect(service.deploy?.resources?.limits).toEqual({
    cpus: expect.any(String),
    memory: expect.stringMatching(/^\d+[MG]$/),
    pids: expect.any(Number),
  });
  // The image of the program has an init of its own.
  expect(service.init).toBe(service.build === undefined);
});

test('a second instance has a port, and a stop waits for what is in work', () => {
  expect(program.deploy?.replicas).toBe(2);
  const [, first, last] = /:(\d+)-(\d+):3000$/.exec(withDefaults(program.ports!.join())) ?? [];
  expect(Number(last) - Number(first) + 1).toBe(2);
  const { SHUTDOWN_TIMEOUT_SECONDS } = program.environment!;
  expect(Number.parseInt(program.stop_grace_period!, 10)).toBeGreaterThan(Number(SHUTDOWN_TIMEOUT_SECONDS));
});

test('no two services want the same port of this machine', () => {
  const ports = Object.values(trial.services).flatMap(({ ports: published = [] }) =>
    published.map((port) => withDefaults(port).split(':').at(-2)!),
  );
  expect(ports.length).toBe(8);
  expect(new Set(ports).size).toBe(ports.length);
});

test('HTTP answers outside the container, and bindings are verified', () => {
  const { NETWORK_IS_TRUSTED, RABBITMQ_MANAGEMENT_URL } = program.environment!;
  expect(withDefaults(NETWORK_IS_TRUSTED!)).toBe('true');
  expect(RABBITMQ_MANAGEMENT_URL).toContain('rabbitmq:15672');
});

test('every mounted path exists, and settings that are read again are a folder', () => {
  const mounted = Object.values(trial.services).flatMap(({ volumes = [] }) => volumes.map(withDefaults));
  const volumes = Object.keys(trial.volumes);
  const sources = mounted.map((mount) => mount.split(':')[0]!);
  expect(sources.filter((source) => !volumes.includes(source) && !existsSync(path.join(ROOT, source)))).toEqual([]);
  const settings = program.volumes!.map(withDefaults);
  expect(settings).toEqual(['./deploy/trial/settings:/settings:ro']);
  expect(parseAccess(JSON.parse(read('deploy/trial/settings/access.json')), 'account-manager').ok).toBe(true);
});

test("the passwords in URLs are those of the trial's broker", () => {
  const { users } = JSON.parse(read('deploy/trial/rabbitmq/passwords.json')) as {
    users: { name: string; password_hash: string; tags: string[] }[];
  };
  const lets = (name: string, password: string): boolean => {
    const hash = Buffer.from(users.find((user) => user.name === name)!.password_hash, 'base64');
    const salt = hash.subarray(0, 4);
    return createHash('sha256').update(salt).update(password).digest().equals(hash.subarray(4));
  };
  const { RABBITMQ_URL, RABBITMQ_MANAGEMENT_URL } = program.environment!;
  for (const url of [RABBITMQ_URL!, RABBITMQ_MANAGEMENT_URL!].map((text) => new URL(text))) {
    expect([url.username, lets(url.username, url.password)]).toEqual([url.username, true]);
    expect(lets(url.username, 'another')).toBe(false);
  }
  expect(users.find(({ name }) => name === 'account-manager-watch')!.tags).toEqual(['management']);
});

test('Prometheus, Grafana and the service ask for services that are there', () => {
  const addresses = [
    ...read('deploy/prometheus/prometheus.yml').matchAll(/'([a-z][a-z-]*):\d+'/g),
    ...read('deploy/prometheus/prometheus.yml').matchAll(/names: \[([a-z-]+)\]/g),
    ...read('deploy/trial/grafana/datasources/prometheus.yml').matchAll(/http:\/\/([a-z-]+):/g),
    ...Object.values(program.environment!)
      .join('\n')
      .matchAll(/\/\/(?:[^@\n]*@)?([a-z-]+):\d/g),
  ].map(([, name]) => name!);
  expect(new Set(addresses)).toEqual(
    new Set(['alertmanager', 'rabbitmq', 'account-manager', 'prometheus', 'postgres', 'redis']),
  );
  expect(addresses.filter((name) => !Object.hasOwn(trial.services, name))).toEqual([]);
});

test('the servers of `make up` and the tests take their ports and settings from the environment', () => {
  const variables = [
    ...read('scripts/servers/compose.mjs').matchAll(/\b((?:POSTGRES|REDIS|RABBITMQ)_[A-Z]+(?:_PORT)?)\b/g),
  ]
    .map(([, name]) => name!)
    .filter((name) => !name.endsWith('_URL') && name !== 'RABBITMQ_MANAGEMENT');
  expect(variables.length).toBeGreaterThan(5);
  expect(variables.filter((name) => !read(SERVERS).includes(`\${${name}:-`))).toEqual([]);
  expect(Object.keys(compose(SERVERS).services)).toEqual(['postgres', 'redis', 'rabbitmq']);
});
