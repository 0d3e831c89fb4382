import type { DisabledReason, ErrorClass } from '../../../contracts/fields.js';
import { classifyError } from '../telegram-errors/classify-error.js';
import type { ErrorReport } from '../telegram-errors/types.js';

/** The outcome of trying an account's session on Telegram once. */
export type ProbeOutcome =
  /** Telegram knows the account and says nothing against it. */
  | { kind: 'healthy' }
  /** `freeze_since_date` of `help.getAppConfig` is set: read-only until the owner's appeal succeeds. */
  | { kind: 'frozen' }
  /** Telegram answered with an error. */
  | { kind: 'error'; report: ErrorReport }
  /** The transport's -404: the server does not know the authorisation key. */
  | { kind: 'key_unknown' }
  /** Telegram did not answer: not connected, silent, or gone before the end. */
  | { kind: 'unreachable'; detail: string }
  /** Nothing was tried: what is stored of the account does not serve. */
  | { kind: 'unusable'; detail: string };

/** A probe's result in one word: a metric's label, so from a closed set. */
export type ProbeResult =
  | 'healthy'
  | 'unreachable'
  | 'unusable'
  | 'unconfirmed'
  | Exclude<DisabledReason, 'manual'>
  | ErrorClass;

export interface ProbeVerdict {
  result: ProbeResult;
  /** To be taken as a caller's report on the account would be; null: nothing is known against it. */
  report: ErrorReport | null;
}

/**
 * Whether a second connection must say the same before it is believed: servers answer -404 also while they start, or
 * where a key has not yet reached them.
 */
export const needsConfirmation = (outcome: ProbeOutcome): boolean => outcome.kind === 'key_unknown';

/**
 * Verdict of a probe on the account. `second` is the outcome of the confirming connection, where there was one; it
 * counts instead of the first. A failure to reach Telegram, or to reach it with the stored session, does not count
 * against the account.
 */
export function judgeProbe(first: ProbeOutcome, second: ProbeOutcome | null): ProbeVerdict {
  const outcome = second ?? first;
  switch (outcome.kind) {
    case 'healthy':
    case 'unreachable':
    case 'unusable':
      return { result: outcome.kind, report: null };
    case 'frozen':
      return judgeReport({ errorMessage: 'FROZEN_METHOD_INVALID' });
    case 'error':
      return judgeReport(outcome.report);
    case 'key_unknown':
      return second !== null && needsConfirmation(first)
        ? judgeReport({ errorCode: -404 })
        : { result: 'unconfirmed', report: null };
    default:
      return outcome satisfies never;
  }
}

function judgeReport(report: ErrorReport): ProbeVerdict {
  const { errorClass, effect } = classifyError(report);
  // `other` is what nobody knows, and `API_ID_INVALID`: this service's fault, which every account would be charged with.
  return {
    result: effect.kind === 'disable' ? effect.reason : errorClass,
    report: errorClass === 'other' ? null : report,
  };
}
