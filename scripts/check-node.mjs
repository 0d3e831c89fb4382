#!/usr/bin/env node
// Imported first by scripts that people start: on an older Node.js they would end with an error that names a package or a
// line of theirs. Says in one line which versions do, by `engines` in package.json, and exits 1.

import { readFileSync } from 'node:fs';
import process from 'node:process';
import { URL } from 'node:url';

const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const { node: here } = process.versions;

const MAJOR = 1_000_000;

/** @param {string} version such as "20.19.0" */
function toNumber(version) {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  return major * MAJOR + minor * 1_000 + patch;
}

/** @param {string} range such as "^20.19.0", of one major version, or ">=24.0.0" */
function isIn(range) {
  const least = toNumber(range.replace(/^\D+/, ''));
  const own = toNumber(here);
  return own >= least && (!range.startsWith('^') || Math.floor(own / MAJOR) === Math.floor(least / MAJOR));
}

if (!engines.node.split(' || ').some(isIn)) {
  console.error(`Node.js ${here} is not supported, but ${engines.node} (https://nodejs.org)`);
  process.exit(1);
}
