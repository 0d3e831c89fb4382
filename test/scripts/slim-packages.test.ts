import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { differences, slim } from '../../scripts/slim-packages.mjs';

let modules: string;
beforeEach(() => {
  modules = mkdtempSync(path.join(tmpdir(), 'slim-'));
});
afterEach(() => rmSync(modules, { recursive: true }));

function put(file: string, content = ''): void {
  mkdirSync(path.dirname(path.join(modules, file)), { recursive: true });
  writeFileSync(path.join(modules, file), content);
}
const install = (name: string, version: string, folder = name) =>
  put(`${folder}/package.json`, JSON.stringify({ name, version }));
const lock = {
  packages: {
    'node_modules/a': { version: '1.0.0' },
    'node_modules/@scope/b': { version: '2.0.0' },
    'node_modules/a/node_modules/c': { version: '3.0.0' },
    'node_modules/tester': { version: '4.0.0', dev: true },
  },
};

test('packages that npm left out or left behind are named', () => {
  install('a', '1.0.0');
  install('c', '3.0.0', 'a/node_modules/c');
  expect(differences(modules, lock)).toEqual(['@scope/b@2.0.0 is not installed']);
  install('@scope/b', '2.0.0');
  expect(differences(modules, lock)).toEqual([]);
  install('tester', '4.0.0');
  expect(differences(modules, lock)).toEqual(['tester@4.0.0 is installed, and not needed']);
  expect(differences(path.join(modules, 'nothing'), lock)).toHaveLength(3);
});

test("Prisma's compilers for other databases, types and source maps go; programs and licences stay", () => {
  const runtime = '@prisma/client/runtime';
  const kept = [
    `${runtime}/client.mjs`,
    `${runtime}/query_compiler_fast_bg.postgresql.mjs`,
    `${runtime}/query_compiler_fast_bg.postgresql.wasm-base64.mjs`,
    'sql.js/dist/sql-wasm.wasm',
    'a/index.js',
    'a/LICENSE',
  ];
  const removed = [
    `${runtime}/query_compiler_fast_bg.mysql.wasm-base64.mjs`,
    `${runtime}/query_compiler_small_bg.postgresql.wasm-base64.mjs`,
    'sql.js/dist/worker.sql-asm-debug.js',
    'a/index.d.ts',
    'a/index.js.map',
    'a/README.md',
  ];
  for (const file of [...kept, ...removed]) put(file);
  slim(modules);
  expect([...kept, ...removed].filter((file) => existsSync(path.join(modules, file)))).toEqual(kept);
});

test('a name that Prisma changes is an error, not an image without a compiler', () => {
  put('@prisma/client/runtime/compiler_of_tomorrow.mjs');
  put('sql.js/dist/sql-wasm.js');
  expect(() => slim(modules)).toThrow('@prisma/client/runtime');
});
