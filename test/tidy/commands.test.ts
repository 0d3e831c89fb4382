import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import type { Command } from 'commander';
import { createProgram } from '../../src/cli/program.js';
import { readBlocks } from '../support/guide.js';

// Every `account-manager …`, `make …` and `npm run …` in the documents is one that there is.

const ROOT = path.resolve(import.meta.dirname, '../..');
const PAGES = execFileSync('git', ['ls-files', '*.md'], { cwd: ROOT, encoding: 'utf8' }).split('\n').filter(Boolean);
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');

/** The words of a command as a shell takes them apart, up to where it is piped, redirected or commented. */
function wordsOf(line: string): string[] {
  const words = line.match(/"[^"]*"|'[^']*'|\S+/g) ?? [];
  const end = words.findIndex((word) => /^(\||>>?|#|&&|\))/.test(word));
  return (end < 0 ? words : words.slice(0, end)).map((word) => word.replaceAll(/^["']|["'\\]$/g, ''));
}

const inBlocks = (page: string): string[] =>
  readBlocks(read(page))
    .filter(({ language }) => language === 'sh')
    .flatMap(({ text }) => text.split('\n'));
/** The runbooks also have commands within their sentences. */
const inText = (page: string): string[] =>
  page.startsWith('docs/runbooks/')
    ? [...read(page).matchAll(/`(account-manager [^`]+)`/g)].map(([, line = '']) => line)
    : [];

const COMMANDS = PAGES.flatMap((page) =>
  [...inBlocks(page), ...inText(page)].flatMap((line) => {
    const [, rest] = /^(?:source <\()?(?:npx )?account-manager (.*)$/.exec(line) ?? [];
    return rest === undefined ? [] : [{ page, line, words: wordsOf(rest.replace(/\)(\s|$)/, ' ) ')) }];
  }),
);

/** Parses the command and runs nothing. */
async function parse(words: string[]): Promise<void> {
  const program = createProgram(new AbortController().signal, () => undefined);
  const silence = (command: Command): void => {
    command.configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
    if (command.commands.length === 0) command.action(() => undefined);
    command.commands.forEach(silence);
  };
  silence(program);
  await program.parseAsync(words, { from: 'user' });
}

test('the command line takes every command that the documents show', async () => {
  expect(COMMANDS.length).toBeGreaterThan(40);
  const refused: string[] = [];
  for (const { page, line, words } of COMMANDS)
    await parse(words).catch((error: Error) => refused.push(`${page}: ${line}: ${error.message}`));
  expect(refused).toEqual([]);
  await expect(parse(['accounts', 'explode'])).rejects.toThrow();
  await expect(parse(['accounts', 'list', '--colour', 'red'])).rejects.toThrow();
});

test('every make target and npm script that the documents name is there', () => {
  const targets = new Set([...read('Makefile').matchAll(/^([a-z-]+):/gm)].map(([, name]) => name));
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const client = JSON.parse(read('packages/client/package.json')) as { scripts: Record<string, string> };
  const unknown = PAGES.flatMap((page) => [
    ...[...read(page).matchAll(/(?:`|^ {4}|^)make ([a-z-]+)\b/gm)].flatMap(([found, name]) =>
      targets.has(name) ? [] : [`${page}: ${found}`],
    ),
    ...[...read(page).matchAll(/npm run (?:--silent )?([a-z:-]+)/g)].flatMap(([found, name = '']) =>
      name in scripts || name in client.scripts ? [] : [`${page}: ${found}`],
    ),
  ]);
  expect(unknown).toEqual([]);
});
