import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import semver from 'semver';

// The contents of the image, without a Docker engine: the files of its context, those copied out of it, and those that
// the build puts into dist.

const ROOT = path.resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');
const lines = (file: string): string[] => read(file).split('\n').filter(Boolean);

/** Names of secrets, in folders that are copied and in others. */
const FOLDERS = ['', 'src', 'src/config', 'contracts', 'prisma', 'prisma/migrations', 'scripts/servers', 'deploy'];
const SECRETS = ['.env', '.env.production', '.envrc', 'server.pem', 'tls.key', 'client.p12', 'me.session'].flatMap(
  (name) => FOLDERS.map((folder) => path.posix.join(folder, name)),
);
/** Kept out of dist, though no rule knows their names. */
const STRAY = ['src/access.json', 'contracts/tokens.txt', 'src/config/service-account.json'];

let copy: string;
beforeAll(() => {
  copy = mkdtempSync(path.join(tmpdir(), 'image-'));
  for (const part of ['src', 'contracts', 'scripts', 'prisma']) {
    cpSync(path.join(ROOT, part), path.join(copy, part), { recursive: true });
  }
  for (const file of [...SECRETS, ...STRAY]) {
    mkdirSync(path.dirname(path.join(copy, file)), { recursive: true });
    writeFileSync(path.join(copy, file), 'secret');
  }
});
afterAll(() => rmSync(copy, { recursive: true }));

/** As Docker reads .dockerignore: of the lines that fit the path or a folder above it, the last one decides. */
function isInContext(file: string): boolean {
  const parts = file.split('/');
  const paths = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
  const deciding = lines('.dockerignore').findLast((line) => {
    const pattern = toRegExp(line.replace(/^!/, '').replace(/\/$/, ''));
    return paths.some((one) => pattern.test(one));
  });
  return deciding === undefined || deciding.startsWith('!');
}

/** `*` is anything within a name, `**` + `/` any folders or none. */
function toRegExp(pattern: string): RegExp {
  const literal = (text: string) => text.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^/]*');
  return new RegExp(`^${pattern.split('**/').map(literal).join('(.*/)?')}$`);
}

test('the context holds what the build needs, and no secret', () => {
  const needed = ['package.json', 'src/main.ts', 'scripts/servers/redis.mjs', 'prisma/schema.prisma'];
  expect(needed.filter((file) => !isInContext(file))).toEqual([]);
  expect(SECRETS.filter(isInContext)).toEqual([]);
  expect(['deploy/rabbitmq/rabbitmq.conf', 'test/faults/world.ts', '.git/config'].filter(isInContext)).toEqual([]);
});

test('the image is copied together by name', () => {
  const copied = lines('Dockerfile').filter((line) => line.startsWith('COPY '));
  expect(copied.length).toBeGreaterThan(5);
  expect(
    copied.filter((line) =>
      line
        .split(' ')
        .slice(1, -1)
        .some((source) => /^(\.|\.\/|\*|\/app\/?)$/.test(source)),
    ),
  ).toEqual([]);
});

test('the build puts nothing into dist that is not a program, a migration or a published document', () => {
  const dist = path.join(copy, 'dist');
  // As the compiler makes them.
  for (const folder of ['src', 'contracts']) mkdirSync(path.join(dist, folder), { recursive: true });
  execFileSync(process.execPath, [path.join(copy, 'scripts/copy-assets.mjs')]);
  const files = readdirSync(dist, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const names = new Set(files.map(({ name }) => name));
  // Files that the program reads at its start, beside its code. The console has a build of its own.
  const data = execFileSync('git', ['ls-files', 'src'], { cwd: ROOT, encoding: 'utf8' })
    .split('\n')
    .filter((file) => file !== '' && !file.startsWith('src/console/') && !/\.tsx?$/.test(file))
    .map((file) => path.basename(file));
  expect(data).toContain('table.tsv');
  expect([...names].sort()).toEqual([...data, 'asyncapi.json', 'migration.sql', 'openapi.json'].sort());
});

test('the health check asks for liveness', () => {
  const [check] = lines('Dockerfile').filter((line) => line.includes('rejectUnauthorized'));
  expect(check).toContain("path: '/health/live'");
});

test('every package runs on every Node.js that package.json names, and on that of the image', () => {
  const lock = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, { engines?: { node?: string }; dev?: boolean; devOptional?: boolean }>;
  };
  const own = (JSON.parse(read('package.json')) as { engines: { node: string } }).engines.node;
  const packages = Object.entries(lock.packages).filter(([name]) => name !== '');
  const unmet = (range: string) =>
    packages.filter(([, { engines }]) => !semver.subset(range, engines?.node ?? '*')).map(([name]) => name);
  const [, image] = /^ARG BASE=node:(\d+)-/m.exec(read('Dockerfile')) ?? [];
  expect(unmet(`^${image}.0.0`)).toEqual([]);
  // For development alone, and not loaded by an older Node.js: a server of Prisma's command line that nobody starts,
  // the GitHub client of release-it, and redoc, whose bundle is for browsers.
  const unused = ['@prisma/streams-local', 'content-type', 'redoc'].map((name) => `node_modules/${name}`);
  expect(unmet(own)).toEqual(unused);
  expect(unused.filter((name) => !lock.packages[name]?.dev && !lock.packages[name]?.devOptional)).toEqual([]);
});
