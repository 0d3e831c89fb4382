import type { Log } from './log.js';
import type { FleetState, Metrics } from './metrics.js';

/** Whatever is scraped. Figures of a large fleet may have been read some seconds earlier, for all instances. */
const REFRESH_MS = 2_000;

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
