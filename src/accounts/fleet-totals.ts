import { clock } from '../clock.js';
import type { Sql } from '../store/database.js';
import { type FleetSnapshot, loadFleetSnapshot } from '../store/fleet/fleet-state.js';
import { groupUsage, type UsageCohort } from '../store/fleet/group-usage.js';
import type { Reentry } from '../decide/limits/reentry.js';
import { reentersSince } from '../decide/limits/reentry.js';
import { nextUtcMidnight, utcDay } from '../decide/limits/usage-window.js';

/** The whole fleet in figures. */
export interface FleetTotals {
  snapshot: FleetSnapshot;
  cohorts: UsageCohort[];
}

/** A fleet of so many accounts is read for everybody who asks. */
const SMALL_FLEET = 2_000;
/**
 * The figures of a larger one are told for so many times as long as reading them took, and no longer than `MAX_TOLD_MS`:
 * however many ask, reading takes little of a processor.
 */
const TOLD_PER_READ = 30;
const MAX_TOLD_MS = 30_000;
/** Askers wait for figures that are read so fast; slower ones are read behind an answer with the last. */
const FAST_MS = 1_000;

interface Reading<T> {
  figures: T;
  /** When it began, and how long it took. */
  at: number;
  tookMs: number;
}

/** Reads figures of the fleet for all who ask: those of a large one take seconds (1,000,000 accounts). */
function shareReading<T>(read: () => Promise<T>, snapshotOf: (figures: T) => FleetSnapshot): () => Promise<T> {
  let last: Reading<T> | null = null;
  let reading: Promise<T> | null = null;
  /** When the last try ended, a failed one included. */
  let triedAt = Number.NEGATIVE_INFINITY;

  async function readNow(): Promise<T> {
    const at = clock.monotonicMs();
    const figures = await read();
    last = { figures, at, tookMs: clock.monotonicMs() - at };
    return figures;
  }

  const readOnce = (): Promise<T> => {
    reading ??= readNow().finally(() => {
      reading = null;
      triedAt = clock.monotonicMs();
    });
    return reading;
  };

  const isSmall = (figures: T): boolean => sizeOf(snapshotOf(figures)) <= SMALL_FLEET;
  /** Figures of one UTC day are not told on the next. */
  const isOfToday = (figures: T): boolean => utcDay(snapshotOf(figures).now) === utcDay(clock.now());

  return async () => {
    if (last === null || isSmall(last.figures)) {
      const isShared = reading !== null;
      const figures = await readOnce();
      // A read that another caller began may miss changes that this caller has just made.
      return isShared && isSmall(figures) ? readNow() : figures;
    }
    const now = clock.monotonicMs();
    const toldMs = Math.min(last.tookMs * TOLD_PER_READ, MAX_TOLD_MS);
    const isCurrent = isOfToday(last.figures);
    if (isCurrent && now - last.at <= toldMs) return last.figures;
    if (!isCurrent || last.tookMs <= FAST_MS || now - last.at > 2 * toldMs) return readOnce();
    if (now - triedAt > toldMs) readOnce().catch(() => undefined);
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

/** Answers how the fleet stands and what it may still do today. `readSnapshot` is from `createFleetSnapshot`, so that both agree. */
export const createFleetTotals = (
  sql: Sql,
  { readSnapshot, reentry }: { readSnapshot: () => Promise<FleetSnapshot>; reentry: Reentry },
): (() => Promise<FleetTotals>) =>
  shareReading(
    async () => {
      const snapshot = await readSnapshot();
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
