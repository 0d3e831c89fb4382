import { FAILURES, type FailureCode, type FailureReply } from '../../contracts/failures.js';
import { hideSecrets } from '../telemetry/redact.js';

export interface RefusalFields {
  /** One sentence for a person; the code's meaning where it is left out. */
  message?: string;
  /** How long to wait before asking again, milliseconds. */
  retryAfterMs?: number;
  details?: Record<string, unknown>;
}

/** A refusal is an answer, never an exception. */
export function refuse(code: FailureCode, { message, retryAfterMs, details }: RefusalFields = {}): FailureReply {
  return {
    success: false,
    error: {
      code,
      message: message ?? FAILURES[code].meaning,
      retryable: FAILURES[code].retryable,
      ...(retryAfterMs !== undefined && { retry_after_ms: Math.max(0, Math.ceil(retryAfterMs)) }),
      ...(details !== undefined && { details }),
    },
  };
}

/** More issues than these say nothing new, and an answer stays small. */
const MAX_ISSUES = 20;
/** Longer paths are cut before they are looked at: a caller may have chosen a name of 200,000 characters. */
const MAX_PATH_LENGTH = 256;
const MAX_RULE_LENGTH = 1_024;

/**
 * A body or field that breaks a rule: the message names the first, `details.issues` the first twenty. Both may quote a
 * name that the caller has chosen, and a secret may stand where a name belongs.
 */
export function refuseInvalid(found: readonly { path: string; message: string }[]): FailureReply {
  const issues = found.slice(0, MAX_ISSUES).map(({ path, message }) => ({
    path: hideSecrets(path.slice(0, MAX_PATH_LENGTH)),
    message: hideSecrets(message.slice(0, MAX_RULE_LENGTH)),
  }));
  const [first] = issues;
  const summary = first === undefined ? 'the request is not valid' : `${first.path || 'body'}: ${first.message}`;
  return refuse('VALIDATION_FAILED', { message: summary, details: { issues } });
}
