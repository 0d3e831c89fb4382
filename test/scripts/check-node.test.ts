import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { expect, test } from '@jest/globals';
import { build } from 'esbuild';
import semver from 'semver';

const ROOT = path.resolve(import.meta.dirname, '../..');
const { engines } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { engines: { node: string } };
const VERSIONS = [
  '16.20.2',
  '18.20.8',
  '20.18.3',
  '20.19.0',
  '20.20.2',
  '21.7.3',
  '22.12.0',
  '22.13.0',
  '23.11.0',
  '24.0.0',
  '26.1.0',
];

/** Runs a program that takes its Node.js for another version. */
function runAs(version: string, program: string) {
  const pretend = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`;
  const { status, stderr } = spawnSync(process.execPath, ['--import', `data:text/javascript,${pretend}`, program]);
  return { status, told: stderr.toString() };
}

/** The service's own check, as the build makes it. */
async function compileCheck(): Promise<string> {
  const outfile = path.join(ROOT, '.local/builds/check-node.mjs');
  await build({ entryPoints: [path.join(ROOT, 'src/check-node.ts')], outfile, format: 'esm', logLevel: 'error' });
  return outfile;
}

test.each<[string, () => string | Promise<string>]>([
  ['the service', compileCheck],
  ['the scripts', () => path.join(ROOT, 'scripts/check-node.mjs')],
])('%s start on the versions of Node.js that package.json names, and tell others in one line', async (_who, find) => {
  const program = await find();
  for (const version of VERSIONS) {
    const { status, told } = runAs(version, program);
    const isNamed = semver.satisfies(version, engines.node);
    expect([version, status]).toEqual([version, isNamed ? 0 : 1]);
    expect(told).toMatch(isNamed ? /^$/ : new RegExp(`^[^\\n]*Node\\.js ${version} is not supported[^\\n]*\\n$`));
  }
});

test('the service looks at its version before it loads a package', () => {
  const [first] = readFileSync(path.join(ROOT, 'src/main.ts'), 'utf8').split('\n');
  expect(first).toBe("import './check-node.js';");
});
