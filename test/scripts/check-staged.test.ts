import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { checksFor } from '../../scripts/check-staged.mjs';

const programs = (files: string[]): string[] => checksFor(files).map(([program = '']) => program);

test.each([
  [[], []],
  [['README.md', 'prisma/schema.prisma'], []],
  [['package.json'], ['biome']],
  [
    ['src/app.ts', 'README.md'],
    ['biome', 'eslint', 'tsc'],
  ],
  [['scripts/sbom.mjs'], ['biome', 'eslint', 'tsc']],
  [['src/console/page.tsx'], ['biome', 'eslint', 'tsc']],
  [
    ['src/console/page.tsx', 'src/app.ts'],
    ['biome', 'eslint', 'tsc', 'tsc'],
  ],
])('before a commit of %j runs %j', (files, expected) => {
  expect(programs(files)).toEqual(expected);
});

test('formatting and lint look at the files of the commit alone', () => {
  const [format, lint] = checksFor(['src/app.ts', 'docs/console.md']);
  expect(format).toContain('src/app.ts');
  expect(lint).toContain('src/app.ts');
  expect([...(format ?? []), ...(lint ?? [])]).not.toContain('docs/console.md');
});

test('an installation sets no hook: the package finds its configuration only where `npm run hooks` names it', () => {
  const root = path.resolve(import.meta.dirname, '../..');
  const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  expect(manifest).not.toHaveProperty('simple-git-hooks');
  expect(readdirSync(root).filter((name) => /^\.?simple-git-hooks\./.test(name))).toEqual([]);
  const [, file = ''] = manifest.scripts.hooks?.split(' ') ?? [];
  expect(existsSync(path.join(root, file))).toBe(true);
});
