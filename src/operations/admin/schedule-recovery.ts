import { fromIso, toIso } from '../../clock.js';
import { recoveryAt } from '../../decide/condition/plan-recovery.js';
import { rescheduleRecovery } from '../../decide/condition/transition-account.js';
import { changeByOperator, decideByAccount } from '../../accounts/change-by-operator.js';
import type { OperationHandler } from '../../requests/handler.js';
import { refuseInvalid } from '../../requests/refuse.js';

/**
 * `admin.schedule-recovery`: an operator sets the end of an account's present wait. `VALIDATION_FAILED` where there is
 * none: a wait is begun by Telegram's word, and an account is kept from use with `admin.set-status`.
 */
export const scheduleRecovery: OperationHandler<'admin.schedule-recovery'> = {
  handle: (context, requests) =>
    decideByAccount(context, requests, (work, account, request) => {
      const { recovery_time: recoveryTime, recovery_type: recoveryType, reason } = request.body;
      if (recoveryAt(account.condition) === null) {
        const what = account.condition.status === 'disabled' ? 'is disabled, which no time ends' : 'waits for nothing';
        return {
          reply: refuseInvalid([{ path: 'recovery_time', message: `needs a present wait; the account ${what}` }]),
        };
      }
      const at = fromIso(recoveryTime);
      const condition = rescheduleRecovery(account.condition, at, work.now);
      const why = { reason: reason ?? null, ...(recoveryType !== undefined && { recovery_type: recoveryType }) };
      const reply = changeByOperator(work, account, condition, why, request);
      const endsAt = toIso(Math.max(at, work.now));
      return {
        reply: { ...reply, recovery_time: endsAt },
        log: { user_id: account.userId, status: reply.status, recovery_time: endsAt, reason },
      };
    }),
};
