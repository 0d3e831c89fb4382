/** Answers a batch of items, in their order. */
export type RunBatch<Item, Answer> = (items: Item[]) => Promise<Answer[]>;

/** A batch that takes longer waits for something, such as a lock: the next begins beside it. */
const SLOW_MS = 100;

/**
 * Gathers items into batches: while one is in work the next gathers, so that a batch is what has arrived meanwhile; with
 * nothing in work an item starts at once. No latency is added when idle.
 * @param options.batches how many may be in work where those before are slow; 1 where it is left out
 * @param options.weigh an item's weight; 1 where it is left out. A batch holds items of at most `maxBatch` in weight, and
 * one at the least.
 */
export function gatherBatches<Item, Answer>(
  run: RunBatch<Item, Answer>,
  { maxBatch, batches = 1, weigh = () => 1 }: { maxBatch: number; batches?: number; weigh?: (item: Item) => number },
): (item: Item) => Promise<Answer> {
  const gathered: { item: Item; resolve: (answer: Answer) => void; reject: (error: unknown) => void }[] = [];
  let working = 0;
  /** How many of those in work are slow. */
  let slow = 0;

  function sizeOfNext(): number {
    let weight = 0;
    const end = gathered.findIndex(({ item }, index) => (weight += weigh(item)) > maxBatch && index > 0);
    return end === -1 ? gathered.length : end;
  }

  function beginNext(): void {
    if (gathered.length === 0 || working > slow || working >= batches) return;
    working += 1;
    void work();
  }

  async function work(): Promise<void> {
    // Items that one read from a socket delivers together arrive within one turn of the event loop.
    await new Promise(setImmediate);
    // One that went on beside a slow batch leaves again once there is none.
    while (gathered.length > 0 && working - 1 <= slow) await runNext();
    working -= 1;
    beginNext();
  }

  async function runNext(): Promise<void> {
    const batch = gathered.splice(0, sizeOfNext());
    const state = { isSlow: false };
    const timer = setTimeout(() => {
      state.isSlow = true;
      slow += 1;
      beginNext();
    }, SLOW_MS);
    try {
      const answers = await run(batch.map(({ item }) => item));
      batch.forEach(({ resolve }, index) => resolve(answers[index] as Answer));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      clearTimeout(timer);
      if (state.isSlow) slow -= 1;
    }
  }

  return (item) =>
    new Promise((resolve, reject) => {
      gathered.push({ item, resolve, reject });
      beginNext();
    });
}
