import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import ts from 'typescript';

// The package that `npm publish` would send is packed, looked at, unpacked beside its dependencies, and used.

const ROOT = path.resolve(import.meta.dirname, '../..');
const run = promisify(execFile);
const bin = (name: string): string => path.join(ROOT, 'node_modules/.bin', name);

let folder: string;
let tarball: string;
let installed: string;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'client-'));
  await run('npm', ['pack', '--silent', '-w', '@account-manager/client', '--pack-destination', folder], { cwd: ROOT });
  tarball = path.join(folder, readdirSync(folder)[0] ?? '');
  await run('tar', ['-xzf', tarball, '-C', folder]);
  installed = path.join(folder, 'node_modules/@account-manager/client');
  mkdirSync(path.dirname(installed), { recursive: true });
  symlinkSync(path.join(folder, 'package'), installed);
  // The package resolves what it needs from where it lies.
  for (const name of ['amqplib', 'amqp-connection-manager', '@types']) {
    symlinkSync(path.join(ROOT, 'node_modules', name), path.join(folder, 'node_modules', name));
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const manifest = (): { dependencies: Record<string, string> } =>
  JSON.parse(readFileSync(path.join(installed, 'package.json'), 'utf8'));

test('publint and attw find no fault with it', async () => {
  await run(bin('publint'), ['--strict', tarball], { cwd: folder });
  await run(bin('attw'), [tarball, '--no-color'], { cwd: folder });
});

test('it holds what its users need, and imports no package that it does not name', () => {
  expect(readdirSync(installed).sort()).toEqual(['LICENSE', 'README.md', 'dist', 'package.json']);
  expect(Object.keys(manifest().dependencies).sort()).toEqual(['amqp-connection-manager', 'amqplib']);
  const files = readdirSync(path.join(installed, 'dist'), { recursive: true, encoding: 'utf8' });
  const imported = files
    .filter((file) => /\.(js|ts)$/.test(file))
    .flatMap((file) => [
      ...readFileSync(path.join(installed, 'dist', file), 'utf8').matchAll(
        /(?:from|require\(|import\()\s*["']([^."'][^"']*)["']/g,
      ),
    ])
    .map(([, name = '']) => name)
    .filter((name) => !name.startsWith('node:'));
  expect([...new Set(imported)].sort()).toEqual(['amqp-connection-manager', 'amqplib']);
});

test.each([
  ['import.mjs', "import { connectAccountManager } from '@account-manager/client';"],
  ['require.cjs', "const { connectAccountManager } = require('@account-manager/client');"],
])('it runs in an empty project: %s', async (file, line) => {
  const refused =
    "connectAccountManager('amqp://localhost', { serviceName: 'No' }).catch((error) => console.log(error.message));";
  writeFileSync(path.join(folder, file), `${line}\n${refused}\n`);
  const { stdout } = await run(process.execPath, [file], { cwd: folder });
  expect(stdout).toContain('serviceName must be');
});

const CALLER = `
import { connectAccountManager, type AccountManagerEvent } from '@account-manager/client';
const manager = await connectAccountManager('amqp://localhost', { serviceName: 'example' });
const { status } = await manager.call('query.limits', { account_id: 'a' });
const available: boolean = status.is_available;
const text: string = await manager.withAccount({ user_id: 1, purpose: 'general' }, async (account, signal) => {
  const result = await account.act('message', null, () => 7);
  if (result.outcome === 'done') return String(result.value + (signal.aborted ? 1 : 0) + Number(available));
  return result.outcome === 'refused' ? String(result.next_allowed_at) : result.classified_as;
});
await manager.subscribe(['account.flood_wait'], (event: AccountManagerEvent) => console.log(text, event.subject));
`;

test('a caller is type-checked against the contract, the package’s own declarations included', () => {
  const check = (source: string): string[] => {
    const file = path.join(folder, 'caller.mts');
    writeFileSync(file, source);
    const program = ts.createProgram([file], {
      strict: true,
      noEmit: true,
      skipLibCheck: false,
      preserveSymlinks: true,
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2023,
      types: ['node'],
      lib: ['lib.es2023.d.ts'],
    });
    // Not those of other packages.
    const sources = program
      .getSourceFiles()
      .filter(({ fileName }) => fileName.includes(installed) || fileName === file);
    expect(sources.length).toBeGreaterThan(5);
    return sources
      .flatMap((source) => [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)])
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
  };
  expect(check(CALLER)).toEqual([]);
  expect(check(CALLER.replace("'message', null", "'massage', null"))).not.toEqual([]);
});
