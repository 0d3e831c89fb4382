import { createHash } from 'node:crypto';
import { isIPv6, SocketAddress } from 'node:net';

export type SessionForm = 'telethon_ipv4' | 'telethon_ipv6' | 'gramjs' | 'pyrogram_2' | 'pyrogram_267' | 'pyrogram_263';

/** A well-formed session of a user account on Telegram's production servers. It holds the secret: never log it. */
export type ParsedSession = {
  ok: true;
  form: SessionForm;
  /** The session as its own library writes it (alphabet, `=`), for readers stricter or laxer than this one. */
  canonical: string;
  /** Data centre, 1 to 5. */
  dcId: number;
  /** SHA-256 of the authorisation key in lower-case hex: equal for one login, whatever the form; safe to store. */
  keyFingerprint: string;
  /** IPv4 dotted, IPv6 compressed, or a host name; Pyrogram's forms carry neither address nor port. */
  serverAddress?: string;
  port?: number;
  /** The 256 bytes of the authorisation key. */
  authKey: Buffer;
};

export type SessionFault = { ok: false; code: SessionFaultCode; message: string };

export type SessionFaultCode = keyof typeof faultMessages | 'truncated' | 'too_long';

/** Texts are fixed (the two about length add only counts), so that no part of a session string can reach a log. */
const faultMessages = {
  empty: 'the session string is empty',
  sqlite_file: 'this is a .session file (SQLite database) or its path, not a session string: export it as a string',
  tdata: 'this is Telegram Desktop data (tdata), not a session string: convert it first',
  bare_hex_key: 'this is a bare authorisation key in hex, without a data centre: convert it to a session string',
  bot_token: 'this is a bot token; only sessions of user accounts can be used',
  phone_number: 'this is a phone number, not a session string',
  white_space_around: 'white space, such as a line break, before or after the session string: remove it',
  white_space_inside: 'white space inside the session string: it must be one unbroken line',
  not_base64: 'not base64: a character belongs to neither base64 alphabet, or both alphabets are mixed',
  altered_ending: "not base64: the last character or the number of '=' is not what an encoder writes",
  unknown_form: 'the length and content match no known session form (Telethon, GramJS, Pyrogram)',
  dc_out_of_range: 'the data centre is not one of 1 to 5',
  test_server: "the session belongs to Telegram's test servers",
  bot_session: 'the session belongs to a bot; only sessions of user accounts can be used',
  bad_server_address: 'the server address is not an IP address or host name, or the port is 0',
  zero_key: 'the authorisation key is all zeros: the session was exported before it logged in',
  weak_key: 'the authorisation key is hardly random (fewer than 100 distinct bytes): it cannot be genuine',
} as const;

