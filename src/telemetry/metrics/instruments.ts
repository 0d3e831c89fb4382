import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Gauges of prom-client whose names end in `_total`, which is for counters; `nodejs_active_*` by type remain. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/** Each label of a counter with the values that are known beforehand; callers choose the values of an empty one. */
type Labels<L extends string> = Readonly<Record<L, readonly string[]>>;

/** Every combination of the values. */
const combine = <L extends string>(labels: Labels<L>): Record<L, string>[] =>
  Object.entries<readonly string[]>(labels).reduce<Record<string, string>[]>(
    (sets, [name, values]) => sets.flatMap((set) => values.map((value) => ({ ...set, [name]: value }))),
    [{}],
  );

/** A registry with the metrics of the process, and what declares those of the service in it: their names get its prefix. */
export const createInstruments = () => {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);

  return {
    registry,

    gauge: <L extends string = never>(name: string, help: string, labelNames: readonly L[] = []) =>
      new Gauge<L>({ name: `account_manager_${name}`, help, labelNames, registers }),

    /** A gauge whose values `show` sets at every scrape. */
    scrapedGauge: <L extends string = never>(
      name: string,
      help: string,
      labelNames: readonly L[],
      show: (gauge: Gauge<L>) => void,
    ): void => {
      new Gauge<L>({
        name: `account_manager_${name}`,
        help,
        labelNames,
        registers,
        collect() {
          show(this);
        },
      });
    },

    // Each begins with 0: `increase()` does not see the first event of a series that begins with 1.
    counter: <L extends string = never>(name: string, help: string, labels: Labels<L> = {} as Labels<L>) => {
      const labelNames = Object.keys(labels) as L[];
      const made = new Counter<L>({ name: `account_manager_${name}`, help, labelNames, registers });
      for (const set of combine(labels)) made.inc(set, 0);
      return made;
    },

    histogram: <L extends string>(name: string, help: string, labelNames: readonly L[], buckets: number[]) =>
      new Histogram<L>({ name: `account_manager_${name}`, help, labelNames, buckets, registers }),
  };
};

export type Instruments = ReturnType<typeof createInstruments>;
