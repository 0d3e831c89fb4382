import type { AccountAllocateReply } from './contract.js';

/** Shares of the length of the lease: renewals are due after a third; the rest is what the clock may not touch. */
const RENEW_AFTER = 1 / 3;
const RESEND_AFTER = 1 / 6;
const MARGIN = 1 / 10;
const MAX_MARGIN_MS = 5_000;

/** How long a lease lasts, in milliseconds; each renewal begins it anew, with the length it had at first. */
export interface Term {
  /** How long the lease may still be used; 0 or less: no longer. */
  leftMs(): number;
  /** Until a renewal is due; less than 0: it is overdue. */
  untilRenewalMs(): number;
  /** How long a renewal may remain unanswered before it is sent again. */
  resendAfterMs: number;
  /** The lease was renewed by a request that was first sent at this instant. */
  beginAnew(sentAt: number): void;
}

/**
 * The term of a lease whose request was first sent at `sentAt`. All instants are those of the rising clock: neither a
 * clock that is set nor one that differs from the service's makes the lease look longer than it is.
 */
export function createTerm(allocation: AccountAllocateReply['allocation'], sentAt: number): Term {
  const lengthMs = Date.parse(allocation.expires_at) - Date.parse(allocation.allocated_at);
  const marginMs = Math.min(lengthMs * MARGIN, MAX_MARGIN_MS);
  let beganAt = sentAt;
  return {
    leftMs: () => beganAt + lengthMs - marginMs - performance.now(),
    untilRenewalMs: () => beganAt + lengthMs * RENEW_AFTER - performance.now(),
    resendAfterMs: lengthMs * RESEND_AFTER,
    beginAnew: (at) => {
      beganAt = at;
    },
  };
}
