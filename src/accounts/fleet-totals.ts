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

/** A fleet of so many accounts is read for everybody who asks: within 0.1 s. */
const SMALL_FLEET = 20_000;
/** The figures of a larger one are told for so many times as long as reading them took, then read again behind the answer. */
const TOLD_PER_READ = 20;
/** Older figures are told to nobody. */
const MAX_AGE_MS = 300_000;

/**
 * Answers with the figures of the fleet. Those of a large one take seconds to read (1,000,000 accounts): an answer then
 * has the last ones that this instance has read, and at most one reading runs.
 */
export function createFleetTotals(sql: Sql, { reentry }: { reentry: Reentry }): () => Promise<FleetTotals> {
  let last: { totals: FleetTotals; at: number; tookMs: number } | null = null;
  let reading: Promise<FleetTotals> | null = null;

  async function read(): Promise<FleetTotals> {
    const startedAt = clock.monotonicMs();
    const snapshot = await loadFleetSnapshot(sql);
    const { now } = snapshot;
    const cohorts = await groupUsage(sql, {
      users: null,
      channel: null,
      ableBefore: nextUtcMidnight(now),
      reentersSince: reentersSince(reentry, now),
    });
    const totals = { snapshot, cohorts };
    const at = clock.monotonicMs();
    last = { totals, at, tookMs: at - startedAt };
    return totals;
  }

  const readOnce = (): Promise<FleetTotals> => {
    reading ??= read().finally(() => (reading = null));
    return reading;
  };

  return async () => {
    if (last === null || sizeOf(last.totals) <= SMALL_FLEET) return read();
    const ageMs = clock.monotonicMs() - last.at;
    if (ageMs > MAX_AGE_MS) return readOnce();
    if (ageMs > last.tookMs * TOLD_PER_READ) readOnce().catch(() => undefined);
    return last.totals;
  };
}

const sizeOf = ({ snapshot }: FleetTotals): number =>
  Object.values(snapshot.byStatus).reduce((sum, accounts) => sum + accounts, 0);
