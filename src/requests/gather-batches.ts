/** Answers a batch of items, in their order. */
export type RunBatch<Item, Answer> = (items: Item[]) => Promise<Answer[]>;

/**
 * Gathers items into batches: while as many batches are in work as may be the next gathers, so that a batch is what has
 * arrived meanwhile; with nothing in work an item starts at once. No timer, no latency added when idle.
 * @param options.weigh an item's weight; 1 where it is left out. A batch holds items of at most `maxBatch` in weight, and
 * one at the least.
 */
export function gatherBatches<Item, Answer>(
  run: RunBatch<Item, Answer>,
  { maxBatch, batches = 1, weigh = () => 1 }: { maxBatch: number; batches?: number; weigh?: (item: Item) => number },
): (item: Item) => Promise<Answer> {
  const gathered: { item: Item; resolve: (answer: Answer) => void; reject: (error: unknown) => void }[] = [];
  let working = 0;

  function sizeOfNext(): number {
    let weight = 0;
    const end = gathered.findIndex(({ item }, index) => (weight += weigh(item)) > maxBatch && index > 0);
    return end === -1 ? gathered.length : end;
  }

  async function work(): Promise<void> {
    // Items that one read from a socket delivers together arrive within one turn of the event loop.
    await new Promise(setImmediate);
    while (gathered.length > 0) {
      const batch = gathered.splice(0, sizeOfNext());
      try {
        const answers = await run(batch.map(({ item }) => item));
        batch.forEach(({ resolve }, index) => resolve(answers[index] as Answer));
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    working -= 1;
  }

  return (item) =>
    new Promise((resolve, reject) => {
      gathered.push({ item, resolve, reject });
      if (working >= batches) return;
      working += 1;
      void work();
    });
}
