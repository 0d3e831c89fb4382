import { expect, test } from '@jest/globals';
import { FAILURE_CODES, type FailureCode } from '../../contracts/failures.js';
import { RETRY_STEPS } from '../../contracts/topology.js';
import { decideSettlement, type Settlement } from '../../src/decide/messages/decide-settlement.js';

const answered: Settlement = { reply: true, settle: 'ack' };
const answeredAndParked: Settlement = { reply: true, settle: 'park' };

/** The outcome of every code but INTERNAL, which alone depends on the attempt and on who asks. */
const EXPECTED: Record<Exclude<FailureCode, 'INTERNAL'>, Settlement> = {
  VALIDATION_FAILED: answeredAndParked,
  MALFORMED_MESSAGE: answeredAndParked,
  UNKNOWN_OPERATION: answeredAndParked,
  DEADLINE_EXCEEDED: answered,
  UNAUTHENTICATED: answered,
  FORBIDDEN: answered,
  ACCOUNT_NOT_FOUND: answered,
  NO_ACCOUNTS: answered,
  ALL_BUSY: answered,
  ALL_LIMITED: answered,
  ALL_RESTRICTED: answered,
  PREFERRED_UNAVAILABLE: answered,
  NOT_HELD: answered,
  LEASE_LOST: answered,
  COUNT_CHANGED: answered,
  IDEMPOTENCY_CONFLICT: answered,
  UNAVAILABLE: { reply: false, settle: 'hold' },
};

const attempts = [0, 1, 2, 3, 20];

test.each(FAILURE_CODES.filter((code) => code !== 'INTERNAL'))('%s settles one way, whatever the attempt', (code) => {
  for (const attempt of attempts) {
    for (const admin of [false, true]) expect(decideSettlement({ code, attempt, admin })).toEqual(EXPECTED[code]);
  }
});

test('success is answered and acknowledged', () => {
  for (const attempt of attempts) expect(decideSettlement({ code: null, attempt, admin: false })).toEqual(answered);
});

test('a defect climbs every step of the ladder unanswered, then is answered and parked', () => {
  const steps = RETRY_STEPS.map((_, attempt) => decideSettlement({ code: 'INTERNAL', attempt, admin: false }));
  expect(steps).toEqual(RETRY_STEPS.map((_, retryStep) => ({ reply: false, settle: { retryStep } })));
  // A forged or broken attempt header ends the ladder instead of starting it anew.
  for (const attempt of [RETRY_STEPS.length, 99, -1, 0.5, Number.NaN]) {
    expect(decideSettlement({ code: 'INTERNAL', attempt, admin: false })).toEqual(answeredAndParked);
  }
});

test('an operator’s request that meets a defect is answered and parked at once', () => {
  for (const attempt of attempts) {
    expect(decideSettlement({ code: 'INTERNAL', attempt, admin: true })).toEqual(answeredAndParked);
  }
});

test('a caller that asks too much is told when to come back, and not held', () => {
  for (const attempt of attempts) {
    for (const admin of [false, true]) {
      expect(decideSettlement({ code: 'UNAVAILABLE', retryAfterMs: 0, attempt, admin })).toEqual(answered);
      expect(decideSettlement({ code: 'UNAVAILABLE', retryAfterMs: 250, attempt, admin })).toEqual(answered);
    }
  }
});
