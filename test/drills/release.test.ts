import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

// A release, made in a clone of this repository as it was committed.

const ROOT = path.resolve(import.meta.dirname, '../..');
const run = promisify(execFile);

let clone: string;
const git = async (...args: string[]): Promise<string> => (await run('git', args, { cwd: clone })).stdout.trim();
const read = (file: string): string => readFileSync(path.join(clone, file), 'utf8');
const releaseIt = async (...args: string[]): Promise<string> => {
  const { stdout, stderr } = await run(path.join(ROOT, 'node_modules/.bin/release-it'), ['--ci', ...args], {
    cwd: clone,
    env: {
      ...process.env,
      GIT_AUTHOR_NAME: 'a',
      GIT_AUTHOR_EMAIL: 'a@b',
      GIT_COMMITTER_NAME: 'a',
      GIT_COMMITTER_EMAIL: 'a@b',
    },
  });
  return stdout + stderr;
};

beforeAll(async () => {
  clone = mkdtempSync(path.join(tmpdir(), 'release-'));
  await run('git', ['clone', '--quiet', ROOT, clone]);
  await git('checkout', '--quiet', '-B', 'main');
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(clone, 'node_modules'));
  // A link is no folder, so `node_modules/` ignores it not.
  await run('sh', ['-c', 'echo node_modules >> .git/info/exclude'], { cwd: clone });
}, 60_000);
afterAll(() => rmSync(clone, { recursive: true, force: true }));

test('a dry run changes nothing', async () => {
  expect(await releaseIt('minor', '--dry-run')).toContain('0.2.0');
  expect(await git('status', '--porcelain')).toBe('');
  expect(await git('tag')).not.toContain('v0.2.0');
}, 120_000);

test('a release is a commit and a tag, with the changelog, both clients, an SBOM, the reference and checksums', async () => {
  await releaseIt('minor');
  expect(await git('log', '-1', '--format=%s')).toBe('Release 0.2.0');
  expect(await git('tag', '--points-at', 'HEAD')).toBe('v0.2.0');
  expect(await git('status', '--porcelain')).toBe('');
  expect(read('CHANGELOG.md')).toMatch(/## \[Unreleased\]\n\n## \[0\.2\.0\] - \d{4}-\d\d-\d\d\n/);
  expect((JSON.parse(read('packages/client/package.json')) as { version: string }).version).toBe('0.2.0');
  expect(read('packages/python/pyproject.toml')).toContain('version = "0.2.0"');

  const folder = path.join(clone, 'dist/release');
  const names = readdirSync(folder).sort();
  expect(names).toEqual(
    expect.arrayContaining([
      'SHA256SUMS',
      'account-manager-0.2.0.cdx.json',
      'account-manager-client-0.2.0.tgz',
      'account_manager_client-0.2.0-py3-none-any.whl',
      'reference-0.2.0.html',
    ]),
  );
  for (const line of readFileSync(path.join(folder, 'SHA256SUMS'), 'utf8').trim().split('\n')) {
    const [sum, name = ''] = line.split('  ');
    expect(
      createHash('sha256')
        .update(readFileSync(path.join(folder, name)))
        .digest('hex'),
    ).toBe(sum);
  }
}, 300_000);
