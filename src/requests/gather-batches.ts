/** Answers a batch of items, in their order. */
export type RunBatch<Item, Answer> = (items: Item[]) => Promise<Answer[]>;

/**
 * Gathers items into batches: while as many batches are in work as may be the next gathers, so that a batch is what has
 * arrived meanwhile; with nothing in work an item starts at once. No timer, no latency added when idle.
 */
export function gatherBatches<Item, Answer>(
  run: RunBatch<Item, Answer>,
  { maxBatch, batches = 1 }: { maxBatch: number; batches?: number },
): (item: Item) => Promise<Answer> {
  let gathered: { item: Item; resolve: (answer: Answer) => void; reject: (error: unknown) => void }[] = [];
  let working = 0;

  async function work(): Promise<void> {
    // Items that one read from a socket delivers together arrive within one turn of the event loop.
    await new Promise(setImmediate);
    while (gathered.length > 0) {
      const batch = gathered.slice(0, maxBatch);
      gathered = gathered.slice(maxBatch);
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
