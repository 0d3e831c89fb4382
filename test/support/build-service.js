import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { build as compile } from 'esbuild';
import { buildConsole } from '../../scripts/build-console.mjs';

const ROOT = path.resolve(import.meta.dirname, '../..');
const SOURCES = ['src', 'contracts', 'generated', 'prisma/migrations'];
/** Built by a script of its own. */
const CONSOLE = path.join(ROOT, 'src/console');
/** A build that another run may still be using is left alone this long. */
const KEPT_MS = 3_600_000;

/** @type {Promise<string> | undefined} */
let building;

/**
 * Compiles the service for the tests that start it as a process, without judging its types. A build is named after its
 * sources: none is made twice, and none changes under a test that runs.
 * @returns {Promise<string>} the file to start
 */
export function buildService() {
  // Once for all services that a test starts together: they would write over each other's files.
  building ??= build();
  return building;
}

async function build() {
  const directory = path.join(ROOT, '.local/builds');
  const folder = path.join(directory, hashOf(SOURCES));
  const main = path.join(folder, 'src/main.js');
  if (existsSync(main)) return main;
  mkdirSync(directory, { recursive: true });
  const unfinished = `${folder}.${process.pid}`;
  await compile({
    entryPoints: filesIn(SOURCES).filter((file) => file.endsWith('.ts')),
    outbase: ROOT,
    outdir: unfinished,
    format: 'esm',
    target: 'node20',
    sourcemap: true,
    logLevel: 'error',
  });
  for (const source of SOURCES) {
    cpSync(path.join(ROOT, source), path.join(unfinished, source), {
      recursive: true,
      filter: (file) => !file.endsWith('.ts') && file !== CONSOLE,
    });
  }
  await buildConsole(path.join(unfinished, 'console'));
  forgetOldBuilds(directory);
  try {
    renameSync(unfinished, folder);
  } catch (error) {
    if (!existsSync(main)) throw error;
    rmSync(unfinished, { recursive: true }); // another run was faster
  }
  return main;
}

/** @param {string[]} folders */
function filesIn(folders) {
  return folders.flatMap((folder) =>
    readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .map((name) => path.join(ROOT, folder, name))
      .filter((file) => !file.startsWith(`${CONSOLE}${path.sep}`)),
  );
}

/** @param {string[]} folders */
function hashOf(folders) {
  const hash = createHash('sha256');
  for (const folder of folders) {
    for (const name of readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' }).sort()) {
      const file = path.join(ROOT, folder, name);
      if (statSync(file).isFile()) hash.update(`${name}\n`).update(readFileSync(file));
    }
  }
  return hash.digest('hex').slice(0, 16);
}

/** @param {string} directory */
function forgetOldBuilds(directory) {
  for (const name of readdirSync(directory)) {
    const build = path.join(directory, name);
    if (Date.now() - statSync(build).mtimeMs > KEPT_MS) rmSync(build, { recursive: true, force: true });
  }
}
