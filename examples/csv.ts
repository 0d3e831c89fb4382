/** One record of a CSV file, by column name. */
export interface CsvRecord {
  /** Where it begins in the file, from 1. */
  line: number;
  fields: Record<string, string>;
}

/**
 * Reads CSV as spreadsheets write it (RFC 4180): the first record names the columns, fields may be quoted, lines end in
 * LF or CRLF, a byte-order mark and empty lines are passed over. Throws on a record that does not fit, naming its line.
 */
export function parseCsv(text: string): CsvRecord[] {
  const [header, ...rows] = readRows(text.replace(/^\ufeff/, ''));
  if (header === undefined) return [];
  return rows.map(({ line, fields }) => {
    if (fields.length !== header.fields.length) {
      throw new Error(`line ${line}: ${fields.length} fields where the first line names ${header.fields.length}`);
    }
    return { line, fields: Object.fromEntries(header.fields.map((name, column) => [name, fields[column] ?? ''])) };
  });
}

/** A field, quoted or not, and what ends it. */
const FIELD = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;

function readRows(text: string): { line: number; fields: string[] }[] {
  const rows: { line: number; fields: string[] }[] = [];
  let line = 1;
  let fields: string[] = [];
  let firstLine = line;
  FIELD.lastIndex = 0;
  while (FIELD.lastIndex < text.length || fields.length > 0) {
    const match = FIELD.exec(text);
    if (match === null) throw new Error(`line ${line}: a quote that is not closed, or text beside a quoted field`);
    const [all, quoted, plain = '', end] = match;
    fields.push(quoted?.replaceAll('""', '"') ?? plain);
    line += all.split('\n').length - 1;
    if (end === ',') continue;
    if (fields.length > 1 || fields[0] !== '') rows.push({ line: firstLine, fields });
    fields = [];
    firstLine = line;
  }
  return rows;
}
