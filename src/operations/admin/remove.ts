import { toIso } from '../../clock.js';
import { finishWork } from '../../accounts/finish-work.js';
import { beginWork } from '../../accounts/load-work.js';
import { appendEvent, changeCondition, type UnitOfWork } from '../../accounts/unit-of-work.js';
import { applyOperatorStatus } from '../../decide/condition/transition-account.js';
import type { AcceptedRequest, OperationHandler } from '../../requests/handler.js';
import { refuse } from '../../requests/refuse.js';
import type { AccountRecord } from '../../store/accounts/account-record.js';
import { removeAccount } from '../../store/accounts/remove-account.js';
import { forceFromHolder } from './force-release.js';

/** `admin.remove`: an account is taken from its holder and erased but for its history; its phone may come again. */
export const remove: OperationHandler<'admin.remove'> = {
  handle: async (context, requests) => {
    const accountIds = requests.map((request) => request.body.account_id);
    const work = await beginWork(context.sql, accountIds, []);
    const removed = new Map<string, AccountRecord>();
    const outcomes = requests.map((request) => {
      const account = work.accounts.get(request.body.account_id);
      if (account === undefined || removed.has(account.accountId)) return { reply: refuse('ACCOUNT_NOT_FOUND') };
      announce(work, account, request);
      removed.set(account.accountId, account);
      const log = { user_id: account.userId, reason: request.body.reason };
      return { reply: { success: true as const, removed_at: toIso(work.now) }, log };
    });
    await finishWork(context, work);
    for (const account of removed.values()) await removeAccount(context.sql, account, work.now);
    return outcomes;
  },
};

/** Subscribers learn that it is disabled, whatever it was before, and that it does not come back. */
function announce(work: UnitOfWork, account: AccountRecord, request: AcceptedRequest<'admin.remove'>): void {
  const { reason } = request.body;
  forceFromHolder(work, account, reason, request);
  const { status: previous } = account.condition;
  const disabled = applyOperatorStatus(account.condition, 'disabled', { force: false }, work.now);
  const data = { disabled_reason: disabled.disabledReason, reason, actor: request.caller, removed: true };
  if (disabled !== account.condition) changeCondition(work, account, disabled, data, request);
  else {
    const standing = { status: previous, previous_status: previous, recovery_at: null };
    appendEvent(work, account, 'account.disabled', { ...standing, ...data }, request);
  }
}
