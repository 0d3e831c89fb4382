import type { DisabledReason, ErrorClass, ErrorEvidence } from '../../../contracts/fields.js';

/** A caller's report of an error, in the words of its client library. Any field may be missing. */
export interface ErrorReport {
  /** The contract's `error_type`, a Telegram error name or an exception class. */
  errorType?: string | null;
  errorMessage?: string | null;
  /** A number, a number as text, or a name. */
  errorCode?: number | string | null;
  /** The wait the caller knows of, in seconds. */
  seconds?: number | null;
  /** When the report came, ms since 1970: until an instant that a field of the text names it is as long as from here on. */
  reportedAt?: number;
}

/** Effect of an error on the account. */
export type ErrorEffect =
  /** 1 … 1,209,600 s (14 days). */
  | { kind: 'wait'; waitSeconds: number }
  /**
   * Telegram's anti-spam. `until`: the end that Telegram named, ms since 1970; without it the length is decided elsewhere.
   * `waitSeconds`: a wait that is named beside it, as of `wait`; the longer of both holds.
   */
  | { kind: 'block'; until?: number; waitSeconds?: number }
  | { kind: 'disable'; reason: Exclude<DisabledReason, 'manual'> }
  | { kind: 'count_error' }
  | { kind: 'none' };

export interface ClassifiedError {
  errorClass: ErrorClass;
  /** The error's canonical name, with `X` for its number (`FLOOD_WAIT_X`); null where none was found. */
  name: string | null;
  /** How long the report says to wait, 1 … 1,209,600; null where it says nothing or the error has no such number. */
  seconds: number | null;
  effect: ErrorEffect;
  /** The kind of evidence that decided. */
  decidedBy: ErrorEvidence;
  /** The finding: words of this program's tables or a number, never the caller's text. Null: nothing. */
  found: string | null;
}

/** Effect of an error, in the words of the table. The last four disable the account. */
export type ErrorOutcome =
  | 'none'
  | 'count_error'
  | 'wait'
  | 'block'
  | 'banned'
  | 'deactivated'
  | 'frozen'
  | 'needs_reauth';

/** An error as the table has it. `name` has Telegram's `X` where the wire has a number; null: it has no name. */
export interface TelegramError {
  readonly name: string | null;
  readonly errorClass: ErrorClass;
  readonly outcome: ErrorOutcome;
}

/** One record of a log, one traceback; `parts`: the errors of several requests that it gathers. */
export interface SaidRecord {
  text: string;
  parts: readonly string[];
}

/** A report taken apart: its texts, and the numbers that stand in fields of their own. */
export interface Evidence {
  /** The message without its quotations. */
  message: string;
  /** The records and tracebacks of the message, the last one first: the last error is the one that the caller met. */
  records: readonly SaidRecord[];
  /** The error code where it is a word (`FLOOD_WAIT_60`, `ECONNRESET`). */
  code: string;
  type: string;
  /** The type, else the message, spelled as the contract spells its types (`Flood Wait` is `flood_wait`). */
  contractWord: string;
  /** Error codes of fields, the report's own first. */
  codes: readonly number[];
  /** Seconds of fields, as given. */
  seconds: readonly number[];
  /** Ends of waits and restrictions that fields name, ms since 1970; only those to come. */
  ends: readonly number[];
  /** The program talked to somebody who is not Telegram: another host, a proxy. */
  isElsewhere: boolean;
}

/** An error that a matcher has found. */
export interface Hit {
  error: TelegramError;
  /** As `ClassifiedError.found`. */
  found: string | null;
  /** End of a restriction, ms since 1970. */
  until?: number;
}

/** One way to recognise an error. */
export interface Matcher {
  evidence: ErrorEvidence;
  /** Whether this evidence is enough to block or disable an account. */
  mayStrike: boolean;
  find: (evidence: Evidence) => Hit | null;
}
