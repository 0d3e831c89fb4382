import { z } from 'zod';

/**
 * Every code a reply can carry. `retryable`: the same wish may succeed later (under a new `message_id`, but for
 * `UNAVAILABLE` and `INTERNAL`, whose repeat is tried again). `parked`: the message itself is at fault or was given
 * up, so it is kept whole in `account-manager.parked`.
 */
export const FAILURES = {
  VALIDATION_FAILED: {
    http: 422,
    retryable: false,
    parked: true,
    meaning: 'A body, property or field is wrong; details.issues lists path and message',
  },
  MALFORMED_MESSAGE: {
    http: 400,
    retryable: false,
    parked: true,
    meaning: 'Not JSON, too large, too deep, wrong content type, refused reply_to',
  },
  UNKNOWN_OPERATION: { http: 404, retryable: false, parked: true, meaning: 'No such routing key' },
  UNAUTHENTICATED: {
    http: 401,
    retryable: false,
    parked: false,
    meaning: 'No identity: the broker or the token tells of nobody known',
  },
  FORBIDDEN: { http: 403, retryable: false, parked: false, meaning: "Not this caller's account, user or operation" },
  ACCOUNT_NOT_FOUND: { http: 404, retryable: false, parked: false, meaning: 'No such account, or not of this user' },
  NO_ACCOUNTS: {
    http: 404,
    retryable: false,
    parked: false,
    meaning: 'The user has no account at all for this purpose',
  },
  ALL_BUSY: {
    http: 404,
    retryable: true,
    parked: false,
    meaning: 'All suitable accounts are leased; retry_after_ms leads to the earliest expiry',
  },
  ALL_LIMITED: {
    http: 404,
    retryable: true,
    parked: false,
    meaning: 'No account has headroom; details.next_available_at',
  },
  ALL_RESTRICTED: {
    http: 404,
    retryable: true,
    parked: false,
    meaning: 'All accounts are in flood wait, blocked, draining or disabled',
  },
  PREFERRED_UNAVAILABLE: {
    http: 409,
    retryable: true,
    parked: false,
    meaning: 'preferred_mode is require and that account cannot be had; details.reason',
  },
  NOT_HELD: { http: 409, retryable: false, parked: false, meaning: 'The caller does not hold this account' },
  LEASE_LOST: {
    http: 409,
    retryable: false,
    parked: false,
    meaning: 'The lease is over or was taken over: lease_id or fence is stale',
  },
  IDEMPOTENCY_CONFLICT: {
    http: 409,
    retryable: false,
    parked: false,
    meaning: 'The same message_id came with a different body',
  },
  COUNT_CHANGED: {
    http: 409,
    retryable: true,
    parked: false,
    meaning: 'Another number of accounts matches than was expected; nothing was done; details.matched',
  },
  DEADLINE_EXCEEDED: {
    http: 504,
    retryable: true,
    parked: false,
    meaning: 'The deadline had passed; nothing was done',
  },
  UNAVAILABLE: {
    http: 503,
    retryable: true,
    parked: false,
    meaning:
      'A dependency is down, or, with retry_after_ms, the caller asks too much; nothing was changed, unless details.outcome is unknown: then a repeat tells',
  },
  INTERNAL: { http: 500, retryable: true, parked: true, meaning: 'A defect; logged with its id' },
} as const;

export type FailureCode = keyof typeof FAILURES;
export const FAILURE_CODES = Object.keys(FAILURES) as [FailureCode, ...FailureCode[]];

/** The `error` of a reply that is not a success. */
export const failure = z.strictObject({
  code: z.enum(FAILURE_CODES),
  message: z.string().describe('One sentence for a person; names the field and the rule where a field is at fault'),
  retryable: z.boolean(),
  retry_after_ms: z.int().min(0).optional().describe('How long to wait before asking again, milliseconds'),
  details: z.record(z.string(), z.unknown()).optional(),
});
export type Failure = z.output<typeof failure>;

/** A reply that is not a success. */
export const failureReply = z.strictObject({ success: z.literal(false), error: failure });
export type FailureReply = z.output<typeof failureReply>;
