import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fullBucket, takeToken } from '../../src/decide/access/token-bucket.js';

const perSecond = fc.double({ min: 0.001, max: 10_000, noNaN: true });
const pausesMs = fc.array(fc.double({ min: 0, max: 3_000, noNaN: true }), { minLength: 1, maxLength: 200 });

/** Asks after each pause; answers the instants at which a token was taken. */
const takenAt = (rate: number, pauses: readonly number[]): number[] => {
  let now = 0;
  let bucket = fullBucket(rate, now);
  return pauses.flatMap((pause) => {
    now += pause;
    const asked = takeToken(bucket, rate, now);
    bucket = asked.bucket;
    return asked.taken ? now : [];
  });
};

test('over any time no more than a second’s worth and the rate are taken', () => {
  fc.assert(
    fc.property(perSecond, pausesMs, (rate, pauses) => {
      const taken = takenAt(rate, pauses);
      for (let from = 0; from < taken.length; from++) {
        for (let to = from; to < taken.length; to++) {
          const most = Math.max(1, rate) + (rate * (taken[to]! - taken[from]!)) / 1000;
          expect(to - from + 1).toBeLessThanOrEqual(most + 1e-6);
        }
      }
    }),
  );
});

test('who keeps to the rate is never refused', () => {
  fc.assert(
    fc.property(perSecond, fc.integer({ min: 1, max: 300 }), (rate, requests) => {
      const pauses = Array.from({ length: requests }, () => 1000 / rate);
      expect(takenAt(rate, pauses)).toHaveLength(requests);
    }),
  );
});

test('who is refused is let in after the pause it was told, and not a hundredth of a request before', () => {
  fc.assert(
    fc.property(perSecond, pausesMs, (rate, pauses) => {
      let now = 0;
      let bucket = fullBucket(rate, now);
      for (const pause of pauses) {
        now += pause;
        const asked = takeToken(bucket, rate, now);
        bucket = asked.bucket;
        expect(bucket.tokens).toBeGreaterThanOrEqual(0);
        if (asked.taken) continue;
        expect(asked.retryAfterMs).toBeGreaterThan(0);
        expect(takeToken(bucket, rate, now + asked.retryAfterMs).taken).toBe(true);
        // Rounded up to a whole millisecond.
        const sooner = asked.retryAfterMs - 1 - 10 / rate;
        if (sooner > 0) expect(takeToken(bucket, rate, now + sooner).taken).toBe(false);
      }
    }),
  );
});
