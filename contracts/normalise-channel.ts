/**
 * The one key under which a channel is counted, however a caller writes it; null if the text names no channel.
 *
 * - `@Name`, `Name`, `t.me/Name[/…]`, `t.me/s/Name`, `Name.t.me`, `tg://resolve?domain=Name` → `name`
 * - `1234567890`, `-1001234567890`, `t.me/c/1234567890/…`, `tg://privatepost?channel=1234567890` → `1234567890`
 * - `-123` (a basic group) → `-123`
 * - `+Hash`, `t.me/+Hash`, `t.me/joinchat/Hash`, `tg://join?invite=Hash` → `+Hash`, case kept
 * - `web.telegram.org/k/#@Name`, `…/a/#-1001234567890` → as the part behind the `#`
 *
 * Links may have any of Telegram's hosts (t.me, telegram.me, telegram.dog), http(s) or no scheme, `www.`, message
 * numbers, a query, a fragment; callers that take a link apart may leave `s/Name`, `c/1234567890/5`, `joinchat/Hash` or
 * `Name/5` of it. White space around the text does not count. Normalising a key gives that key.
 * An id and a name of the same channel stay two keys: only Telegram could tell.
 */
export function normaliseChannel(given: string): string | null {
  const text = given.trim();
  const webClient = /^(?:https?:\/\/)?web\.telegram\.org(?:\/[^#]*)?#(.*)$/i.exec(text);
  if (webClient) return keyOfFragment(webClient[1] ?? '');

  const appLink = /^tg:(?:\/\/)?(resolve|join|privatepost)\/?\?([^#]*)/i.exec(text);
  if (appLink) {
    const [, kind = '', query] = appLink;
    return keyOfAppLink(kind.toLowerCase(), new URLSearchParams(query));
  }

  const webLink =
    /^(?:https?:\/\/)?(?:([a-z0-9_]+)\.)?(t\.me|telegram\.me|telegram\.dog)(?:\/([^?#]*))?(?:[?#]|$)/i.exec(text);
  if (webLink) {
    const [, subdomain = 'www', host = '', path = ''] = webLink;
    const segments = path.replace(/\/+$/, '').split('/');
    if (subdomain.toLowerCase() === 'www') return keyOfPath(segments);
    return host.toLowerCase() === 't.me' ? keyOfPath([subdomain, ...segments.filter(Boolean)]) : null;
  }

  if (text.startsWith('+')) return keyOfInvite(text.slice(1));
  if (text.startsWith('-')) return keyOfNegativeId(text);
  const [path = ''] = text.split(/[?#]/, 1);
  return path.includes('/') ? keyOfPath(path.replace(/\/+$/, '').split('/')) : keyOfName(withoutAt(path));
}

const withoutAt = (name: string): string => (name.startsWith('@') ? name.slice(1) : name);

/** Telegram's web clients name the chat behind the `#`, with a message or topic, or the link that led there. */
function keyOfFragment(fragment: string): string | null {
  const link = /^\/?\?tgaddr=(tg(?::|%3a)[^&]*)/i.exec(fragment);
  if (link) return keyOfAppAddress(link[1] ?? '');
  const [, name, id] = /^(?:\/?im\?p=)?(?:@(\w+)|(-\d+))(?:[/_?&].*)?$/.exec(fragment) ?? [];
  if (name !== undefined) return keyOfName(name);
  return id === undefined ? null : keyOfNegativeId(id);
}

function keyOfAppAddress(encoded: string): string | null {
  try {
    const address = decodeURIComponent(encoded);
    return address.startsWith('tg:') ? normaliseChannel(address) : null;
  } catch {
    return null;
  }
}

/** First segments of links to something other than a channel (core.telegram.org/api/links); no user has these names. */
const notChannels: ReadonlySet<string> = new Set(
  (
    'a addemoji addlist addstickers addtheme auction bg boost call confirmphone contact giftcode invoice ' +
    'iv k login m msg nft proxy setlanguage share socks'
  ).split(' '),
);

function keyOfPath([first = '', ...rest]: string[]): string | null {
  const kind = first.toLowerCase();
  if (kind.startsWith('+')) return rest.length === 0 ? keyOfInvite(first.slice(1)) : null;
  if (kind === 'joinchat') return rest.length === 1 ? keyOfInvite(rest.join('')) : null;

  const isPrivate = kind === 'c';
  const [channel = '', ...messages] = isPrivate || kind === 's' ? rest : [first, ...rest];
  if (!messages.every(isDigits)) return null;
  if (isPrivate) return isDigits(channel) ? keyOfName(channel) : null;
  return notChannels.has(channel.toLowerCase()) ? null : keyOfName(withoutAt(channel));
}

function keyOfAppLink(kind: string, query: URLSearchParams): string | null {
  if (kind === 'resolve') return keyOfName(query.get('domain') ?? '');
  if (kind === 'join') return keyOfInvite(query.get('invite') ?? '');
  const channel = query.get('channel') ?? '';
  return isDigits(channel) ? keyOfName(channel) : null;
}

/** A name of 1 to 64 word characters (laxer than Telegram's 4 to 32, and nothing else has this form); or a bare id. */
function keyOfName(name: string): string | null {
  if (!/^[A-Za-z0-9_]{1,64}$/.test(name)) return null;
  return isDigits(name) ? String(BigInt(name)) : name.toLowerCase();
}

/** `t.me/+4915…` is a link to a phone number: neither a channel, nor anything that may appear in a key. */
function keyOfInvite(hash: string): string | null {
  return /^[A-Za-z0-9_-]{1,64}$/.test(hash) && !isDigits(hash) ? `+${hash}` : null;
}

/**
 * The Bot API writes channel c as −(10^12 + c), which for ten-digit ids looks like a prefix `-100`, and basic group g
 * as −g (core.telegram.org/api/bots/ids). Arithmetic, not the prefix: `-1001234567` is a basic group.
 */
function keyOfNegativeId(text: string): string | null {
  if (!/^-[0-9]{1,64}$/.test(text)) return null;
  const id = -BigInt(text);
  const channelBase = 1_000_000_000_000n;
  if (id > 0n && id < channelBase) return `-${id}`;
  return id > channelBase && id < 2n * channelBase ? String(id - channelBase) : null;
}

function isDigits(text: string): boolean {
  return /^[0-9]+$/.test(text);
}
