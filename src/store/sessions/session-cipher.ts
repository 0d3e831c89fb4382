import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

/**
 * Encrypts session strings at rest with AES-256-GCM.
 *
 * Layout of `sealed`: version (1 byte, 0x01) ‖ nonce (12) ‖ tag (16) ‖ ciphertext (as long as the plain UTF-8).
 * The account id is the associated data, so that one account's session cannot be moved to another's row.
 * Nonces are random: re-key long before 2^32 encryptions under one key (NIST SP 800-38D, 8.3).
 */
export type SessionCipher = {
  /** Ids of the keys that open; the first seals. */
  readonly keyIds: readonly string[];
  encrypt(plain: string, accountId: string): { keyId: string; sealed: Buffer<ArrayBuffer> };
  /** Throws `SessionCipherError`: what is stored and the keys at hand do not fit, which no caller can mend. */
  decrypt(keyId: string, sealed: Uint8Array, accountId: string): string;
};

/** Old keys stay in `keys` for decryption for as long as a row names them; 32 bytes each. */
export type SessionKeys = { currentKeyId: string; keys: ReadonlyMap<string, Buffer> };

/**
 * - `malformed_key`: not 64 hex digits, or not 32 bytes
 * - `unknown_key`: no key has this id
 * - `malformed_sealed`: too short, or another layout version
 * - `not_authentic`: altered, sealed for another account, or sealed under another key (GCM cannot tell which)
 */
export type SessionCipherFault = 'malformed_key' | 'unknown_key' | 'malformed_sealed' | 'not_authentic';

/** Its message names ids, never keys, plain text or sealed bytes. */
export class SessionCipherError extends Error {
  override readonly name = 'SessionCipherError';
  readonly code: SessionCipherFault;

  constructor(code: SessionCipherFault, message: string) {
    super(message);
    this.code = code;
  }
}

const algorithm = 'aes-256-gcm';
const layoutVersion = 1;
const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
const headerBytes = 1 + nonceBytes + tagBytes;

export function createSessionCipher({ currentKeyId, keys }: SessionKeys): SessionCipher {
  for (const [keyId, key] of keys) {
    if (key.length !== keyBytes) {
      throw new SessionCipherError(
        'malformed_key',
        `session key ${keyId} has ${key.length} bytes instead of ${keyBytes}`,
      );
    }
  }
  const keyOf = (keyId: string): Buffer => {
    const key = keys.get(keyId);
    if (!key) throw new SessionCipherError('unknown_key', `no session key has the id ${keyId}`);
    return key;
  };
  const currentKey = keyOf(currentKeyId);

  return {
    keyIds: [currentKeyId, ...[...keys.keys()].filter((keyId) => keyId !== currentKeyId)],

    encrypt(plain, accountId) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv(algorithm, currentKey, nonce, { authTagLength: tagBytes });
      cipher.setAAD(Buffer.from(accountId, 'utf8'));
      const ciphertext = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
      const sealed = Buffer.concat([Buffer.of(layoutVersion), nonce, cipher.getAuthTag(), ciphertext]);
      return { keyId: currentKeyId, sealed };
    },

    decrypt(keyId, sealed, accountId) {
      const key = keyOf(keyId);
      if (sealed.length < headerBytes || sealed[0] !== layoutVersion) {
        throw new SessionCipherError(
          'malformed_sealed',
          `sealed session of account ${accountId} has an unknown layout`,
        );
      }
      const nonce = sealed.subarray(1, 1 + nonceBytes);
      const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagBytes });
      decipher.setAAD(Buffer.from(accountId, 'utf8'));
      decipher.setAuthTag(sealed.subarray(1 + nonceBytes, headerBytes));
      const plain = decipher.update(sealed.subarray(headerBytes));
      try {
        decipher.final();
      } catch {
        const what = `sealed session of account ${accountId} is not authentic under key ${keyId}`;
        throw new SessionCipherError('not_authentic', `${what}: altered, or sealed for another account or key`);
      }
      return plain.toString('utf8');
    },
  };
}

/** The cipher of keys given as 64 hex digits each: the first seals, all open. Throws `SessionCipherError`. */
export function openSessionCipher(hexKeys: readonly string[]): SessionCipher {
  const keys = hexKeys.map(parseSessionKey).map((key) => [sessionKeyId(key), key] as const);
  return createSessionCipher({ currentKeyId: keys[0]?.[0] ?? 'none', keys: new Map(keys) });
}

/** Reads a 32-byte key from 64 hex digits. Throws `SessionCipherError` `malformed_key`, without the text. */
export function parseSessionKey(hex64: string): Buffer {
  if (!/^[0-9a-fA-F]{64}$/.test(hex64)) {
    throw new SessionCipherError('malformed_key', 'a session key is 64 hex digits (32 bytes)');
  }
  return Buffer.from(hex64, 'hex');
}

/**
 * The id stored beside what a key sealed: 8 hex digits of a labelled SHA-256. The same key has the same id on every
 * instance without being configured; 32 bits of a hash of 256 random bits reveal nothing of the key, and the label
 * keeps the id from being a prefix of any other digest of it.
 */
export function sessionKeyId(key: Buffer): string {
  return createHash('sha256').update('account-manager/session-key-id/v1\0').update(key).digest('hex').slice(0, 8);
}
