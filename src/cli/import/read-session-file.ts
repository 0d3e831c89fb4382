import path from 'node:path';
import type { Database, SqlValue } from 'sql.js';
import type { SourceRow } from './source-row.js';

export const isDatabaseFile = (bytes: Buffer): boolean =>
  bytes.subarray(0, 15).toString('latin1') === 'SQLite format 3';

/** A `.session` file of Telethon or Pyrogram; a name such as `79991234567.session` tells the phone number. */
export async function readSessionFile(file: string, bytes: Buffer): Promise<SourceRow> {
  const place = path.basename(file);
  const fault = (what: string): SourceRow => ({ place, fields: {}, fault: what });
  if (!isDatabaseFile(bytes)) return fault('is no SQLite database');
  const { default: load } = await import('sql.js');
  const { Database } = await load();
  let database: Database | null = null;
  try {
    database = new Database(bytes);
    const [result] = database.exec('SELECT * FROM sessions');
    const [row] = result?.values ?? [];
    if (result === undefined || row === undefined) return fault('holds no session: it was saved before the login');
    const session = toSessionString(
      Object.fromEntries(result.columns.map((name, index) => [name, row[index] ?? null])),
    );
    if (session === null) return fault('is neither a session of Telethon nor of Pyrogram');
    return { place, fields: { session_data: session, ...phoneOf(place) } };
  } catch {
    // SQLite quotes what it reads.
    return fault('is a damaged SQLite database, or no session');
  } finally {
    database?.close();
  }
}

const phoneOf = (name: string): { phone?: string } => {
  const [, phone] = /^\+?(\d{7,15})\.session$/.exec(name) ?? [];
  return phone === undefined ? {} : { phone };
};

const KEY_SIZE = 256;

/** The string that the library itself exports: of Telethon with the address, of Pyrogram with the user. */
function toSessionString(row: Readonly<Record<string, SqlValue>>): string | null {
  const { dc_id: dc, auth_key: given, server_address: address, port } = row;
  if (typeof dc !== 'number' || !(given instanceof Uint8Array) || given.length !== KEY_SIZE) return null;
  const key = Buffer.from(given);
  if (typeof address === 'string' && typeof port === 'number') {
    const host = packAddress(address);
    if (host === null) return null;
    const bytes = Buffer.alloc(1 + host.length + 2 + KEY_SIZE);
    bytes.writeUInt8(dc, 0);
    host.copy(bytes, 1);
    bytes.writeUInt16BE(port, 1 + host.length);
    key.copy(bytes, 3 + host.length);
    return `1${withEnding(bytes)}`;
  }
  const { user_id: user, api_id: api, test_mode: test, is_bot: bot } = row;
  if (typeof user !== 'number') return null;
  // `>BI?256sQ?` of Pyrogram 2.
  const bytes = Buffer.alloc(271);
  bytes.writeUInt8(dc, 0);
  bytes.writeUInt32BE(typeof api === 'number' ? api : 0, 1);
  bytes.writeUInt8(test ? 1 : 0, 5);
  key.copy(bytes, 6);
  bytes.writeBigUInt64BE(BigInt(user), 262);
  bytes.writeUInt8(bot ? 1 : 0, 270);
  return bytes.toString('base64url');
}

const withEnding = (bytes: Buffer): string => bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_');

function packAddress(address: string): Buffer | null {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(address)) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':'));
  const [before, after] = [groups(head), groups(tail ?? '')];
  const middle = tail === undefined ? [] : Array.from({ length: 8 - before.length - after.length }, () => '0');
  const all = [...before, ...middle, ...after];
  if (all.length !== 8 || !all.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return null;
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}
