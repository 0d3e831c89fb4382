import { toObject } from './values.js';

const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;

/** A Telethon or GramJS string begins so; a Pyrogram string has one of three lengths. */
const looksLikeSession = (text: string): boolean =>
  /^1[A-Za-z0-9+/_=-]{300,}$/.test(text) || [351, 356, 362].includes(text.length);

/**
 * The session string in one of the predecessor's forms: the string, its base64, or `{"encrypted_session": …}` with either.
 * Null: there is none. The service judges what it is worth.
 */
export function decodeSession(value: unknown): string | null {
  if (typeof value === 'object' && value !== null)
    return decodeSession((value as { encrypted_session?: unknown }).encrypted_session);
  if (typeof value !== 'string') return null;
  const text = value.trim();
  if (text === '') return null;
  if (text.startsWith('{')) return decodeSession(toObject('session_data', text));
  if (text.startsWith('"') && text.endsWith('"')) return decodeSession(text.slice(1, -1));
  if (looksLikeSession(text) || !BASE64.test(text)) return text;
  const inner = Buffer.from(text, 'base64').toString('latin1').trim();
  return looksLikeSession(inner) ? inner : text;
}
