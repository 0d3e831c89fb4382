import Table from 'cli-table3';
import type { Paint } from './paint.js';

export const FORMATS = ['table', 'json', 'jsonl'] as const;
export type Format = (typeof FORMATS)[number];

/** One column of a table: its heading, and how an entry is told in it. */
export type TextColumn<T> = readonly [heading: string, tell: (entry: T) => string];

const BARE = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
} as const;

/** Lays out rows in columns, without lines between them, as people and `awk` read it. */
function layOut(headings: readonly string[], rows: readonly (readonly string[])[], paint: Paint): string {
  const table = new Table({ chars: BARE, style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] } });
  if (headings.length > 0) table.push(headings.map((heading) => paint('faint', heading)));
  for (const row of rows) table.push(row.map(toCell));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** A cell has one line, and nothing in it steers the terminal. */
const toCell = (text: string): string => (text === '' ? '–' : text.replaceAll(UNPRINTABLE, ' '));
// Colours of our own stay: they are all of the form ESC [ … m.
const UNPRINTABLE = /(?!\x1b\[[\d;]*m)[\p{Cc}]/gu;

/** Entries as a table. */
export const toTable = <T>(entries: readonly T[], columns: readonly TextColumn<T>[], paint: Paint): string =>
  layOut(
    columns.map(([heading]) => heading),
    entries.map((entry) => columns.map(([, tell]) => tell(entry))),
    paint,
  );

/** The facts about one thing, a line each. */
export const toLines = (facts: readonly (readonly [name: string, value: string])[], paint: Paint): string =>
  layOut(
    [],
    facts.map(([name, value]) => [paint('faint', name), value]),
    paint,
  );
