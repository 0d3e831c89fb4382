import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { mergeSamples, pointsOf, quantile, type Sample, usualStep } from '../../src/decide/series/samples.js';

const BOUNDS = [1, 10, 100, 1_000];
const HOUR = 3_600_000;

test('a quantile lies between the bounds of the value that it is', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 200 }),
      fc.constantFrom(0.5, 0.99),
      (lengths, share) => {
        const boundOf = (length: number) => BOUNDS.findIndex((bound) => length <= bound);
        const counts = BOUNDS.map((_, index) => lengths.filter((length) => boundOf(length) === index).length);
        const sorted = lengths.toSorted((a, b) => a - b);
        const index = boundOf(sorted[Math.ceil(share * sorted.length) - 1] ?? 0);
        const estimate = quantile(share, counts, BOUNDS);
        expect(estimate).toBeLessThanOrEqual(BOUNDS[index] ?? 0);
        expect(estimate).toBeGreaterThanOrEqual(BOUNDS[index - 1] ?? 0);
      },
    ),
  );
  expect(quantile(0.5, [0, 0], BOUNDS)).toBe(0);
});

test('merged, counts add up, measures have their mean, and the worst p99 holds', () => {
  const values = (n: number) => ({ grants: n, 'leases.open': n, 'requests.query.p99_ms': n });
  const merged = mergeSamples(
    [
      { at: HOUR + 60_000, values: values(4) },
      { at: 120_000, values: values(1) },
      { at: HOUR, values: values(1) },
      { at: HOUR + 120_000, values: {} },
    ],
    HOUR,
  );
  expect(merged).toEqual([
    { at: 0, values: values(1) },
    { at: HOUR, values: { grants: 5, 'leases.open': 2.5, 'requests.query.p99_ms': 4 } },
  ]);
});

test('a count that a sample lacks was zero; a measure that it lacks is unknown', () => {
  const samples: Sample[] = [
    { at: 0, values: { grants: 2, 'leases.open': 3 } },
    { at: 60_000, values: {} },
  ];
  expect(pointsOf('grants', samples)).toEqual([
    [0, 2],
    [60_000, 0],
  ]);
  expect(pointsOf('leases.open', samples)).toEqual([[0, 3]]);
});

test.each([
  [HOUR, 60],
  [6 * HOUR, 60],
  [7 * HOUR, 300],
  [48 * HOUR, 900],
  [90 * 24 * HOUR, 21_600],
  [1_000 * 24 * HOUR, 86_400],
])('%d ms are told in steps of %d s', (length, seconds) => {
  expect(usualStep(length)).toBe(seconds);
});
