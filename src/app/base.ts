import type { Config } from '../config.js';
import type { Log } from '../telemetry/log.js';
import type { Metrics } from '../telemetry/metrics.js';

/** Dependencies that every part of the service takes. */
export interface Base {
  config: Config;
  log: Log;
  metrics: Metrics;
}

/** Calls back at every call but the first. */
export function afterTheFirst(again: () => void): () => void {
  let isFirst = true;
  return () => {
    if (!isFirst) again();
    isFirst = false;
  };
}
