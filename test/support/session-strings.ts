import { randomBytes } from 'node:crypto';

/** A valid Telethon session string with a key of its own, or the one given. */
export function telethonSession(key: Buffer = randomBytes(256)): string {
  const head = Buffer.from([2, 149, 154, 167, 51, 0x01, 0xbb]);
  const text = Buffer.concat([head, key]).toString('base64');
  return `1${text.replaceAll('+', '-').replaceAll('/', '_')}`;
}
