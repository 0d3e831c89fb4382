import { ACTION_TYPES, type ActionType } from '../../../contracts/fields.js';
import { type Limits, reducePolicy } from './reentry.js';
import { dayCountOn, nextUtcMidnight, type UsageWindow } from './usage-window.js';
import { HOUR_MS } from '../time-units.js';

/** Accounts judged by the same limits, and by groups of them what they have done of an action. */
interface Cohort {
  /** In their first days after a block. */
  readonly reenters: boolean;
  /** How many can act today; one is in no group of an action that it has never done. */
  readonly able: number;
  readonly groups: readonly {
    readonly actionType: ActionType;
    readonly usage: Pick<UsageWindow, 'day' | 'dayCount'>;
    readonly accounts: number;
  }[];
}

/** How often each action can still be done until midnight (UTC); null: unlimited. */
export type CapacityForecast = Record<ActionType, number | null>;

/**
 * Sums over accounts that can act today. Until midnight none does more than its daily limit leaves, nor more than its
 * hourly limit in every hour that is begun.
 */
export function forecastCapacity(cohorts: readonly Cohort[], limits: Limits, now: number): CapacityForecast {
  const hoursLeft = Math.ceil((nextUtcMidnight(now) - now) / HOUR_MS);
  const forecast = (action: ActionType): number | null => {
    let capacity = 0;
    for (const { reenters, able, groups } of cohorts) {
      const policy = reenters ? reducePolicy(limits.policy, limits.reentry) : limits.policy;
      const { dailyLimit, hourlyLimit } = policy[action];
      if (dailyLimit === null && hourlyLimit === null) return null;
      const left = (used: number) =>
        Math.min(
          Math.max(0, (dailyLimit ?? Number.POSITIVE_INFINITY) - used),
          (hourlyLimit ?? Number.POSITIVE_INFINITY) * hoursLeft,
        );
      let idle = able;
      for (const { usage, accounts } of groups.filter(({ actionType }) => actionType === action)) {
        capacity += left(dayCountOn(usage, now)) * accounts;
        idle -= accounts;
      }
      capacity += left(0) * idle;
    }
    return capacity;
  };
  return Object.fromEntries(ACTION_TYPES.map((action) => [action, forecast(action)])) as CapacityForecast;
}
