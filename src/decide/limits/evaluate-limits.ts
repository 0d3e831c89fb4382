import { LIMIT_REASONS, type LimitReason } from '../../../contracts/actions.js';
import type { AccountCondition } from '../condition/account-condition.js';
import type { ActionPolicy } from './limits-policy.js';
import { waitsUntil } from '../condition/plan-recovery.js';
import {
  boundsOf,
  burstOn,
  type ChannelUsage,
  dayCountOn,
  nextUtcMidnight,
  recentOn,
  toMs,
  type UsageWindow,
  type WindowBounds,
  windowTime,
} from './usage-window.js';
import { HOUR_MS } from '../time-units.js';

/** A counting window; null where the policy sets no limit. */
export interface CountCheck {
  readonly used: number;
  readonly limit: number | null;
  readonly remaining: number | null;
}

/** A pause; `nextAllowedAt` is null when ready, and when it never will be (a burst limit of 0). */
export interface PauseCheck {
  readonly ready: boolean;
  readonly nextAllowedAt: number | null;
}

export interface LimitChecks {
  readonly daily: CountCheck;
  readonly hourly: CountCheck;
  /** Today in the target channel, and ever (total); present where a target channel is given. */
  readonly perChannel?: CountCheck & { readonly total: CountCheck };
  readonly cooldown: PauseCheck;
  readonly burst: PauseCheck & { readonly used: number; readonly limit: number | null };
}

export interface LimitsVerdict {
  readonly allowed: boolean;
  /** The failing rule whose end comes last; of equals the first in `LIMIT_REASONS`, but `account_status` before all. */
  readonly reason: LimitReason | null;
  /** The earliest instant at which everything passes if nothing more is done. Null: allowed now, or `never`. */
  readonly nextAllowedAt: number | null;
  /** Waiting does not help. */
  readonly never: boolean;
  readonly checks: LimitChecks;
}

/** Input for the limits of one action on one account. */
export interface LimitsInput {
  readonly window: UsageWindow;
  /** Usage in the target channel; null: no target channel. */
  readonly channel: ChannelUsage | null;
  readonly policy: ActionPolicy;
}

/** As `LimitsInput`, with what can refuse alone. */
export interface BoundsInput extends Omit<LimitsInput, 'window'> {
  readonly window: WindowBounds;
}

/** Judges one more action at `now` against every window of the policy, all or nothing (contract, section 6). */
export function evaluateLimits(input: LimitsInput, now: number): LimitsVerdict {
  const failing = failingRules(input, now);
  const reason = bindingRule(failing);
  const endsAt = reason === null ? now : (failing[reason] ?? now);
  return { ...verdictUntil(reason, endsAt), checks: describeChecks(input, failing, now) };
}

/**
 * As `evaluateLimits`, and the account must be able to act: neither disabled nor waiting. A draining account finishes
 * its lease, so it may act, but not during a wait.
 */
export function judgeAction(
  { condition, ...input }: LimitsInput & { readonly condition: AccountCondition },
  now: number,
): LimitsVerdict {
  const verdict = evaluateLimits(input, now);
  const ableAt = condition.status === 'disabled' ? NEVER : (waitsUntil(condition) ?? now);
  if (ableAt <= now) return verdict;
  const limitsEndAt = verdict.never ? NEVER : (verdict.nextAllowedAt ?? now);
  return { ...verdictUntil('account_status', Math.max(ableAt, limitsEndAt)), checks: verdict.checks };
}

/** Later than every instant: waiting does not help. */
export const NEVER = Number.POSITIVE_INFINITY;

/** The rules that refuse, each with the first instant at which it no longer does, or `NEVER`. */
export type FailingRules = Readonly<Partial<Record<LimitReason, number>>>;

/** The rules that refuse one more action at `now`. Each passes for good once it has ended, if nothing more is done. */
export const failingRules = ({ window, channel, policy }: LimitsInput, now: number): FailingRules =>
  rulesFailingWithin({ window: boundsOf(window, policy), channel, policy }, now);

