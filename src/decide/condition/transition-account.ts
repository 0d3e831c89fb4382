import type { AccountStatus, DisabledReason, ErrorClass } from '../../../contracts/fields.js';
import type { AccountCondition } from './account-condition.js';
import { addError, DEFAULT_ERROR_WINDOW_MS, errorsOn, NO_ERRORS } from './errors.js';
import type { ClassifiedError } from '../telegram-errors/types.js';
import { recoveryAt } from './plan-recovery.js';
import { HOUR_MS } from '../time-units.js';

/** Cause of a status: a wait's end, a Telegram error, or an operator's decision. */
export type TransitionCause = 'time' | 'error' | 'operator';

/**
 * Every legal change of status (contract, section 7). `disabled` and `draining` are sticky: time ends neither, and
 * only an operator leads out of them towards use.
 */
export const TRANSITIONS: Readonly<Record<TransitionCause, Readonly<Record<AccountStatus, readonly AccountStatus[]>>>> =
  {
    time: {
      // To a wait only where the columns were changed by hand: the status follows from the waits.
      active: ['flood_wait', 'blocked'],
      flood_wait: ['active', 'blocked'],
      blocked: ['active', 'flood_wait'],
      draining: [],
      disabled: [],
    },
    error: {
      active: ['flood_wait', 'blocked', 'disabled'],
      flood_wait: ['blocked', 'disabled'],
      blocked: ['disabled'],
      draining: ['disabled'],
      disabled: [],
    },
    operator: {
      active: ['draining', 'disabled'],
      flood_wait: ['active', 'draining', 'disabled'],
      blocked: ['active', 'draining', 'disabled'],
      draining: ['active', 'flood_wait', 'blocked', 'disabled'],
      // Not to draining: a draining account may act, and nobody has said that this one may again.
      disabled: ['active', 'flood_wait', 'blocked'],
    },
  };

/** Added to every wait Telegram asks for (contract, section 7). */
const FLOOD_WAIT_BUFFER_MS = 60_000;
/** Length of a block by its level, 1 first (contract, section 7: 24 h, a repeat 72 h, then 7 d). */
const BLOCK_MS = [24 * HOUR_MS, 72 * HOUR_MS, 168 * HOUR_MS] as const;
/** A block this soon after the end of the one before, its end included, is a repeat (contract, section 7). */
const BLOCK_REPEAT_MS = 168 * HOUR_MS;
/**
 * A more final reason replaces a less final one, never the other way round. A new authorisation ends `needs_reauth`; it
 * must undo neither a ban nor an operator's decision.
 */
const FINALITY: Readonly<Record<DisabledReason, number>> = {
  needs_reauth: 0,
  frozen: 1,
  manual: 2,
  deactivated: 3,
  banned: 3,
};

export interface SettledCondition {
  readonly condition: AccountCondition;
  /** A wait has ended and the account is active again. */
  readonly recovered: boolean;
}

/**
 * The condition as of `now`. Errors that are too old no longer count. Waits that are over are ended; a wait ends at its
 * instant. The status follows from the waits that are left. An account that becomes active again starts without errors.
 * The same object if nothing changes.
 */
export function settleCondition(given: AccountCondition, now: number): SettledCondition {
  const condition = errorsOn(given, now);
  const { floodWaitUntil, blockedUntil, status } = condition;
  const isOver = (until: number | null) => until !== null && until <= now;
  const settled = followWaits(
    condition,
    {
      ...(isOver(floodWaitUntil) && { floodWaitUntil: null }),
      ...(isOver(blockedUntil) && { blockedUntil: null, lastBlockEndedAt: blockedUntil }),
    },
    'time',
  );
  const recovered = settled.status === 'active' && status !== 'active';
  return { condition: recovered ? { ...settled, ...NO_ERRORS } : settled, recovered };
}

