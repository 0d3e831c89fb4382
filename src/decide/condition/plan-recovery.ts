import type { AccountCondition } from './account-condition.js';

/** The end of the later of the account's waits; null where it waits for nothing. Goes on under `draining` and `disabled`. */
export function waitsUntil({ floodWaitUntil, blockedUntil }: AccountCondition): number | null {
  if (floodWaitUntil === null || blockedUntil === null) return floodWaitUntil ?? blockedUntil;
  return Math.max(floodWaitUntil, blockedUntil);
}

/**
 * When the account can act again by itself: the end of its waits. Null where it waits for nothing, and where it is
 * disabled, since only an operator ends that. An instant not after now: the wait is over and not yet settled.
 */
export const recoveryAt = (condition: AccountCondition): number | null =>
  condition.status === 'disabled' ? null : waitsUntil(condition);

/** Whether the account may be leased, as far as its condition goes; the condition is settled (transition-account.ts). */
export const canBeGranted = (condition: AccountCondition): boolean => condition.status === 'active';

/** When the account becomes active by itself; null where no time does that: it is active, draining or disabled. */
export const dueAt = (condition: AccountCondition): number | null =>
  condition.status === 'flood_wait' || condition.status === 'blocked' ? waitsUntil(condition) : null;
