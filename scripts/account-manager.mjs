#!/usr/bin/env node
// The command line of this clone. It is always here, built or not: npx links to it once and never looks again.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const main = path.resolve(import.meta.dirname, '../dist/src/cli/main.js');
if (existsSync(main)) {
  await import(pathToFileURL(main).href);
} else {
  console.error('account-manager: this clone is not built yet: run `npm ci && npm run build`');
  process.exitCode = 2;
}
