import type { RegisteredStanding } from '../../contracts/registered-standing.js';
import { ACTION_TYPES } from '../../contracts/fields.js';
import { fromIso } from '../clock.js';
import { takeOver } from '../decide/condition/transition-account.js';
import type { LimitsPolicy } from '../decide/limits/limits-policy.js';
import { takeOverChannel, takeOverUsage } from '../decide/limits/take-over-usage.js';
import type { AccountRecord } from '../store/accounts/account-record.js';
import { changeCondition, channelUsageOf, type Origin, setUsage, type UnitOfWork, windowOf } from './unit-of-work.js';

/** Told with the change of an account that was registered in a wait, blocked, draining or disabled. */
const REASON = 'it stood so where it was registered from';

/** Takes over how an account stood where it was registered from: nothing of it makes the account healthier than it is. */
export function takeOverStanding(
  work: UnitOfWork,
  account: AccountRecord,
  given: RegisteredStanding,
  policy: LimitsPolicy,
  origin: Origin,
): void {
  const condition = takeOver(
    account.condition,
    {
      status: given.status ?? null,
      floodWaitUntil: given.flood_wait_until === undefined ? null : fromIso(given.flood_wait_until),
      blockedUntil: given.blocked_until === undefined ? null : fromIso(given.blocked_until),
      disabledReason: given.disabled_reason ?? null,
    },
    work.now,
  );
  const data = { disabled_reason: condition.disabledReason, reason: REASON, actor: origin.caller };
  changeCondition(work, account, condition, data, origin);

  for (const action of ACTION_TYPES) {
    const usage = given.usage?.[action];
    if (usage === undefined) continue;
    const byChannel = [...(usage.by_channel ?? [])];
    const inChannels = byChannel.reduce((sum, [, { today }]) => sum + today, 0);
    const earlier = { today: Math.max(usage.today, inChannels), lastHourAt: (usage.last_hour ?? []).map(fromIso) };
    const window = takeOverUsage(windowOf(account, action), earlier, policy[action], work.now);
    const channels = byChannel.map(([channel, counts]) => ({
      channel,
      usage: takeOverChannel(channelUsageOf(account, action, channel), counts, work.now),
    }));
    setUsage(work, account, action, window, channels);
  }
}
