import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';

// docs/decisions.md is the index of docs/decisions/, whose pages have one form.

const DOCS = path.resolve(import.meta.dirname, '../../docs');
const SUBJECTS = readdirSync(path.join(DOCS, 'decisions')).sort();
const read = (file: string): string => readFileSync(path.join(DOCS, file), 'utf8');
const titlesIn = (page: string): string[] => [...page.matchAll(/^## (.+)$/gm)].map(([, title = '']) => title);

test('the index lists every decision, under the page that has it', () => {
  const listed = read('decisions.md')
    .split(/^## /m)
    .slice(1)
    .map((section) => ({
      page: /\(decisions\/(.+?)\)/.exec(section)?.[1],
      titles: [...section.matchAll(/^- (.+)$/gm)].map(([, title]) => title),
    }));
  expect(listed.map(({ page }) => page).sort()).toEqual(SUBJECTS);
  for (const { page, titles } of listed)
    expect({ page, titles }).toEqual({ page, titles: titlesIn(read(`decisions/${page}`)) });
});

const DECISION =
  /^\*\d{4}-\d\d-\d\d(, changed \d{4}-\d\d-\d\d)*\*\n\n- \*\*Context:\*\* [^]+\n- \*\*Choice:\*\* [^]+\n- \*\*Consequence:\*\* [^]+$/;

test.each(SUBJECTS)('decisions/%s: each decision has a date, a context, a choice and a consequence', (page) => {
  const [, ...decisions] = read(`decisions/${page}`).split(/^## .+\n\n/m);
  expect(decisions.length).toBeGreaterThan(1);
  expect(decisions.filter((decision) => !DECISION.test(decision))).toEqual([]);
});
