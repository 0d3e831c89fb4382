import { createGate } from '../../src/doors/gate.js';
import { createLog } from '../../src/telemetry/log.js';
import { createMetrics } from '../../src/telemetry/metrics.js';

/** Lets everybody in, as without an access file. */
export const openGate = createGate({
  access: { policy: () => null },
  metrics: createMetrics(),
  log: createLog({ level: 'error', instance: 'test' }),
});
