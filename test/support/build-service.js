import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { build as compile, transform } from 'esbuild';
import { isAlive } from '../../scripts/servers/process.mjs';
import { buildConsole } from '../../scripts/build-console.mjs';

const ROOT = path.resolve(import.meta.dirname, '../..');
const SOURCES = ['src', 'contracts', 'generated', 'prisma/migrations'];
/** The service, the threads of its jobs, the command line, and a file that scripts load beside them. */
const ENTRIES = /^src\/(main|cli\/main|jobs\/workers\/[\w-]+|config\/settings)\.ts$/;
/** Built by a script of its own. */
const CONSOLE = path.join(ROOT, 'src/console');
/** A build that another run may still be using is left alone this long. */
const KEPT_MS = 3_600_000;

/** @type {Promise<string> | undefined} */
let building;

/**
 * Compiles the service for the tests that start it as a process, without judging its types. A build is named after its
 * sources: none is made twice, and none changes under a test that runs. It holds the packages, too, and no source maps:
 * a service that has each file of theirs to find takes 3.5 s of processor time until it is ready, this one 2.3 s.
 * @returns {Promise<string>} the file to start
 */
export function buildService() {
  // Once for all services that a test starts together: they would write over each other's files.
  building ??= build();
  return building;
}

async function build() {
  const directory = path.join(ROOT, '.local/builds');
  const sources = [...filesIn(SOURCES), path.join(ROOT, 'package-lock.json'), import.meta.filename];
  const folder = path.join(directory, hashOf(sources));
  const main = path.join(folder, 'src/main.js');
  mkdirSync(directory, { recursive: true });
  const lock = `${folder}.lock`;
  await takeTurn(lock);
  try {
    if (!existsSync(main)) await bundle(folder);
  } finally {
    rmSync(lock);
  }
  forgetOldBuilds(directory);
  return main;
}

/**
 * The workers of a run begin together. One builds, and the others wait for as long as it lives.
 * @param {string} lock a link that tells who builds
 */
async function takeTurn(lock) {
  for (;;) {
    try {
      symlinkSync(String(process.pid), lock);
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    if (!isAlive(builderOf(lock))) rmSync(lock, { force: true });
    await sleep(50);
  }
}

/** @param {string} lock */
function builderOf(lock) {
  try {
    return Number(readlinkSync(lock));
  } catch {
    return process.pid; // it has just ended its turn
  }
}

/** @param {string} folder */
async function bundle(folder) {
  const unfinished = `${folder}.${process.pid}`;
  await compile({
    entryPoints: filesIn(SOURCES).filter((file) => ENTRIES.test(path.relative(ROOT, file))),
    outbase: ROOT,
    outdir: unfinished,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    // Packages that are not ES modules ask for those of Node.
    banner: { js: `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);` },
    plugins: [keepPlaces(folder)],
    logLevel: 'error',
  });
  for (const source of SOURCES) {
    cpSync(path.join(ROOT, source), path.join(unfinished, source), {
      recursive: true,
      filter: (file) => !file.endsWith('.ts') && file !== CONSOLE,
    });
  }
  await buildConsole(path.join(unfinished, 'console'));
  renameSync(unfinished, folder);
}

/**
 * Files are read beside the file that names them, wherever the bundle has put its text: assets of ours in the build,
 * those of a package where it is installed.
 * @param {string} folder
 * @returns {import('esbuild').Plugin}
 */
const keepPlaces = (folder) => ({
  name: 'keep-places',
  setup: (building) =>
    building.onLoad({ filter: /\.[cm]?[jt]s$/ }, async ({ path: file }) => {
      const source = readFileSync(file, 'utf8');
      if (!/import\.meta\.(url|dirname)|__dirname|__filename/.test(source)) return undefined;
      const isInstalled = file.startsWith(path.join(ROOT, 'node_modules'));
      const place = isInstalled ? file : path.join(folder, path.relative(ROOT, file));
      const define = {
        'import.meta.url': JSON.stringify(pathToFileURL(place).href),
        'import.meta.dirname': JSON.stringify(path.dirname(place)),
        __dirname: JSON.stringify(path.dirname(place)),
        __filename: JSON.stringify(place),
      };
      const loader = file.endsWith('ts') ? 'ts' : 'js';
      const { code } = await transform(source, { define, loader });
      return { contents: code };
    }),
});

/** @param {string[]} folders */
function filesIn(folders) {
  return folders.flatMap((folder) =>
    readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
      path.join(ROOT, folder, name),
    ),
  );
}

/** @param {string[]} files */
function hashOf(files) {
  const hash = createHash('sha256');
  for (const file of files.toSorted())
    if (statSync(file).isFile()) hash.update(`${path.relative(ROOT, file)}\n`).update(readFileSync(file));
  return hash.digest('hex').slice(0, 16);
}

/** @param {string} directory */
function forgetOldBuilds(directory) {
  for (const name of readdirSync(directory)) {
    const build = path.join(directory, name);
    const { mtimeMs = Infinity } = lstatSync(build, { throwIfNoEntry: false }) ?? {};
    if (Date.now() - mtimeMs > KEPT_MS) rmSync(build, { recursive: true, force: true });
  }
}
