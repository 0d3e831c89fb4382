import { isAscii } from './clean-text.js';
import { getError, TABLE } from './table.js';
import type { TelegramError } from './types.js';

/** A sentence of the table, in the form that texts are compared in. */
interface Sentence {
  words: string;
  /** Anything may follow. */
  isOpen: boolean;
  /** Errors that it stands for, the likeliest first. */
  errors: TelegramError[];
  /** As the table has it. */
  text: string;
}

/**
 * A text for comparison: lower case, `#` for numbers, single spaces, ASCII punctuation. HTTP's
 * reason phrase `Too Many Requests` is told apart from Telethon's sentence for PEER_FLOOD, `Too many requests`, by its
 * capitals, which alone distinguish the two.
 */
export function normaliseText(text: string): string {
  const lower = text
    .replace(/(?:Too Many Requests|TOO MANY REQUESTS|TooManyRequests)(?! \((?:caused by|CAUSED BY))/g, 'http-429')
    .toLowerCase();
  const plain = isAscii(lower) ? lower : narrow(lower);
  const numberless = plain.replace(/\d+/g, '#');
  const spaced = /[^\S\n ]|  |\n /.test(numberless) ? numberless.replace(/[^\S\n]+/g, ' ') : numberless;
  return (spaced.includes('\n') ? spaced.replace(/ ?\n ?/g, '\n') : spaced).trim();
}

/** Punctuation as ASCII has it. */
function narrow(text: string): string {
  return text
    .replace(/[’‘]/g, "'")
    .replace(/[！-～]/g, (wide) => String.fromCharCode(wide.charCodeAt(0) - 0xfee0))
    .replaceAll('。', '.')
    .replace(/[「」『』【】《》]/g, '"');
}

/** Sentences are looked up by their first characters. */
const KEY_LENGTH = 5;
const byBeginning = new Map<string, Sentence[]>();
for (const { name, sentences } of TABLE) {
  for (const sentence of sentences) {
    const [, text = '', others] = /^(.*?)(?: \{([^}]*)\})?$/.exec(sentence) ?? [];
    const words = normaliseText(text);
    const entry = {
      words: words.replace(/[.…]+$/, ''),
      isOpen: words.endsWith('…'),
      errors: [name, ...(others?.split(' ') ?? [])].map(getError),
      text,
    };
    const key = entry.words.slice(0, KEY_LENGTH);
    byBeginning.set(key, [...(byBeginning.get(key) ?? []), entry]);
  }
}
for (const sentences of byBeginning.values()) sentences.sort((a, b) => b.words.length - a.words.length);

/** Text that may stand before and after a sentence, so that words within a longer sentence do not count as it. */
const STARTS = /(?:^|[\n:;\-–—([{'"«“`|>/=,.!?\])}#*_]|\b(?:error|warning|exception|says)) ?$/;
const ENDS =
  /^[.!]{0,3}(?:$|\n|["'`”»)\]}|*\\]|,? caused by|[,;] (?:skip|continu|retry|stop|abort)| ?[([{<|]| [-–—/] |, ?["'{}\]])/;
const ENDS_OPEN = /^(?![\p{L}\p{N}])/u;

/**
 * The longest of the table's sentences in a normalised text, so the one that says most. A terminal's line break within
 * a sentence does not hide it.
 */
export function findSentence(normalised: string): Sentence | null {
  const found = findUnbroken(normalised);
  if (found !== null || !normalised.includes('\n')) return found;
  return findUnbroken(normalised.replaceAll('\n', ' '));
}

const isSmallLetter = (code: number): boolean => code >= 97 && code <= 122;
const HASH = 35;

/** Every sentence begins with a small letter of ASCII, or with `#` for a number. */
function beginsWord(normalised: string, index: number): boolean {
  const code = normalised.charCodeAt(index);
  if (!isSmallLetter(code) && code !== HASH) return false;
  const before = normalised.charCodeAt(index - 1);
  return !isSmallLetter(before) && !(before > 127 && /\p{L}/u.test(normalised.charAt(index - 1)));
}

function findUnbroken(normalised: string): Sentence | null {
  let longest: Sentence | null = null;
  for (let index = 0; index < normalised.length; index += 1) {
    if (!beginsWord(normalised, index)) continue;
    for (const sentence of byBeginning.get(normalised.slice(index, index + KEY_LENGTH)) ?? []) {
      if (longest !== null && sentence.words.length <= longest.words.length) break;
      if (normalised.startsWith(sentence.words, index) && standsAlone(normalised, index, sentence)) longest = sentence;
    }
  }
  return longest;
}

function standsAlone(normalised: string, start: number, { words, isOpen }: Sentence): boolean {
  const end = start + words.length;
  const after = normalised.slice(end, end + 12);
  return STARTS.test(normalised.slice(Math.max(0, start - 12), start)) && (isOpen ? ENDS_OPEN : ENDS).test(after);
}
