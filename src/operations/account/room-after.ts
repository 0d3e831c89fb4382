import { type ActionType } from '../../../contracts/fields.js';
import type { LimitsLeft } from '../../../contracts/history.js';
import { evaluateLimits } from '../../decide/limits/evaluate-limits.js';
import type { ActionPolicy, LimitsPolicy } from '../../decide/limits/limits-policy.js';
import type { AccountRecord } from '../../store/accounts/account-record.js';
import { roomLeft } from '../query/describe-limits.js';
import { channelUsageOf, type UnitOfWork, windowOf } from '../../accounts/unit-of-work.js';

/** Room that the limits of an action leave after the last count, in its channel too where it has one. */
export function roomAfter(
  work: UnitOfWork,
  account: AccountRecord,
  { actionType, channel, policy }: { actionType: ActionType; channel: string | null; policy: ActionPolicy },
): LimitsLeft {
  const inChannel = channel === null ? null : channelUsageOf(account, actionType, channel);
  const window = windowOf(account, actionType);
  return roomLeft(actionType, evaluateLimits({ window, channel: inChannel, policy }, work.now).checks);
}

/** The actions that accounts are leased for. */
const LEASED_FOR = ['invite', 'message', 'add_contact'] as const;

/** Room that the limits of the most usual actions leave, for the history of grants and releases. */
export const roomToday = (account: AccountRecord, policy: LimitsPolicy, now: number): LimitsLeft =>
  Object.assign(
    {},
    ...LEASED_FOR.map((actionType) => {
      const window = windowOf(account, actionType);
      return roomLeft(actionType, evaluateLimits({ window, channel: null, policy: policy[actionType] }, now).checks);
    }),
  ) as LimitsLeft;
