import type { ReplyBody } from '../../../contracts/operations.js';
import type { ActionType } from '../../../contracts/fields.js';
import type { LimitsLeft } from '../../../contracts/history.js';
import { isoOrNull } from '../../clock.js';
import type { LimitChecks, LimitsVerdict, PauseCheck } from '../../decide/limits/evaluate-limits.js';

const pause = ({ ready, nextAllowedAt }: PauseCheck) => ({ ready, next_allowed_at: isoOrNull(nextAllowedAt) });

/** A verdict as `action.check` and `action.acquire` answer it. */
export function describeVerdict(verdict: LimitsVerdict, now: number): ReplyBody<'action.check'> {
  const { checks, nextAllowedAt } = verdict;
  return {
    allowed: verdict.allowed,
    reason: verdict.reason,
    next_allowed_at: isoOrNull(nextAllowedAt),
    details: { cooldown_remaining: verdict.never ? null : Math.ceil(Math.max(0, (nextAllowedAt ?? now) - now) / 1000) },
    checks: {
      daily: checks.daily,
      hourly: checks.hourly,
      ...(checks.perChannel !== undefined && { per_channel: checks.perChannel }),
      cooldown: pause(checks.cooldown),
      burst: pause(checks.burst),
    },
  };
}

/** Room that an action leaves, for the log. */
export const describeRoom = (actionType: ActionType, { checks }: LimitsVerdict): Record<string, unknown> => ({
  action_type: actionType,
  daily_left: checks.daily.remaining,
  hourly_left: checks.hourly.remaining,
  ...(checks.perChannel !== undefined && { channel_left: checks.perChannel.remaining }),
});

/** Room that an action leaves, for the history: how often it is still possible. */
export const roomLeft = (actionType: ActionType, { daily, hourly, perChannel }: LimitChecks): LimitsLeft => ({
  [actionType]: {
    daily: daily.remaining,
    hourly: hourly.remaining,
    ...(perChannel !== undefined && {
      per_channel_daily: perChannel.remaining,
      per_channel_total: perChannel.total.remaining,
    }),
  },
});
