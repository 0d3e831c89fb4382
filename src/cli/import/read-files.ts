import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { usageError } from '../exit.js';
import { isDump, readDump } from './read-dump.js';
import { isDatabaseFile, readSessionFile } from './read-session-file.js';
import { readCsv, readJson, readJsonLines, readSessionStrings } from './read-text.js';
import type { Rows, RowsAtHand } from './source-row.js';

/** Forms of a file. A directory is read for its `.session` files. */
export const FILE_FORMS = ['csv', 'json', 'jsonl', 'strings', 'session', 'dump'] as const;
export type FileForm = (typeof FILE_FORMS)[number];
type TextForm = Exclude<FileForm, 'session'>;

/** Reads files one after the other. `form`: what they are; absent: what their names and contents say. */
export async function* readFiles(files: readonly string[], form: FileForm | undefined): Rows {
  for (const file of files) {
    const found = await stat(file).catch((error: unknown) => {
      const { code, message } = error as NodeJS.ErrnoException;
      throw usageError(`${file} cannot be read (${code ?? message})`);
    });
    if (!found.isDirectory()) {
      yield* readOne(file, form);
      continue;
    }
    const names = (await readdir(file)).filter((name) => name.endsWith('.session')).sort();
    if (names.length === 0) throw usageError(`${file} holds no .session files`);
    for (const name of names) yield* readOne(path.join(file, name), form);
  }
}

async function* readOne(file: string, given: FileForm | undefined): Rows {
  const bytes = await readFile(file);
  if (given === 'session' || (given === undefined && isDatabaseFile(bytes))) {
    yield await readSessionFile(file, bytes);
    return;
  }
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
  yield* READERS[given ?? formOf(file, text)](file, text);
}

const READERS: Readonly<Record<TextForm, (file: string, text: string) => Rows | RowsAtHand>> = {
  csv: readCsv,
  json: readJson,
  jsonl: readJsonLines,
  strings: readSessionStrings,
  dump: readDump,
};

const FORM_OF_ENDING: Readonly<Record<string, TextForm>> = {
  '.csv': 'csv',
  '.tsv': 'csv',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
};

function formOf(file: string, text: string): TextForm {
  const ending = FORM_OF_ENDING[path.extname(file).toLowerCase()];
  if (ending !== undefined) return ending;
  if (isDump(text)) return 'dump';
  const start = text.trimStart();
  if (start.startsWith('[')) return 'json';
  if (start.startsWith('{')) return isJson(text) ? 'json' : 'jsonl';
  // A session string holds none of these, and a heading does.
  return /^[^\n]*[a-z_]+[",;\t ]*[,;\t]/i.test(start) && /session/i.test(start.split('\n', 1)[0] ?? '')
    ? 'csv'
    : 'strings';
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
