import type { FailureCode } from './contract.js';

/**
 * Codes of the client's own, beside those of the contract. `NO_REPLY`: nobody answered before the deadline, and whether
 * it was done is not known. `CLOSED`: the client was closed.
 */
export type ClientCode = 'NO_REPLY' | 'CLOSED';
/** A later version of the service may have codes that this client does not know: they arrive as they are. */
export type ErrorCode = FailureCode | ClientCode | (string & {});

/** The `error` of a reply, as the contract has it. */
export interface Failure {
  code: ErrorCode;
  message: string;
  /** Whether the same wish may succeed later. */
  retryable: boolean;
  retry_after_ms?: number;
  details?: Record<string, unknown>;
}

/** A request that was refused, or that nobody answered. */
export class AccountManagerError extends Error {
  override readonly name = 'AccountManagerError';
  readonly code: ErrorCode;
  /** Whether the same wish may succeed later, under a new `message_id`. */
  readonly retryable: boolean;
  /** How long to wait before asking again, milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** Fields that belong to the code, such as `issues`, `counts` or `reason`. */
  readonly details: Record<string, unknown>;

  constructor(failure: Failure, options?: ErrorOptions) {
    super(`${failure.code}: ${failure.message}`, options);
    this.code = failure.code;
    this.retryable = failure.retryable;
    this.retryAfterMs = failure.retry_after_ms;
    this.details = failure.details ?? {};
  }
}

export const hasCode = (error: unknown, ...codes: readonly ErrorCode[]): error is AccountManagerError =>
  error instanceof AccountManagerError && codes.includes(error.code);

/** A thrown value may be anything. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The words in which RabbitMQ refuses a password, a virtual host or the right to something. */
const REFUSED_LOGIN = /ACCESS[-_]REFUSED.*login was refused/is;
const REFUSED_RIGHT = /ACCESS[-_]REFUSED|NOT[-_]ALLOWED/i;

/** The refusal behind an error of the broker's; null where it is none, and trying again may help. */
export function refusalOfBroker(error: unknown): AccountManagerError | null {
  const message = messageOf(error);
  const code = REFUSED_LOGIN.test(message) ? 'UNAUTHENTICATED' : REFUSED_RIGHT.test(message) ? 'FORBIDDEN' : null;
  if (code === null) return null;
  return new AccountManagerError(
    { code, message, retryable: false, details: { refused_by: 'broker' } },
    { cause: error },
  );
}
