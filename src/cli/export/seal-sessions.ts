import { ConfigError, loadConfig } from '../../config.js';
import { createDatabase } from '../../store/database.js';
import { loadSessions } from '../../store/sessions/load-sessions.js';
import { openSessionCipher } from '../../store/sessions/session-cipher.js';
import { usageError } from '../exit.js';
import { readKey } from './seal-key.js';

/** Reads sessions from the service's own database, and seals them under another key. */
export interface SealSessions {
  /** By account: the session with the metadata, as one sealed text. An account without a session here is left out. */
  seal: (accountIds: readonly string[]) => Promise<Map<string, { session_sealed: string }>>;
  close: () => Promise<void>;
}

/** `file` holds the key. Needs `DATABASE_URL` and the service's session keys in the environment. */
export async function loadSealedSessions(file: string): Promise<SealSessions> {
  const seal = await readKey(file);
  const { databaseUrl, sessionEncryptionKeys } = settings();
  const cipher = openSessionCipher(sessionEncryptionKeys);
  const database = createDatabase({ url: databaseUrl, poolSize: 1, onConnectionError: () => undefined });
  return {
    seal: async (accountIds) => {
      const stored = await loadSessions(database.reader, accountIds);
      return new Map(
        [...stored].map(([accountId, { sealed, keyId, metadata }]) => {
          const session_data = cipher.decrypt(keyId, sealed, accountId);
          const plain = JSON.stringify({ session_data, metadata: JSON.parse(metadata) as unknown });
          return [accountId, { session_sealed: seal.encrypt(plain, accountId).sealed.toString('base64') }];
        }),
      );
    },
    close: () => database.close(),
  };
}

function settings() {
  try {
    return loadConfig();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const [problem] = error.problems;
    throw usageError(`--sealed-with needs the environment of the service: ${problem?.variable}: ${problem?.rule}`);
  }
}
