import { clock } from '../clock.js';
import { addUpTallies, HOURS_KEPT_MS, mergeSamples, MINUTES_KEPT_MS, type Tally } from '../decide/series/samples.js';
import { HOUR_MS, MINUTE_MS } from '../decide/time-units.js';
import type { Database } from '../store/database.js';
import {
  claimSample,
  insertSample,
  keepTally,
  loadClock,
  loadSamples,
  loadTallies,
  measureMinute,
  removeOldSamples,
} from '../store/history/series.js';
import type { Log } from '../telemetry/log.js';

export interface SeriesOptions {
  database: Database;
  instance: string;
  /** Counts of the answers that this instance gave since the last call. */
  takeTally: () => Promise<Tally>;
  log: Log;
}

export interface SeriesKeeper {
  start: () => void;
  stop: () => Promise<void>;
}

/** After the end of a minute: each instance tells its part, then one of them writes the sample. */
const PART_AFTER_MS = 1_000;
const SAMPLE_AFTER_MS = 10_000;
/** A part that no sample has taken up is of no use any more. */
const PARTS_KEPT_MS = 10 * MINUTE_MS;

/** Writes a sample of the fleet for every minute, once for all instances. */
export function keepSeries({ database, instance, takeTally, log }: SeriesOptions): SeriesKeeper {
  const timers = new Set<NodeJS.Timeout>();
  let working: Promise<void> = Promise.resolve();

  function every(afterMs: number, work: () => Promise<void>): void {
    const waitMs = MINUTE_MS - ((clock.now() - afterMs) % MINUTE_MS);
    const timer = setTimeout(() => {
      timers.delete(timer);
      every(afterMs, work);
      working = working.then(work).catch((error: unknown) => log.warn('series not kept', { error }));
    }, waitMs);
    timers.add(timer);
  }

  const tellPart = async (): Promise<void> => {
    const tally = await takeTally();
    await keepTally(database.reader, await lastMinute(database), instance, tally);
  };

  return {
    start: () => {
      every(PART_AFTER_MS, tellPart);
      every(SAMPLE_AFTER_MS, async () => writeSample(database, await lastMinute(database)));
    },
    stop: async () => {
      for (const timer of timers) clearTimeout(timer);
      await working;
    },
  };
}

/** When the last minute began that is over, by the database's clock. */
const lastMinute = async ({ reader }: Database): Promise<number> =>
  Math.floor((await loadClock(reader)) / MINUTE_MS) * MINUTE_MS - MINUTE_MS;

/** Writes the sample of a minute that is over, and of the last hour that is; only one of those that try does. */
export async function writeSample(database: Database, minute: number): Promise<void> {
  await database.transaction(async (sql) => {
    if (!(await claimSample(sql, minute))) return;
    const values = {
      ...(await measureMinute(sql, minute, MINUTE_MS)),
      ...addUpTallies(await loadTallies(sql, minute)),
    };
    await insertSample(sql, MINUTE_MS, { at: minute, values });

    const end = minute + MINUTE_MS;
    const hour = Math.floor(end / HOUR_MS) * HOUR_MS - HOUR_MS;
    const ofHour = await loadSamples(sql, MINUTE_MS, { from: hour, to: hour + HOUR_MS });
    for (const sample of mergeSamples(ofHour, HOUR_MS)) await insertSample(sql, HOUR_MS, sample);
    await removeOldSamples(sql, {
      minutes: end - MINUTES_KEPT_MS,
      hours: end - HOURS_KEPT_MS,
      parts: end - PARTS_KEPT_MS,
    });
  });
}
