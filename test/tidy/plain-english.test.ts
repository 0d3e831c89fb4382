import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';

// No sentence of a comment or a document begins with a word that puts its subject last.

const ROOT = path.resolve(import.meta.dirname, '../..');
const FILES = execFileSync('git', ['ls-files'], { cwd: ROOT, encoding: 'utf8' })
  .split('\n')
  // Migrations that were applied never change.
  .filter((file) => /\.(ts|tsx|mjs|cjs|js|py|md|lua|yml|prisma)$/.test(file) && existsSync(path.join(ROOT, file)));

const HARD = /^(Of|Who|Whose|Whom|What) \S/;

/** A test name that begins with a clause, such as "what is broken is mended". */
const HARD_NAME = /\(\s*(['"`])(what \S[^\n]*?)\1,\s*(?:async )?\(/g;

/** The comments of a program, the text of a document: each paragraph in one line. */
function paragraphsOf(file: string, text: string): string[] {
  if (file.endsWith('.md')) {
    const prose = text.replaceAll(/^```.*?^```$/gms, '').replaceAll(/^( {4}.*|#+ .*)$/gm, '');
    return prose.split(/\n\s*\n|\n(?=[-|>]|\d+\. )|\|/).map((part) => part.replace(/^\s*(-|\d+\.|>)\s*/, ''));
  }
  const comments = text
    .split('\n')
    .map((line) => /^\s*(?:\/{2,3}|\/?\*+|#:?|--|""")\s?(.*?)(?:\*\/|""")?$/.exec(line)?.[1] ?? null);
  return comments
    .map((line) => line?.trim() ?? '')
    .join('\n')
    .split(/\n\s*\n/);
}

/** Questions may begin so. */
const sentencesOf = (paragraph: string): string[] =>
  paragraph
    .replaceAll('\n', ' ')
    .split(/(?<=[.:!?]\)?) +(?=[A-Z])/)
    .map((sentence) => sentence.trim())
    .filter((sentence) => !sentence.endsWith('?'));

test.each([
  ['docs/a.md', 'Callers get it.\nWho is not listed gets nothing.', 1],
  ['docs/a.md', '- Of two the first.\n\n| a | What is over is lost. |', 2],
  ['docs/a.md', 'Who is it? A caller of\nWho knows. What now?', 0],
  ['docs/a.md', '## What to look at\n\nIt ends. What it held is put back.', 1],
  ['a.ts', '// Of a lease.\nconst a = 1; // Of x\n/** Whose rows. */', 2],
  ['a.ts', '/**\n * It is one. Of two\n * it is the other.\n */', 1],
  ['a.ts', '/** What a file holds. */\n// What every service takes.\n/** Whatever it takes. */', 2],
  ['a.py', 'def ask():\n    """What the peer is asked."""\n    # What is it?', 1],
  ['a.prisma', '/// What a row holds.\nmodel Row {', 1],
])('in %s it finds what puts the subject last: %j', (file, text, count) => {
  expect(
    paragraphsOf(file, text)
      .flatMap(sentencesOf)
      .filter((sentence) => HARD.test(sentence)).length,
  ).toBe(count);
});

test('no sentence of a comment or a document begins with "Of", "Who", "Whose" or "What"', () => {
  const found = FILES.flatMap((file) =>
    paragraphsOf(file, readFileSync(path.join(ROOT, file), 'utf8'))
      .flatMap(sentencesOf)
      .filter((sentence) => HARD.test(sentence))
      .map((sentence) => `${file}: ${sentence.slice(0, 80)}`),
  );
  expect(FILES.length).toBeGreaterThan(500);
  expect(found).toEqual([]);
});

const hardNamesOf = (text: string): string[] => [...text.matchAll(HARD_NAME)].map(([, , name = '']) => name);

test.each([
  ["test('what is broken is mended', () => {", 1],
  ['])(\n  `what %s breaks is mended`,\n  async (one) => {', 1],
  ["test('whatever breaks is mended', () => {\n  throw new Error('what broke', { cause });", 0],
])('it finds test names that begin with "what": %j', (text, count) => {
  expect(hardNamesOf(text)).toHaveLength(count);
});

test('no test name begins with "what"', () => {
  // The examples above are no tests.
  const tests = FILES.filter((file) => file.endsWith('.test.ts') && file !== 'test/tidy/plain-english.test.ts');
  const found = tests.flatMap((file) =>
    hardNamesOf(readFileSync(path.join(ROOT, file), 'utf8')).map((name) => `${file}: ${name}`),
  );
  expect(tests.length).toBeGreaterThan(100);
  expect(found).toEqual([]);
});
