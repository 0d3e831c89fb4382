import type { ProxyInterface } from 'telegram/network/connection/TCPMTProxy.js';
import { z } from 'zod';

/** The way to Telegram that is stored with an account; `proxy` undefined: straight. */
export type Route = { ok: true; proxy: ProxyInterface | undefined } | { ok: false; message: string };

const address = { ip: z.string().regex(/^[A-Za-z0-9._:-]{1,253}$/), port: z.coerce.number().int().min(1).max(65_535) };
const credential = z
  .string()
  .max(255)
  .nullish()
  .transform((text) => text || undefined);

const socks = z.object({
  ...address,
  socksType: z.union([z.literal(4), z.literal(5)]),
  username: credential,
  password: credential,
});
const mtproxy = z.object({ ...address, MTProxy: z.literal(true), secret: z.string().refine(isSecret) });
const anyProxy = z.union([mtproxy, socks]);

/** GramJS speaks plain (16 bytes) and `dd` secrets, in hex or base64; not `ee`, which pretends to be TLS. */
function isSecret(text: string): boolean {
  if (!/^[A-Za-z0-9+/_=-]+$/.test(text)) return false;
  const bytes = Buffer.from(text, /^[0-9a-f]+$/i.test(text) ? 'hex' : 'base64');
  return bytes.length === 16 || (bytes.length === 17 && bytes[0] === 0xdd);
}

/**
 * Reads `session_metadata.proxy`: nothing; a URL (`socks5://user:password@host:port`, `socks4://…`,
 * `mtproxy://host:port?secret=…`, or a `tg://proxy`, `tg://socks`, `https://t.me/…` link); an object as GramJS takes it
 * (`ip`, `port`, and `socksType` or `MTProxy` with `secret`); or an object with such a `url`. The refusal's text quotes
 * nothing: a proxy has credentials.
 */
export function parseProxy(stored: unknown): Route {
  if (stored === undefined || stored === null || stored === '') return { ok: true, proxy: undefined };
  const given = typeof stored === 'string' ? fromUrl(stored) : fromObject(stored);
  const proxy = anyProxy.safeParse(given);
  if (proxy.success) return { ok: true, proxy: proxy.data };
  return { ok: false, message: 'the proxy stored with the account is neither SOCKS 4 or 5 nor an MTProxy' };
}

function fromObject(stored: unknown): unknown {
  const { url } = stored as { url?: unknown };
  return typeof url === 'string' ? fromUrl(url) : stored;
}

function fromUrl(text: string): unknown {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  const query = url.searchParams;
  switch (url.protocol) {
    case 'socks:':
    case 'socks5:':
    case 'socks5h:':
    case 'socks4:':
    case 'socks4a:':
      return {
        ...hostOf(url),
        socksType: url.protocol.startsWith('socks4') ? 4 : 5,
        username: decode(url.username),
        password: decode(url.password),
      };
    case 'mtproxy:':
    case 'mtproto:':
      return { ...hostOf(url), MTProxy: true, secret: query.get('secret') };
    case 'tg:':
      return fromLink(url.hostname, query);
    case 'https:':
      return url.hostname === 't.me' ? fromLink(url.pathname.slice(1), query) : null;
    default:
      return null;
  }
}

/** The links that Telegram's own clients share. */
function fromLink(kind: string, query: URLSearchParams): unknown {
  const [ip, port] = [query.get('server'), query.get('port')];
  if (kind === 'proxy') return { ip, port, MTProxy: true, secret: query.get('secret') };
  if (kind === 'socks') return { ip, port, socksType: 5, username: query.get('user'), password: query.get('pass') };
  return null;
}

const hostOf = (url: URL) => ({ ip: url.hostname.replace(/^\[|\]$/g, ''), port: url.port });

/** A `%` that is no escape stands for itself. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
