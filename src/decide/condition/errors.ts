import type { AccountCondition } from './account-condition.js';

/** How long an error counts unless the setting says otherwise: a day. */
export const DEFAULT_ERROR_WINDOW_MS = 24 * 3_600_000;

/** An account with this many errors is told as troubled. */
export const HIGH_ERROR_COUNT = 5;

/** Errors are counted up to here: beyond, the number says nothing more. */
export const MAX_ERROR_COUNT = 100;

type Errors = Required<Pick<AccountCondition, 'errorCount' | 'errorEnds'>>;

/** As after a recovery. */
export const NO_ERRORS: Errors = { errorCount: 0, errorEnds: [] };

/** The errors that still count at `now`; an error counts until just before its end. The same object if none has ended. */
export function errorsOn(condition: AccountCondition, now: number): AccountCondition {
  const { errorCount, errorEnds = [] } = condition;
  const left = errorEnds.filter((end) => end > now);
  const ended = errorEnds.length - left.length;
  return ended === 0 ? condition : { ...condition, errorCount: Math.max(0, errorCount - ended), errorEnds: left };
}

/** The errors with one more, reported at `now`. The oldest goes where there are too many. */
export function addError({ errorCount, errorEnds = [] }: AccountCondition, windowMs: number, now: number): Errors {
  return {
    errorCount: Math.min(errorCount + 1, MAX_ERROR_COUNT),
    // Ascending also where the setting was shortened, or the clock set back.
    errorEnds: [...errorEnds, now + windowMs].sort((a, b) => a - b).slice(-MAX_ERROR_COUNT),
  };
}

/**
 * The condition after a lease that has ended well: without error, and with no error reported while it was open, which
 * would end later than one at its start. It takes one error off, the oldest. Unchanged where there is none, or where
 * the account waits.
 * @param leasedAt when the lease began
 */
export function forgiveError(condition: AccountCondition, leasedAt: number, windowMs: number): AccountCondition {
  const { status, errorCount, errorEnds = [] } = condition;
  const isWell = status === 'active' || status === 'draining';
  const hadError = (errorEnds.at(-1) ?? 0) >= leasedAt + windowMs;
  if (!isWell || errorCount === 0 || hadError) return condition;
  const left = errorCount - 1;
  return { ...condition, errorCount: left, errorEnds: left === 0 ? [] : errorEnds.slice(-left) };
}
