import type { FailureReply } from '../../contracts/failures.js';
import type { OperationName } from '../../contracts/operations.js';
import type { AccessPolicy } from '../decide/access/access-policy.js';
import { type AccessRefusal, judgeFields, judgeOwner } from '../decide/access/judge-access.js';
import type { Database } from '../store/database.js';
import { loadAccountUsers } from '../store/accounts/load-account-users.js';
import { gatherBatches } from './gather-batches.js';
import { refuse } from './refuse.js';

/** The rights in force. */
export interface Access {
  /** null: callers are not told apart, and everybody may do everything. */
  policy: () => AccessPolicy | null;
  replace: (policy: AccessPolicy | null) => void;
  /** The users whose rows a caller may see; `*`: everybody's. */
  usersOf: (caller: string | null) => ReadonlySet<number> | '*';
  /**
   * Refuses a request whose valid body names another service, or a user or an account that is not the caller's; null
   * where it does not. An account that does not exist is let through. Rejects where the database is away.
   */
  judgeBody: (caller: string | null, body: object, operation?: OperationName) => Promise<FailureReply | null>;
}

const MAX_BATCH = 256;
/** Some megabytes. An account's user never changes, so nothing known of it goes stale. */
const MAX_KNOWN = 50_000;

export function createAccess(initial: AccessPolicy | null, sql: Database['reader']): Access {
  let policy = initial;
  const knownUsers = new Map<string, number>();

  const loadUser = gatherBatches<string, number | undefined>(
    async (accountIds) => {
      const users = await loadAccountUsers(sql, [...new Set(accountIds)]);
      for (const [accountId, userId] of users) {
        if (knownUsers.size >= MAX_KNOWN) knownUsers.clear();
        knownUsers.set(accountId, userId);
      }
      return accountIds.map((accountId) => users.get(accountId));
    },
    { maxBatch: MAX_BATCH },
  );

  return {
    policy: () => policy,
    replace: (next) => {
      policy = next;
    },
    usersOf: (caller) => (policy === null ? '*' : (policy.get(caller ?? '')?.users ?? new Set())),
    judgeBody: async (caller, body, operation) => {
      if (policy === null) return null;
      const rights = policy.get(caller ?? '');
      // Let in at the door, and taken off the list since.
      if (rights === undefined) return refuse('FORBIDDEN', { message: 'the caller is not listed' });
      const refusal = judgeFields(rights, body, operation);
      if (refusal !== null) return refuseAccess(refusal);
      const { account_id: accountId } = body as { account_id?: string };
      if (accountId === undefined || rights.users === '*') return null;
      const userId = knownUsers.get(accountId) ?? (await loadUser(accountId));
      const strange = userId === undefined ? null : judgeOwner(rights, userId);
      return strange === null ? null : refuseAccess(strange);
    },
  };
}

/** The refusal as an answer, with the field at fault in `details.issues`, as an invalid one has it. */
export const refuseAccess = ({ code, path, message }: AccessRefusal): FailureReply =>
  refuse(code, { message, ...(path !== null && { details: { issues: [{ path, message }] } }) });
