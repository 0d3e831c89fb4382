import type { ActionType } from '../../contracts/fields.js';
import type { LimitReason } from '../../contracts/actions.js';
import type { CountCheck, LimitChecks } from '../decide/evaluate-limits.js';
import { evaluateLimits } from '../decide/evaluate-limits.js';
import type { ActionPolicy } from '../decide/limits-policy.js';
import type { AccountRecord } from '../store/account-record.js';
import { appendEvent, channelUsageOf, type Origin, type UnitOfWork, windowOf } from './unit-of-work.js';

/** The counting limits that an account's usage is over; what has happened is counted whether or not it was allowed. */
function exceededLimits(checks: LimitChecks): { limit: LimitReason; used: number; allowed: number | null }[] {
  const counts: [LimitReason, CountCheck | undefined][] = [
    ['daily', checks.daily],
    ['hourly', checks.hourly],
    ['per_channel_daily', checks.perChannel],
    ['per_channel_total', checks.perChannel?.total],
  ];
  return counts.flatMap(([limit, check]) =>
    check !== undefined && check.limit !== null && check.used > check.limit
      ? [{ limit, used: check.used, allowed: check.limit }]
      : [],
  );
}

/**
 * Announces that what was just counted went over a limit, as `limit.exceeded` and as a warning for operators; says
 * whether it did.
 */
export function announceExceeded(
  work: UnitOfWork,
  account: AccountRecord,
  { actionType, channel, policy }: { actionType: ActionType; channel: string | null; policy: ActionPolicy },
  origin: Origin,
): boolean {
  const { checks } = evaluateLimits(
    {
      window: windowOf(account, actionType),
      channel: channel === null ? null : channelUsageOf(account, actionType, channel),
      policy,
    },
    work.now,
  );
  const exceeded = exceededLimits(checks);
  if (exceeded.length === 0) return false;
  const data = { action_type: actionType, target_channel_id: channel, limits: exceeded };
  appendEvent(work, account, 'limit.exceeded', data, origin);
  appendEvent(work, account, 'alert.warning', { alert: 'limit_exceeded', ...data }, origin);
  return true;
}
