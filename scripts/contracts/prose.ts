import { ENVELOPE } from '../../contracts/envelope.js';
import { maxBodyBytesOf } from '../../contracts/operations.js';
import { FAILURES, type FailureCode, type FailureReply } from '../../contracts/failures.js';

/** Version of the contract, not of the program: it rises when a caller has to change; its second number with additions. */
export const CONTRACT_VERSION = '1.1.0';

export const LICENSE = { name: 'MIT', url: 'https://opensource.org/license/mit' };

export const BODY_RULES =
  `A body is one JSON object in UTF-8 of at most ${ENVELOPE.maxBodyBytes / 1024} KiB ` +
  `(admin.register: ${maxBodyBytesOf('admin.register') / 1024 / 1024} MiB) and ` +
  `${ENVELOPE.maxBodyDepth} levels. Unknown fields are refused. An optional field may be null, which means absent.`;

export const REPEAT_RULES =
  'A repeated request of the same caller with the same body gets the first reply again and has no second effect; with ' +
  `another body it gets IDEMPOTENCY_CONFLICT. Replies are kept for ${ENVELOPE.replyKeptHours} hours, whatever they ` +
  'say, but for UNAVAILABLE and INTERNAL, whose repeat is tried again. Session data is not kept: a repeat gets it while ' +
  'its lease lives.';

/** `- ALL_BUSY: All suitable accounts are leased…` */
export const listFailures = (codes: readonly FailureCode[]): string =>
  codes.map((code) => `- \`${code}\`: ${FAILURES[code].meaning}`).join('\n');

/** A failure as it looks when nothing more is known of it. */
export const failureExample = (code: FailureCode): FailureReply => ({
  success: false,
  error: { code, message: FAILURES[code].meaning, retryable: FAILURES[code].retryable },
});
