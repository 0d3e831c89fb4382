import type { ActionType } from '../../contracts/fields.js';
import type { LimitReason } from '../../contracts/actions.js';
import { toIso } from '../clock.js';
import { alertOf } from '../decide/jobs/compare-alerts.js';
import { type CountCheck, describeChecks, failingRules, NEVER } from '../decide/limits/evaluate-limits.js';
import type { ActionPolicy } from '../decide/limits/limits-policy.js';
import { type ChannelUsage, nextUtcMidnight } from '../decide/limits/usage-window.js';
import type { AccountRecord } from '../store/accounts/account-record.js';
import { appendEvent, channelUsageOf, type Origin, type UnitOfWork, windowOf } from './unit-of-work.js';

interface ExceededLimit {
  limit: LimitReason;
  used: number;
  allowed: number;
  /** Present for a limit per channel. */
  target_channel_id?: string;
}

/** A limit that is exceeded, and when it has room again. */
interface Excess {
  exceeded: ExceededLimit;
  endsAt: number;
}

/**
 * Announces that what was just counted went over a limit, as `limit.exceeded`, once for the account and all channels
 * counted in, and raises the alert `limit_exceeded` about the account and action until the limits have room again;
 * says whether it did.
 */
export function announceExceeded(
  work: UnitOfWork,
  account: AccountRecord,
  { actionType, channels, policy }: { actionType: ActionType; channels: readonly string[]; policy: ActionPolicy },
  origin: Origin,
): boolean {
  const window = windowOf(account, actionType);
  const excessIn = (channel: ChannelUsage | null, name?: string): Excess[] => {
    const input = { window, channel, policy };
    const failing = failingRules(input, work.now);
    const { daily, hourly, perChannel } = describeChecks(input, failing, work.now);
    const counts: [LimitReason, CountCheck][] =
      perChannel === undefined
        ? [
            ['daily', daily],
            ['hourly', hourly],
          ]
        : [
            ['per_channel_daily', perChannel],
            ['per_channel_total', perChannel.total],
          ];
    return counts.flatMap(([limit, { used, limit: allowed }]) =>
      allowed === null || used <= allowed
        ? []
        : {
            exceeded: { limit, used, allowed, ...(name !== undefined && { target_channel_id: name }) },
            endsAt: failing[limit] ?? work.now,
          },
    );
  };
  const excess = [
    ...excessIn(null),
    ...channels.flatMap((name) => excessIn(channelUsageOf(account, actionType, name), name)),
  ];
  if (excess.length === 0) return false;
  const data = { action_type: actionType, limits: excess.map(({ exceeded }) => exceeded) };
  appendEvent(work, account, 'limit.exceeded', data, origin);
  // An alert about a limit that never has room again, such as a channel's total, lasts for the day.
  const ends = excess.map(({ endsAt }) => (endsAt === NEVER ? nextUtcMidnight(work.now) : endsAt));
  work.changes.alerts.push(
    alertOf('limit_exceeded', `${account.accountId} ${actionType}`, {
      account_id: account.accountId,
      user_id: account.userId,
      ...data,
      until: toIso(Math.max(...ends)),
    }),
  );
  return true;
}
