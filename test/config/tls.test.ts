import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ConfigError, loadConfig } from '../../src/config.js';
import { type Authority, createAuthority, type Pair } from '../support/authority.js';

let authority: Authority;
let one: Pair;
let other: Pair;
let garbage: string;
beforeAll(() => {
  authority = createAuthority('ours');
  [one, other] = [authority.issue('one'), authority.issue('other')];
  garbage = path.join(path.dirname(authority.ca), 'garbage');
  writeFileSync(garbage, '-----BEGIN CERTIFICATE-----\nbm90aGluZw==\n-----END CERTIFICATE-----\n');
});
afterAll(() => authority.remove());

const DATABASE = 'postgresql://app:secret@db/accounts';
const load = (env: NodeJS.ProcessEnv) =>
  loadConfig({
    DATABASE_URL: DATABASE,
    REDIS_URL: 'rediss://cache',
    RABBITMQ_URL: 'amqps://broker',
    SESSION_ENCRYPTION_KEY: 'ab'.repeat(32),
    ...env,
  });
const problemsOf = (env: NodeJS.ProcessEnv): string[] => {
  try {
    load(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
  return [];
};
const text = (file: string) => readFileSync(file, 'utf8');

test('files become texts, and the URL of the database names them', () => {
  const config = load({
    DATABASE_URL: `${DATABASE}?sslmode=verify-full&application_name=x`,
    TLS_CA_FILE: authority.ca,
    TLS_CLIENT_CERT_FILE: one.cert,
    TLS_CLIENT_KEY_FILE: one.key,
    HTTP_TLS_CERT_FILE: other.cert,
    HTTP_TLS_KEY_FILE: other.key,
  });
  expect(config.clientTls).toEqual({ ca: text(authority.ca), cert: text(one.cert), key: text(one.key) });
  expect(config.httpTls).toEqual({ cert: text(other.cert), key: text(other.key) });
  expect(Object.fromEntries(new URL(config.databaseUrl).searchParams)).toEqual({
    sslmode: 'verify-full',
    application_name: 'x',
    uselibpqcompat: 'true',
    sslrootcert: authority.ca,
    sslcert: one.cert,
    sslkey: one.key,
  });
  expect(config.warnings).toEqual([]);
});

test('the URL of the database may name files of its own', () => {
  const own = new URLSearchParams({
    sslmode: 'verify-ca',
    sslrootcert: one.cert,
    sslcert: other.cert,
    sslkey: other.key,
  });
  const { databaseUrl } = load({
    DATABASE_URL: `${DATABASE}?${own.toString()}`,
    TLS_CA_FILE: authority.ca,
    TLS_CLIENT_CERT_FILE: one.cert,
    TLS_CLIENT_KEY_FILE: one.key,
  });
  expect(Object.fromEntries(new URL(databaseUrl).searchParams)).toEqual({
    ...Object.fromEntries(own),
    uselibpqcompat: 'true',
  });
});

test('sslmode means what it means to libpq, and nothing goes unverified without a word', () => {
  expect(load({}).databaseUrl).toBe(DATABASE);
  expect(load({ DATABASE_URL: `${DATABASE}?sslmode=disable`, PGSSLMODE: 'verify-full' }).databaseUrl).not.toMatch(
    /compat/,
  );
  expect(load({ PGSSLMODE: 'verify-full' }).databaseUrl).toMatch(/sslmode=verify-full/);
  const required = { DATABASE_URL: `${DATABASE}?sslmode=require` };
  expect(load(required).warnings).toEqual([expect.stringMatching(/certificate is not verified/)]);
  expect(load({ ...required, TLS_CA_FILE: authority.ca }).warnings).toEqual([]);
});

test.each([
  ['an sslmode that may go unencrypted', { DATABASE_URL: `${DATABASE}?sslmode=prefer` }, /^DATABASE_URL: its sslmode/],
  ['an sslmode of the driver', { DATABASE_URL: `${DATABASE}?sslmode=no-verify` }, /^DATABASE_URL: its sslmode/],
  ['the same from the environment', { PGSSLMODE: 'allow' }, /^DATABASE_URL: its sslmode, or PGSSLMODE/],
  ['ssl', { DATABASE_URL: `${DATABASE}?ssl=no-verify` }, /^DATABASE_URL: must say sslmode, not ssl/],
  ['verify-ca without an authority', { DATABASE_URL: `${DATABASE}?sslmode=verify-ca` }, /needs an authority/],
  ['verification turned off for the process', { NODE_TLS_REJECT_UNAUTHORIZED: '0' }, /^NODE_TLS_REJECT_UNAUTHORIZED:/],
  ['TLS of Redis by parameter', { REDIS_URL: 'redis://cache?tls=x' }, /^REDIS_URL: must say TLS by rediss/],
  [
    'an authority that is not there',
    { TLS_CA_FILE: '/no/such/file' },
    /^TLS_CA_FILE: \/no\/such\/file cannot be read \(ENOENT: there is no such file\)/,
  ],
  [
    'the same in the URL',
    { DATABASE_URL: `${DATABASE}?sslmode=verify-full&sslrootcert=/no/such/file` },
    /^DATABASE_URL: in it, sslrootcert: \/no\/such\/file cannot be read \(ENOENT: there is no such file\)/,
  ],
] as [string, NodeJS.ProcessEnv, RegExp][])('%s is refused', (_name, env, told) => {
  expect(problemsOf(env)).toEqual([expect.stringMatching(told)]);
  expect(problemsOf(env).join()).not.toContain('secret');
});

test('files that are no good are told apart', () => {
  const pair = (cert: string | undefined, key: string | undefined) =>
    problemsOf({ HTTP_TLS_CERT_FILE: cert, HTTP_TLS_KEY_FILE: key });
  expect(problemsOf({ TLS_CA_FILE: garbage })).toEqual([
    'TLS_CA_FILE: its file holds a certificate that cannot be read',
  ]);
  expect(problemsOf({ TLS_CA_FILE: one.key })).toEqual(['TLS_CA_FILE: its file holds no certificate in PEM form']);
  expect(pair(one.cert, undefined)).toEqual([
    'HTTP_TLS_CERT_FILE: must be set together with HTTP_TLS_KEY_FILE, or neither',
  ]);
  expect(pair(garbage, one.key)).toEqual(['HTTP_TLS_CERT_FILE: its file holds no certificate in PEM form']);
  expect(pair(one.cert, one.cert)).toEqual([
    expect.stringMatching(/^HTTP_TLS_KEY_FILE: its file holds no private key/),
  ]);
  expect(pair(one.cert, other.key)).toEqual([
    'HTTP_TLS_KEY_FILE: its key does not belong to the certificate in HTTP_TLS_CERT_FILE',
  ]);
});
