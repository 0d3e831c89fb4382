import { toIso } from '../../clock.js';
import { judgeOwnership } from '../../decide/selection/judge-ownership.js';
import { accountLocks } from '../../store/accounts/load-accounts.js';
import { finishWithAnswers } from '../../accounts/finish-work.js';
import type { AcceptedRequest, OperationHandler, Outcome } from '../../requests/handler.js';
import { claimOf } from '../../requests/claim.js';
import { refuse } from '../../requests/refuse.js';
import { loadWork, extendLease, type UnitOfWork } from '../../accounts/unit-of-work.js';

const MINUTE_MS = 60_000;

/** `account.renew`: the lease ends `timeout_minutes` from now, sooner or later than before. */
export const renew: OperationHandler<'account.renew'> = {
  lock: (requests) => accountLocks(requests.map(({ body }) => body.account_id)),
  handle: async (context, requests) => {
    const work = await loadWork(
      context.sql,
      requests.map((request) => request.body.account_id),
      [],
    );
    const outcomes = requests.map((request) => renewOne(work, request));
    await finishWithAnswers(context, work);
    return outcomes;
  },
};

function renewOne(work: UnitOfWork, request: AcceptedRequest<'account.renew'>): Outcome<'account.renew'> {
  const account = work.accounts.get(request.body.account_id);
  if (account === undefined) return { reply: refuse('ACCOUNT_NOT_FOUND') };
  const refusal = judgeOwnership(account.lease, claimOf(request));
  if (refusal !== null || account.lease === null) return { reply: refuse(refusal ?? 'NOT_HELD') };
  const expiresAt = work.now + request.body.timeout_minutes * MINUTE_MS;
  extendLease(work, account, account.lease, expiresAt, request);
  return {
    reply: { success: true, expires_at: toIso(expiresAt), fence: account.lease.fence },
    log: { user_id: account.userId, lease_id: account.lease.leaseId, expires_at: toIso(expiresAt) },
  };
}
