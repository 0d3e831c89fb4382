import { clock } from '../clock.js';

/** How many rows a list has, counted up to a bound. */
export interface Count {
  total: number;
  total_is_at_least: boolean;
}

/** Lists of so many rows, or that are counted as fast, are counted for everybody who asks. */
const SMALL_LIST = 1_000;
const FAST_MS = 10;
/** The count of another one is told for so many times as long as counting took. */
const TOLD_PER_COUNT = 20;
/** Counts that are remembered at once. */
const MAX_REMEMBERED = 200;

/** Counts of large lists: counting 10,000 of 1,000,000 accounts takes half a second. */
export interface LargeCounts {
  /** Counts, or answers with the last count of the same list while that is young enough. `list`: names it, filters included. */
  of: (list: string, count: () => Promise<Count>) => Promise<Count>;
}

export function createLargeCounts(): LargeCounts {
  const remembered = new Map<string, { count: Count; until: number }>();

  const remember = (list: string, count: Count, tookMs: number): void => {
    remembered.delete(list);
    if (count.total <= SMALL_LIST || tookMs < FAST_MS) return;
    const [oldest] = remembered.keys();
    if (remembered.size >= MAX_REMEMBERED && oldest !== undefined) remembered.delete(oldest);
    remembered.set(list, { count, until: clock.monotonicMs() + tookMs * TOLD_PER_COUNT });
  };

  return {
    of: async (list, count) => {
      const last = remembered.get(list);
      if (last !== undefined && clock.monotonicMs() < last.until) return last.count;
      const startedAt = clock.monotonicMs();
      const counted = await count();
      remember(list, counted, clock.monotonicMs() - startedAt);
      return counted;
    },
  };
}
