import type { ReplyBody } from '../../contracts/operations.js';
import { toIso } from '../clock.js';
import type { AccountCondition } from '../decide/condition/account-condition.js';
import { recoveryAt } from '../decide/condition/plan-recovery.js';
import type { AccountRecord } from '../store/accounts/account-record.js';
import { finishWork } from './finish-work.js';
import type { AcceptedRequest, BatchContext, Outcome } from '../requests/handler.js';
import { refuse } from '../requests/refuse.js';
import { beginWork } from './load-work.js';
import { appendEvent, changeCondition, type Origin, type UnitOfWork } from './unit-of-work.js';

type StatusOperation = 'admin.set-status' | 'admin.reauthorize' | 'admin.recover' | 'admin.schedule-recovery';

/** Decides requests on one account each, in order of arrival, under the accounts' locks. */
export async function decideByAccount<K extends StatusOperation>(
  context: BatchContext,
  requests: readonly AcceptedRequest<K>[],
  decide: (work: UnitOfWork, account: AccountRecord, request: AcceptedRequest<K>) => Outcome<K>,
): Promise<Outcome<K>[]> {
  const accountIds = requests.map((request) => request.body.account_id);
  const work = await beginWork(context.sql, accountIds, []);
  const outcomes = requests.map((request): Outcome<K> => {
    const account = work.accounts.get(request.body.account_id);
    return account === undefined ? { reply: refuse('ACCOUNT_NOT_FOUND') } : decide(work, account, request);
  });
  await finishWork(context, work);
  return outcomes;
}

/**
 * Takes the condition an operator has decided on, with why and by whom in the history: a change that leaves the status
 * as it is announces the status once more. Answers what became of the account.
 */
export function changeByOperator(
  work: UnitOfWork,
  account: AccountRecord,
  condition: AccountCondition,
  why: Record<string, unknown>,
  request: Origin,
): { success: true } & ReplyBody<'admin.set-status'> {
  const { condition: before, sequence } = account;
  const { status, disabledReason } = condition;
  const data = { ...(disabledReason !== null && { disabled_reason: disabledReason }), ...why, actor: request.caller };
  const recovery = recoveryAt(condition);
  const recoveryTime = recovery === null ? null : toIso(recovery);
  changeCondition(work, account, condition, data, request);
  const changed = condition !== before;
  if (changed && account.sequence === sequence) {
    const event = status === 'active' ? 'account.recovered' : (`account.${status}` as const);
    const standing = { status, previous_status: before.status, recovery_at: recoveryTime };
    appendEvent(work, account, event, { ...standing, ...data }, request);
  }
  return {
    success: true,
    account_id: account.accountId,
    status,
    previous_status: before.status,
    disabled_reason: disabledReason,
    recovery_time: recoveryTime,
    changed,
  };
}
