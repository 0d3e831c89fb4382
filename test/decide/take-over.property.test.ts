import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { NEW_CONDITION } from '../../src/decide/condition/account-condition.js';
import { recoveryAt } from '../../src/decide/condition/plan-recovery.js';
import { applyError, applyOperatorStatus, takeOver } from '../../src/decide/condition/transition-account.js';
import { evaluateLimits } from '../../src/decide/limits/evaluate-limits.js';
import { DEFAULT_LIMITS } from '../../src/decide/limits/limits-policy.js';
import { takeOverChannel, takeOverUsage } from '../../src/decide/limits/take-over-usage.js';
import { countActions, EMPTY_CHANNEL_USAGE, EMPTY_WINDOW } from '../../src/decide/limits/usage-window.js';

const NOW = Date.parse('2026-03-02T13:00:30.000Z');
const HOUR = 3_600_000;
const instant = fc.integer({ min: NOW - 200 * HOUR, max: NOW + 200 * HOUR });
const standing = fc.record({
  status: fc.constantFrom(null, 'active', 'flood_wait', 'blocked', 'draining', 'disabled'),
  floodWaitUntil: fc.option(instant),
  blockedUntil: fc.option(instant),
  disabledReason: fc.constantFrom(null, 'banned', 'needs_reauth', 'manual'),
} as const);
const condition = fc
  .record({
    flood: fc.option(fc.integer({ min: 1, max: 500_000 })),
    block: fc.boolean(),
    operator: fc.constantFrom(null, 'disabled', 'draining'),
  } as const)
  .map(({ flood, block, operator }) => {
    let made = NEW_CONDITION;
    if (flood !== null)
      made = applyError(
        made,
        { errorClass: 'flood_wait', effect: { kind: 'wait', waitSeconds: flood } },
        NOW - HOUR,
      ).condition;
    if (block) made = applyError(made, { errorClass: 'peer_flood', effect: { kind: 'block' } }, NOW - HOUR).condition;
    return operator === null ? made : applyOperatorStatus(made, operator, { force: false }, NOW - HOUR);
  });

test('the condition taken over is the worse of both, and the same when taken over twice', () => {
  fc.assert(
    fc.property(condition, standing, (before, given) => {
      const after = takeOver(before, given, NOW);
      const ends = [before.floodWaitUntil, before.blockedUntil, given.floodWaitUntil, given.blockedUntil];
      const latest = Math.max(...ends.map((end) => (end !== null && end > NOW ? end : 0)));
      expect(Math.max(after.floodWaitUntil ?? 0, after.blockedUntil ?? 0)).toBe(latest);
      const isDisabled = before.status === 'disabled' || given.status === 'disabled' || given.disabledReason !== null;
      expect(after.status === 'disabled').toBe(isDisabled);
      const isDraining = before.status === 'draining' || given.status === 'draining';
      if (!isDisabled) expect(after.status === 'draining').toBe(isDraining);
      if (!isDisabled && !isDraining) expect(after.status === 'active').toBe(latest === 0);
      if (after.status === 'active') expect(recoveryAt(after)).toBeNull();
      if (given.blockedUntil !== null) expect(after.blockLevel).toBeGreaterThan(0);
      expect(takeOver(after, given, NOW)).toBe(after);
    }),
  );
});

const ages = fc.array(fc.integer({ min: -10_000, max: HOUR + 100_000 }), { maxLength: 12 });

test('usage that is taken over allows nothing that either of both forbids, and twice changes nothing', () => {
  fc.assert(
    fc.property(ages, ages, fc.nat(40), (here, there, today) => {
      const policy = DEFAULT_LIMITS.invite;
      const windowOf = (list: readonly number[]) =>
        [...list]
          .filter((age) => age >= 0)
          .sort((a, b) => b - a)
          .reduce((window, age) => countActions(window, 1, policy, NOW - age), EMPTY_WINDOW);
      const window = windowOf(here);
      const given = { today, lastHourAt: there.map((age) => NOW - age) };
      const after = takeOverUsage(window, given, policy, NOW);
      const judge = (of: typeof window) => evaluateLimits({ window: of, channel: null, policy }, NOW);
      const elsewhere = windowOf(there.map((age) => Math.max(0, age)).filter((age) => age < HOUR));
      for (const stricter of [window, elsewhere]) {
        const { checks, nextAllowedAt } = judge(stricter);
        expect(judge(after).checks.hourly.used).toBeGreaterThanOrEqual(checks.hourly.used);
        expect(judge(after).checks.daily.used).toBeGreaterThanOrEqual(checks.daily.used);
        if (nextAllowedAt !== null)
          expect(judge(after).nextAllowedAt ?? Infinity).toBeGreaterThanOrEqual(nextAllowedAt);
      }
      expect(judge(after).checks.daily.used).toBeGreaterThanOrEqual(today);
      expect(takeOverUsage(after, given, policy, NOW)).toEqual(after);
    }),
  );
});

test('a channel keeps the greater of two counts', () => {
  const given = { today: 3, total: 10 };
  expect(takeOverChannel(EMPTY_CHANNEL_USAGE, given, NOW)).toEqual({ day: '2026-03-02', dayCount: 3, total: 10 });
  const here = { day: '2026-03-02', dayCount: 5, total: 7 };
  expect(takeOverChannel(here, given, NOW)).toEqual({ day: '2026-03-02', dayCount: 5, total: 10 });
  expect(takeOverChannel({ ...here, day: '2026-03-01' }, { today: 0, total: 1 }, NOW)).toEqual({
    ...here,
    day: '2026-03-01',
  });
});
