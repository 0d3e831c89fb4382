import { reauthorise } from '../../decide/condition/transition-account.js';
import { findKnownAccounts, type NewSession, replaceSessions } from '../../store/accounts/register-accounts.js';
import { parseSessionString } from '../../telegram/parse-session-string.js';
import { changeByOperator, decideByAccount } from '../../accounts/change-by-operator.js';
import type { OperationHandler } from '../../requests/handler.js';
import { refuseInvalid } from '../../requests/refuse.js';
import { appendEvent } from '../../accounts/unit-of-work.js';

/**
 * `admin.reauthorize`: a fresh session for an account, which keeps its user and phone number. `VALIDATION_FAILED` where
 * the session is none, or its key is another account's.
 */
export const reauthorize: OperationHandler<'admin.reauthorize'> = {
  handle: async (context, requests) => {
    const parsed = new Map(requests.map((request) => [request, parseSessionString(request.body.session_data)]));
    const fingerprints = [...parsed.values()].flatMap((session) => (session.ok ? session.keyFingerprint : []));
    const known = await findKnownAccounts(context.sql, { phones: [], fingerprints, ids: [] });
    const ownerOf = new Map(known.map(({ fingerprint, accountId }) => [fingerprint, accountId]));
    const sessions = new Map<string, NewSession>();

    const outcomes = await decideByAccount(context, requests, (work, account, request) => {
      const { accountId } = account;
      const session = parsed.get(request);
      if (session === undefined) throw new Error('a session was not parsed');
      if (!session.ok) return { reply: refuseInvalid([{ path: 'session_data', message: session.message }]) };
      const fingerprint = session.keyFingerprint;
      const owner = ownerOf.get(fingerprint);
      if (owner !== undefined && owner !== accountId) {
        const message = 'its key is registered already, for another account';
        return { reply: refuseInvalid([{ path: 'session_data', message }]) };
      }
      // The next of the batch is refused here; one of another transaction by the unique index, and tried again.
      ownerOf.set(fingerprint, accountId);
      const sealed = context.cipher.encrypt(request.body.session_data, accountId);
      sessions.set(accountId, { accountId, phone: null, ...sealed, fingerprint, metadata: null });

      const condition = reauthorise(account.condition, work.now);
      const data = { status: condition.status, same_key: owner === accountId, actor: request.caller };
      appendEvent(work, account, 'account.reauthorized', data, request);
      const reply = changeByOperator(work, account, condition, {}, request);
      return { reply, log: { user_id: account.userId, status: reply.status, changed: reply.changed } };
    });
    await replaceSessions(context.sql, [...sessions.values()]);
    return outcomes;
  },
};
