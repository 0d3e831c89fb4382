import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { installPackages } from '../../scripts/servers/debian.mjs';
import { inPath } from '../../scripts/servers/binaries.mjs';
import { freePort } from '../support/ports.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { createRedis, type TestRedis } from '../support/redis.js';
import { createVhost, type TestVhost } from '../support/vhost.js';
import { prepareBase } from './base.js';
import { createBuildah, type ImageConfig } from './buildah.js';
import { runContainer } from './container.js';

// `make image-test`: the image, built from the Dockerfile without an engine, and run as a container would be. As root.

const ROOT = path.resolve(import.meta.dirname, '../..');
const FOLDER = path.join(ROOT, '.local/image');
const BASE = 'account-manager-base';
const IMAGE = 'account-manager-tested';
const MINUTES = 60_000;

/** Mebibytes; what was measured, and a tenth. */
const LARGEST = { app: 60, modules: 51 };

const buildah = createBuildah(FOLDER);
let image: ImageConfig;
let container: string;
let root: string;
let database: TestDatabase;
let redis: TestRedis;
let vhost: TestVhost;
let env: Record<string, string>;

const mebibytes = (place: string): number =>
  Number(
    execFileSync('du', ['--summarize', '--block-size=1M', path.join(root, place)], { encoding: 'utf8' }).split('\t')[0],
  );

beforeAll(async () => {
  const missing = ['buildah', 'debootstrap'].filter((program) => inPath(program) === undefined);
  if (missing.length > 0) {
    const say = (line: string) => process.stderr.write(`${line}\n`);
    installPackages({ packages: missing, why: missing, say, instead: null });
  }
  if (!buildah.isThere(BASE)) buildah.import(BASE, prepareBase(FOLDER));
  const { ok, printed } = await buildah.build(ROOT, { base: BASE, name: IMAGE });
  if (!ok) throw new Error(printed);
  image = buildah.configOf(IMAGE);
  ({ container, root } = buildah.mount(IMAGE));
  [database, redis, vhost] = await Promise.all([createDatabase(), createRedis(), createVhost()]);
  env = {
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    RABBITMQ_URL: vhost.url,
    SESSION_ENCRYPTION_KEY: 'ab'.repeat(32),
    NETWORK_IS_TRUSTED: 'true',
    HTTP_HOST: '127.0.0.1',
    HTTP_PORT: String(await freePort()),
  };
}, 15 * MINUTES);
afterAll(async () => {
  buildah.remove(container);
  await Promise.all([database.drop(), redis.drop(), vhost.drop()]);
});

test('it has what the program needs, and little else', () => {
  const sizes = {
    base: mebibytes('/') - mebibytes('/app'),
    app: mebibytes('/app'),
    modules: mebibytes('/app/node_modules'),
  };
  process.stdout.write(`Sizes in MiB: ${JSON.stringify(sizes)}\n`);
  expect(sizes.app).toBeLessThanOrEqual(LARGEST.app);
  expect(sizes.modules).toBeLessThanOrEqual(LARGEST.modules);
  for (const absent of ['src', '.git', 'test', 'node_modules/typescript', 'node_modules/prisma', 'package-lock.json'])
    expect([absent, existsSync(path.join(root, 'app', absent))]).toEqual([absent, false]);
});

test('it says what it is, and does not run as root', () => {
  expect(image).toMatchObject({
    User: '1000:1000',
    Entrypoint: ['tini', '-e', '143', '--'],
    Labels: { 'org.opencontainers.image.title': 'Account Manager', 'org.opencontainers.image.licenses': 'MIT' },
  });
});

test('its SBOM lists the packages that are there', () => {
  const { components } = JSON.parse(readFileSync(path.join(root, 'app/sbom.json'), 'utf8')) as {
    components: { name: string; version: string }[];
  };
  const there = execFileSync('find', [path.join(root, 'app/node_modules'), '-path', '*/node_modules/*/package.json'], {
    encoding: 'utf8',
  })
    .split('\n')
    // A package's own folder, not one within it.
    .filter((file) => /node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(file))
    .map((file) => JSON.parse(readFileSync(file, 'utf8')) as { name: string; version: string })
    .map(({ name, version }) => `${name}@${version}`);
  expect(new Set(components.map(({ name, version }) => `${name}@${version}`))).toEqual(new Set(there));
});

test('its user can change nothing in it', () => {
  const changeable = execFileSync(
    'find',
    [path.join(root, 'app'), '(', '-user', '1000', '-o', '-perm', '-o=w', ')', '!', '-type', 'l'],
    {
      encoding: 'utf8',
    },
  );
  expect(changeable).toBe('');
});

test(
  'it migrates, serves and ends in order, read-only and without capabilities',
  async () => {
    const migration = await runContainer(root, image, { env, command: ['node', 'scripts/migrate.mjs'] }).ended;
    expect(migration).toMatchObject({ code: 0, printed: expect.stringContaining('The database is up to date') });

    const rights = await runContainer(root, image, {
      env,
      command: [
        'sh',
        '-c',
        'id -u; grep -E "^(CapBnd|CapEff|NoNewPrivs)" /proc/self/status; touch /app/new; touch /tmp/new && echo wrote',
      ],
    }).ended;
    expect(rights.printed).toMatch(/^1000$/m);
    expect(rights.printed).toMatch(/CapEff:\s+0+\n/);
    expect(rights.printed).toMatch(/CapBnd:\s+0+\n/);
    expect(rights.printed).toMatch(/NoNewPrivs:\s+1/);
    expect(rights.printed).toContain('Read-only file system');
    expect(rights.printed).toContain('wrote');

    const times: number[] = [];
    for (let round = 0; round < 5; round++) {
      const begun = performance.now();
      const service = runContainer(root, image, { env });
      await service.said('"serving"');
      times.push(Math.round(performance.now() - begun));
      const ready = await fetch(`http://127.0.0.1:${env.HTTP_PORT}/health/ready`);
      expect(ready.status).toBe(200);
      service.signal('SIGTERM');
      expect((await service.ended).code).toBe(0);
    }
    process.stdout.write(`From start to serving, ms: ${times.toSorted((a, b) => a - b).join(', ')}\n`);
  },
  3 * MINUTES,
);

test('its command line works', async () => {
  const doctor = await runContainer(root, image, { env, command: ['node', 'dist/src/cli/main.js', '--help'] }).ended;
  expect(doctor).toMatchObject({ code: 0, printed: expect.stringContaining('doctor') });
});

test(
  'the build fails when npm fails without saying so',
  async () => {
    const npm = path.join(FOLDER, 'silent-npm');
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(npm, '#!/bin/sh\necho "npm error Exit handler never called!" >&2\n', { mode: 0o755 });
    const { ok, printed } = await buildah.build(ROOT, {
      base: BASE,
      name: `${IMAGE}-without-packages`,
      mounts: [`${npm}:/usr/local/bin/npm:ro`],
    });
    expect(printed).toContain('Exit handler never called!');
    expect(ok).toBe(false);
  },
  5 * MINUTES,
);
