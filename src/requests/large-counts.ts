import { clock } from '../clock.js';

/** How many rows a list has, counted up to a bound. */
export interface Count {
  total: number;
  total_is_at_least: boolean;
}

/** A count that stopped at its bound is told for so many times as long as it took, but no longer than `MAX_TOLD_MS`. */
const TOLD_PER_COUNT = 20;
const MAX_TOLD_MS = 10_000;
/** Lists that are remembered at once. */
const MAX_REMEMBERED = 200;

/** Counts of lists with more rows than are counted: counting 10,000 of 1,000,000 accounts takes up to half a second. */
export interface LargeCounts {
  /**
   * Counts, or answers that there are more than are counted where the same list had more a moment ago. A list that is counted
   * to its end is counted for everybody. `list`: names it, filters included.
   */
  of: (list: string, count: () => Promise<Count>) => Promise<Count>;
}

export function createLargeCounts(): LargeCounts {
  const remembered = new Map<string, { count: Count; until: number }>();

  const remember = (list: string, count: Count, tookMs: number): void => {
    remembered.delete(list);
    if (!count.total_is_at_least) return;
    const [oldest] = remembered.keys();
    if (remembered.size >= MAX_REMEMBERED && oldest !== undefined) remembered.delete(oldest);
    const toldMs = Math.min(tookMs * TOLD_PER_COUNT, MAX_TOLD_MS);
    remembered.set(list, { count, until: clock.monotonicMs() + toldMs });
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
