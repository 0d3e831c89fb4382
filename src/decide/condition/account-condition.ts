import type { AccountStatus, DisabledReason } from '../../../contracts/fields.js';

/**
 * Facts that decide whether an account may be given and may act (contract, section 7). `draining` and `disabled` are an
 * operator's or Telegram's word and stay; under them the waits go on. Otherwise the status follows from the waits.
 */
export interface AccountCondition {
  readonly status: AccountStatus;
  /** Set exactly while `status` is `disabled`. */
  readonly disabledReason: DisabledReason | null;
  /** End of the flood wait, its buffer included. */
  readonly floodWaitUntil: number | null;
  readonly blockedUntil: number | null;
  /** How far blocks have escalated: 0 none yet, then 1 to the number of steps. */
  readonly blockLevel: number;
  /** When the latest block ended; a new one soon after is a repeat. */
  readonly lastBlockEndedAt: number | null;
  /** Errors that ask for no wait and still count: see `errors.ts`. */
  readonly errorCount: number;
  /** When each of them stops counting, ascending; fewer than `errorCount` where that is not known of all. */
  readonly errorEnds?: readonly number[];
}

/** The condition of a newly registered account. */
export const NEW_CONDITION: AccountCondition = {
  status: 'active',
  disabledReason: null,
  floodWaitUntil: null,
  blockedUntil: null,
  blockLevel: 0,
  lastBlockEndedAt: null,
  errorCount: 0,
  errorEnds: [],
};
