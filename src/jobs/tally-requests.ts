import { OPERATION_GROUPS } from '../../contracts/series.js';
import type { Tally } from '../decide/series/samples.js';
import { DURATION_SECONDS, type Metrics } from '../telemetry/metrics.js';

/** Longer ones count as so long. */
const LONGEST_MS = 120_000;
const BOUNDS_MS = [...DURATION_SECONDS.map((seconds) => seconds * 1000), LONGEST_MS];

/** Answers what was answered since it was asked before, or since the start. */
export function createTally(metrics: Pick<Metrics, 'operationDuration'>): () => Promise<Tally> {
  /** By operation, outcome and bound: how many there were. */
  let before = new Map<string, number>();
  return async () => {
    const { values } = await metrics.operationDuration.get();
    const now = new Map<string, number>();
    const requests: Record<string, number[]> = {};
    const refusals: Record<string, number> = {};
    // Bounds are told in ascending order, each with all that took up to it.
    const counted = new Map<string, number>();
    for (const { metricName, labels: given, value } of values) {
      if (metricName?.endsWith('_bucket') !== true) continue;
      const labels: Partial<Record<string, string | number>> = given;
      const operation = String(labels.operation);
      const outcome = String(labels.outcome);
      const key = `${operation} ${outcome} ${String(labels.le)}`;
      now.set(key, value);
      const upTo = value - (before.get(key) ?? 0);
      const own = upTo - (counted.get(`${operation} ${outcome}`) ?? 0);
      counted.set(`${operation} ${outcome}`, upTo);
      if (own === 0) continue;
      if (outcome !== 'success') refusals[outcome] = (refusals[outcome] ?? 0) + own;
      const group = OPERATION_GROUPS.find((name) => operation.startsWith(`${name}.`));
      if (group === undefined) continue;
      const counts = (requests[group] ??= BOUNDS_MS.map(() => 0));
      const index = labels.le === '+Inf' ? BOUNDS_MS.length - 1 : DURATION_SECONDS.indexOf(Number(labels.le));
      counts[index] = (counts[index] ?? 0) + own;
    }
    before = now;
    return { refusals, requests, boundsMs: BOUNDS_MS };
  };
}
