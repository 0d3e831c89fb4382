import { readFile } from 'node:fs/promises';
import { openSessionCipher, type SessionCipher, SessionCipherError } from '../../store/sessions/session-cipher.js';
import { usageError } from '../exit.js';

/** The cipher of the key in a file: 64 hex digits, as of `openssl rand -hex 32`. */
export async function readKey(file: string): Promise<SessionCipher> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw usageError(`--sealed-with: ${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'no answer'})`);
  });
  try {
    return openSessionCipher([text.trim()]);
  } catch (error) {
    if (!(error instanceof SessionCipherError)) throw error;
    throw usageError(`--sealed-with: ${file} must hold 64 hex digits, as of openssl rand -hex 32`);
  }
}

/** Opens what an export has sealed: a session, with the account's metadata. Null: sealed under another key, or altered. */
export function openSealed(
  cipher: SessionCipher,
  { sealed, accountId }: { sealed: string; accountId: string },
): { session_data: string; metadata: Record<string, unknown> } | null {
  try {
    const [keyId = ''] = cipher.keyIds;
    return JSON.parse(cipher.decrypt(keyId, Buffer.from(sealed, 'base64'), accountId)) as ReturnType<typeof openSealed>;
  } catch (error) {
    if (error instanceof SessionCipherError) return null;
    throw error;
  }
}
