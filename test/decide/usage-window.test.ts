import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type ActionPolicy, DEFAULT_LIMITS } from '../../src/decide/limits/limits-policy.js';
import {
  type ChannelUsage,
  countActions,
  countInChannel,
  dayCountOn,
  EMPTY_CHANNEL_USAGE,
  EMPTY_WINDOW,
  nextUtcMidnight,
  recentOn,
  utcDay,
} from '../../src/decide/limits/usage-window.js';
import { HOUR_MS } from '../../src/decide/time-units.js';

const noon = Date.parse('2026-03-01T12:00:00.000Z');
const midnight = Date.parse('2026-03-02T00:00:00.000Z');
const policy = DEFAULT_LIMITS.invite;

test.each([
  ['2026-03-01T00:00:00.000Z', '2026-03-01', '2026-03-02T00:00:00.000Z'],
  ['2026-03-01T23:59:59.999Z', '2026-03-01', '2026-03-02T00:00:00.000Z'],
  ['2028-02-28T23:59:59.999Z', '2028-02-28', '2028-02-29T00:00:00.000Z'],
  ['2026-12-31T12:00:00.000Z', '2026-12-31', '2027-01-01T00:00:00.000Z'],
  // An hour is skipped in Europe and America on such days; UTC knows nothing of it.
  ['2026-03-29T01:30:00.000Z', '2026-03-29', '2026-03-30T00:00:00.000Z'],
])('%s is of the date %s, which ends at %s', (instant, day, end) => {
  expect(utcDay(Date.parse(instant))).toBe(day);
  expect(nextUtcMidnight(Date.parse(instant))).toBe(Date.parse(end));
});

test('one action is counted everywhere', () => {
  expect(countActions(EMPTY_WINDOW, 1, policy, noon)).toEqual({
    recentAt: [noon],
    burstCount: 1,
    lastActionAt: noon,
    day: '2026-03-01',
    dayCount: 1,
  });
});

test('a burst goes on just before its pause has passed, and a new one begins when it has', () => {
  const first = countActions(EMPTY_WINDOW, 2, policy, noon);
  const pauseMs = 300_000;
  expect(countActions(first, 1, policy, noon + pauseMs - 1).burstCount).toBe(3);
  expect(countActions(first, 1, policy, noon + pauseMs).burstCount).toBe(1);
});

test('an action leaves the hour after exactly 60 minutes', () => {
  const window = countActions(EMPTY_WINDOW, 1, policy, noon);
  expect(recentOn(window, noon + HOUR_MS - 1)).toEqual([noon]);
  expect(recentOn(window, noon + HOUR_MS)).toEqual([]);
  expect(countActions(window, 1, policy, noon + HOUR_MS).recentAt).toEqual([noon + HOUR_MS]);
});

test('the day’s count is right at midnight, with no reset', () => {
  const window = countActions(EMPTY_WINDOW, 5, policy, midnight - 1);
  expect(dayCountOn(window, midnight - 1)).toBe(5);
  expect(dayCountOn(window, midnight)).toBe(0);
  expect(countActions(window, 2, policy, midnight)).toMatchObject({ day: '2026-03-02', dayCount: 2 });
});

test('a channel’s total outlives every midnight', () => {
  const usage = countInChannel(countInChannel(EMPTY_CHANNEL_USAGE, 3, midnight - 1), 2, midnight);
  expect(usage).toEqual({ day: '2026-03-02', dayCount: 2, total: 5 });
});

test('counting nothing changes nothing', () => {
  expect(countActions(EMPTY_WINDOW, 0, policy, noon)).toBe(EMPTY_WINDOW);
  expect(countInChannel(EMPTY_CHANNEL_USAGE, 0, noon)).toBe(EMPTY_CHANNEL_USAGE);
});

test('a row stays bounded: the newest thousand, or as many as the hourly limit needs', () => {
  const busy = countActions(countActions(EMPTY_WINDOW, 1, policy, noon), 100_000, policy, noon + 1);
  expect(busy.recentAt).toHaveLength(1000);
  expect(busy.recentAt[0]).toBe(noon + 1);
  expect(busy.dayCount).toBe(100_001);
  const wide: ActionPolicy = { ...policy, hourlyLimit: 3000 };
  expect(countActions(EMPTY_WINDOW, 5000, wide, noon).recentAt).toHaveLength(3000);
});

test('a clock set back over midnight opens neither the day nor the hour', () => {
  const window = countActions(EMPTY_WINDOW, 4, policy, midnight);
  expect(dayCountOn(window, midnight - 1)).toBe(4);
  expect(countActions(window, 1, policy, midnight - 1)).toEqual({
    recentAt: [midnight, midnight, midnight, midnight, midnight],
    burstCount: 5,
    lastActionAt: midnight,
    day: '2026-03-02',
    dayCount: 5,
  });
  const usage: ChannelUsage = { day: '2026-03-02', dayCount: 4, total: 9 };
  expect(countInChannel(usage, 1, midnight - 1)).toEqual({ day: '2026-03-02', dayCount: 5, total: 10 });
});

test('however the clock moves, recent actions stay ascending and nothing is lost from the day or the total', () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: -7_200_000, max: 7_200_000 }), fc.nat(5)), { maxLength: 40 });
  fc.assert(
    fc.property(steps, (moves) => {
      let window = EMPTY_WINDOW;
      let usage = EMPTY_CHANNEL_USAGE;
      let now = noon;
      let done = 0;
      for (const [move, quantity] of moves) {
        now += move;
        const before = dayCountOn(window, now);
        window = countActions(window, quantity, policy, now);
        usage = countInChannel(usage, quantity, now);
        done += quantity;
        expect(dayCountOn(window, now)).toBe(before + quantity);
        expect(window.recentAt).toEqual([...window.recentAt].sort((a, b) => a - b));
        expect(usage.total).toBe(done);
      }
    }),
  );
});
