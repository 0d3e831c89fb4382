import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  createSessionCipher,
  parseSessionKey,
  SessionCipherError,
  sessionKeyId,
} from '../../src/store/sessions/session-cipher.js';

const oldKey = randomBytes(32);
const newKey = randomBytes(32);
const keys = new Map([oldKey, newKey].map((key) => [sessionKeyId(key), key]));
const cipher = createSessionCipher({ currentKeyId: sessionKeyId(newKey), keys });
const account = '0f8fad5b-d9cb-469f-a165-70867728950e';
const otherAccount = '7c9e6679-7425-40de-944b-e07fc1f90ae7';
const plain = `1${'AgAOMTQ5'.repeat(44)}=`;

/** The failure's code; also checks that its text holds neither a key nor the session. */
function failureOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (!(error instanceof SessionCipherError)) throw error;
    const text = `${error.stack} ${JSON.stringify(error)}`;
    for (const secret of [plain, oldKey.toString('hex'), newKey.toString('hex'), newKey.toString('base64')]) {
      expect(text).not.toContain(secret);
    }
    return error.code;
  }
  return 'none';
}

test('a session sealed for an account opens for that account', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.uuid(), (text, accountId) => {
      const { keyId, sealed } = cipher.encrypt(text, accountId);
      expect(keyId).toBe(sessionKeyId(newKey));
      expect(cipher.decrypt(keyId, sealed, accountId)).toBe(text);
      expect(cipher.decrypt(keyId, new Uint8Array(sealed), accountId)).toBe(text);
    }),
  );
});

test('the layout is version, nonce, tag, ciphertext', () => {
  const { sealed } = cipher.encrypt(plain, account);
  expect(sealed[0]).toBe(1);
  expect(sealed.length).toBe(1 + 12 + 16 + plain.length);
  expect(sealed.includes(plain.slice(0, 8))).toBe(false);
});

// Pins the layout, the associated data and the id: rows written by one release must open in every later one.
test('a row sealed earlier still opens', () => {
  const key = parseSessionKey('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f');
  const keyId = '9e5ec0e9';
  const sealed = Buffer.from('0101a9ea3e03cd9123b14ef78abaeebce8dfcc18ec3d32f4ab2b89df2fe0de6b4638488a7b93', 'hex');
  expect(sessionKeyId(key)).toBe(keyId);
  const pinned = createSessionCipher({ currentKeyId: keyId, keys: new Map([[keyId, key]]) });
  expect(pinned.decrypt(keyId, sealed, account)).toBe('a session');
});

test('a key that is no longer current still opens what it sealed', () => {
  const before = createSessionCipher({ currentKeyId: sessionKeyId(oldKey), keys });
  const { keyId, sealed } = before.encrypt(plain, account);
  expect(keyId).toBe(sessionKeyId(oldKey));
  expect(cipher.decrypt(keyId, sealed, account)).toBe(plain);
});

test('a change of any one byte, or a cut anywhere, is noticed', () => {
  const { keyId, sealed } = cipher.encrypt(plain, account);
  for (let at = 0; at < sealed.length; at++) {
    const tampered = Buffer.from(sealed);
    tampered[at]! ^= 1 << (at % 8);
    expect(failureOf(() => cipher.decrypt(keyId, tampered, account))).toBe(
      at === 0 ? 'malformed_sealed' : 'not_authentic',
    );
    expect(failureOf(() => cipher.decrypt(keyId, sealed.subarray(0, at), account))).toBe(
      at < 29 ? 'malformed_sealed' : 'not_authentic',
    );
  }
  expect(cipher.decrypt(keyId, sealed, account)).toBe(plain);
});

test('a session moved to another account, or opened with another key, is refused', () => {
  const { keyId, sealed } = cipher.encrypt(plain, account);
  expect(failureOf(() => cipher.decrypt(keyId, sealed, otherAccount))).toBe('not_authentic');
  expect(failureOf(() => cipher.decrypt(sessionKeyId(oldKey), sealed, account))).toBe('not_authentic');
  expect(failureOf(() => cipher.decrypt('00000000', sealed, account))).toBe('unknown_key');
});

test('10,000 encryptions of one text have 10,000 nonces', () => {
  const nonces = new Set<string>();
  for (let n = 0; n < 10_000; n++) nonces.add(cipher.encrypt('x', account).sealed.toString('hex', 1, 13));
  expect(nonces.size).toBe(10_000);
});

test('a cipher needs its current key, and keys of 32 bytes', () => {
  expect(failureOf(() => createSessionCipher({ currentKeyId: 'none', keys }))).toBe('unknown_key');
  const short = new Map([['short', newKey.subarray(1)]]);
  expect(failureOf(() => createSessionCipher({ currentKeyId: 'short', keys: short }))).toBe('malformed_key');
});

test('a key is 64 hex digits', () => {
  const hex = newKey.toString('hex');
  expect(parseSessionKey(hex)).toEqual(newKey);
  expect(parseSessionKey(hex.toUpperCase())).toEqual(newKey);
  for (const text of ['', hex.slice(1), `${hex}0`, `${hex}\n`, ` ${hex}`, `0x${hex.slice(2)}`, `${hex.slice(1)}g`]) {
    expect(failureOf(() => parseSessionKey(text))).toBe('malformed_key');
  }
});

test('a key id is stable, differs between keys and is no part of the key', () => {
  expect(sessionKeyId(newKey)).toMatch(/^[0-9a-f]{8}$/);
  expect(sessionKeyId(Buffer.from(newKey))).toBe(sessionKeyId(newKey));
  expect(sessionKeyId(oldKey)).not.toBe(sessionKeyId(newKey));
  expect(newKey.toString('hex')).not.toContain(sessionKeyId(newKey));
});
