import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { readBlocks } from '../support/guide.js';

// A page in two languages says the same: the same blocks of code, headings, tables and lists in both.

const ROOT = path.resolve(import.meta.dirname, '../..');
const PAGES: readonly (readonly [english: string, russian: string])[] = [
  ['README.md', 'README.ru.md'],
  ...readdirSync(path.join(ROOT, 'docs/ru')).map((name): [string, string] => [`docs/${name}`, `docs/ru/${name}`]),
];

const read = (file = ''): string => readFileSync(path.join(ROOT, file), 'utf8');
const textOf = (page: string): string => page.replaceAll(/^```\w*\n.*?^```$/gms, '');
const headingsOf = (page: string): string[] => [...textOf(page).matchAll(/^(#+) /gm)].map(([, marks = '']) => marks);
const namesOf = (page: string): string[] =>
  [...new Set([...textOf(page).matchAll(/`([^`]+)`/g)].map(([, name = '']) => name))].sort();

test.each(PAGES)('%s and %s have the same blocks of code and the same headings', (english, russian) => {
  const [one, other] = [read(english), read(russian)];
  const blocks = (page: string) => readBlocks(page).map(({ language, text }) => ({ language, text }));
  expect(blocks(other)).toEqual(blocks(one));
  expect(headingsOf(other)).toEqual(headingsOf(one));
  const rows = (page: string) =>
    textOf(page)
      .split('\n')
      .filter((line) => /^(\||- )/.test(line)).length;
  expect(rows(other)).toBe(rows(one));
});

test.each(PAGES)('%s and %s name the same fields, variables and files', (english, russian) => {
  expect(namesOf(read(russian))).toEqual(namesOf(read(english)));
});

test.each(PAGES)('the text of %s is English, that of %s is Russian', (english, russian) => {
  const lettersOf = (page: string) => textOf(page).replaceAll(/`[^`]*`|\]\([^)]*\)/g, '');
  const share = (page: string) => lettersOf(page).match(/[а-яё]/gi)?.length ?? 0;
  expect(share(read(russian))).toBeGreaterThan(1_000);
  // The link to the other language.
  expect(share(read(english))).toBeLessThan(20);
});
