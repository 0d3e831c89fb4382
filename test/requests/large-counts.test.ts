import { expect, jest, test } from '@jest/globals';
import { clock } from '../../src/clock.js';
import { createLargeCounts } from '../../src/requests/large-counts.js';

/** Counts that take so long, each one more than the one before. */
function counting(tookMs: number, total: number) {
  let now = 0;
  let counted = 0;
  jest.spyOn(clock, 'monotonicMs').mockImplementation(() => now);
  const counts = createLargeCounts();
  return {
    ask: async (list = 'all'): Promise<number> => {
      const answer = await counts.of(list, () => {
        now += tookMs;
        counted += 1;
        return Promise.resolve({ total: total + counted, total_is_at_least: false });
      });
      return answer.total;
    },
    passes: (ms: number) => void (now += ms),
  };
}

test('a large list that takes long to count is counted anew after twenty times as long', async () => {
  const { ask, passes } = counting(600, 10_000);
  expect(await ask()).toBe(10_001);
  passes(11_999);
  expect(await ask()).toBe(10_001);
  passes(1);
  expect(await ask()).toBe(10_002);
});

test.each([
  ['a small one', 600, 900],
  ['one that is counted fast', 9, 10_000],
])('%s is counted for everybody', async (_what, tookMs, total) => {
  const { ask } = counting(tookMs, total);
  expect([await ask(), await ask()]).toEqual([total + 1, total + 2]);
});

test('each list has a count of its own, and the oldest give way', async () => {
  const { ask } = counting(600, 10_000);
  expect(await ask('one')).toBe(10_001);
  expect(await ask('another')).toBe(10_002);
  for (let n = 0; n < 199; n++) await ask(`list ${n}`);
  expect(await ask('one')).toBe(10_202);
  expect(await ask('list 198')).toBe(10_201);
});
