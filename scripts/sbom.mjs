#!/usr/bin/env node
// sbom.mjs [FILE]: writes what a production installation consists of (CycloneDX 1.5, JSON), by package-lock.json alone.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';

const ROOT = path.resolve(import.meta.dirname, '..');

/**
 * @typedef {{ name: string, version: string, 'bom-ref': string, purl: string }} Component
 * @typedef {object} Sbom
 * @property {{ component: Component }} metadata
 * @property {Component[]} components
 * @property {{ ref: string, dependsOn: string[] }[]} dependencies
 *
 * @typedef {{ version: string, name?: string, dev?: boolean, devOptional?: boolean, optional?: boolean, peer?: boolean, link?: boolean }} LockEntry
 * @typedef {{ name: string, dependencies: Record<string, string> }} Package
 * @typedef {{ packages: Record<string, LockEntry> }} Lock
 */

/**
 * Packages that stay in the image after `npm prune --omit=dev --omit=optional --omit=peer`, as `name@version`.
 * @param {Lock} lock
 * @returns {Set<string>}
 */
export function productionPackages({ packages }) {
  const kept = Object.entries(packages).filter(
    // Packages outside node_modules are this project's own, and so are the links to them.
    ([place, { dev, devOptional, optional, peer, link }]) =>
      place.includes('node_modules/') && !dev && !devOptional && !optional && !peer && !link,
  );
  return new Set(kept.map(([place, { name, version }]) => `${name ?? place.split('node_modules/').at(-1)}@${version}`));
}

/**
 * The production part of an SBOM of everything. `npm sbom --omit=dev` does not give it: it leaves out every package
 * that some other package has for development, zod and ajv among them.
 * @param {Sbom} sbom
 * @param {{ lock: Lock, manifest: Package }} project
 * @returns {Sbom}
 * @throws where a production dependency is not in it
 */
export function reduceToProduction(sbom, { lock, manifest }) {
  const wanted = productionPackages(lock);
  const own = sbom.metadata.component;
  const components = sbom.components.filter(({ name, version }) => wanted.has(`${name}@${version}`));
  const listed = new Set(components.map(({ name, version }) => `${name}@${version}`));
  const names = new Set(components.map(({ name }) => name));
  const missing = [
    ...[...wanted].filter((dependency) => !listed.has(dependency)),
    ...Object.keys(manifest.dependencies).filter((name) => !names.has(name)),
  ];
  if (missing.length > 0) throw new Error(`not in the SBOM: ${missing.join(', ')}`);
  const refs = new Set([own['bom-ref'], ...components.map((component) => component['bom-ref'])]);
  return {
    ...sbom,
    // npm names it after the folder.
    metadata: { ...sbom.metadata, component: { ...own, name: manifest.name } },
    components,
    dependencies: sbom.dependencies
      .filter(({ ref }) => refs.has(ref))
      .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((dependency) => refs.has(dependency)) })),
  };
}

if (import.meta.url === pathToFileURL(path.resolve(process.argv[1] ?? '')).href) {
  const file = path.resolve(process.argv[2] ?? path.join(ROOT, 'dist/sbom.json'));
  const read = (/** @type {string} */ name) => JSON.parse(readFileSync(path.join(ROOT, name), 'utf8'));
  const everything = execFileSync(
    'npm',
    ['sbom', '--package-lock-only', '--sbom-format=cyclonedx', '--sbom-type=application'],
    { cwd: ROOT, encoding: 'utf8', maxBuffer: 2 ** 26, stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const project = { lock: read('package-lock.json'), manifest: read('package.json') };
  const sbom = reduceToProduction(JSON.parse(everything), project);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(sbom, null, 2)}\n`);
  console.log(`${path.relative('', file)}: ${sbom.components.length} packages`);
}
