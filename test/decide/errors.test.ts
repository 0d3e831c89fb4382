import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type AccountCondition, NEW_CONDITION } from '../../src/decide/condition/account-condition.js';
import { addError, errorsOn, forgiveError, MAX_ERROR_COUNT } from '../../src/decide/condition/errors.js';
import { applyError, recoverNow, settleCondition } from '../../src/decide/condition/transition-account.js';

const HOUR = 3_600_000;
const WINDOW = 24 * HOUR;
const now = Date.parse('2026-11-29T12:00:00.000Z');
const countError = { errorClass: 'other', effect: { kind: 'count_error' } } as const;

const fail = (condition: AccountCondition, at: number): AccountCondition =>
  applyError(condition, countError, at, WINDOW).condition;

test('an error counts for the length of the window, and not at its end', () => {
  const once = fail(NEW_CONDITION, now);
  expect(once.errorCount).toBe(1);
  expect(errorsOn(once, now + WINDOW - 1)).toBe(once);
  expect(errorsOn(once, now + WINDOW)).toEqual(NEW_CONDITION);
  expect(settleCondition(once, now + WINDOW)).toEqual({ condition: NEW_CONDITION, recovered: false });
});

test('a slow drip never adds up, a burst does', () => {
  let slow = NEW_CONDITION;
  for (let n = 0; n < 100; n++) slow = fail(slow, now + n * 23 * HOUR);
  expect(slow.errorCount).toBe(2);
  let fast = NEW_CONDITION;
  for (let n = 0; n < 300; n++) fast = fail(fast, now + n);
  expect(fast.errorCount).toBe(MAX_ERROR_COUNT);
  expect(fast.errorEnds).toHaveLength(MAX_ERROR_COUNT);
});

test('a count without instants stays until it is lowered or ended', () => {
  const old = { ...NEW_CONDITION, errorCount: 5 };
  expect(errorsOn(old, now + 100 * WINDOW)).toBe(old);
  expect(forgiveError(old, now, WINDOW).errorCount).toBe(4);
  expect(recoverNow(old, { force: false }, now)).toEqual(NEW_CONDITION);
});

test('a lease that ended well takes one error off, a lease with an error none', () => {
  const troubled = fail(fail(NEW_CONDITION, now), now + 1);
  const lease = now + HOUR;
  expect(forgiveError(troubled, lease, WINDOW)).toMatchObject({ errorCount: 1, errorEnds: [now + 1 + WINDOW] });
  expect(forgiveError(forgiveError(troubled, lease, WINDOW), lease, WINDOW)).toEqual(NEW_CONDITION);
  expect(forgiveError(NEW_CONDITION, lease, WINDOW)).toBe(NEW_CONDITION);
  const during = fail(troubled, lease);
  expect(forgiveError(during, lease, WINDOW)).toBe(during);
  const waiting = { ...troubled, status: 'flood_wait', floodWaitUntil: now + WINDOW } as const;
  expect(forgiveError(waiting, lease, WINDOW)).toBe(waiting);
});

test('the count is that of the errors of the window, in whatever order time goes', () => {
  const times = fc.array(fc.integer({ min: 0, max: 3 * WINDOW }), { maxLength: 60 });
  fc.assert(
    fc.property(times, fc.integer({ min: 0, max: 5 * WINDOW }), (reportedAt, laterBy) => {
      const condition = reportedAt.reduce<AccountCondition>(
        (before, at) => ({ ...before, ...addError(before, WINDOW, now + at) }),
        NEW_CONDITION,
      );
      const at = now + laterBy;
      const expected = reportedAt.filter((reported) => now + reported + WINDOW > at).length;
      expect(errorsOn(condition, at).errorCount).toBe(expected);
      const ends = errorsOn(condition, at).errorEnds ?? [];
      expect([...ends]).toEqual([...ends].sort((a, b) => a - b));
    }),
  );
});
