import type { ActionType } from '../../contracts/fields.js';
import type { AccountCondition } from '../decide/condition/account-condition.js';
import { PURPOSE_ACTIONS } from '../decide/limits/limits-policy.js';
import { canBeGranted, recoveryAt } from '../decide/condition/plan-recovery.js';
import { type Limits, policyFor } from '../decide/limits/reentry.js';
import { type Candidate, judgeCandidate, type Wish } from '../decide/selection/select-account.js';
import { settleCondition } from '../decide/condition/transition-account.js';
import type { ChannelUsage } from '../decide/limits/usage-window.js';
import { type AccountRecord, channelKey, type OpenLease } from '../store/accounts/account-record.js';

/** Queries judge by the default length of a lease (contract, section 4). */
export const QUERIED_LEASE_MS = 30 * 60_000;

/** A wish, the channel it is for, and how its limits are reduced after a block. */
export interface GrantWish extends Wish, Limits {
  channel: string | null;
}

/** An account as it stands at an instant, read without a lock: what is over by then counts as over. */
export interface Availability {
  condition: AccountCondition;
  lease: OpenLease | null;
  /** When it is active; null: not by itself. */
  activeAt: number | null;
  /** When nobody has it leased. */
  freeAt: number;
}

export function availabilityAt(account: AccountRecord, now: number): Availability {
  const { condition } = settleCondition(account.condition, now);
  const lease = account.lease !== null && account.lease.expiresAt > now ? account.lease : null;
  return { condition, lease, activeAt: activeAt(condition, now), freeAt: lease?.expiresAt ?? now };
}

function activeAt(condition: AccountCondition, now: number): number | null {
  if (canBeGranted(condition)) return now;
  return condition.status === 'draining' ? null : recoveryAt(condition);
}

/** When `account.allocate` could grant the account if nothing more is done: `now` if it could now; null: never by itself. */
export function grantableAt(account: AccountRecord, wish: GrantWish, now: number): number | null {
  const { activeAt, freeAt } = availabilityAt(account, now);
  const { eligibleAt } = judgeCandidate(toOffer(account, wish, now), wish, now);
  return activeAt === null || eligibleAt === null ? null : Math.max(activeAt, freeAt, eligibleAt);
}

/** Whether nobody has the account leased and nothing restricts it, by its record as it is. */
export const isFree = ({ lease, condition }: AccountRecord): boolean => lease === null && canBeGranted(condition);

/** An account as the ranking judges it. */
export type Offer = Candidate & { account: AccountRecord };

export function toOffer(account: AccountRecord, wish: GrantWish, now: number): Offer {
  const { purpose, channel } = wish;
  const channelUsage: Partial<Record<ActionType, ChannelUsage>> = {};
  if (channel !== null) {
    for (const action of PURPOSE_ACTIONS[purpose]) {
      const usage = account.channels.get(channelKey(action, channel));
      if (usage !== undefined) channelUsage[action] = usage;
    }
  }
  return {
    account,
    accountId: account.accountId,
    lastUsedAt: account.lastUsedAt,
    errorCount: account.condition.errorCount,
    windows: Object.fromEntries(account.windows),
    channelUsage,
    policy: policyFor(account.condition, wish, now),
  };
}
