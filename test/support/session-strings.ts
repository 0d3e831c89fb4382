import { randomBytes } from 'node:crypto';

/** A valid Telethon session string with a key of its own. */
export function telethonSession(): string {
  const head = Buffer.from([2, 149, 154, 167, 51, 0x01, 0xbb]);
  const text = Buffer.concat([head, randomBytes(256)]).toString('base64');
  return `1${text.replaceAll('+', '-').replaceAll('/', '_')}`;
}
