import path from 'node:path';
import { parse } from 'csv-parse';
import { usageError } from '../exit.js';
import type { Rows, RowsAtHand, SourceRow } from './source-row.js';

const DELIMITERS = [',', ';', '\t'] as const;

/** A table with a heading; columns in any order, divided by commas, semicolons or tabs. */
export async function* readCsv(file: string, text: string): Rows {
  const heading = text.slice(0, text.indexOf('\n') + 1 || undefined);
  const counts = DELIMITERS.map((delimiter) => heading.split(delimiter).length);
  const delimiter = DELIMITERS[counts.indexOf(Math.max(...counts))] ?? ',';
  const parser = parse(text, {
    columns: (names: string[]) => names.map((name) => name.trim()),
    delimiter,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    trim: true,
  });
  try {
    for await (const { record, info } of parser as AsyncIterable<CsvEntry>) {
      const place = `${nameOf(file)}:${info.lines}`;
      const fault =
        info.error?.code === 'CSV_RECORD_INCONSISTENT_COLUMNS' ? 'has not as many fields as the heading' : null;
      yield fault === null ? { place, fields: record } : { place, fields: {}, fault };
    }
  } catch (error) {
    const { code, lines } = error as { code?: string; lines?: number };
    if (code?.startsWith('CSV_') !== true) throw error;
    throw usageError(`${file}: line ${lines ?? '?'} is no CSV (${code}); what stands before it was read`);
  }
}

interface CsvEntry {
  record: Record<string, string>;
  info: { lines: number; error?: { code: string } };
}

/** An array of accounts, an object whose `accounts` are one, or one account. */
export function* readJson(file: string, text: string): RowsAtHand {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw usageError(`${file} is no JSON`);
  }
  const { accounts = [parsed] } = (Array.isArray(parsed) ? { accounts: parsed } : parsed) as { accounts?: unknown };
  if (!Array.isArray(accounts)) throw usageError(`${file}: accounts must be an array`);
  for (const [index, given] of accounts.entries()) yield toRow(`${nameOf(file)}[${index}]`, given);
}

/** One account a line. */
export function* readJsonLines(file: string, text: string): RowsAtHand {
  for (const [place, line] of linesOf(file, text)) {
    let given: unknown;
    try {
      given = JSON.parse(line);
    } catch {
      yield { place, fields: {}, fault: 'is no JSON' };
      continue;
    }
    yield toRow(place, given);
  }
}

/** One session string a line, after the phone number or alone; lines that begin with # are for people. */
export function* readSessionStrings(file: string, text: string): RowsAtHand {
  for (const [place, line] of linesOf(file, text)) {
    if (line.startsWith('#')) continue;
    const [, phone, session] = /^(?:(\+?\d{5,20})[\s:,;|]+)?(\S+)$/.exec(line) ?? [];
    if (session === undefined) yield { place, fields: {}, fault: 'is no session string' };
    else yield { place, fields: { session_data: session, ...(phone !== undefined && { phone }) } };
  }
}

export const nameOf = (file: string): string => path.basename(file);

function* linesOf(file: string, text: string): Generator<[place: string, line: string]> {
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() !== '') yield [`${nameOf(file)}:${index + 1}`, line.trim()];
  }
}

function toRow(place: string, given: unknown): SourceRow {
  const isObject = typeof given === 'object' && given !== null && !Array.isArray(given);
  return isObject ? { place, fields: given as SourceRow['fields'] } : { place, fields: {}, fault: 'must be an object' };
}
