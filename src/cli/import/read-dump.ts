import { usageError } from '../exit.js';
import { nameOf } from './read-text.js';
import type { RowsAtHand } from './source-row.js';

const COPY = /^COPY (?:[\w"]+\.)?"?telegram_sessions"? \(([^)]*)\) FROM stdin;$/m;
const INSERT = /^INSERT INTO (?:[\w"]+\.)?"?telegram_sessions"?/m;

export const isDump = (text: string): boolean => COPY.test(text) || INSERT.test(text);

/** The rows of `telegram_sessions` in what `pg_dump` wrote as text, with COPY as it does by default. */
export function* readDump(file: string, text: string): RowsAtHand {
  const start = COPY.exec(text);
  if (start === null) {
    const hint = INSERT.test(text) ? ': it has INSERT; make it without --inserts and --column-inserts' : '';
    throw usageError(`${file} has no data of telegram_sessions as pg_dump writes them${hint}`);
  }
  const columns = (start[1] ?? '').split(',').map((name) => name.trim().replaceAll('"', ''));
  const begin = start.index + start[0].length + 1;
  let line = text.slice(0, begin).split('\n').length;
  for (let from = begin; from < text.length; line++) {
    const end = text.indexOf('\n', from);
    const row = text.slice(from, end === -1 ? undefined : end).replace(/\r$/, '');
    if (row === '\\.') return;
    from = end === -1 ? text.length : end + 1;
    const values = row.split('\t');
    const place = `${nameOf(file)}:${line}`;
    if (values.length !== columns.length) {
      yield { place, fields: {}, fault: 'has not as many fields as its table has columns' };
      continue;
    }
    yield { place, fields: Object.fromEntries(columns.map((name, index) => [name, toValue(values[index] ?? '')])) };
  }
  throw usageError(`${file} was cut off: its data of telegram_sessions have no end`);
}

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** A cell of COPY's text form. */
const toValue = (value: string): string | null =>
  value === '\\N' ? null : value.replaceAll(/\\(.)/g, (_, sign: string) => ESCAPES[sign] ?? sign);
