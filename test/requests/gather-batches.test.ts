import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { gatherBatches } from '../../src/requests/gather-batches.js';

/** Asks for everything at once; the batches that were made, and what was answered. */
async function gatherAll(weights: readonly number[], maxBatch: number) {
  const batches: number[][] = [];
  const ask = gatherBatches<number, number>(
    (items) => {
      batches.push(items);
      return Promise.resolve(items.map((index) => index * 2));
    },
    { maxBatch, weigh: (index) => weights[index] ?? 0 },
  );
  const answers = await Promise.all(weights.map((_weight, index) => ask(index)));
  return { batches, answers };
}

test('a batch weighs at most what it may, or holds one item; all are answered in order', async () => {
  const weights = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(weights, fc.integer({ min: 1, max: 30 }), async (given, maxBatch) => {
      const { batches, answers } = await gatherAll(given, maxBatch);
      expect(batches.flat()).toEqual(given.map((_weight, index) => index));
      expect(answers).toEqual(given.map((_weight, index) => index * 2));
      for (const [place, batch] of batches.entries()) {
        const weight = batch.reduce((sum, index) => sum + (given[index] ?? 0), 0);
        expect(weight <= maxBatch || batch.length === 1).toBe(true);
        // Nothing waits for a batch of its own that had room in the one before.
        const next = given[batches[place + 1]?.[0] ?? -1];
        if (next !== undefined) expect(weight + next).toBeGreaterThan(maxBatch);
      }
    }),
  );
});
