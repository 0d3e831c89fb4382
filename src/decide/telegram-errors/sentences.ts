import { getError, TABLE } from './table.js';
import type { TelegramError } from './types.js';

/** A sentence of the table, in the form that texts are compared in. */
interface Sentence {
  words: string;
  /** Anything may follow. */
  isOpen: boolean;
  /** What it stands for, the likeliest first. */
  errors: TelegramError[];
  /** As the table has it. */
  text: string;
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

/**
 * A text for comparison: lower case, `#` for numbers, single spaces, ASCII punctuation. HTTP's
 * reason phrase `Too Many Requests` is told apart from Telethon's sentence for PEER_FLOOD, `Too many requests`, by its
 * capitals, which alone distinguish the two.
 */
export function normaliseText(text: string): string {
  return text
    .replace(/(?:Too Many Requests|TOO MANY REQUESTS|TooManyRequests)(?! \((?:caused by|CAUSED BY))/g, 'http-429')
    .toLowerCase()
    .replace(/[’‘]/g, "'")
    .replace(/[！-～]/g, (wide) => String.fromCharCode(wide.charCodeAt(0) - 0xfee0))
    .replaceAll('。', '.')
    .replace(/[「」『』【】《》]/g, '"')
    .replace(/\d+/g, '#')
    .replace(/[^\S\n]+/g, ' ')
    .replace(/ ?\n ?/g, '\n')
    .trim();
}

/** What may stand before a sentence and after it, so that words within a longer sentence are not taken for it. */
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

function findUnbroken(normalised: string): Sentence | null {
  let longest: Sentence | null = null;
  for (const { index } of normalised.matchAll(/(?<![\p{L}\d])[\p{L}#]/gu)) {
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