/** Effect of a reported error. */
export interface AppliedError {
  readonly condition: AccountCondition;
  /**
   * Change made by this report. It is `none` also where a longer wait stands, where the account is blocked already, and
   * where it is disabled for a reason no less final.
   */
  readonly action: 'none' | 'error_counted' | 'wait_started' | 'blocked' | 'disabled';
  /** As `recoveryAt` of the condition. */
  readonly recoveryAt: number | null;
  /** Whether the same request, on this account, may succeed later. */
  readonly shouldRetry: boolean;
}

/**
 * Applies a classified Telegram error at `now`; the condition is settled first. A shorter wait never shortens a longer
 * one. A block that is reported during a block neither escalates nor moves it: the account is not in use then, so the
 * report is a late one. A fault of the target or the request changes nothing. `disabled` stays.
 */
export function applyError(
  condition: AccountCondition,
  classified: Pick<ClassifiedError, 'errorClass' | 'effect'>,
  now: number,
  errorWindowMs: number = DEFAULT_ERROR_WINDOW_MS,
): AppliedError {
  const before = settleCondition(condition, now).condition;
  const { condition: after, action } = applyEffect(before, classified.effect, now, errorWindowMs);
  const ends = classified.effect.kind === 'wait' || classified.effect.kind === 'block';
  return {
    condition: after,
    action,
    recoveryAt: recoveryAt(after),
    shouldRetry: after.status !== 'disabled' && (ends || PASSES.has(classified.errorClass)),
  };
}

/** Errors that pass by themselves, or by going to another data centre, without the account having to wait. */
const PASSES: ReadonlySet<ErrorClass> = new Set(['slow_mode', 'takeout', 'migrate', 'transient']);

function applyEffect(
  before: AccountCondition,
  effect: ClassifiedError['effect'],
  now: number,
  errorWindowMs: number,
): Pick<AppliedError, 'condition' | 'action'> {
  switch (effect.kind) {
    case 'none':
      return { condition: before, action: 'none' };
    case 'count_error':
      return { condition: { ...before, ...addError(before, errorWindowMs, now) }, action: 'error_counted' };
    case 'wait': {
      const floodWaitUntil = now + Math.ceil(effect.waitSeconds * 1000) + FLOOD_WAIT_BUFFER_MS;
      if (before.floodWaitUntil !== null && floodWaitUntil <= before.floodWaitUntil) {
        return { condition: before, action: 'none' };
      }
      return { condition: followWaits(before, { floodWaitUntil }, 'error'), action: 'wait_started' };
    }
    case 'block': {
      const blocked = startBlock(before, effect.until, now);
      if (effect.waitSeconds === undefined) return blocked;
      // A wait beside it holds where it is longer; else it would be told of for nothing.
      const wait = { kind: 'wait', waitSeconds: effect.waitSeconds } as const;
      const waited = applyEffect(blocked.condition, wait, now, errorWindowMs);
      const isLonger = (waited.condition.floodWaitUntil ?? 0) > (blocked.condition.blockedUntil ?? 0);
      if (!isLonger || waited.action === 'none') return blocked;
      return { condition: waited.condition, action: blocked.action === 'none' ? waited.action : blocked.action };
    }
    case 'disable': {
      const after = disable(before, effect.reason, 'error');
      return { condition: after, action: after === before ? 'none' : 'disabled' };
    }
    default:
      return effect satisfies never;
  }
}

function startBlock(
  before: AccountCondition,
  until: number | undefined,
  now: number,
): Pick<AppliedError, 'condition' | 'action'> {
  if (until !== undefined) return blockUntil(before, until, now);
  if (before.blockedUntil !== null) return { condition: before, action: 'none' };
  return { condition: followWaits(before, nextBlock(before, now), 'error'), action: 'blocked' };
}

