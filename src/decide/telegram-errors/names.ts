import { lookUpClass, lookUpName, lookUpWords } from './table.js';
import type { TelegramError } from './types.js';

/** An error that a word names; `token` is the word, with its number where it has one. */
export interface Named {
  error: TelegramError;
  token: string;
}

/** The names that a text holds, surest form first. Where one form occurs several times the last one counts. */
export interface NamesFound {
  /** As Telegram spells it: `PEER_FLOOD`. */
  wire: Named | null;
  /** As a class of a client library: `PeerFloodError`. */
  byClass: Named | null;
  /** In another spelling: `peer_flood`. */
  spelled: Named | null;
  /** A name by its form that the table does not have. */
  unknown: string | null;
}

/** No error's name is longer, and few are half as long. */
const MAX_NAME = 128;
/** A name whose number somebody has put into words: `FLOOD_WAIT_1h30m`. */
const HAS_UNITS = /^[A-Z][A-Z_]*_\d[\da-z]*$/;
/** A word of several parts, whole: `PEER_FLOOD`, `PeerFloodError`; every error's name is one. */
const COMPOUND = /(@?)(?<![\p{L}\p{N}_])([\p{L}\p{N}_]*?(?:_|[a-z\d][A-Z])[\p{L}\p{N}_]*)/gu;
/** Words joined by hyphens (`peer-flood`), a class name in lower case (`peerflooderror`), and `Peer Flood Error`. */
const OTHER_SPELLING =
  /(?<![\w@./-])(?:[a-z]{1,32}(?:-[a-z]{1,32}){1,8}(?:-\d{1,10})?|[a-z]{5,100}(?:error|exception)|peer flood (?:error|exception))(?![\w/-])/gi;

/** Finds error names among the whole words of a text; of several the last, as of nested errors the outermost is printed last. */
export function findNames(text: string): NamesFound {
  const names: NamesFound = { wire: null, byClass: null, spelled: null, unknown: null };
  for (const [, at, token = ''] of text.matchAll(COMPOUND)) {
    // A user name (`@peer_flood`) is the target's own choice of words; no error's name is that long.
    if (at || token.length > MAX_NAME) continue;
    if (/[^_]_+[^_]/.test(token)) {
      const error = lookUpName(token) ?? lookUpWords(token);
      const isWire = /^[A-Z0-9_]+$/.test(token);
      if (error && isWire) names.wire = laterOrLonger(names.wire, { error, token });
      else if (error) names.spelled = { error, token };
      else if ((isWire && /^_*[A-Z]/.test(token)) || HAS_UNITS.test(token)) names.unknown = token;
    } else if (/[a-z\d][A-Z]/.test(token)) {
      const error = lookUpClass(token);
      if (error) names.byClass = { error, token };
    }
  }
  for (const [token] of text.matchAll(OTHER_SPELLING)) {
    const error = lookUpWords(token);
    if (error) names.spelled = { error, token };
  }
  return names;
}

/** `FLOOD_WAIT_300, FLOOD_WAIT_12`: of one wait's repetitions the longest counts. */
function laterOrLonger(earlier: Named | null, later: Named): Named {
  const [before, after] = [earlier?.token, later.token].map((token) => Number(/\d+$/.exec(token ?? '')?.[0] ?? 0));
  return earlier?.error === later.error && Number(before) > Number(after) ? earlier : later;
}

/** The error that a text is the name of, in whatever spelling: `Peer Flood`. */
export function findWords(text: string): TelegramError | null {
  return text.length > MAX_NAME ? null : lookUpWords(text.replace(/^\W+|\W+$/g, ''));
}
