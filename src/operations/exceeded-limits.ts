import type { ActionType } from '../../contracts/fields.js';
import type { LimitReason } from '../../contracts/actions.js';
import { type CountCheck, evaluateLimits } from '../decide/evaluate-limits.js';
import type { ActionPolicy } from '../decide/limits-policy.js';
import type { ChannelUsage } from '../decide/usage-window.js';
import type { AccountRecord } from '../store/account-record.js';
import { appendEvent, channelUsageOf, type Origin, type UnitOfWork, windowOf } from './unit-of-work.js';

interface ExceededLimit {
  limit: LimitReason;
  used: number;
  allowed: number;
  /** Of a limit per channel. */
  target_channel_id?: string;
}

const exceeded = (limit: LimitReason, { used, limit: allowed }: CountCheck, channel?: string): ExceededLimit[] =>
  allowed !== null && used > allowed
    ? [{ limit, used, allowed, ...(channel !== undefined && { target_channel_id: channel }) }]
    : [];

/**
 * Announces that what was just counted went over a limit, as `limit.exceeded` and as a warning for operators, once for
 * the account and all channels counted in; says whether it did.
 */
export function announceExceeded(
  work: UnitOfWork,
  account: AccountRecord,
  { actionType, channels, policy }: { actionType: ActionType; channels: readonly string[]; policy: ActionPolicy },
  origin: Origin,
): boolean {
  const window = windowOf(account, actionType);
  const checksOf = (channel: ChannelUsage | null) => evaluateLimits({ window, channel, policy }, work.now).checks;
  const { daily, hourly } = checksOf(null);
  const limits = [...exceeded('daily', daily), ...exceeded('hourly', hourly)];
  for (const channel of channels) {
    const { perChannel } = checksOf(channelUsageOf(account, actionType, channel));
    if (perChannel === undefined) continue;
    limits.push(...exceeded('per_channel_daily', perChannel, channel));
    limits.push(...exceeded('per_channel_total', perChannel.total, channel));
  }
  if (limits.length === 0) return false;
  const data = { action_type: actionType, limits };
  appendEvent(work, account, 'limit.exceeded', data, origin);
  appendEvent(work, account, 'alert.warning', { alert: 'limit_exceeded', ...data }, origin);
  return true;
}
