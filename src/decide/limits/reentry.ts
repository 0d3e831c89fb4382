import { ACTION_TYPES } from '../../../contracts/fields.js';
import type { AccountCondition } from '../condition/account-condition.js';
import type { LimitsPolicy } from './limits-policy.js';
import { DAY_MS } from '../time-units.js';

/** How gently an account is used again after a block. */
export interface Reentry {
  /** UTC dates with reduced daily limits, the one on which the block ends included; 0: none. */
  readonly days: number;
  /** Share of each daily limit that is left on them, over 0 to 1. */
  readonly share: number;
}

/** The limits every account is judged by, and how they are reduced after a block. */
export interface Limits {
  readonly policy: LimitsPolicy;
  readonly reentry: Reentry;
}

type Blocks = Pick<AccountCondition, 'blockedUntil' | 'lastBlockEndedAt'>;

/** An instant that the database can compare with. */
const NO_BLOCK_ENDS_AT = Date.parse('9999-12-31T23:59:59.999Z');
const startOfDay = (at: number): number => Math.floor(at / DAY_MS) * DAY_MS;

/**
 * When the account is used as before again: a UTC midnight, so that the limits rise when the day's counters begin
 * anew. Null: it was not blocked of late. During a block already, so that what is promised for after it holds.
 */
export function reentryEndsAt(
  { blockedUntil, lastBlockEndedAt }: Blocks,
  { days }: Reentry,
  now: number,
): number | null {
  const blockEndsAt = blockedUntil ?? lastBlockEndedAt;
  if (blockEndsAt === null || days === 0) return null;
  const endsAt = startOfDay(blockEndsAt) + days * DAY_MS;
  return endsAt > now ? endsAt : null;
}

/** The instant since when a block must have ended, or be on, for an account to be in its first days after it at `now`. */
export const reentersSince = ({ days }: Reentry, now: number): number =>
  days === 0 ? NO_BLOCK_ENDS_AT : startOfDay(now) - (days - 1) * DAY_MS;

/** The limits an account is judged by at `now`: the policy itself unless it was blocked of late. */
export const policyFor = (blocks: Blocks, { policy, reentry }: Limits, now: number): LimitsPolicy =>
  reentryEndsAt(blocks, reentry, now) === null ? policy : reducePolicy(policy, reentry);

/** The policy with reduced daily limits: rounded down, but a limit that allows something goes on allowing one. */
export const reducePolicy = (policy: LimitsPolicy, { share }: Reentry): LimitsPolicy =>
  Object.fromEntries(
    ACTION_TYPES.map((action) => {
      const { dailyLimit } = policy[action];
      const reduced = dailyLimit === null ? null : Math.min(dailyLimit, Math.max(1, Math.floor(dailyLimit * share)));
      return [action, { ...policy[action], dailyLimit: reduced }];
    }),
  ) as LimitsPolicy;
