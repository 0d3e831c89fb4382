/** An estimate of the database's clock, by this process's own rising one; never ahead of it unless that is set back. */
export interface EstimatedClock {
  /** Epoch milliseconds, whole; null before the first reading and once the last is too old. */
  now: () => number | null;
  /** Takes a reading, as soon as it has arrived. */
  note: (readAt: number) => void;
  /** It has been set back, or this process stood still. */
  forget: () => void;
}

/** In this time two clocks drift apart by less than a millisecond. */
const LIFE_MS = 5_000;

/**
 * A reading is older when it arrives than when it was made, so the clock is ahead of it: of several the one that was on
 * its way for the shortest time counts.
 */
export function createEstimatedClock(monotonicMs: () => number): EstimatedClock {
  /** The database's clock minus this process's, at the least; of the present stretch of time and of the one before. */
  let least = Number.NEGATIVE_INFINITY;
  let leastBefore = Number.NEGATIVE_INFINITY;
  let since = 0;
  return {
    now: () => {
      const at = monotonicMs();
      const offset = Math.max(least, leastBefore);
      return offset === Number.NEGATIVE_INFINITY || at - since > 2 * LIFE_MS ? null : Math.floor(at + offset);
    },
    note: (readAt) => {
      const at = monotonicMs();
      if (at - since > LIFE_MS) {
        leastBefore = at - since > 2 * LIFE_MS ? Number.NEGATIVE_INFINITY : least;
        least = Number.NEGATIVE_INFINITY;
        since = at;
      }
      least = Math.max(least, readAt - at);
    },
    forget: () => {
      least = Number.NEGATIVE_INFINITY;
      leastBefore = Number.NEGATIVE_INFINITY;
    },
  };
}
