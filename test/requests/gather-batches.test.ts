import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { gatherBatches } from '../../src/requests/gather-batches.js';
import { eventually } from '../support/eventually.js';

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

/** Batches that end when they are told to. */
function createHeldBatches(most: number) {
  const begun: { items: number[]; end: () => void }[] = [];
  const ask = gatherBatches<number, number>(
    (items) => new Promise((resolve) => begun.push({ items, end: () => resolve(items) })),
    { maxBatch: 100, batches: most },
  );
  return { begun, ask };
}

test('the next batch begins beside a slow one, and only one at a time once none is slow', async () => {
  const { begun, ask } = createHeldBatches(2);
  const items = () => begun.map((batch) => batch.items);
  const first = ask(1);
  await eventually('the first batch', () => begun.length === 1);
  const second = [ask(2), ask(3)];
  await new Promise(setImmediate);
  expect(items()).toEqual([[1]]);
  await eventually('a batch beside the slow one', () => begun.length === 2);
  expect(items()).toEqual([[1], [2, 3]]);

  const third = [ask(4), ask(5)];
  begun[0]?.end();
  await first;
  await eventually('the rest, once there is room', () => begun.length === 3);
  expect(items()).toEqual([[1], [2, 3], [4, 5]]);
  begun[1]?.end();
  begun[2]?.end();
  expect(await Promise.all([...second, ...third])).toEqual([2, 3, 4, 5]);

  const last = ask(6);
  await eventually('a batch after all have ended', () => begun.length === 4);
  expect(items().at(-1)).toEqual([6]);
  begun.at(-1)?.end();
  expect(await last).toBe(6);
});
