import { execFile } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, test } from '@jest/globals';
import { copyRepository, ROOT } from '../guides/copy-repository.js';
import { applyBlocks, readBlocks } from '../support/guide.js';

// The example of CONTRIBUTING.md under the type checker and the linter, which take too long for every test run.

const copy = copyRepository();
afterAll(() => rmSync(copy, { recursive: true, force: true }));
const run = promisify(execFile);
const bin = (name: string): string => path.join(ROOT, 'node_modules/.bin', name);

test('with the blocks of CONTRIBUTING.md the program has sound types and is free of lint', async () => {
  const changed = applyBlocks(readBlocks(readFileSync(path.join(ROOT, 'CONTRIBUTING.md'), 'utf8')), copy);
  await run(bin('tsc'), ['-p', 'tsconfig.json', '--noEmit'], { cwd: copy });
  await run(bin('eslint'), [...new Set(changed)], { cwd: copy });
}, 600_000);
