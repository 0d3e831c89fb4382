import { expect, jest, test } from '@jest/globals';
import { clock } from '../../src/clock.js';
import { createLargeCounts } from '../../src/requests/large-counts.js';

/** Counts that take so long, each one more than the one before. */
function counting(tookMs: number, isMore = true) {
  let now = 0;
  let counted = 0;
  jest.spyOn(clock, 'monotonicMs').mockImplementation(() => now);
  const counts = createLargeCounts();
  return {
    ask: async (list = 'all'): Promise<number> => {
      const answer = await counts.of(list, () => {
        now += tookMs;
        counted += 1;
        return Promise.resolve({ total: counted, total_is_at_least: isMore });
      });
      return answer.total;
    },
    passes: (ms: number) => void (now += ms),
  };
}

test.each([
  [100, 2_000],
  [600, 10_000],
])('a list with more rows than are counted, in %d ms, is counted anew after %d ms', async (tookMs, toldMs) => {
  const { ask, passes } = counting(tookMs);
  expect(await ask()).toBe(1);
  passes(toldMs - 1);
  expect(await ask()).toBe(1);
  passes(1);
  expect(await ask()).toBe(2);
});

test('a list that is counted to its end is counted for everybody', async () => {
  const { ask } = counting(600, false);
  expect([await ask(), await ask()]).toEqual([1, 2]);
});

test('each list has a count of its own, and the oldest give way', async () => {
  const { ask } = counting(1);
  expect(await ask('one')).toBe(1);
  expect(await ask('another')).toBe(2);
  for (let n = 0; n < 199; n++) await ask(`list ${n}`);
  expect(await ask('one')).toBe(202);
});
