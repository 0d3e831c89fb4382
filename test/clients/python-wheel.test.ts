import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { findPython, runPython } from '../support/python.js';

const PACKAGE = path.resolve(import.meta.dirname, '../../packages/python');
const MODULES = ['build', 'hatchling', 'pip', 'aio_pika', 'pika'];
const DEBIAN = [
  'python3-build',
  'python3-hatchling',
  'python3-pip',
  'python3-venv',
  'python3-aio-pika',
  'python3-pika',
];
const python = findPython(MODULES, DEBIAN);
const withPython = python === null ? test.skip : test;

jest.setTimeout(180_000);

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'wheel-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

withPython(
  'the wheel is built, and works in an environment that has its dependencies and nothing of this repository',
  async () => {
    const source = path.join(directory, 'source');
    cpSync(PACKAGE, source, { recursive: true });
    const built = path.join(directory, 'built');
    await runPython(python ?? '', [
      '-m',
      'build',
      '--no-isolation',
      '--skip-dependency-check',
      '--wheel',
      '--outdir',
      built,
      source,
    ]);
    const [wheel = '', ...others] = readdirSync(built);
    expect(wheel).toMatch(/^account_manager_client-[\d.]+-py3-none-any\.whl$/);
    expect(others).toEqual([]);

    const environment = path.join(directory, 'environment');
    await runPython(python ?? '', ['-m', 'venv', '--without-pip', '--system-site-packages', environment]);
    const own = path.join(environment, 'bin/python');
    // Without an index pip finds the dependencies among what Debian has installed, or fails.
    const install = ['install', '--quiet', '--no-index', path.join(built, wheel)];
    await runPython(python ?? '', ['-m', 'pip', '--python', own, ...install]);
    const told = await runPython(own, ['-I', '-c', PROGRAM], { ROOT: environment });
    expect(JSON.parse(told)).toEqual({ isInEnvironment: true, isTyped: true, refusal: 'AllBusy', blocking: true });
  },
);

const PROGRAM = `
import json, os, pathlib
import account_manager
from account_manager import blocking
root = pathlib.Path(account_manager.__file__).parent
print(json.dumps({
    "isInEnvironment": root.is_relative_to(os.environ["ROOT"]),
    "isTyped": (root / "py.typed").exists(),
    "refusal": account_manager.AllBusy("busy").__class__.__name__,
    "blocking": callable(blocking.connect),
}))
`;
