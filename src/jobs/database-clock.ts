import { clock } from '../clock.js';

/** Every reading that was no better makes the best one count as this much less exact, milliseconds. */
const AGES_MS = 20;

/** The database's clock, estimated from this machine's rising one, which nobody sets. */
export interface DatabaseClock {
  /** Milliseconds since 1970. */
  now: () => number;
  /**
   * Takes a reading: what the database said, and when this machine's rising clock was asked before. A slow answer tells
   * what time it was a while ago: what a quicker one has told is better, for some time.
   */
  note: (read: number, askedAt: number) => void;
}

export function createDatabaseClock(): DatabaseClock {
  /** How far the database's clock is ahead of the rising one, milliseconds. */
  let aheadMs = 0;
  /** Upper bound of the error: the time the answer took to arrive. */
  let aheadWithinMs = Number.POSITIVE_INFINITY;
  return {
    now: () => clock.monotonicMs() + aheadMs,
    note: (read, askedAt) => {
      const answeredAt = clock.monotonicMs();
      if (answeredAt - askedAt > aheadWithinMs) {
        aheadWithinMs += AGES_MS;
        return;
      }
      aheadMs = read - answeredAt;
      aheadWithinMs = answeredAt - askedAt;
    },
  };
}
