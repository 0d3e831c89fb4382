import { FAILURES, type FailureCode } from '../../../contracts/failures.js';

/** The way a door settles a message once it has been dispatched. */
export interface Settlement {
  /** Whether the caller is answered now. */
  reply: boolean;
  /**
   * `ack`: done. `retryStep`: delivered again after that step of `RETRY_STEPS`. `park`: kept whole for an operator.
   * `hold`: kept by the door until the dependency is back, then dispatched again.
   */
  settle: 'ack' | { retryStep: 0 | 1 | 2 } | 'park' | 'hold';
}

/** Index into `RETRY_STEPS` (contract, section 1) by the number of failed deliveries before. */
const LADDER = [0, 1, 2] as const;

/**
 * Settles a request by its outcome; `code` null is success, `attempt` counts from 0. A defect (`INTERNAL`) goes up the
 * retry ladder unanswered and is parked when the ladder ends. An operator's request is answered and parked at once,
 * since somebody waits for it. A dependency that is down (`UNAVAILABLE`) parks nothing and answers nothing. A caller
 * that asked too much is answered with the time to come back (`retryAfterMs`). Codes that are the message's own fault
 * (`FAILURES[code].parked`) are answered and parked; every other refusal is an answer.
 */
export function decideSettlement({
  code,
  retryAfterMs = null,
  attempt,
  admin,
}: {
  code: FailureCode | null;
  retryAfterMs?: number | null;
  attempt: number;
  admin: boolean;
}): Settlement {
  if (code === null) return { reply: true, settle: 'ack' };
  if (code === 'UNAVAILABLE' && retryAfterMs === null) return { reply: false, settle: 'hold' };
  const retryStep = code === 'INTERNAL' && !admin ? LADDER[attempt] : undefined;
  if (retryStep !== undefined) return { reply: false, settle: { retryStep } };
  return { reply: true, settle: FAILURES[code].parked ? 'park' : 'ack' };
}