/** Texts that people paste instead of a session string; base64 spellings of the two file formats included. */
const lookalikes = [
  ['sqlite_file', /^SQLite format 3|^U1FMaXRlIGZvcm1hdCAz|\.session$/i],
  ['tdata', /^TDF\$|^VERGJ|(?:^|[\\/])tdata[\\/]?$/],
  ['bare_hex_key', /^(?:0x)?[0-9a-f]{512}(?::\d+)?$/i],
  ['bot_token', /^\d{5,}:[A-Za-z0-9_-]{30,}$/],
  ['phone_number', /^\+?\(?\d(?:[\s().-]*\d){6,14}$/],
] as const;

/** Where things stand in the decoded bytes; the data centre is byte 0 everywhere. Sizes and offsets in bytes. */
type Layout = {
  form: SessionForm;
  mark: '1' | '';
  size: number;
  keyAt: number;
  /** The address ends, and the port begins, two bytes before the key. */
  addressAt?: number;
  testAt?: number;
  botAt?: number;
};

const keySize = 256;

// The three struct formats of pyrogram/storage: `>BI?256sQ?`, `>B?256sQ?`, `>B?256sI?`.
const pyrogram2 = { form: 'pyrogram_2', mark: '', size: 271, keyAt: 6, testAt: 5, botAt: 270 } as const;
const pyrogram267 = { form: 'pyrogram_267', mark: '', size: 267, keyAt: 2, testAt: 1, botAt: 266 } as const;
const pyrogram263 = { form: 'pyrogram_263', mark: '', size: 263, keyAt: 2, testAt: 1, botAt: 262 } as const;

const testServers: ReadonlySet<string> = new Set([
  '149.154.175.10',
  '149.154.175.40',
  '149.154.167.40',
  '149.154.175.117',
  '2001:b28:f23d:f001::e',
  '2001:67c:4e8:f002::e',
  '2001:b28:f23d:f003::e',
]);

/**
 * Reads a session string as Telethon, GramJS or Pyrogram writes it; a fault is a value and never quotes its input. Both
 * base64 alphabets are read, with or without the closing `=`, since tools that convert sessions differ in both.
 * Everything else must be exact: a library fails on a damaged string only once it talks to Telegram.
 */
export function parseSessionString(text: string): ParsedSession | SessionFault {
  const trimmed = text.trim();
  if (trimmed === '') return fault('empty');
  const lookalike = lookalikes.find(([, pattern]) => pattern.test(trimmed));
  if (lookalike) return fault(lookalike[0]);
  if (/\s/.test(trimmed)) return fault('white_space_inside');
  if (trimmed !== text) return fault('white_space_around');
  if (!/^(?:[A-Za-z0-9+/]*|[A-Za-z0-9_-]*)=*$/.test(text)) return fault('not_base64');

  const mark = text.startsWith('1') ? '1' : '';
  const body = text.slice(mark.length).replaceAll('+', '-').replaceAll('/', '_');
  const digits = body.replace(/=+$/, '');
  const bytes = Buffer.from(digits, 'base64url');
  const layout = mark === '1' ? markedLayout(bytes) : pyrogramLayout(bytes);
  if (!layout) return fault('unknown_form');

  const expected = layout.mark.length + Math.ceil((layout.size * 8) / 6);
  const found = mark.length + digits.length;
  const dcId = bytes.readUInt8(0);
  const isDcKnown = dcId >= 1 && dcId <= 5;
  // A wrong length and a wrong data centre together: nothing speaks for a session at all.
  if (found !== expected) return isDcKnown ? lengthFault(expected, found) : fault('unknown_form');
  const encoded = bytes.toString('base64url');
  const ending = '='.repeat((4 - (encoded.length % 4)) % 4);
  if (body !== encoded && body !== encoded + ending) return fault('altered_ending');
  if (!isDcKnown) return fault('dc_out_of_range');

  const server = readServer(bytes, layout);
  if (layout.testAt && bytes[layout.testAt] === 1) return fault('test_server');
  if (server && testServers.has(server.serverAddress)) return fault('test_server');
  if (layout.botAt && bytes[layout.botAt] === 1) return fault('bot_session');
  if (server && (server.port === 0 || !/^[A-Za-z0-9.:-]+$/.test(server.serverAddress))) {
    return fault('bad_server_address');
  }

  const authKey = bytes.subarray(layout.keyAt, layout.keyAt + keySize);
  // 256 random bytes have 162 distinct values on average; fewer than 100 is some eleven deviations away.
  const distinct = new Set(authKey).size;
  if (distinct === 1 && authKey[0] === 0) return fault('zero_key');
  if (distinct < 100) return fault('weak_key');

  const marked = `1${layout.form === 'gramjs' ? bytes.toString('base64') : encoded + ending}`;
  return {
    ok: true,
    form: layout.form,
    canonical: mark === '1' ? marked : encoded,
    dcId,
    keyFingerprint: createHash('sha256').update(authKey).digest('hex'),
    ...server,
    authKey,
  };
}

/**
 * The form behind a leading `1`: GramJS's, if the next two bytes can be the length of an address (GramJS tells the two
 * apart by the same 100), else Telethon's, whose IPv4 or IPv6 shows in the length. By the length alone an IPv6 string
 * cut by 12 bytes, or an IPv4 one with 12 too many, would pass for the other, with a shifted key. So the prefixes of
 * Telegram's own IPv6 servers, and of all global IPv6 addresses (2000::/3), are looked at too.
 */
function markedLayout(bytes: Buffer): Layout | undefined {
  if (bytes.length < 3) return undefined;
  const prefix = bytes.readUInt16BE(1);
  if (prefix <= 100) {
    return { form: 'gramjs', mark: '1', size: 1 + 2 + prefix + 2 + keySize, addressAt: 3, keyAt: 5 + prefix };
  }
  const isIpv6 = prefix === 0x2001 || prefix === 0x2a0a || (bytes.length === 275 && prefix >> 13 === 1);
  return isIpv6
    ? { form: 'telethon_ipv6', mark: '1', size: 275, addressAt: 1, keyAt: 19 }
    : { form: 'telethon_ipv4', mark: '1', size: 263, addressAt: 1, keyAt: 7 };
}

/**
 * The form without a mark: the one whose size and flags fit, or the nearest, against which the length is reported.
 * Pyrogram tells its forms apart by length alone, and so takes a Pyrogram 2 string that lost 4 or 8 bytes for an older
 * one, with a shifted key. Two signs give it away: key bytes where a 267-byte string has the high bytes of a user id;
 * and an api id below 2^16 before a zero flag, bytes 1 to 5, where a 263-byte string has key bytes (which look so once
 * in 65,536 keys: rarer than the damage). With a greater api id the loss of exactly 8 bytes cannot be seen.
 */
function pyrogramLayout(bytes: Buffer): Layout | undefined {
  if (bytes.length < 100) return undefined;
  const isFlag = (at: number) => bytes[at] === 0 || bytes[at] === 1;
  const fits = ({ size, testAt, botAt }: typeof pyrogram2 | typeof pyrogram267 | typeof pyrogram263) =>
    bytes.length === size && isFlag(testAt) && isFlag(botAt);
  const apiId = bytes.readUInt32BE(1);
  const looksLikePyrogram2 = apiId > 0 && apiId < 2 ** 26 && bytes[pyrogram2.testAt] === 0;

  if (fits(pyrogram2)) return pyrogram2;
  if (fits(pyrogram267) && bytes.readUInt16BE(pyrogram267.keyAt + keySize) === 0) return pyrogram267;
  if (fits(pyrogram263) && !(looksLikePyrogram2 && apiId < 2 ** 16)) return pyrogram263;
  if (looksLikePyrogram2) return bytes.length === pyrogram2.size ? undefined : pyrogram2;

  // Telethon's 263 bytes without their `1` are as many as old Pyrogram's, with an address instead of the test flag.
  const withLostMark = markedLayout(bytes);
  const hasTestFlag = isFlag(pyrogram263.testAt);
  if (withLostMark?.size === bytes.length && (withLostMark.form === 'gramjs' || !hasTestFlag)) return withLostMark;
  if (!hasTestFlag) return undefined;
  return bytes.length < pyrogram263.size || bytes.length === pyrogram267.size ? pyrogram263 : pyrogram267;
}

function readServer(bytes: Buffer, { form, addressAt, keyAt }: Layout) {
  if (addressAt === undefined) return undefined;
  const address = bytes.subarray(addressAt, keyAt - 2);
  const serverAddress =
    form === 'gramjs'
      ? address.toString('latin1')
      : form === 'telethon_ipv4'
        ? address.join('.')
        : address.toString('hex').replace(/.{4}(?=.)/g, '$&:');
  return { serverAddress: compressIfIpv6(serverAddress), port: bytes.readUInt16BE(keyAt - 2) };
}

function compressIfIpv6(address: string): string {
  return isIPv6(address) ? new SocketAddress({ address, family: 'ipv6' }).address : address;
}

function fault(code: keyof typeof faultMessages): SessionFault {
  return { ok: false, code, message: faultMessages[code] };
}

function lengthFault(expected: number, found: number): SessionFault {
  const counts = `expected ${expected} characters (not counting '=' at the end), found ${found}`;
  return found < expected
    ? { ok: false, code: 'truncated', message: `the session string is cut short: ${counts}` }
    : { ok: false, code: 'too_long', message: `the session string is too long: ${counts}` };
}
