/**
 * Reads objects out of texts, in whatever notation a program prints them: JSON, JavaScript's `inspect`, Python's `repr`,
 * Rust's and Java's structures, cut off anywhere. Anything can be read: what does not end ends with the text.
 */

const MAX_DEPTH = 24;
/** A brace with a key behind it: the beginning of an object, not a brace in a sentence. */
const OBJECT = /\{\s*(?:["'`][^"'`\n]{1,64}["'`]\s*(?::|=>?)|:?[\w@$.-]{1,64}\s*(?::(?!:)|=>?))/y;

/** The value that was read, and where it ends. */
export interface ReadValue {
  value: unknown;
  end: number;
}

/** Whether an object begins at `at`. */
export function isObjectAt(text: string, at: number): boolean {
  OBJECT.lastIndex = at;
  return OBJECT.test(text);
}

/** A cursor over a text, and what is known of the quotes that have no partner. */
interface Cursor {
  text: string;
  at: number;
  /** Up to here a quote has no partner on its line; to look again at each would take the square of the line's length. */
  unclosed: Record<string, number>;
}

/** Reads the value that begins at `at`: an object, a list, a quoted or a bare word. */
export function readValue(text: string, at: number): ReadValue {
  const cursor = { text, at, unclosed: {} };
  const value = readNext(cursor, 0);
  return { value, end: cursor.at };
}

function readNext(cursor: Cursor, depth: number): unknown {
  skip(cursor, /[\s]*/y);
  const { text, at } = cursor;
  switch (text[at]) {
    case '{':
    case '[':
    case '(':
      return readGroup(cursor, depth);
    case '"':
    case "'":
    case '`':
      return readQuoted(cursor) ?? readBare(cursor, depth);
    default:
      return readBare(cursor, depth);
  }
}

const CLOSING: Readonly<Record<string, string>> = { '{': '}', '[': ']', '(': ')' };
const KEY =
  /\s*(?:"((?:[^"\\\n]|\\.){0,128})"|'((?:[^'\\\n]|\\.){0,128})'|:?([\w@$.-]{1,64}))\s*(?::(?!:)|=>?)(?!=)\s*/y;

/** `{…}`, `[…]` or `(…)`: an object where something in it has a key, else a list. */
function readGroup(cursor: Cursor, depth: number): unknown {
  const { text } = cursor;
  if (depth >= MAX_DEPTH) {
    // Nobody nests an error deeper: what is left is not read.
    cursor.at = text.length;
    return [];
  }
  const closing = CLOSING[text[cursor.at] ?? ''] ?? '';
  cursor.at += 1;
  const fields: [string, unknown][] = [];
  const items: unknown[] = [];
  for (;;) {
    skip(cursor, /[\s,;]*/y);
    const next = text[cursor.at];
    if (next === undefined) break;
    if (next === closing || '}])'.includes(next)) {
      if (next === closing) cursor.at += 1;
      // A bracket of somebody else's: the group was never closed.
      break;
    }
    const before = cursor.at;
    KEY.lastIndex = cursor.at;
    const key = KEY.exec(text);
    if (key) cursor.at = KEY.lastIndex;
    const value = readNext(cursor, depth + 1);
    if (key) fields.push([key[1] ?? key[2] ?? key[3] ?? '', value]);
    else items.push(value);
    if (cursor.at === before) cursor.at += 1;
  }
  return fields.length === 0 ? items : Object.assign(Object.create(null) as object, Object.fromEntries(fields));
}

const QUOTED: Readonly<Record<string, RegExp>> = {
  '"': /"((?:[^"\\\n]|\\[^])*)"/y,
  "'": /'((?:[^'\\\n]|\\[^])*)'/y,
  '`': /`((?:[^`\\]|\\[^])*)`/y,
};
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\n', t: '\t', b: ' ', f: ' ' };

/** Null where the quote is not closed on its line. */
function readQuoted(cursor: Cursor): string | null {
  const quote = cursor.text[cursor.at] ?? '';
  const quoted = QUOTED[quote];
  if (!quoted || cursor.at < (cursor.unclosed[quote] ?? 0)) return null;
  quoted.lastIndex = cursor.at;
  const found = quoted.exec(cursor.text);
  if (!found) {
    const lineEnd = cursor.text.indexOf('\n', cursor.at);
    cursor.unclosed[quote] = lineEnd < 0 || quote === '`' ? cursor.text.length : lineEnd;
    return null;
  }
  cursor.at = quoted.lastIndex;
  const inside = found[1] ?? '';
  if (!inside.includes('\\')) return inside;
  return inside.replace(/\\(?:u([\da-f]{4})|([^]))/gi, (_, hex?: string, sign = '') =>
    hex ? String.fromCharCode(Number.parseInt(hex, 16)) : (ESCAPES[sign as string] ?? (sign as string)),
  );
}

const BARE = /[^,;{}()[\]\n"]+/y;
/** Wrappers that say nothing themselves. */
const IS_WRAPPER = /^(?:Some|Ok|Err|Optional|Just|b|u|r)$/;

/** A word or words without quotes, and what may follow in brackets: `Some(31)`, `timedelta(days=1)`, `Rpc(RpcError {…})`. */
function readBare(cursor: Cursor, depth: number): unknown {
  const start = cursor.at;
  if (`"'\``.includes(cursor.text[start] ?? ' ')) cursor.at += 1;
  skip(cursor, BARE);
  const { text } = cursor;
  const word = text.slice(start, cursor.at).trim();
  const next = text[cursor.at];
  if (next === '(' || next === '{' || next === '[' || (next === '"' && IS_WRAPPER.test(word))) {
    const opened = cursor.at;
    const inside = next === '"' ? readQuoted(cursor) : readGroup(cursor, depth + 1);
    if (cursor.at === opened) cursor.at += 1;
    if (IS_WRAPPER.test(word)) return Array.isArray(inside) && inside.length === 1 ? (inside[0] as unknown) : inside;
    const isStructure = next === '{' && typeof inside === 'object' && !Array.isArray(inside);
    if (isStructure) return Object.assign(Object.create(null) as object, { $class: word }, inside);
    skip(cursor, BARE);
    return text.slice(start, cursor.at).trim();
  }
  if (next === '"' && cursor.at > start) {
    // `message = said "so"`: the quote is a part of the words.
    const quoted = readQuoted(cursor);
    if (quoted === null) cursor.at += 1;
    skip(cursor, BARE);
    return text.slice(start, cursor.at).trim();
  }
  if (/^(?:-?\d+(?:\.\d+)?(?:e\d+)?|0x[\da-f]{1,16})$/i.test(word)) return Number(word);
  return /^(?:null|none|nil|undefined)$/i.test(word) ? null : word === 'false' || word === 'False' ? false : word;
}

function skip(cursor: Cursor, pattern: RegExp): void {
  pattern.lastIndex = cursor.at;
  if (pattern.test(cursor.text)) cursor.at = pattern.lastIndex;
}
