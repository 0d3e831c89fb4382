import { getError, lookUpClass, lookUpName, lookUpWords, type TelegramError } from './telegram-errors.js';
import { ACCOUNT_SENTENCES } from './account-sentences.js';
import { REQUEST_SENTENCES } from './request-sentences.js';

/** An error found in a text; `token` is the word that named it, with its number where it has one. */
export interface Found {
  error: TelegramError;
  token: string;
}

/** The names that a text holds, surest form first. Where one form occurs several times the last one counts. */
interface NamesFound {
  /** As Telegram spells it: `PEER_FLOOD`. */
  wire: Found | null;
  /** As a class of a client library: `PeerFloodError`. */
  byClass: Found | null;
  /** In another spelling: `peer_flood`. */
  spelled: Found | null;
  /** A name by its form that the table does not have. */
  unknown: string | null;
}

/** No error's name is longer, and few are half as long. */
export const MAX_NAME = 128;
/** A name whose number somebody has put into words: `FLOOD_WAIT_1h30m`. */
const HAS_UNITS = /^[A-Z][A-Z_]*_\d[\da-z]*$/;
/** A link may spell a name (`t.me/peer_flood`), too: so was the chat called, or the page that explains it. */
const LINK = /(?:https?:\/\/|tg:\/\/|\bt\.me\/)[^\s"'<>)\]}]+/gi;
/** Words joined by hyphens (`peer-flood`), a class name in lower case (`peerflooderror`), and `Peer Flood Error`. */
const OTHER_SPELLING =
  /(?<![\w@./-])(?:[a-z]+(?:-[a-z]+)+(?:-\d+)?|[a-z]{5,100}(?:error|exception)|peer flood (?:error|exception))(?![\w/-])/gi;

/** Finds error names among the whole words of a text; of several the last, as of nested errors the outermost is printed last. */
export function findNames(text: string): NamesFound {
  const names: NamesFound = { wire: null, byClass: null, spelled: null, unknown: null };
  const linkless = text.replace(LINK, ' ');
  for (const [, at, token = ''] of linkless.matchAll(/(@?)([\p{L}\p{N}_]+)/gu)) {
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
  for (const [token] of linkless.matchAll(OTHER_SPELLING)) {
    const error = lookUpWords(token);
    if (error) names.spelled = { error, token };
  }
  return names;
}

/** `FLOOD_WAIT_300, FLOOD_WAIT_12`: of one wait's repetitions the longest counts. */
function laterOrLonger(earlier: Found | null, later: Found): Found {
  const [before, after] = [earlier?.token, later.token].map((token) => Number(/\d+$/.exec(token ?? '')?.[0] ?? 0));
  return earlier?.error === later.error && Number(before) > Number(after) ? earlier : later;
}

interface Sentence {
  words: string;
  isOpen: boolean;
  errors: TelegramError[];
}

/** Longest first, so that the sentence that says most is the one found. */
const SENTENCES: Sentence[] = [ACCOUNT_SENTENCES, REQUEST_SENTENCES]
  .flatMap((table) => table.trim().replace(/\n +/g, ' ').split('\n'))
  .flatMap((record) => {
    const [, names = '', sentences = ''] = /^([^:]+): (.*)$/.exec(record) ?? [];
    const errors = names.split(',').map(getError);
    return sentences.split(' | ').map((sentence) => {
      const words = normaliseText(sentence);
      return { words: words.replace(/[.…]+$/, ''), isOpen: words.endsWith('…'), errors };
    });
  })
  .sort((a, b) => b.words.length - a.words.length);

/**
 * A text for comparison: lower case, `#` for numbers, single spaces, ASCII punctuation, links by their texts. HTTP's reason phrase
 * `Too Many Requests` is told apart from Telethon's sentence for PEER_FLOOD, `Too many requests`, by its capitals, which
 * alone distinguish the two.
 */
export function normaliseText(text: string): string {
  return text
    .replace(/(?:Too Many Requests|TOO MANY REQUESTS|TooManyRequests)(?! \((?:caused by|CAUSED BY))/g, 'http-429')
    .toLowerCase()
    .replace(/\[([^[\]\n]{1,64})\]\(https?:[^\s)]{1,256}\)/g, '$1')
    .replaceAll('’', "'")
    .replace(/[！-～]/g, (wide) => String.fromCharCode(wide.charCodeAt(0) - 0xfee0))
    .replaceAll('。', '.')
    .replace(/[「」『』【】《》]/g, '"')
    .replace(/\d+/g, '#')
    .replace(/[^\S\n]+/g, ' ')
    .replace(/ ?\n ?/g, '\n')
    .trim();
}

/** What may stand before a sentence and after it, so that words within a longer sentence are not taken for it. */
const STARTS = /(?:[\n:;\-–—([{'"«“`|>/=,.!?\])}#*_]|\b(?:error|warning|exception|says)) ?$/;
const ENDS =
  /^[.!]{0,3}(?:$|\n|["'`”»)\]}|*]|,? caused by|[,;] (?:skip|continu|retry|stop|abort)| ?[([{<|]| [-–—/] |, ?["'{}\]])/;
const ENDS_OPEN = /^(?![\p{L}\p{N}])/u;

/** The errors that a known sentence in the normalised text stands for; several where libraries share the sentence. */
export function findSentence(normalised: string): TelegramError[] {
  for (const { words, isOpen, errors } of SENTENCES) {
    for (let at = normalised.indexOf(words); at >= 0; at = normalised.indexOf(words, at + 1)) {
      const before = normalised.slice(Math.max(0, at - 12), at);
      const end = at + words.length;
      const after = normalised.slice(end, end + 12);
      if ((at === 0 || STARTS.test(before)) && (isOpen ? ENDS_OPEN : ENDS).test(after)) return errors;
    }
  }
  return [];
}

/** Words and base classes that stand for an error code: `Bad Request`, `BadRequestError`, `[420 Flood]`. */
const CODE_WORDS: readonly [RegExp, number][] = [
  [/bad[ _]?request/i, 400],
  [/\bunauthorized|auth[ _]?key[ _]?error\b/i, 401],
  [/\bforbidden/i, 403],
  [/\bnot[ _]?found/i, 404],
  [/\bnot[ _]?acceptable/i, 406],
  [/\bconflict/i, 409],
  [/\bF(?:lood(?:Error)?|LOOD)\b|(?:^|: )flood(?: error)?$/m, 420],
  [/\b(?:invalid ?dc|see[ _]?other)/i, 303],
  [/\b(?:[Ii]nternal(?:[ _]?[Ss]erver)?[ _]?[Ee]rror|INTERNAL)\b/, 500],
];

/** Where a text states a code: at the start of a line, in brackets, after `error`, `code`, `status`, `HTTP/1.1` … */
const STATED_CODE = new RegExp(
  `(?:^|[[(]|\\b(?:error|(?:error_?|status_?)?code|status|https?(?:/[\\d.]{1,3})?|rpc_?error|etelegram)\\b["']?[\\s:=#([]{0,4})` +
    '(-?(?:303|4\\d\\d|5\\d\\d))(?![\\d_]|\\.\\d)',
  'im',
);

/** The error code that a text states, as a number in its usual places or as a word; null where there is none. */
export function findCode(text: string): number | null {
  const [, digits] = STATED_CODE.exec(text) ?? [];
  if (digits) return Number(digits);
  return CODE_WORDS.find(([pattern]) => pattern.test(text))?.[1] ?? null;
}

/** Whether somebody who answers like Telegram is spoken of: a proxy, another service's address. */
export const isElsewhere = (text: string): boolean =>
  /proxy|\btunnel\b|\bsocks\d?\b|https?:\/\/(?![\w.-]*telegram)/i.test(text);
