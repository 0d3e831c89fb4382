import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ACTION_TYPES } from '../../contracts/fields.js';
import { forecastCapacity } from '../../src/decide/limits/forecast-capacity.js';
import { DEFAULT_LIMITS } from '../../src/decide/limits/limits-policy.js';
import { policyFor, reducePolicy, reentersSince, reentryEndsAt } from '../../src/decide/limits/reentry.js';

const at = (iso: string): number => Date.parse(iso);
const reentry = { days: 3, share: 0.5 };
const limits = { policy: DEFAULT_LIMITS, reentry };
const ended = (iso: string | null) => ({ blockedUntil: null, lastBlockEndedAt: iso === null ? null : at(iso) });

test('an account that was never blocked has the policy itself', () => {
  expect(policyFor(ended(null), limits, at('2026-03-01T12:00:00Z'))).toBe(DEFAULT_LIMITS);
});

test.each([
  ['2026-03-01T00:00:00.000Z', '2026-03-04T00:00:00.000Z'],
  ['2026-03-01T23:59:59.999Z', '2026-03-04T00:00:00.000Z'],
])('a block that ended at %s is felt until %s, a midnight', (endedAt, until) => {
  expect(reentryEndsAt(ended(endedAt), reentry, at(endedAt))).toBe(at(until));
  expect(reentryEndsAt(ended(endedAt), reentry, at(until) - 1)).toBe(at(until));
  expect(reentryEndsAt(ended(endedAt), reentry, at(until))).toBeNull();
  expect(reentryEndsAt(ended(endedAt), { days: 0, share: 0.5 }, at(endedAt))).toBeNull();
});

test('during a block its end counts, not that of the one before', () => {
  const blocks = { blockedUntil: at('2026-03-05T10:00:00Z'), lastBlockEndedAt: at('2026-01-01T00:00:00Z') };
  expect(reentryEndsAt(blocks, reentry, at('2026-03-04T10:00:00Z'))).toBe(at('2026-03-08T00:00:00Z'));
  expect(reentryEndsAt(blocks, { days: 0, share: 0.5 }, at('2026-03-04T10:00:00Z'))).toBeNull();
});

test('only daily limits are reduced, none to nothing, and none that is nothing to something', () => {
  const odd = {
    ...DEFAULT_LIMITS,
    invite: { ...DEFAULT_LIMITS.invite, dailyLimit: 1 },
    message: { ...DEFAULT_LIMITS.message, dailyLimit: 0 },
    parse: { ...DEFAULT_LIMITS.parse, dailyLimit: null },
    add_contact: { ...DEFAULT_LIMITS.add_contact, dailyLimit: 15 },
  };
  const reduced = reducePolicy(odd, reentry);
  expect(ACTION_TYPES.map((action) => reduced[action].dailyLimit)).toEqual([1, 0, 7, 10, 10, null]);
  for (const action of ACTION_TYPES) {
    expect({ ...reduced[action], dailyLimit: null }).toEqual({ ...odd[action], dailyLimit: null });
  }
  expect(reducePolicy(DEFAULT_LIMITS, { days: 3, share: 1 })).toEqual(DEFAULT_LIMITS);
});

test('the database and the rules mean the same accounts', () => {
  const instant = fc.integer({ min: at('2026-02-20T00:00:00Z'), max: at('2026-03-10T00:00:00Z') });
  fc.assert(
    fc.property(instant, instant, fc.integer({ min: 0, max: 10 }), (blockEnd, now, days) => {
      const given = { days, share: 0.5 };
      const enters = reentryEndsAt({ blockedUntil: null, lastBlockEndedAt: blockEnd }, given, now) !== null;
      expect(blockEnd >= reentersSince(given, now)).toBe(enters);
    }),
  );
});

test('the forecast is what the daily limits leave, within the hours that are left', () => {
  const today = '2026-03-01';
  const groups = [
    { actionType: 'invite', usage: { day: today, dayCount: 28 }, accounts: 2 },
    { actionType: 'invite', usage: { day: today, dayCount: 40 }, accounts: 1 },
    { actionType: 'invite', usage: { day: '2026-02-28', dayCount: 30 }, accounts: 1 },
  ] as const;
  const cohorts = [
    { reenters: false, able: 5, groups },
    { reenters: true, able: 1, groups: [] },
  ];
  // 2 × 2 + 0 + 30 + 30, and 15 of the account that re-enters.
  expect(forecastCapacity(cohorts, limits, at('2026-03-01T10:00:00Z')).invite).toBe(79);
  // In the last hour five at most from each that has five left.
  expect(forecastCapacity(cohorts, limits, at('2026-03-01T23:30:00Z')).invite).toBe(2 * 2 + 5 + 5 + 5);
  expect(forecastCapacity([], limits, at('2026-03-01T10:00:00Z')).invite).toBe(0);
  const unlimited = {
    reentry,
    policy: { ...DEFAULT_LIMITS, parse: { ...DEFAULT_LIMITS.parse, dailyLimit: null, hourlyLimit: null } },
  };
  expect(forecastCapacity(cohorts, unlimited, at('2026-03-01T10:00:00Z')).parse).toBeNull();
});
