import { toIso } from '../../clock.js';
import { judgeOwnership } from '../../decide/selection/judge-ownership.js';
import { MINUTE_MS } from '../../decide/time-units.js';
import type { AccountRule } from '../../requests/handler.js';
import { claimOf } from '../../requests/claim.js';
import { refuse } from '../../requests/refuse.js';
import { extendLease } from '../../accounts/unit-of-work.js';

/** `account.renew`: the lease ends `timeout_minutes` from now, sooner or later than before. */
export const renew: AccountRule<'account.renew'> = {
  decide: (_context, work, account, request) => {
    const refusal = judgeOwnership(account.lease, claimOf(request));
    if (refusal !== null || account.lease === null) return { reply: refuse(refusal ?? 'NOT_HELD') };
    const expiresAt = work.now + request.body.timeout_minutes * MINUTE_MS;
    extendLease(work, account, account.lease, expiresAt, request);
    return {
      reply: { success: true, expires_at: toIso(expiresAt), fence: account.lease.fence },
      log: { user_id: account.userId, lease_id: account.lease.leaseId, expires_at: toIso(expiresAt) },
    };
  },
};
