import { OPERATION_GROUPS, SERIES, type SeriesKind } from '../../../contracts/series.js';
import { HOUR_MS } from '../time-units.js';

/** How long samples are kept: those of a minute, and those of an hour. */
export const MINUTES_KEPT_MS = 48 * HOUR_MS;
export const HOURS_KEPT_MS = 90 * 24 * HOUR_MS;

/** Values by the name of their series. Counters that are not in it were 0. */
export type SampleValues = Readonly<Record<string, number>>;
/** The values of a minute or an hour that began at `at`, epoch milliseconds. */
export interface Sample {
  readonly at: number;
  readonly values: SampleValues;
}

/** Counts of the answers that an instance gave in a minute. */
export interface Tally {
  /** By failure code. */
  readonly refusals: Readonly<Record<string, number>>;
  /** By group of operations: how many requests took up to each bound of `boundsMs`, and longer than the one before. */
  readonly requests: Readonly<Record<string, readonly number[]>>;
  readonly boundsMs: readonly number[];
}

/** The refusals and requests of all instances as values of a sample. */
export function addUpTallies(tallies: readonly Tally[]): Record<string, number> {
  const values: Record<string, number> = {};
  for (const { refusals } of tallies) {
    for (const [code, count] of Object.entries(refusals))
      values[`refusals.${code}`] = (values[`refusals.${code}`] ?? 0) + count;
  }
  for (const group of OPERATION_GROUPS) {
    const lists = tallies.flatMap(({ requests, boundsMs }) => {
      const counts = requests[group];
      return counts === undefined ? [] : [{ counts, boundsMs }];
    });
    const boundsMs = lists[0]?.boundsMs ?? [];
    const counts = boundsMs.map((_, index) => lists.reduce((sum, list) => sum + (list.counts[index] ?? 0), 0));
    const total = counts.reduce((sum, count) => sum + count, 0);
    if (total === 0) continue;
    values[`requests.${group}`] = total;
    values[`requests.${group}.p50_ms`] = quantile(0.5, counts, boundsMs);
    values[`requests.${group}.p99_ms`] = quantile(0.99, counts, boundsMs);
  }
  return values;
}

/** Estimates a quantile from counts by bounds: within its bound the values are taken to lie evenly. */
export function quantile(share: number, counts: readonly number[], bounds: readonly number[]): number {
  const rank = share * counts.reduce((sum, count) => sum + count, 0);
  let before = 0;
  for (const [index, count] of counts.entries()) {
    const upper = bounds[index] ?? 0;
    const lower = index === 0 ? 0 : (bounds[index - 1] ?? 0);
    if (before + count >= rank && count > 0) return round(lower + ((upper - lower) * (rank - before)) / count);
    before += count;
  }
  return 0;
}

/** Puts samples together, each step with one value of each series; the order of the samples does not matter. */
export function mergeSamples(samples: readonly Sample[], stepMs: number): Sample[] {
  const steps = new Map<number, SampleValues[]>();
  for (const { at, values } of samples) {
    const begin = Math.floor(at / stepMs) * stepMs;
    const known = steps.get(begin);
    if (known === undefined) steps.set(begin, [values]);
    else known.push(values);
  }
  return [...steps].sort(([a], [b]) => a - b).map(([at, list]) => ({ at, values: mergeValues(list) }));
}

function mergeValues(list: readonly SampleValues[]): SampleValues {
  const names = new Set(list.flatMap((values) => Object.keys(values)));
  return Object.fromEntries(
    [...names].map((name) => [
      name,
      combine(
        SERIES.get(name) ?? 'mean',
        list.flatMap((values) => values[name] ?? []),
      ),
    ]),
  );
}

function combine(kind: SeriesKind, values: readonly number[]): number {
  const sum = values.reduce((total, value) => total + value, 0);
  switch (kind) {
    case 'sum':
      return sum;
    case 'max':
      return Math.max(...values);
    case 'mean':
      return round(sum / values.length);
    default:
      return kind satisfies never;
  }
}

/** The points of a series. A counter that is missing in a sample is 0; a measurement that is missing is no point. */
export function pointsOf(name: string, samples: readonly Sample[]): [at: number, value: number][] {
  const missing = SERIES.get(name) === 'sum' ? 0 : undefined;
  return samples.flatMap(({ at, values }): [number, number][] => {
    const value = values[name] ?? missing;
    return value === undefined ? [] : [[at, value]];
  });
}

const STEPS_SECONDS = [60, 300, 900, 3_600, 21_600, 86_400] as const;
const USUAL_POINTS = 360;

/** The shortest usual step that gives few enough points, seconds. */
export const usualStep = (lengthMs: number): number =>
  STEPS_SECONDS.find((step) => lengthMs / (step * 1000) <= USUAL_POINTS) ??
  STEPS_SECONDS[STEPS_SECONDS.length - 1] ??
  86_400;

const round = (value: number): number => Math.round(value * 1000) / 1000;
