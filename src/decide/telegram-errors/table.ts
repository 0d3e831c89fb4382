import { readFileSync } from 'node:fs';
import { ERROR_CLASSES, type ErrorClass } from '../../../contracts/fields.js';
import type { ErrorOutcome, TelegramError } from './types.js';

/**
 * The table of Telegram's errors, `table.tsv` beside this file: it is a part of the program, read once when the module
 * loads. A row's columns, separated by tabs:
 * - name: as Telegram spells it, `X` where the wire has a number (`FLOOD_WAIT_X`); or a pattern for what no row names:
 *   `FROZEN_*`, `*_INVALID`, an error code (`401`), a family of codes (`5xx`);
 * - class: the contract's `classified_as`;
 * - effect: `ErrorOutcome`;
 * - aliases: further spellings, and class names of libraries that do not follow from the name; `*` at the end: free text;
 * - sentences, separated by ` | `: what libraries print instead of the name. `#` stands for a number, `…` for "whatever
 *   follows"; names in braces are further errors that share the sentence: the row's own is taken unless the report
 *   says more.
 *
 * Sources: Telegram's published error database, Telethon's and Pyrogram's error lists, TDLib, GramJS, the Bot API.
 * `TRANSPORT_ERROR_404` is the MTProto transport's -404.
 */
export interface TableRow {
  name: string;
  errorClass: ErrorClass;
  outcome: ErrorOutcome;
  aliases: string[];
  sentences: string[];
}

const OUTCOMES = ['none', 'count_error', 'wait', 'block', 'banned', 'deactivated', 'frozen', 'needs_reauth'] as const;

const oneOf = <T extends string>(words: readonly T[], text: string | undefined, row: string): T => {
  const found = words.find((word) => word === text);
  if (found === undefined) throw new Error(`table.tsv: ${text ?? 'nothing'} is not one of ${words.join(', ')}: ${row}`);
  return found;
};

const listOf = (cell: string | undefined, separator: string): string[] => (cell ? cell.split(separator) : []);

