/** Encodings and decorations that are taken off a text before it is read, each only where the text has its sign. */

/** The surest of HTML's named entities; every other is a number. */
const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  laquo: '«',
  raquo: '»',
  lsquo: "'",
  rsquo: "'",
  ldquo: '"',
  rdquo: '"',
  ndash: '-',
  mdash: '-',
  hellip: '…',
};
const HTML_TAG =
  /<\/?(?:b|i|u|s|p|br|em|del|ins|strong|strike|code|pre|a|span|div|blockquote|tg-spoiler)(?:\s[^<>]{0,256})?\s?\/?>/gi;

const decodeEntities = (text: string): string =>
  text.replace(/&(?:#(\d{1,6})|#x([\da-f]{1,5})|([a-z]{2,6}));/gi, (whole, ...groups: string[]) => {
    const [decimal, hex, name] = groups;
    if (name) return ENTITIES[name.toLowerCase()] ?? whole;
    const point = decimal ? Number(decimal) : Number.parseInt(hex ?? '', 16);
    return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
  });

/** `%28caused%20by%20…%29`; of a form, `+` stands for a space. */
function decodeUrl(text: string): string {
  const isForm = !/\s/.test(text) && /%[\da-f]{2}/i.test(text);
  const spaced = isForm ? text.replaceAll('+', ' ') : text;
  return spaced.replace(/(?:%[\da-f]{2}){1,1024}/gi, (encoded) => {
    try {
      return decodeURIComponent(encoded);
    } catch {
      return encoded;
    }
  });
}

/** Escapes of string literals, and of Telegram's MarkdownV2 (`FLOOD\_WAIT\_7200 \(caused by …\)`). */
const decodeBackslashes = (text: string): string =>
  text
    .replace(/\\(?:x1b|u001b|033|e)(?=\[)/gi, '\u001b')
    .replace(/\\u([\da-f]{4})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    // A byte of several that make a character says nothing alone.
    .replace(/\\x(?:([0-7][\da-f])|[89a-f][\da-f])/gi, (_, hex?: string) =>
      hex ? String.fromCharCode(Number.parseInt(hex, 16)) : '\ufffd',
    )
    .replace(/\\[nrt](?![a-z]{2,}\\)/g, '\n')
    .replace(/\\([_*[\]()~`>#+\-=|{}.!"'\\])/g, '$1');

/** Terminals' colours and links, also as `cat -v`, syslog and journald print them. */
const TERMINAL =
  /(?:\u001b|\u009b|\^\[|#033|␛)\[[\d;:?]{0,32}[A-Za-z]|\u001b\][^\u0007\u001b\n]{0,2048}(?:\u0007|\u001b\\)?/g;
const CONTROL = /[\u0001-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g;
/** NUL, and what has no width: no library's error holds it, and it hides a name from whoever looks for it. */
const INVISIBLE = /[\u0000\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]/g;
/** Bounds the work of patterns that look past white space. */
const WIDE_GAP = /[^\S\n]{81,}/g;
const GAP = ' '.repeat(80);
const HALF_PAIR = /\p{Cs}/gu;

/** Whether a text has anything to take off; most have not. */
const HAS_INVISIBLE = /[^\n\x20-\x7e]|\^\[|#033/;

/** Most texts are: patterns without Unicode's classes are then enough, and much faster. */
export const isAscii = (text: string): boolean => /^[\0-\x7f]*$/.test(text);

/**
 * A text without characters that no store keeps or no reader sees: NUL, half of a surrogate pair, colours, control
 * characters.
 */
export function dropInvisible(text: string): string {
  if (!HAS_INVISIBLE.test(text) && !text.includes(GAP)) return text;
  return text
    .replace(INVISIBLE, '')
    .replace(HALF_PAIR, '\ufffd')
    .replace(TERMINAL, '')
    .replace(/\r\n?/g, '\n')
    .replace(CONTROL, ' ')
    .replace(WIDE_GAP, GAP);
}

/** A text with one layer of escapes taken off: HTML, URL encoding, backslashes. The same text where it has none. */
export function decodeOnce(text: string): string {
  const html = text.includes('&') ? decodeEntities(text) : text;
  const tagless = html.includes('<')
    ? html.replace(HTML_TAG, (tag) => (/^<\/?(?:br|p|div|pre)/i.test(tag) ? '\n' : ''))
    : html;
  const plain = tagless.includes('%') ? decodeUrl(tagless) : tagless;
  return plain.includes('\\') ? decodeBackslashes(plain) : plain;
}

/** A wait in words of Telegram's. */
const NAMED_WAIT = /\bFLOOD_(?:PREMIUM_)?WAIT_\d{1,12}\b|\b[Aa] wait of \d{1,12} seconds|[Rr]etry after \d{1,12}\b/g;

/**
 * Both ends of a text, some `max` characters at most, so that work is bounded: a traceback names its error last, a
 * wrapped message first. The longest wait that is named between them is kept too.
 */
export function keepBounds(text: string, max: number): string {
  if (text.length <= max) return text;
  const middle = text.slice(max / 2, -max / 2);
  const waits = new Map([...middle.matchAll(NAMED_WAIT)].map(([wait]) => [Number(/\d+/.exec(wait)?.[0] ?? 0), wait]));
  const longest = [...waits.keys()].reduce((a, b) => Math.max(a, b), -1);
  return `${text.slice(0, max / 2)}\n${waits.get(longest) ?? ''}\n${text.slice(-max / 2)}`;
}
