import { toIso } from '../clock.js';
import type { AccountCondition } from '../decide/condition/account-condition.js';
import { type Limits, reentryEndsAt } from '../decide/limits/reentry.js';

/** Why an account's daily limits are lower than the policy's, as replies tell it; empty where they are not. */
export function noteReentry(
  condition: AccountCondition,
  { reentry }: Limits,
  now: number,
): { reentry?: { until: string; daily_percent: number } } {
  const until = reentryEndsAt(condition, reentry, now);
  return until === null ? {} : { reentry: { until: toIso(until), daily_percent: Math.round(reentry.share * 100) } };
}
