#!/usr/bin/env node
// build-console.mjs DIR: builds the operator's page into a folder: index.html, and below assets/ scripts and a stylesheet
// whose names tell their contents, with copies that are compressed once for all.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const SOURCE = path.resolve(import.meta.dirname, '../src/console');

/**
 * @param {string} folder
 * @returns {Promise<void>}
 */
export async function buildConsole(folder) {
  rmSync(folder, { recursive: true, force: true });
  const assets = path.join(folder, 'assets');
  mkdirSync(assets, { recursive: true });
  const { metafile } = await build({
    entryPoints: [path.join(SOURCE, 'main.tsx'), path.join(SOURCE, 'style.css'), path.join(SOURCE, 'icon.svg')],
    outdir: assets,
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    loader: { '.svg': 'copy' },
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    minify: true,
    metafile: true,
    logLevel: 'warning',
  });
  const built = Object.entries(metafile.outputs);
  const nameOf = (/** @type {string} */ source) =>
    path.basename(built.find(([, { entryPoint }]) => entryPoint?.endsWith(source))?.[0] ?? '');
  const page = readFileSync(path.join(SOURCE, 'index.html'), 'utf8').replaceAll(
    /\{\{([\w.]+)\}\}/g,
    (_, source) => `/console/assets/${nameOf(source)}`,
  );
  writeFileSync(path.join(folder, 'index.html'), page);
  for (const name of readdirSync(assets)) {
    const file = path.join(assets, name);
    const contents = readFileSync(file);
    writeFileSync(`${file}.br`, brotliCompressSync(contents));
    writeFileSync(`${file}.gz`, gzipSync(contents, { level: 9 }));
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [folder] = process.argv.slice(2);
  if (!folder) {
    console.error('usage: build-console.mjs DIR');
    process.exit(2);
  }
  await buildConsole(folder);
}
