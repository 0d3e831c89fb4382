#!/usr/bin/env node
// slim-packages.mjs DIR: removes from DIR/node_modules, as the image takes it, what the program never loads. Fails where a
// package is missing or one too many: npm 10 can end with "Exit handler never called!" and exit code 0, having installed
// nothing or half of it.

import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { productionPackages } from './sbom.mjs';

/** Folders of which the program loads a few files. Prisma brings its compiler for five databases, in two sizes and forms. */
const NEEDED = {
  '@prisma/client/runtime': /^client\.m?js$|^query_compiler_fast_bg\.postgresql\.(wasm-base64\.)?mjs$/,
  'sql.js/dist': /^sql-wasm\.(js|wasm)$/,
};
/** For people, compilers and debuggers. Licences stay. */
const UNUSED = /\.(d\.[cm]?ts|[cm]?ts|tsx|map|md|markdown|flow)$|^tsconfig.*\.json$/i;

/**
 * @param {string} modules the folder node_modules
 * @param {import('./sbom.mjs').Lock} lock
 * @returns {string[]} what differs from what the lock says is installed for production, a line each
 */
export function differences(modules, lock) {
  const wanted = productionPackages(lock);
  const installed = new Set(packagesIn(modules));
  return [
    ...[...wanted].filter((name) => !installed.has(name)).map((name) => `${name} is not installed`),
    ...[...installed].filter((name) => !wanted.has(name)).map((name) => `${name} is installed, and not needed`),
  ];
}

/**
 * @param {string} modules
 * @returns {string[]} `name@version` of every package below it
 */
function packagesIn(modules) {
  if (!existsSync(modules)) return [];
  return readdirSync(modules, { withFileTypes: true }).flatMap((entry) => {
    // A link leads to a package of this project's own.
    if (!entry.isDirectory() || entry.name.startsWith('.')) return [];
    const folder = path.join(modules, entry.name);
    if (entry.name.startsWith('@')) return packagesIn(folder);
    const manifest = path.join(folder, 'package.json');
    if (!existsSync(manifest)) return [];
    const { name, version } = JSON.parse(readFileSync(manifest, 'utf8'));
    return [`${name}@${version}`, ...packagesIn(path.join(folder, 'node_modules'))];
  });
}

/**
 * @param {string} modules the folder node_modules
 * @throws where a folder no longer has what is kept of it
 */
export function slim(modules) {
  for (const entry of readdirSync(modules, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && UNUSED.test(entry.name)) rmSync(path.join(entry.parentPath, entry.name));
  }
  for (const [folder, needed] of Object.entries(NEEDED)) {
    const files = readdirSync(path.join(modules, folder));
    if (!files.some((file) => needed.test(file))) throw new Error(`${folder}: nothing in it is needed any more`);
    for (const file of files.filter((name) => !needed.test(name))) rmSync(path.join(modules, folder, file));
  }
}

if (import.meta.url === pathToFileURL(path.resolve(process.argv[1] ?? '')).href) {
  const root = path.resolve(process.argv[2] ?? '.');
  const modules = path.join(root, 'node_modules');
  const found = differences(modules, JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')));
  if (found.length > 0) {
    console.error(`slim-packages: node_modules is not what package-lock.json says:\n${found.join('\n')}`);
    process.exit(1);
  }
  slim(modules);
}
