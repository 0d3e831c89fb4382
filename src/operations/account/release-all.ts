import { toIso } from '../../clock.js';
import { judgeOwnership } from '../../decide/selection/judge-ownership.js';
import { findLeasedAccounts } from '../../store/accounts/find-leased-accounts.js';
import { claimOf } from '../../requests/claim.js';
import { finishWork } from '../../accounts/finish-work.js';
import type { AcceptedRequest, OperationHandler, Outcome } from '../../requests/handler.js';
import { beginWork } from '../../accounts/load-work.js';
import { endLease, type UnitOfWork } from '../../accounts/unit-of-work.js';

/**
 * `account.release-all`: ends every lease of the service, and of the checked caller where there is one. Nothing is
 * counted beyond what was acquired and recorded, for nobody says what else was done.
 */
export const releaseAll: OperationHandler<'account.release-all'> = {
  handle: async (context, requests) => {
    const services = requests.map((request) => request.body.service_name);
    const work = await beginWork(context.sql, await findLeasedAccounts(context.sql, services), []);
    const outcomes = requests.map((request) => releaseHeld(work, request));
    await finishWork(context, work);
    return outcomes;
  },
};

function releaseHeld(
  work: UnitOfWork,
  request: AcceptedRequest<'account.release-all'>,
): Outcome<'account.release-all'> {
  const claim = claimOf(request);
  const held = [...work.accounts.values()].filter(({ lease }) => judgeOwnership(lease, claim) === null);
  const counted = { invites: 0, messages: 0, contacts: 0 };
  for (const account of held) {
    endLease(work, account, 'released', work.now, 'account.released', { counted, release_all: true }, request);
  }
  return {
    reply: { success: true, released_count: held.length, released_at: toIso(work.now) },
    log: { released_count: held.length },
  };
}
