import { toIso } from '../../clock.js';
import { finishWork } from '../../accounts/finish-work.js';
import type { AcceptedRequest, OperationHandler, Outcome } from '../../requests/handler.js';
import { refuse } from '../../requests/refuse.js';
import type { AccountRecord, OpenLease } from '../../store/accounts/account-record.js';
import { beginWork } from '../../accounts/load-work.js';
import { endLease, type Origin, type UnitOfWork } from '../../accounts/unit-of-work.js';

/** `admin.force-release`: ends a lease over its holder's head. */
export const forceRelease: OperationHandler<'admin.force-release'> = {
  handle: async (context, requests) => {
    const accountIds = requests.map((request) => request.body.account_id);
    const work = await beginWork(context.sql, accountIds, []);
    const outcomes = requests.map((request) => forceOne(work, request));
    await finishWork(context, work);
    return outcomes;
  },
};

function forceOne(work: UnitOfWork, request: AcceptedRequest<'admin.force-release'>): Outcome<'admin.force-release'> {
  const { account_id: accountId, reason } = request.body;
  const account = work.accounts.get(accountId);
  if (account === undefined) return { reply: refuse('ACCOUNT_NOT_FOUND') };
  const lease = forceFromHolder(work, account, reason, request);
  return {
    reply: {
      success: true,
      account_id: accountId,
      released: lease !== null,
      released_from: lease?.serviceName ?? null,
      released_at: lease === null ? null : toIso(work.now),
      fence: account.fence,
    },
    log: { user_id: account.userId, lease_id: lease?.leaseId, released_from: lease?.serviceName, reason },
  };
}

/** Ends an account's lease, and raises its fence; answers the lease, null where nobody had it. */
export function forceFromHolder(
  work: UnitOfWork,
  account: AccountRecord,
  reason: string,
  origin: Origin,
): OpenLease | null {
  const { lease } = account;
  if (lease === null) return null;
  endLease(
    work,
    account,
    'forced',
    work.now,
    'account.released',
    { forced: true, reason, actor: origin.caller },
    origin,
  );
  // Not only the next grant: whoever guards something by the fence refuses the old holder from now on.
  account.fence += 1;
  return lease;
}
