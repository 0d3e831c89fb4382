#!/usr/bin/env node
// Copies what the compiler leaves out beside its output. By list: whatever else lies there, as a key or an .env of
// somebody's, must not get into dist and so into the image.

import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
/** The program compares their names with what the database has. */
const MIGRATIONS = readdirSync(path.join(root, 'prisma/migrations'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => `prisma/migrations/${name}/migration.sql`);
const ASSETS = [
  'contracts/asyncapi.json',
  'contracts/openapi.json',
  'src/decide/telegram-errors/table.tsv',
  'src/redis/change-locks.lua',
  ...MIGRATIONS,
];

for (const asset of ASSETS) {
  const copy = path.join(root, 'dist', asset);
  mkdirSync(path.dirname(copy), { recursive: true });
  copyFileSync(path.join(root, asset), copy);
}
