import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createEstimatedClock } from '../../src/store/estimated-clock.js';

/** The database's clock is so much ahead of the process's. */
const AHEAD = 1_700_000_000_000;

function startClock() {
  let ownMs = 0;
  return {
    clock: createEstimatedClock(() => ownMs),
    wait: (ms: number) => (ownMs += ms),
    trueNow: () => ownMs + AHEAD,
  };
}

test('nothing is known before the first reading', () => {
  expect(startClock().clock.now()).toBeNull();
});

test('it never runs ahead of the database, and is behind by the shortest way of a reading at most', () => {
  const reading = fc.record({ pauseMs: fc.integer({ min: 0, max: 4_000 }), wayMs: fc.integer({ min: 0, max: 500 }) });
  fc.assert(
    fc.property(fc.array(reading, { minLength: 1, maxLength: 40 }), (readings) => {
      const { clock, wait, trueNow } = startClock();
      for (const { pauseMs, wayMs } of readings) {
        wait(pauseMs);
        const readAt = trueNow();
        wait(wayMs);
        clock.note(readAt);
        const now = clock.now() ?? Number.NaN;
        expect(now).toBeLessThanOrEqual(trueNow());
        expect(now).toBeGreaterThanOrEqual(trueNow() - wayMs - 1);
      }
    }),
  );
});

test('a reading that came quickly is worth more than later ones', () => {
  const { clock, wait, trueNow } = startClock();
  clock.note(trueNow());
  const late = trueNow();
  wait(100);
  clock.note(late);
  expect(clock.now()).toBe(trueNow());
});

test('readings that are long past count no more', () => {
  const { clock, wait, trueNow } = startClock();
  clock.note(trueNow());
  wait(4_000);
  expect(clock.now()).not.toBeNull();
  wait(20_000);
  expect(clock.now()).toBeNull();
  clock.note(trueNow() - 7);
  expect(clock.now()).toBe(trueNow() - 7);
});

test('a clock that is forgotten is read anew', () => {
  const { clock, trueNow } = startClock();
  clock.note(trueNow());
  clock.forget();
  expect(clock.now()).toBeNull();
});
