import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import initSqlJs from 'sql.js';
import { type MappingOptions, toAccount } from '../../src/cli/import/to-account.js';
import { readFiles } from '../../src/cli/import/read-files.js';
import { openSealed } from '../../src/cli/export/seal-key.js';
import { withoutSecrets } from '../../src/cli/export/without-secrets.js';
import type { SourceRow } from '../../src/cli/import/source-row.js';
import { openSessionCipher } from '../../src/store/sessions/session-cipher.js';
import { parseSessionString } from '../../src/telegram/parse-session-string.js';
import { telethonSession } from '../support/session-strings.js';

// Rows of every source, and the accounts that they become.

const NOW = Date.parse('2026-11-30T12:00:00Z');
const session = telethonSession();
const options: MappingOptions = { now: NOW, map: new Map(), userId: undefined, unknown: 'refuse', open: null };
const map = (fields: SourceRow['fields'], more: Partial<MappingOptions> = {}) =>
  toAccount({ place: 'x', fields: { user_id: 7, session_data: session, ...fields } }, { ...options, ...more });
const accountOf = (fields: SourceRow['fields'], more: Partial<MappingOptions> = {}) => {
  const mapped = map(fields, more);
  if (!('account' in mapped)) throw new Error(mapped.reason);
  return mapped.account;
};

