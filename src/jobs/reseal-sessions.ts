import { FIRST_ID } from '../store/accounts/account-record.js';
import { countSessionKeys, lockSealedBy, type OldSession, replaceSealed } from '../store/sessions/session-keys.js';
import { SessionCipherError } from '../store/sessions/session-cipher.js';
import type { JobContext, JobTask } from './job.js';

/** Some milliseconds of cipher and one write; whoever wants one of these accounts meanwhile takes another or asks again. */
const CHUNK = 100;

/**
 * Seals with the first key what the others have sealed, and says when nothing needs these any more. Every session opens under its key
 * before and after, so nobody notices; a chunk is whole, and the next run goes on with what is left.
 */
export async function resealSessions(context: JobContext, task: JobTask): Promise<void> {
  const { database, cipher, log } = context;
  const oldKeyIds = cipher.keyIds.slice(1);
  if (oldKeyIds.length === 0) return;
  // A row that was held by a request is met again in the next pass.
  while (!task.signal.aborted && (await resealInOnePass(context, task, oldKeyIds)) > 0);
  if (task.signal.aborted) return;

  const left = (await countSessionKeys(database.reader, cipher.keyIds)).filter(({ state }) => state === 'old');
  for (const { keyId, sessions } of left)
    log.warn('sessions are still sealed by an old key', { key_id: keyId, sessions });
  const idle = oldKeyIds.filter((keyId) => !left.some((used) => used.keyId === keyId));
  if (idle.length > 0) log.info('no session needs these keys any more', { key_ids: idle });
}

/** Answers how many it has sealed. */
async function resealInOnePass(
  { database, cipher, log }: JobContext,
  { signal, count }: JobTask,
  keyIds: readonly string[],
): Promise<number> {
  let resealed = 0;
  for (let afterId = FIRST_ID; !signal.aborted; ) {
    const { last, replaced } = await database.transaction(async (sql) => {
      const old = await lockSealedBy(sql, { keyIds, afterId, limit: CHUNK });
      const fresh = old.flatMap((session): OldSession[] => {
        const { accountId } = session;
        try {
          return [
            { accountId, ...cipher.encrypt(cipher.decrypt(session.keyId, session.sealed, accountId), accountId) },
          ];
        } catch (error) {
          if (!(error instanceof SessionCipherError)) throw error;
          log.error('a session cannot be opened', { account_id: accountId, error });
          return [];
        }
      });
      await replaceSealed(sql, fresh);
      return { last: old.at(-1), replaced: fresh.length };
    });
    if (last === undefined) break;
    afterId = last.accountId;
    resealed += replaced;
    count('sessions_resealed', replaced);
    log.info('sessions sealed anew', { sessions: resealed });
  }
  return resealed;
}
