import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { FAILURE_CODES } from '../../contracts/failures.js';
import { OPERATION_NAMES } from '../../contracts/operations.js';
import { createMetrics } from '../../src/telemetry/metrics.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const TRACKED = execFileSync('git', ['ls-files'], { cwd: ROOT, encoding: 'utf8' })
  .split('\n')
  .filter((file) => file !== '' && existsSync(path.join(ROOT, file)));
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');
const filesIn = (...folders: string[]): string[] =>
  TRACKED.filter((file) => folders.some((folder) => file.startsWith(`${folder}/`)));
/** Files that people wrote; generated ones follow from them. */
const WRITTEN = TRACKED.filter((file) => !/\.(tsv|csv|json)$/.test(file) || file === 'package.json');

const MAX_LINES = 400;

test(`no file of the product has more than ${MAX_LINES} lines`, () => {
  const sources = filesIn('src', 'contracts', 'scripts').filter((file) => /\.(ts|mjs)$/.test(file));
  expect(sources.length).toBeGreaterThan(100);
  expect(sources.filter((file) => read(file).split('\n').length > MAX_LINES + 1)).toEqual([]);
});

test('no file names a place on the machine that it was written on, or a host that packages come from', () => {
  // Written so that this file is no find.
  const ours = new RegExp(
    ['/(work|root|home/\\w+)/\\w', 'registry\\.\\w+\\.\\w+', 'verdaccio', 'artifactory'].join('|'),
    'i',
  );
  expect(ours.test(['', 'root', 'project'].join('/'))).toBe(true);
  const found = WRITTEN.filter((file) => file !== 'test/tidy/tidy.test.ts').flatMap((file) =>
    read(file)
      .split('\n')
      .flatMap((line, index) => (ours.test(line) ? [`${file}:${index + 1}: ${line.trim().slice(0, 100)}`] : [])),
  );
  expect(found).toEqual([]);
});

const EXPORT = /^export (?:async )?(?:const|function\*?|class|interface|type) (\w+)/gm;

test('no two files of the product export things of one name', () => {
  const files = new Map<string, string[]>();
  for (const file of filesIn('src', 'contracts').filter((one) => /\.tsx?$/.test(one))) {
    const names = new Set([...read(file).matchAll(EXPORT)].map(([, name = '']) => name));
    for (const name of names) files.set(name, [...(files.get(name) ?? []), file]);
  }
  expect(files.size).toBeGreaterThan(1_000);
  expect(Object.fromEntries([...files].filter(([, exporting]) => exporting.length > 1))).toEqual({});
});

test('package-lock.json says what is installed, not from where', () => {
  const lock = read('package-lock.json');
  expect(lock).toContain('"integrity": "sha512-');
  expect(lock).not.toMatch(/"resolved": "(https?|git)/);
});

test('the image starts the service as `npm start` does', () => {
  const { start } = (JSON.parse(read('package.json')) as { scripts: { start: string } }).scripts;
  const command = JSON.parse(/^CMD (\[.*\])$/m.exec(read('Dockerfile'))?.[1] ?? '[]') as string[];
  expect(['exec', ...command].join(' ')).toBe(start);
});

test('every metric that is declared is used', () => {
  const sources = filesIn('src').filter((file) => file.endsWith('.ts') && file !== 'src/telemetry/metrics.ts');
  const text = sources.map(read).join('\n');
  const declared = Object.keys(createMetrics());
  expect(declared).toContain('fenceRejections');
  expect(declared.filter((name) => !new RegExp(`[mM]etrics\\??\\.${name}\\b`).test(text))).toEqual([]);
});

test('docs/integrating.md says of every failure code what to do, and of no other', () => {
  const section = read('docs/integrating.md').split('## When it is refused')[1]?.split('\n## ')[0] ?? '';
  const named = [...section.matchAll(/^\|([^|]+)\|/gm)].flatMap(([, cell]) =>
    [...(cell ?? '').matchAll(/`([A-Z_]+)`/g)].map(([, code]) => code),
  );
  expect(named.toSorted()).toEqual([...FAILURE_CODES].sort());
});

test('documents name no operation that is not in the table', () => {
  const pages = ['README.md', ...filesIn('docs')].filter((file) => file.endsWith('.md'));
  const names = new Set<string>(OPERATION_NAMES);
  const unknown = pages.flatMap((file) =>
    [...read(file).matchAll(/`((?:query|admin|action)\.[a-z-]+)`/g)].flatMap(([, name]) =>
      names.has(name ?? '') ? [] : [`${file}: ${name ?? ''}`],
    ),
  );
  expect(unknown).toEqual([]);
});

test('links between documents lead somewhere', () => {
  const pages = WRITTEN.filter((file) => file.endsWith('.md'));
  const broken = pages.flatMap((file) =>
    [...read(file).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].flatMap(([, target = '']) =>
      existsSync(path.join(ROOT, path.dirname(file), target)) ? [] : [`${file}: ${target}`],
    ),
  );
  expect(pages).toContain('README.md');
  expect(broken).toEqual([]);
});