/** A block whose end Telegram named: it is never shortened, and one that is over is none. */
function blockUntil(before: AccountCondition, until: number, now: number): Pick<AppliedError, 'condition' | 'action'> {
  if (until <= Math.max(now, before.blockedUntil ?? 0)) return { condition: before, action: 'none' };
  const blockLevel = before.blockedUntil === null ? nextBlock(before, now).blockLevel : before.blockLevel;
  return { condition: followWaits(before, { blockedUntil: until, blockLevel }, 'error'), action: 'blocked' };
}

function nextBlock(condition: AccountCondition, now: number): Pick<AccountCondition, 'blockedUntil' | 'blockLevel'> {
  const { blockLevel, lastBlockEndedAt } = condition;
  const isRepeat = lastBlockEndedAt !== null && now - lastBlockEndedAt <= BLOCK_REPEAT_MS;
  const level = isRepeat ? Math.min(blockLevel + 1, BLOCK_MS.length) : 1;
  return { blockedUntil: now + (BLOCK_MS[level - 1] ?? BLOCK_MS[0]), blockLevel: level };
}

/**
 * An operator's `admin.set-status`, at `now`. `active` ends `draining` and `disabled`; the waits stand unless forced.
 * `disabled` is for the reason `manual`, unless a more final one is known. `draining` leaves a disabled account as it is.
 */
export function applyOperatorStatus(
  condition: AccountCondition,
  wanted: 'active' | 'disabled' | 'draining',
  { force }: { force: boolean },
  now: number,
): AccountCondition {
  const before = settleCondition(condition, now).condition;
  switch (wanted) {
    case 'active':
      return activate(force ? withoutWaits(before, now) : before);
    case 'disabled':
      return disable(before, 'manual', 'operator');
    case 'draining':
      return before.status === 'disabled' ? before : changeStatus(before, { status: 'draining' }, 'operator');
    default:
      return wanted satisfies never;
  }
}

/** How an account stood where it is registered from; null: nothing is told. A wait that is over has ended there, too. */
export interface EarlierStanding {
  readonly status: AccountStatus | null;
  readonly floodWaitUntil: number | null;
  readonly blockedUntil: number | null;
  readonly disabledReason: DisabledReason | null;
}

/**
 * The worse of an account's condition here and elsewhere, at `now`: the later end of each wait, and every reason that
 * keeps it from use. A block elsewhere counts as the first of its kind, also one that is over.
 */
export function takeOver(condition: AccountCondition, given: EarlierStanding, now: number): AccountCondition {
  const before = settleCondition(condition, now).condition;
  const { floodWaitUntil, blockedUntil } = given;
  const isBlockOver = blockedUntil !== null && blockedUntil <= now;
  const waiting = followWaits(
    before,
    {
      ...(floodWaitUntil !== null &&
        floodWaitUntil > now && { floodWaitUntil: Math.max(floodWaitUntil, before.floodWaitUntil ?? 0) }),
      ...(blockedUntil !== null && !isBlockOver && { blockedUntil: Math.max(blockedUntil, before.blockedUntil ?? 0) }),
      ...(isBlockOver && { lastBlockEndedAt: Math.max(blockedUntil, before.lastBlockEndedAt ?? blockedUntil) }),
      ...(blockedUntil !== null && { blockLevel: Math.max(1, before.blockLevel) }),
    },
    'error',
  );
  const isDisabled = given.status === 'disabled' || given.disabledReason !== null;
  if (isDisabled) return disable(waiting, given.disabledReason ?? 'manual', 'operator');
  return given.status === 'draining' ? applyOperatorStatus(waiting, 'draining', { force: false }, now) : waiting;
}

/** A fresh session ends `disabled` for `needs_reauth`, and nothing else; the waits of the account stand. */
export function reauthorise(condition: AccountCondition, now: number): AccountCondition {
  const before = settleCondition(condition, now).condition;
  return before.status === 'disabled' && before.disabledReason === 'needs_reauth' ? activate(before) : before;
}

/**
 * An operator's `admin.recover`: ends the waits at `now`, and the count of errors at once. A disabled account changes only if forced, and so does `disabled` itself.
 */
