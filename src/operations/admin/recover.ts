import { recoverNow } from '../../decide/condition/transition-account.js';
import { changeByOperator, decideByAccount } from '../../accounts/change-by-operator.js';
import type { OperationHandler } from '../../requests/handler.js';

/**
 * `admin.recover`: an operator ends the waits and the count of errors of an account now; of a disabled one, and that
 * itself, only by force.
 */
export const recover: OperationHandler<'admin.recover'> = {
  handle: (context, requests) =>
    decideByAccount(context, requests, (work, account, request) => {
      const { force, reason } = request.body;
      const condition = recoverNow(account.condition, { force }, work.now);
      const reply = changeByOperator(work, account, condition, { reason }, request);
      return { reply, log: { user_id: account.userId, status: reply.status, changed: reply.changed, reason } };
    }),
};
