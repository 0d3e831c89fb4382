import { clock } from '../clock.js';
import type { Sql } from '../store/database.js';
import { type FleetSnapshot, loadFleetSnapshot } from '../store/fleet/fleet-state.js';
import { groupUsage, type UsageCohort } from '../store/fleet/group-usage.js';
import type { Reentry } from '../decide/limits/reentry.js';
import { reentersSince } from '../decide/limits/reentry.js';
import { nextUtcMidnight } from '../decide/limits/usage-window.js';

/** The whole fleet in figures. */
export interface FleetTotals {
  snapshot: FleetSnapshot;
  cohorts: UsageCohort[];
}

/** A fleet of so many accounts is read for everybody who asks. */
const SMALL_FLEET = 2_000;
/**
 * The figures of a larger one are told for so many times as long as reading them took: however many ask, reading takes
 * 5 % of a processor.
 */
const TOLD_PER_READ = 20;
/** A caller waits for figures that are read so fast; slower ones are read behind an answer with the last. */
const FAST_MS = 1_000;
/** Older figures are told to nobody. */
const MAX_AGE_MS = 300_000;

/** Reads figures of the fleet for all who ask: those of a large one take seconds (1,000,000 accounts). */
function shareReading<T>(read: () => Promise<T>, snapshotOf: (figures: T) => FleetSnapshot): () => Promise<T> {
  let last: { figures: T; at: number; tookMs: number } | null = null;
  let reading: Promise<T> | null = null;

  async function readNow(): Promise<T> {
    const startedAt = clock.monotonicMs();
    const figures = await read();
    const at = clock.monotonicMs();
    last = { figures, at, tookMs: at - startedAt };
    return figures;
  }

  const readOnce = (): Promise<T> => {
    reading ??= readNow().finally(() => (reading = null));
    return reading;
  };

  return async () => {
    if (last === null || sizeOf(snapshotOf(last.figures)) <= SMALL_FLEET) return readNow();
    const ageMs = clock.monotonicMs() - last.at;
    if (ageMs <= last.tookMs * TOLD_PER_READ) return last.figures;
    if (last.tookMs <= FAST_MS || ageMs > MAX_AGE_MS) return readOnce();
    readOnce().catch(() => undefined);
    return last.figures;
  };
}

const sizeOf = ({ byStatus }: FleetSnapshot): number =>
  Object.values(byStatus).reduce((sum, accounts) => sum + accounts, 0);

/** Answers how the fleet stands. */
export const createFleetSnapshot = (sql: Sql): (() => Promise<FleetSnapshot>) =>
  shareReading(
    () => loadFleetSnapshot(sql),
    (snapshot) => snapshot,
  );

/** Answers how the fleet stands and what it may still do today. */
export const createFleetTotals = (sql: Sql, { reentry }: { reentry: Reentry }): (() => Promise<FleetTotals>) =>
  shareReading(
    async () => {
      const snapshot = await loadFleetSnapshot(sql);
      const { now } = snapshot;
      const cohorts = await groupUsage(sql, {
        users: null,
        channel: null,
        ableBefore: nextUtcMidnight(now),
        reentersSince: reentersSince(reentry, now),
      });
      return { snapshot, cohorts };
    },
    ({ snapshot }) => snapshot,
  );
