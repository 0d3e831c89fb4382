#!/usr/bin/env node
// Writes fleet.csv: 50 fictitious accounts of three users. The same bytes at every run.
//
//   node examples/generate-fleet.mjs > examples/fleet.csv
//
// No such account exists: the keys come from a fixed seed, the phone numbers lie in the range that Telegram keeps for
// its test servers (+99966…), the proxies in a network kept for documents (RFC 5737).

import { createHash } from 'node:crypto';

const USERS = [
  { userId: 101, accounts: 24 },
  { userId: 102, accounts: 20 },
  { userId: 103, accounts: 6 },
];
const NOTES = ['', 'main pool', 'bought in March, warmed up', 'holds the "spring" channels'];

/**
 * Bytes that look random and depend on `label` alone.
 * @param {string} label
 * @param {number} size
 */
function seededBytes(label, size) {
  const blocks = Array.from({ length: Math.ceil(size / 32) }, (_, block) =>
    createHash('sha256').update(`account-manager example fleet/${label}/${block}`).digest(),
  );
  return Buffer.concat(blocks).subarray(0, size);
}

/** @param {number} value */
const uint8 = (value) => Buffer.from([value]);
/** @param {number} value */
const uint16 = (value) => Buffer.from([value >> 8, value & 0xff]);

const IPV4 = Buffer.from([149, 154, 167, 51]);
const IPV6 = Buffer.from('2001067c04e8f002000000000000000a', 'hex');
const PORT = uint16(443);

/**
 * One session string of each form that the service takes.
 * @type {((dc: number, key: Buffer, account: number) => string)[]}
 */
const SESSION_FORMS = [
  // Telethon, IPv4
  (dc, key) => `1${urlSafe(Buffer.concat([uint8(dc), IPV4, PORT, key]))}`,
  // GramJS
  (dc, key) => {
    const address = Buffer.from(IPV4.join('.'));
    return `1${Buffer.concat([uint8(dc), uint16(address.length), address, PORT, key]).toString('base64')}`;
  },
  // Pyrogram 2: data centre, api id, test mode, key, user id, bot
  (dc, key, account) => {
    const apiId = Buffer.from([0, 0, 0x12, 0x34]);
    const telegramId = Buffer.alloc(8);
    telegramId.writeBigUInt64BE(7_000_000_000n + BigInt(account));
    return Buffer.concat([uint8(dc), apiId, uint8(0), key, telegramId, uint8(0)]).toString('base64url');
  },
  // Telethon, IPv6
  (dc, key) => `1${urlSafe(Buffer.concat([uint8(dc), IPV6, PORT, key]))}`,
];

/**
 * Base64 in the alphabet for URLs, with the `=` that Python writes.
 * @param {Buffer} bytes
 */
function urlSafe(bytes) {
  return bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

/** @param {string} field */
function toCsv(field) {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

const rows = [['user_id', 'phone', 'session_data', 'proxy', 'note']];
for (const { userId, accounts } of USERS) {
  for (let index = 0; index < accounts; index++) {
    const account = rows.length;
    const dc = 1 + (account % 3);
    const form = SESSION_FORMS[account % SESSION_FORMS.length];
    rows.push([
      String(userId),
      `+99966${dc}${String(1000 + account * 37)}`,
      form?.(dc, seededBytes(`key ${account}`, 256), account) ?? '',
      `socks5://192.0.2.${account}:1080`,
      NOTES[account % NOTES.length] ?? '',
    ]);
  }
}
process.stdout.write(rows.map((row) => `${row.map(toCsv).join(',')}\n`).join(''));
