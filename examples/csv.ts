import { CsvError, parse } from 'csv-parse/sync';

/** One record of a CSV file, by column name. */
export interface CsvRecord {
  /** Where it ends in the file, from 1. */
  line: number;
  fields: Record<string, string>;
}

/**
 * Reads CSV as spreadsheets write it (RFC 4180); the first record names the columns. Throws on a record that does not
 * fit, naming its line.
 */
export function parseCsv(text: string): CsvRecord[] {
  try {
    const entries = parse(text, { bom: true, columns: true, info: true, skip_empty_lines: true }) as unknown as {
      record: Record<string, string>;
      info: { lines: number };
    }[];
    return entries.map(({ record, info }) => ({ line: info.lines, fields: record }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new Error(`line ${String(error['lines'])}: ${error.message}`, { cause: error });
  }
}
