import { applyOperatorStatus } from '../../decide/condition/transition-account.js';
import { changeByOperator, decideByAccount } from '../../accounts/change-by-operator.js';
import type { OperationHandler } from '../../requests/handler.js';

/** `admin.set-status`: an operator disables, drains or activates an account. A lease stays with its holder. */
export const setStatus: OperationHandler<'admin.set-status'> = {
  handle: (context, requests) =>
    decideByAccount(context, requests, (work, account, request) => {
      const { status, force, reason } = request.body;
      const condition = applyOperatorStatus(account.condition, status, { force }, work.now);
      const reply = changeByOperator(work, account, condition, { reason }, request);
      return { reply, log: { user_id: account.userId, status: reply.status, changed: reply.changed, reason } };
    }),
};
