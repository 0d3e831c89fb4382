#!/usr/bin/env node
// The parts of a release that release-it does not know (`npm run release`, .release-it.json):
//
//   release.mjs versions VERSION    writes the version into both client packages
//   release.mjs artifacts VERSION   makes what is published, with checksums, in dist/release

import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { writeReference } from './reference.mjs';

const ROOT = path.resolve(import.meta.dirname, '..');
const FOLDER = path.join(ROOT, 'dist/release');

/** @param {string} version */
function writeVersions(version) {
  /** @param {string} name @param {RegExp} pattern of the version's line @param {string} line */
  const replace = (name, pattern, line) => {
    const file = path.join(ROOT, name);
    const text = readFileSync(file, 'utf8');
    if (!pattern.test(text)) throw new Error(`${name} has no version`);
    writeFileSync(file, text.replace(pattern, line));
  };
  replace('packages/client/package.json', /^ {2}"version": ".*",$/m, `  "version": "${version}",`);
  replace('packages/python/pyproject.toml', /^version = ".*"$/m, `version = "${version}"`);
  replace(
    'package-lock.json',
    /(\n {4}"packages\/client": \{\n(?: {6}"name": .*\n)? {6}"version": )".*"/,
    `$1"${version}"`,
  );
}

/** @param {string} command @param {string[]} args @param {string} [folder] */
const run = (command, args, folder = ROOT) =>
  execFileSync(command, args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });

/** @param {string} version */
function makeArtifacts(version) {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  run('npm', ['pack', '--silent', '-w', '@account-manager/client', '--pack-destination', FOLDER]);
  makeWheel();
  run(process.execPath, [
    path.join(ROOT, 'scripts/sbom.mjs'),
    path.join(FOLDER, `account-manager-${version}.cdx.json`),
  ]);
  writeReference(path.join(FOLDER, `reference-${version}.html`));
  makeImage(version);
  const sums = readdirSync(FOLDER)
    .sort()
    .map((name) => {
      const hash = createHash('sha256').update(readFileSync(path.join(FOLDER, name)));
      return `${hash.digest('hex')}  ${name}\n`;
    });
  writeFileSync(path.join(FOLDER, 'SHA256SUMS'), sums.join(''));
  console.log(`dist/release:\n${sums.join('')}`);
}

/** Built from a copy: what a build leaves behind is no part of the sources. */
function makeWheel() {
  const copy = mkdtempSync(path.join(tmpdir(), 'wheel-'));
  try {
    cpSync(path.join(ROOT, 'packages/python'), copy, { recursive: true });
    const options = ['--no-isolation', '--skip-dependency-check', '--wheel', '--outdir', FOLDER];
    // Debian's own, where another one comes first that has not the package.
    const python = ['python3', '/usr/bin/python3'].find(
      (name) => spawnSync(name, ['-c', 'import build, hatchling'], { stdio: 'ignore' }).status === 0,
    );
    if (python === undefined) throw new Error('the wheel needs the Python packages build and hatchling');
    run(python, ['-m', 'build', ...options, copy]);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** @param {string} version */
function makeImage(version) {
  if (spawnSync('docker', ['info'], { stdio: 'ignore' }).status !== 0) {
    console.log(
      'No Docker engine answers, so no image was built: run `docker build -t account-manager .` where there is one.',
    );
    return;
  }
  const tag = `account-manager:${version}`;
  run('docker', ['build', '--tag', tag, '.']);
  run('docker', ['save', '--output', path.join(FOLDER, `account-manager-${version}.image.tar`), tag]);
}

const [command, version = ''] = process.argv.slice(2);
if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) {
  console.error('usage: release.mjs versions|artifacts VERSION');
  process.exit(2);
}
if (command === 'versions') writeVersions(version);
else makeArtifacts(version);