export function recoverNow(condition: AccountCondition, { force }: { force: boolean }, now: number): AccountCondition {
  const before = settleCondition(condition, now).condition;
  if (before.status === 'disabled' && !force) return before;
  const unbound = withoutWaits(before, now);
  const recovered = unbound.status === 'draining' ? unbound : activate(unbound);
  return recovered.errorCount === 0 ? recovered : { ...recovered, ...NO_ERRORS };
}

/**
 * An operator's `admin.schedule-recovery`: the account's waits end at `at`, sooner or later than they would (a second,
 * shorter wait underneath is cut to `at`, not stretched). At once where `at` is not after `now`; unchanged without a wait.
 */
export function rescheduleRecovery(condition: AccountCondition, at: number, now: number): AccountCondition {
  const before = settleCondition(condition, now).condition;
  const until = Math.max(at, now);
  const { floodWaitUntil, blockedUntil } = before;
  if (blockedUntil === null && floodWaitUntil === null) return before;
  const waits =
    blockedUntil === null
      ? { floodWaitUntil: until }
      : { blockedUntil: until, floodWaitUntil: floodWaitUntil && Math.min(floodWaitUntil, until) };
  return settleCondition({ ...before, ...waits }, now).condition;
}

/**
 * Every change of status goes through here. Throws on one that the table does not have: a defect. The same object if
 * nothing changes.
 */
function changeStatus(
  condition: AccountCondition,
  changes: Partial<AccountCondition> & Pick<AccountCondition, 'status'>,
  cause: TransitionCause,
): AccountCondition {
  if (changes.status !== condition.status && !TRANSITIONS[cause][condition.status].includes(changes.status)) {
    throw new Error(`illegal transition from ${condition.status} to ${changes.status} by ${cause}`);
  }
  const changed = { ...condition, ...changes };
  const fields = Object.keys(condition) as (keyof AccountCondition)[];
  return fields.every((field) => changed[field] === condition[field]) ? condition : changed;
}

/** The condition with other waits, all of them going on, and the status that follows; a sticky status stays. */
function followWaits(
  condition: AccountCondition,
  waits: Partial<AccountCondition>,
  cause: TransitionCause,
): AccountCondition {
  const { status } = condition;
  const isSticky = status === 'draining' || status === 'disabled';
  const next = isSticky ? status : statusByWaits({ ...condition, ...waits });
  return changeStatus(condition, { ...waits, status: next }, cause);
}

function statusByWaits({ floodWaitUntil, blockedUntil }: AccountCondition): 'active' | 'flood_wait' | 'blocked' {
  if (blockedUntil !== null) return 'blocked';
  return floodWaitUntil !== null ? 'flood_wait' : 'active';
}

/** To `active`, or to the wait that still goes on. Whatever becomes active starts without errors. */
function activate(condition: AccountCondition): AccountCondition {
  const status = statusByWaits(condition);
  const errors = status === 'active' && condition.status !== 'active' ? NO_ERRORS : {};
  return changeStatus(condition, { status, disabledReason: null, ...errors }, 'operator');
}

function disable(condition: AccountCondition, reason: DisabledReason, cause: TransitionCause): AccountCondition {
  const { status, disabledReason } = condition;
  const isMoreFinal = disabledReason === null || FINALITY[reason] > FINALITY[disabledReason];
  if (status === 'disabled' && !isMoreFinal) return condition;
  return changeStatus(condition, { status: 'disabled', disabledReason: reason }, cause);
}

function withoutWaits(condition: AccountCondition, now: number): AccountCondition {
  const { floodWaitUntil, blockedUntil, lastBlockEndedAt } = condition;
  if (floodWaitUntil === null && blockedUntil === null) return condition;
  const ended = { floodWaitUntil: null, blockedUntil: null };
  return { ...condition, ...ended, lastBlockEndedAt: blockedUntil === null ? lastBlockEndedAt : now };
}