/** As `failingRules`, of accounts that are not loaded whole. */
export function rulesFailingWithin({ window, channel, policy }: BoundsInput, now: number): FailingRules {
  const { dailyLimit, hourlyLimit, perChannelDaily, perChannelTotal, burstLimit } = policy;
  const at = windowTime(window, now);
  const failing: Partial<Record<LimitReason, number>> = {};

  if (isFull(dayCountOn(window, at), dailyLimit)) failing.daily = dailyLimit === 0 ? NEVER : dayEnd(window.day, at);

  // There is room again once the action that fills the hour leaves it.
  const hourEndsAt = window.hourFilledAt === null ? at : window.hourFilledAt + HOUR_MS;
  if (hourlyLimit === 0) failing.hourly = NEVER;
  else if (hourlyLimit !== null && at < hourEndsAt) failing.hourly = hourEndsAt;

  if (channel !== null) {
    if (isFull(dayCountOn(channel, at), perChannelDaily)) {
      failing.per_channel_daily = perChannelDaily === 0 ? NEVER : dayEnd(channel.day, at);
    }
    if (isFull(channel.total, perChannelTotal)) failing.per_channel_total = NEVER;
  }

  const cooledAt = (window.lastActionAt ?? at) + toMs(policy.cooldownSeconds ?? 0);
  if (window.lastActionAt !== null && at < cooledAt) failing.cooldown = cooledAt;

  if (isFull(burstOn(window, policy, at), burstLimit)) {
    const burstEndsAt = (window.lastActionAt ?? at) + toMs(policy.burstCooldownSeconds ?? 0);
    failing.burst = burstLimit === 0 ? NEVER : burstEndsAt;
  }
  return failing;
}

const isFull = (used: number, limit: number | null): boolean => limit !== null && used >= limit;

/** The end of the date a full counter belongs to: today, or a later one where the clock was set back. */
const dayEnd = (day: string | null, now: number): number =>
  nextUtcMidnight(day === null ? now : Math.max(now, Date.parse(day)));

function bindingRule(failing: FailingRules): LimitReason | null {
  let binding: LimitReason | null = null;
  let latest = Number.NEGATIVE_INFINITY;
  for (const reason of LIMIT_REASONS) {
    const endsAt = failing[reason];
    if (endsAt !== undefined && endsAt > latest) {
      binding = reason;
      latest = endsAt;
    }
  }
  return binding;
}

const verdictUntil = (reason: LimitReason | null, endsAt: number): Omit<LimitsVerdict, 'checks'> => ({
  allowed: reason === null,
  reason,
  nextAllowedAt: reason === null || endsAt === NEVER ? null : endsAt,
  never: reason !== null && endsAt === NEVER,
});

/** The state of every window at `now`, given the rules that refuse then. */
export function describeChecks(
  { window, channel, policy }: LimitsInput,
  failing: FailingRules,
  now: number,
): LimitChecks {
  const at = windowTime(window, now);
  const daily = countCheck(dayCountOn(window, at), policy.dailyLimit);
  const hourly = countCheck(recentOn(window, at).length, policy.hourlyLimit);
  const cooldown = pauseCheck(failing.cooldown);
  // Fields are named, not spread: spreading was half of the cost of a judgement.
  const { ready, nextAllowedAt } = pauseCheck(failing.burst);
  const burst = { ready, nextAllowedAt, used: burstOn(window, policy, at), limit: policy.burstLimit };
  if (channel === null) return { daily, hourly, cooldown, burst };
  const { used, limit, remaining } = countCheck(dayCountOn(channel, at), policy.perChannelDaily);
  const perChannel = { used, limit, remaining, total: countCheck(channel.total, policy.perChannelTotal) };
  return { daily, hourly, perChannel, cooldown, burst };
}

const countCheck = (used: number, limit: number | null): CountCheck => ({
  used,
  limit,
  remaining: limit === null ? null : Math.max(0, limit - used),
});

const pauseCheck = (endsAt: number | undefined): PauseCheck => ({
  ready: endsAt === undefined,
  nextAllowedAt: endsAt === undefined || endsAt === NEVER ? null : endsAt,
});
