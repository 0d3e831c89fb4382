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
