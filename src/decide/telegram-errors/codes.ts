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
  `(?:^|[[(]|\\b(?:\\w{0,32}error|(?:error_?|status_?)?code|status|https?(?:/[\\d.]{1,3})?|rpc_?error|etelegram)\\b["']?[\\s:=#([]{0,4})` +
    '(-?(?:303|4\\d\\d|5\\d\\d))(?![\\d_]|\\.\\d)',
  'im',
);

/** The error code that a text states, as a number in its usual places or as a word; null where there is none. */
export function findCode(text: string): number | null {
  const [, digits] = STATED_CODE.exec(text) ?? [];
  if (digits) return Number(digits);
  return CODE_WORDS.find(([pattern]) => pattern.test(text))?.[1] ?? null;
}

/** The MTProto transport's own errors (-404, -429, -444), in a library's words or by their negative number. */
const TRANSPORT_ERROR =
  /(?:response buffer \(http code|(?:transport|protocol) ?error(?::? (?:bad status|unhandled error code|code))?(?: \(negative length)?)\D{0,4}(404|429|444)\b/i;
const TRANSPORT_FLOOD = /\btransport[ _]flood\b/i;
const NEGATIVE_CODE = /(?<![\w.-])-(404|429|444)(?![\w.]|-\d)/;

/** -404, -429 or -444 where a text states one; `isCertain`: in words that only a transport's error has. */
export function findTransportCode(text: string): { code: number; isCertain: boolean } | null {
  const [, worded] = TRANSPORT_ERROR.exec(text) ?? [];
  if (worded) return { code: -Number(worded), isCertain: true };
  if (TRANSPORT_FLOOD.test(text)) return { code: -429, isCertain: true };
  const [, digits] = NEGATIVE_CODE.exec(text) ?? [];
  return digits ? { code: -Number(digits), isCertain: false } : null;
}

/** Addresses in a text: `https://host/path`, `host='api.example'`, `GET api.example/v2`, `api.example:443`. */
const ADDRESS = new RegExp(
  [
    '\\bhttps?://([\\w.-]{1,128})(?::\\d+)?([^\\s"\'<>)]{0,64})',
    '\\b(?:host|hostname|server|domain)["\']?\\s{0,2}[=:]\\s{0,2}["\']?([a-z\\d-]{1,63}(?:\\.[a-z\\d-]{1,63}){1,6})\\b',
    '(?:^|[\\s("\'])([a-z\\d-]{1,63}(?:\\.[a-z\\d-]{1,63}){0,5}\\.[a-z]{2,12})(?=[/:\\s,;)"\']|$)',
  ].join('|'),
  'gm',
);
/** Pages that explain an error, which was not their server's. */
const IS_MANUAL = /^(?:docs?|developers?|core|wiki|help)\.|(?:^|\.)(?:readthedocs\.io|github\.com|mozilla\.org)$/;
const IS_TELEGRAM =
  /(?:^|\.)(?:telegram\.(?:org|me|dog)|t\.me|telesco\.pe)$|^(?:149\.154|91\.108)\.|^(?!.*\.[a-z]{2,}$).*telegram/i;
/** The Bot API's path, on whatever host it is served: `/bot123:ABC/sendMessage`, the token perhaps hidden. */
const IS_BOT_PATH = /^\/(?:file\/)?bot(?:\d|[<[*{$])/;
/** A top-level name that no module, method or class of a program ends with. */
const IS_HOST =
  /\.(?:com|net|org|io|dev|ru|su|ua|kz|example|invalid|local|internal|ai|cloud|biz|xyz|online|site|tv|eu|de|uk|cn)$/;

/**
 * Whether somebody who answers like Telegram is spoken of: a proxy, another service's address. An address of Telegram's
 * beside it settles the matter.
 */
export function isElsewhere(text: string, addresses: readonly string[] = []): boolean {
  let isOther = /proxy|\btunnel\b|\bsocks\d?\b/i.test(text);
  const fields = addresses.map((address) => (/^https?:/.test(address) ? address : `https://${address}`)).join(' ');
  for (const source of [fields, text]) {
    if (!/[a-z]\.[a-z]|:\/\//i.test(source)) continue;
    for (const [, host, path = '', named, asked] of source.matchAll(ADDRESS)) {
      const where = (host ?? named ?? asked ?? '').toLowerCase();
      if (IS_TELEGRAM.test(where) || IS_BOT_PATH.test(path)) return /\bproxy\b[^\n]{0,40}(?:error|401|407)/i.test(text);
      if (!IS_MANUAL.test(where) && (host !== undefined || IS_HOST.test(where))) isOther = true;
    }
  }
  return isOther;
}