/** Every row, in the table's order. */
export const TABLE: readonly TableRow[] = readFileSync(new URL('table.tsv', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .slice(1)
  .map((row) => {
    const [name = '', errorClass, outcome, aliases, sentences] = row.split('\t');
    return {
      name,
      errorClass: oneOf(ERROR_CLASSES, errorClass, row),
      outcome: oneOf(OUTCOMES, outcome, row),
      aliases: listOf(aliases, ' '),
      sentences: listOf(sentences, ' | '),
    };
  });

const isPattern = (name: string): boolean => name.includes('*') || /^\d/.test(name.replace(/^2FA/, ''));

/** Errors, and aliases of errors, by name. */
const byName = new Map<string, TelegramError>();
/** Aliases with free text at the end, by what comes before it. */
const openNames: [string, TelegramError][] = [];
/** Names by their letters alone, as a class name or a lower-case spelling leaves them: `FLOOD_WAIT_X` → `floodwait`. */
const byLetters = new Map<string, TelegramError>();
/** Rows of names that no row names: what the name looks like. */
const families: [RegExp, TelegramError, string][] = [];
const byCode = new Map<string, TelegramError>();

for (const { name, errorClass, outcome, aliases } of TABLE) {
  const error: TelegramError = { name: isPattern(name) ? null : name, errorClass, outcome };
  if (/^\d/.test(name) && isPattern(name)) byCode.set(name, error);
  else if (isPattern(name)) {
    families.push([new RegExp(`^${name.replaceAll('*', '\\w*').replace(/_X$/, '_\\d+')}$`), error, name]);
  } else byName.set(name, error);
  for (const alias of aliases) {
    if (alias.endsWith('*')) openNames.push([alias.slice(0, -1), error]);
    else byName.set(alias, error);
  }
}
for (const error of new Set(byName.values())) {
  // `TIMEOUT`, `UNAUTHORIZED`, `UNKNOWN_ERROR` are also English; those are read as whole sentences or as codes.
  if (!error.name?.includes('_') || error.name === 'UNKNOWN_ERROR') continue;
  const letters = toLetters(error.name);
  if (/_X(?:_|$)/.test(error.name) && byLetters.has(letters)) continue;
  byLetters.set(letters, error);
}

function toLetters(name: string): string {
  return name
    .replace(/_X(?=_|MIN|$)/g, '')
    .replaceAll('_', '')
    .toLowerCase();
}

const hasNumber = (name: string): boolean => /_X(?=_|MIN|$)/.test(name);

/**
 * A name whose number is spelled in another way: `FLOOD_WAIT30`. Where the error has no number the name is another, which is
 * taken for it only if it does nothing to the account.
 */
function lookUpNumbered(name: string): TelegramError | undefined {
  const error = byLetters.get(toLetters(name));
  const isHarmless = error?.outcome === 'none' || error?.outcome === 'count_error';
  return error && (isHarmless || hasNumber(error.name ?? '')) ? error : undefined;
}

/** The error of exactly this canonical name (`FLOOD_WAIT_X`). */
export function getError(name: string): TelegramError {
  const error = byName.get(name);
  if (!error) throw new Error(`table.tsv has no error ${name}`);
  return error;
}

/**
 * The error a wire name stands for, whole or not at all: `FLOOD_WAIT_300`, `flood_wait`, `FILE_PART_7_MISSING`.
 * Null for an unknown name, however much of a known one it contains (`MY_USER_DEACTIVATED`).
 */
export function lookUpName(token: string): TelegramError | null {
  const exact = byName.get(token);
  if (exact) return exact;
  const upper = token.toUpperCase().replace(/^_+|_+$/g, '');
  const withX = upper.replace(/_\d+S?(?=_|MIN$|$)/g, '_X');
  return (
    byName.get(upper) ??
    byName.get(withX) ??
    (withX === upper && !hasNumber(upper) ? byLetters.get(toLetters(upper)) : lookUpNumbered(withX)) ??
    lookUpNumbered(upper.replace(/\d+$/, '')) ??
    openNames.find(([prefix]) => upper.startsWith(prefix))?.[1] ??
    null
  );
}

/** How names begin, by their letters; most words of a text are none, and this tells it at once. */
const BEGINNING = 4;
const beginnings = new Set([...byName.keys(), ...openNames.map(([prefix]) => prefix)].map(toBeginning));

function toBeginning(name: string): string {
  return name.replaceAll('_', '').slice(0, BEGINNING).toLowerCase();
}

/** The error a class name stands for: `FloodWaitError` (Telethon, GramJS), `FloodWait` (Pyrogram, aiogram 2). */
export function lookUpClass(token: string): TelegramError | null {
  if (!beginnings.has(toBeginning(token))) return null;
  for (const word of [token, token.replace(/(?:Error|Exception)$/, '')]) {
    const snake = word.replace(/([a-z\d])(?=[A-Z])/g, '$1_');
    const error = byName.get(word) ?? (snake.includes('_') ? lookUpName(snake) : null);
    if (error) return error;
  }
  return null;
}

/**
 * The error that words stand for however they are joined: `peer-flood`, `Peer Flood Error`, `peerflooderror`,
 * `flood-wait-300`. For texts that are nothing but a name; in a sentence such words may mean anything.
 */
export function lookUpWords(text: string): TelegramError | null {
  const [, words = ''] = /^([a-z\d]+(?:[\s_-]+[a-z\d]+)*?)(?:[\s_-]+\d+)?$/i.exec(text) ?? [];
  const letters = words.replace(/[\s_-]+/g, '').toLowerCase();
  return byLetters.get(letters) ?? byLetters.get(letters.replace(/(?:error|exception)$/, '')) ?? null;
}

/** Error by the form of an unknown name, and the pattern that fits: `*_INVALID` is a bad parameter. */
export function lookUpFamily(name: string): { error: TelegramError; pattern: string } | null {
  const [, error, pattern] = families.find(([form]) => form.test(name)) ?? [];
  return error && pattern ? { error, pattern } : null;
}

/** Error by its code alone, 303 … 599 or a transport's negative one; null for a number that is no error code. */
export function lookUpCode(code: number): TelegramError | null {
  if (code === -404 || code === -429 || code === -444) return getError(`TRANSPORT_ERROR_${-code}`);
  const digits = String(Math.abs(code));
  if (code < 0 && !/^5\d\d$/.test(digits)) return null;
  return byCode.get(digits) ?? (/^[45]\d\d$/.test(digits) ? (byCode.get(`${digits.slice(0, 1)}xx`) ?? null) : null);
}
