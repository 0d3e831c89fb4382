// Builds what is published: dist/esm and dist/cjs, each one JavaScript file with the constants of contracts/ bundled in,
// and the types beside it.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import ts from 'typescript';

const SOURCES = path.join(import.meta.dirname, 'src');
const DIST = path.join(import.meta.dirname, 'dist');
const IMPORTED = /from '\.\/([^']+)\.js'/g;

/**
 * The declarations that `index.ts` leads to, by name. They need no type check: exports say their types themselves.
 * @returns {Map<string, string>}
 */
function buildDeclarations() {
  /** @type {Map<string, string>} */
  const declarations = new Map();
  const names = new Set(['index']);
  for (const name of names) {
    const fileName = path.join(SOURCES, `${name}.ts`);
    const { outputText, diagnostics } = ts.transpileDeclaration(readFileSync(fileName, 'utf8'), {
      fileName,
      reportDiagnostics: true,
      compilerOptions: { strict: true, module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2023 },
    });
    if (diagnostics?.length) throw new Error(ts.formatDiagnostics(diagnostics, HOST));
    declarations.set(name, outputText);
    for (const [, imported = ''] of outputText.matchAll(IMPORTED)) names.add(imported);
  }
  return declarations;
}

const HOST = {
  getCurrentDirectory: () => SOURCES,
  getCanonicalFileName: (/** @type {string} */ name) => name,
  getNewLine: () => '\n',
};

rmSync(DIST, { recursive: true, force: true });
const declarations = buildDeclarations();
for (const [format, type] of /** @type {const} */ ([
  ['esm', 'module'],
  ['cjs', 'commonjs'],
])) {
  const folder = path.join(DIST, format);
  mkdirSync(folder, { recursive: true });
  await build({
    entryPoints: [path.join(SOURCES, 'index.ts')],
    outfile: path.join(folder, 'index.js'),
    bundle: true,
    packages: 'external',
    platform: 'node',
    target: 'node20.19',
    format,
    logLevel: 'error',
  });
  writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify({ type })}\n`);
  for (const [name, text] of declarations) writeFileSync(path.join(folder, `${name}.d.ts`), text);
}