const folder = mkdtempSync(path.join(tmpdir(), 'import-'));
const file = (name: string, content: string | Uint8Array): string => {
  const whole = path.join(folder, name);
  mkdirSync(path.dirname(whole), { recursive: true });
  writeFileSync(whole, content);
  return whole;
};
async function read(...files: string[]): Promise<SourceRow[]> {
  const rows: SourceRow[] = [];
  for await (const row of readFiles(files, undefined)) rows.push(row);
  return rows;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

test.each([
  ['itself', session],
  ['its base64', base64(session)],
  ['an object', { encrypted_session: base64(session) }],
  ['the text of an object', JSON.stringify({ encrypted_session: base64(session) })],
  ['an object with the string', { encrypted_session: session }],
  ['JSON text of the string', JSON.stringify(session)],
])('a session is read from %s', (_form, session_data) => {
  expect(accountOf({ session_data }).session_data).toBe(session);
});

const inAnHour = '2026-11-30T13:00:00.000Z';
const standings: [string, SourceRow['fields'], Record<string, unknown>][] = [
  ['an active account', { status: 'active', is_active: true }, {}],
  ['a ban', { status: 'banned', is_active: true }, { status: 'disabled', disabled_reason: 'banned' }],
  [
    'a reason of its own',
    { status: 'disabled', disabled_reason: 'frozen' },
    { status: 'disabled', disabled_reason: 'frozen' },
  ],
  [
    'an inactive one, whatever its status',
    { status: 'active', is_active: 'f' },
    { status: 'disabled', disabled_reason: 'manual' },
  ],
  ['an unknown status', { status: 'cooling' }, { status: 'disabled', disabled_reason: 'manual' }],
  [
    'a wait',
    { status: 'flood_wait', flood_wait_until: '2026-11-30 13:00:00' },
    { status: 'flood_wait', flood_wait_until: inAnHour },
  ],
  ['a wait without its end', { status: 'flood_wait' }, { status: 'disabled', disabled_reason: 'manual' }],
  ['a wait in another zone', { flood_wait_until: '2026-11-30 16:00:00+03' }, { flood_wait_until: inAnHour }],
  [
    'a block',
    { status: 'blocked', blocked_until: '2026-11-30T13:00:00Z' },
    { status: 'blocked', blocked_until: inAnHour },
  ],
  ['a lock', { locked: true, locked_until: '2026-11-30 13:00:00' }, { flood_wait_until: inAnHour }],
  [
    'a lock and a longer wait',
    { locked: 't', locked_until: '2026-11-30 12:10:00', flood_wait_until: inAnHour },
    { flood_wait_until: inAnHour },
  ],
  ['a lock without its end', { locked: true }, { flood_wait_until: '2026-11-30T14:00:00.000Z' }],
  ['a lock that is over', { locked: true, locked_until: '2026-11-30 11:00:00' }, {}],
  ['no lock, though an end stands there', { locked: false, locked_until: inAnHour }, {}],
  [
    'counters of today',
    { used_invites_today: '4', used_messages_today: 2, contacts_today: 1, last_used_at: '2026-11-30 01:00:00' },
    { usage: { invite: { today: 4 }, message: { today: 2 }, add_contact: { today: 1 } } },
  ],
  [
    'counters of an earlier day',
    { used_invites_today: 4, last_used_at: '2026-11-29 23:59:59', reset_at: '2026-11-29 00:00:00' },
    {},
  ],
  ['counters of which nobody says the day', { used_invites_today: 4 }, { usage: { invite: { today: 4 } } }],
  [
    'channels',
    { per_channel_invites: '{"@a": {"today": 3, "total": 40}, "b": 5}' },
    { usage: { invite: { by_channel: { '@a': { today: 3, total: 40 }, b: { today: 5, total: 5 } } } } },
  ],
  [
    'channels of an earlier day',
    { per_channel_invites: { a: { today: 3, total: 40 } }, last_used_at: '2026-11-28 10:00:00' },
    { usage: { invite: { by_channel: { a: { today: 0, total: 40 } } } } },
  ],
];
test.each(standings)('%s is carried over, never healthier', (_case, fields, standing) => {
  expect(accountOf(fields)).toEqual({ user_id: 7, session_data: session, ...standing });
});

test('columns: other names, mapped ones, metadata, those that nothing is known of', () => {
  const fields = {
    phone_number: '7999',
    'metadata.proxy': '{"host": "h"}',
    session_metadata: '{"a": 1}',
    health_score: 3,
  };
  expect(accountOf(fields)).toEqual({
    user_id: 7,
    phone: '7999',
    session_data: session,
    metadata: { proxy: { host: 'h' }, a: 1 },
  });
  expect(map({ color: 'red' })).toMatchObject({
    field: 'color',
    reason: expect.stringContaining('no column that is known'),
  });
  expect(accountOf({ color: 'red' }, { unknown: 'ignore' }).metadata).toBeUndefined();
  expect(accountOf({ color: 'red' }, { unknown: 'metadata' }).metadata).toEqual({ color: 'red' });
  expect(accountOf({ owner: 9 }, { map: new Map([['user_id', 'owner']]) }).user_id).toBe(9);
  expect(accountOf({ user_id: '' }, { userId: 3 }).user_id).toBe(3);
});

test.each([
  [{ user_id: '' }, 'user_id'],
  [{ user_id: 'x' }, 'user_id'],
  [{ session_data: '' }, 'session_data'],
  [{ used_invites_today: '-1' }, 'used_invites_today'],
  [{ flood_wait_until: 'soon' }, 'flood_wait_until'],
  [{ metadata: '[1]' }, 'metadata'],
  [{ per_channel_invites: '{"a": "many"}' }, 'per_channel_invites'],
])('a bad value is told by its field, and not quoted: %j', (fields, field) => {
  expect(map(fields)).toEqual({ field, reason: expect.stringMatching(new RegExp(`^${field}: (is|must)`)) });
});

test('text files: CSV with any delimiter, JSON, lines of JSON, session strings', async () => {
  expect(await read(file('a.csv', `\uFEFFphone;session_data;user_id\n7999;${session};1\n7998;x\n`))).toEqual([
    { place: 'a.csv:2', fields: { phone: '7999', session_data: session, user_id: '1' } },
    { place: 'a.csv:3', fields: {}, fault: 'has not as many fields as the heading' },
  ]);
  expect(await read(file('a.json', '{"accounts": [{"phone": "7"}, 3]}'))).toEqual([
    { place: 'a.json[0]', fields: { phone: '7' } },
    { place: 'a.json[1]', fields: {}, fault: 'must be an object' },
  ]);
  expect(await read(file('a.txt', '{"phone": "7"}\n{oops\n'))).toEqual([
    { place: 'a.txt:1', fields: { phone: '7' } },
    { place: 'a.txt:2', fields: {}, fault: 'is no JSON' },
  ]);
  expect(await read(file('b.txt', `# mine\n${session}\n+79991234567:${session}\r\n`))).toEqual([
    { place: 'b.txt:2', fields: { session_data: session } },
    { place: 'b.txt:3', fields: { session_data: session, phone: '+79991234567' } },
  ]);
});

test('session files of Telethon and Pyrogram are read from a directory; a damaged one is told', async () => {
  const { Database } = await initSqlJs();
  const write = (name: string, columns: string, values: unknown[]): void => {
    const database = new Database();
    database.run(`CREATE TABLE sessions (${columns})`);
    if (values.length > 0)
      database.run(`INSERT INTO sessions VALUES (${values.map(() => '?').join()})`, values as never);
    file(`sessions/${name}.session`, database.export());
    database.close();
  };
  const key = randomBytes(256);
  const telethon = 'dc_id, server_address, port, auth_key, takeout_id';
  write('79991234567', telethon, [2, '149.154.167.51', 443, key, null]);
  write('ipv6', telethon, [2, '2001:67c:4e8:f002::a', 443, key, null]);
  write('pyrogram', 'dc_id, api_id, test_mode, auth_key, date, user_id, is_bot', [2, 6, 0, key, 1, 5_000_000_001, 0]);
  write('empty', telethon, []);
  file('sessions/torn.session', Buffer.concat([Buffer.from('SQLite format 3\0'), randomBytes(90)]));
  const rows = new Map((await read(path.join(folder, 'sessions'))).map((row) => [row.place, row]));
  const formOf = (name: string) => {
    const parsed = parseSessionString(String(rows.get(name)?.fields['session_data']));
    return parsed.ok ? [parsed.form, parsed.dcId, parsed.authKey.equals(key)] : parsed.code;
  };
  expect(formOf('79991234567.session')).toEqual(['telethon_ipv4', 2, true]);
  expect(formOf('ipv6.session')).toEqual(['telethon_ipv6', 2, true]);
  expect(formOf('pyrogram.session')).toEqual(['pyrogram_2', 2, true]);
  expect(rows.get('79991234567.session')?.fields['phone']).toBe('79991234567');
  expect(rows.get('empty.session')?.fault).toContain('before the login');
  expect(rows.get('torn.session')?.fault).toContain('damaged');
});

const dump = (rows: string) =>
  `SET client_encoding = 'UTF8';\n\nCOPY public.telegram_sessions (id, user_id, phone, session_data, status) FROM stdin;\n${rows}\\.\n\nCOPY public.other (id) FROM stdin;\n1\n\\.\n`;

test('a file of pg_dump is read up to its end, escapes and all', async () => {
  const whole = file('a.sql', dump(`u1\t7\t7999\t{"encrypted_session": "a\\\\tb\\tc"}\t\\N\nu2\t7\n`));
  expect(await read(whole)).toEqual([
    {
      place: 'a.sql:4',
      fields: {
        id: 'u1',
        user_id: '7',
        phone: '7999',
        session_data: '{"encrypted_session": "a\\tb\tc"}',
        status: null,
      },
    },
    { place: 'a.sql:5', fields: {}, fault: 'has not as many fields as its table has columns' },
  ]);
  const torn = file('b.sql', dump('u1\t7\t7999\ts\tactive\n').split('\\.')[0] ?? '');
  await expect(read(torn)).rejects.toThrow('cut off');
  const inserts = file('c.sql', 'INSERT INTO public.telegram_sessions VALUES (1);\n');
  await expect(read(inserts)).rejects.toThrow('without --inserts');
});

test('a file that cannot be read is named before anything is sent', async () => {
  await expect(read(path.join(folder, 'none.csv'))).rejects.toThrow('ENOENT');
  await expect(read(file('broken.json', '[{'))).rejects.toThrow('is no JSON');
  mkdirSync(path.join(folder, 'bare'));
  await expect(read(path.join(folder, 'bare'))).rejects.toThrow('no .session files');
});

test('a sealed session is opened with its key, and refused without it or for another account', () => {
  const cipher = openSessionCipher(['ab'.repeat(32)]);
  const plain = JSON.stringify({ session_data: session, metadata: { proxy: 'p' } });
  const session_sealed = cipher.encrypt(plain, 'a').sealed.toString('base64');
  const open = (sealed: string, accountId: string) => openSealed(cipher, { sealed, accountId });
  const fields = { session_data: '', session_sealed, account_id: 'a' };
  expect(accountOf(fields, { open })).toMatchObject({ session_data: session, metadata: { proxy: 'p' } });
  expect(map(fields)).toMatchObject({ field: 'session_sealed', reason: expect.stringContaining('--sealed-with') });
  expect(map({ ...fields, account_id: 'b' }, { open })).toMatchObject({ field: 'session_sealed' });
});

test('metadata are exported without what is secret, at any depth', () => {
  const proxy = { host: 'h', password: 'p', inner: [{ api_hash: 'x', port: 1 }] };
  expect(withoutSecrets({ proxy, address: 'socks5://u:p@host:1080', twoFA: 'x', note: 'n' })).toEqual({
    proxy: { host: 'h', inner: [{ port: 1 }] },
    address: 'socks5://host:1080',
    note: 'n',
  });
});
