import { isAscii } from './clean-text.js';
import { lookUpClass, lookUpName, lookUpWords } from './table.js';
import type { TelegramError } from './types.js';

/** The errors that a text names, surest form first. Where one form occurs several times the last one counts. */
export interface NamesFound {
  /** As Telegram spells it: `PEER_FLOOD`. */
  wire: TelegramError | null;
  /** As a class of a client library: `PeerFloodError`. */
  byClass: TelegramError | null;
  /** In another spelling: `peer_flood`. */
  spelled: TelegramError | null;
  /** A name by its form that the table does not have. */
  unknown: string | null;
}

/** No error's name is longer, and few are half as long. */
const MAX_NAME = 128;
/** A name whose number somebody has put into words: `FLOOD_WAIT_1h30m`. */
const HAS_UNITS = /^[A-Z][A-Z_]*_\d[\da-z]*$/;
/** Whole words, with the `@` of a user name. */
const WORD = /@?[\p{L}\p{N}_]+/gu;
const ASCII_WORD = /@?\w+/g;
/** A word of several parts: `PEER_FLOOD`, `PeerFloodError`; every error's name is one. */
const IS_COMPOUND = /_|[a-z\d][A-Z]/;
const IS_JOINED = /[^_]_+[^_]/;
const IS_CAMEL = /[a-z\d][A-Z]/;
/** Words joined by hyphens: `peer-flood`. */
const HYPHENED = /(?<![\w@./-])[a-z]{1,32}(?:-[a-z]{1,32}){1,8}(?:-\d{1,10})?(?![\w/-])/gi;
/** A class name in lower case (`peerflooderror`), and `Peer Flood Error`. */
const ENDS_AS_CLASS = /(?:error|exception)(?![\w/-])/i;
const LOWER_CLASS = /(?<![\w@./-])(?:[a-z]{5,100}|peer flood )(?:error|exception)(?![\w/-])/gi;

/** Finds error names among the whole words of a text; of several the last, as of nested errors the outermost is printed last. */
export function findNames(text: string): NamesFound {
  const names: NamesFound = { wire: null, byClass: null, spelled: null, unknown: null };
  const classes = ENDS_AS_CLASS.test(text) ? (text.match(LOWER_CLASS) ?? []) : [];
  const hyphened = text.includes('-') ? (text.match(HYPHENED) ?? []) : [];
  for (const word of [...hyphened, ...classes].reverse()) names.spelled ??= lookUpWords(word);
  if (!IS_COMPOUND.test(text)) return names;
  for (const word of (text.match(isAscii(text) ? ASCII_WORD : WORD) ?? []).reverse()) {
    // A user name (`@peer_flood`) is the target's own choice of words; no error's name is that long.
    if (word.length > MAX_NAME || word.startsWith('@')) continue;
    if (IS_JOINED.test(word)) readJoined(word, names);
    else if (IS_CAMEL.test(word)) names.byClass ??= lookUpClass(word);
  }
  return names;
}

function readJoined(word: string, names: NamesFound): void {
  const isWire = /^[A-Z0-9_]+$/.test(word);
  const isFound = isWire ? names.wire !== null : names.spelled !== null;
  if (isFound && names.unknown !== null) return;
  const error = lookUpName(word) ?? lookUpWords(word);
  if (error && isWire) names.wire ??= error;
  else if (error) names.spelled ??= error;
  else if ((isWire && /^_*[A-Z]/.test(word)) || HAS_UNITS.test(word)) names.unknown ??= word;
}

/** The error that a text is the name of, in whatever spelling: `Peer Flood`. */
export function findWords(text: string): TelegramError | null {
  // `@peer_flood` is somebody's name.
  return text.length > MAX_NAME || text.startsWith('@') ? null : lookUpWords(text.replace(/^\W+|\W+$/g, ''));
}
