import type { Log } from './log.js';
import type { FleetState, Metrics } from './metrics.js';

/** The gauges of the fleet are as old as this at most; the query behind them runs no oftener, whatever is scraped. */
const REFRESH_MS = 15_000;

export interface FleetWatch {
  start: () => void;
  stop: () => void;
}

/** Keeps the gauges of the fleet up to date. */
export function watchFleet(options: { load: () => Promise<FleetState>; metrics: Metrics; log: Log }): FleetWatch {
  const { load, metrics, log } = options;
  let timer: NodeJS.Timeout | undefined;
  const refresh = (): void => {
    load().then(metrics.setFleet, (error: unknown) => log.debug('gauges not refreshed', { error }));
  };
  return {
    start: () => {
      refresh();
      timer = setInterval(refresh, REFRESH_MS);
    },
    stop: () => clearInterval(timer),
  };
}
