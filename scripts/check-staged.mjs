// The pre-commit hook (`npm run hooks` sets it): formatting, lint and types of what is about to be committed.

import { execFileSync, spawnSync } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';

const ROOT = path.resolve(import.meta.dirname, '..');

/**
 * The checks that these files need.
 * @param {readonly string[]} files paths from the root of the repository
 * @returns {string[][]} commands, each as a program of node_modules/.bin and its arguments
 */
export function checksFor(files) {
  const formatted = files.filter((file) => /\.(ts|tsx|mjs|js|cjs|json|css)$/.test(file));
  const linted = files.filter((file) => /\.(ts|tsx|mjs|js)$/.test(file));
  const ofConsole = linted.filter((file) => file.startsWith('src/console/'));
  // Incremental: the first run takes as long as `npm run typecheck`, the next ones judge what has changed.
  const types = [
    'tsc',
    '-p',
    'tsconfig.json',
    '--noEmit',
    '--incremental',
    '--tsBuildInfoFile',
    '.local/staged.tsbuildinfo',
  ];
  return [
    ...(formatted.length > 0 ? [['biome', 'format', '--no-errors-on-unmatched', ...formatted]] : []),
    ...(linted.length > 0 ? [['eslint', '--no-warn-ignored', ...linted]] : []),
    ...(linted.length > ofConsole.length ? [types] : []),
    ...(ofConsole.length > 0 ? [['tsc', '-p', 'src/console/tsconfig.json']] : []),
  ];
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const names = execFileSync('git', ['diff', '--cached', '--name-only', '--diff-filter=d', '-z'], { cwd: ROOT });
  for (const [name = '', ...args] of checksFor(names.toString().split('\0').filter(Boolean))) {
    const { status } = spawnSync(path.join(ROOT, 'node_modules/.bin', name), args, { cwd: ROOT, stdio: 'inherit' });
    if (status !== 0) {
      console.error(`pre-commit: ${name} found faults; \`git commit --no-verify\` commits nevertheless`);
      process.exit(1);
    }
  }
}
