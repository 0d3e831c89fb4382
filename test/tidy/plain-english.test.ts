import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';

// No sentence of a comment or a document begins with a word that puts its subject last.

const ROOT = path.resolve(import.meta.dirname, '../..');
const FILES = execFileSync('git', ['ls-files'], { cwd: ROOT, encoding: 'utf8' })
  .split('\n')
  // Migrations that were applied never change.
  .filter((file) => /\.(ts|tsx|mjs|js|py|md|lua|yml)$/.test(file) && existsSync(path.join(ROOT, file)));

const HARD = /^(Of|Who|Whose|Whom|What is) \S/;

/** The comments of a program, the text of a document: each paragraph in one line. */
function paragraphsOf(file: string, text: string): string[] {
  if (file.endsWith('.md')) {
    const prose = text.replaceAll(/^```.*?^```$/gms, '').replaceAll(/^( {4}.*|#+ .*)$/gm, '');
    return prose.split(/\n\s*\n|\n(?=[-|>]|\d+\. )|\|/).map((part) => part.replace(/^\s*(-|\d+\.|>)\s*/, ''));
  }
  const comments = text
    .split('\n')
    .map((line) => /^\s*(?:\/\/|\/?\*+|#:?|--)\s?(.*?)(?:\*\/)?$/.exec(line)?.[1] ?? null);
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
  ['docs/a.md', 'Who is it? A caller of\nWho knows.', 0],
  ['a.ts', '// Of a lease.\nconst a = 1; // Of x\n/** Whose rows. */', 2],
  ['a.ts', '/**\n * It is one. Of two\n * it is the other.\n */', 1],
])('in %s it finds what puts the subject last: %j', (file, text, count) => {
  expect(
    paragraphsOf(file, text)
      .flatMap(sentencesOf)
      .filter((sentence) => HARD.test(sentence)).length,
  ).toBe(count);
});

test('no sentence of a comment or a document begins with "Of", "Who", "Whose" or "What is"', () => {
  const found = FILES.flatMap((file) =>
    paragraphsOf(file, readFileSync(path.join(ROOT, file), 'utf8'))
      .flatMap(sentencesOf)
      .filter((sentence) => HARD.test(sentence))
      .map((sentence) => `${file}: ${sentence.slice(0, 80)}`),
  );
  expect(FILES.length).toBeGreaterThan(500);
  expect(found).toEqual([]);
});
