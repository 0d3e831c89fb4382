import { cpSync, mkdirSync, mkdtempSync, symlinkSync } from 'node:fs';
import path from 'node:path';

export const ROOT = path.resolve(import.meta.dirname, '../..');

/** The parts that a change to the service may need, beside `node_modules`, which is found above the copy. */
const PARTS = ['contracts', 'examples', 'packages', 'prisma', 'scripts', 'src', 'test', 'docs'];
const FILES = ['package.json', 'tsconfig.json', 'eslint.config.js', 'jest.config.js', 'prisma.config.ts', 'README.md'];

/** A copy of the sources in a folder of its own, to be changed. */
export function copyRepository(): string {
  mkdirSync(path.join(ROOT, '.local'), { recursive: true });
  const folder = mkdtempSync(path.join(ROOT, '.local/copy-'));
  const isSource = (file: string): boolean => !/node_modules|\/dist(\/|$)|\.png$/.test(path.relative(ROOT, file));
  for (const part of [...PARTS, ...FILES])
    cpSync(path.join(ROOT, part), path.join(folder, part), { recursive: true, filter: isSource });
  symlinkSync(path.join(ROOT, 'generated'), path.join(folder, 'generated'));
  return folder;
}
