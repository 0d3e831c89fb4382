import { VERSION } from '../version.js';
import { createBoundedLabel } from './bounded-label.js';
import { createAccountMetrics } from './metrics/accounts.js';
import { createDependencyMetrics } from './metrics/dependencies.js';
import { createFleetMetrics } from './metrics/fleet.js';
import { createInstruments } from './metrics/instruments.js';
import { createJobMetrics } from './metrics/jobs.js';
import { createMessageMetrics } from './metrics/messages.js';
import { createRequestMetrics } from './metrics/requests.js';

export type { FleetState } from './metrics/fleet.js';
export { DURATION_SECONDS } from './metrics/requests.js';

/** Gauges in which every instance shows the same, the whole installation: a query takes their `max`, not their `sum`. */
export const FLEET_GAUGES: ReadonlySet<string> = new Set(
  [
    'alerts_active',
    'blocked_active',
    'flood_wait_active',
    'healthy_accounts',
    'job_last_success_timestamp_seconds',
    'leases_active',
    'outbox_oldest_age_seconds',
    'outbox_pending_events',
    'queue_messages',
    'sessions',
    'stuck_dead_letters',
    'total_accounts',
  ].map((name) => `account_manager_${name}`),
);

/** More distinct service names than this are counted as `other`. */
const MAX_SERVICES = 100;

/**
 * Declares every metric of the service; nothing else declares one. Labels take values of the contract, but for
 * service names, which only `countAllocation` and `setFleet` write, bounded.
 */
export const createMetrics = () => {
  const instruments = createInstruments();
  const boundedService = createBoundedLabel(MAX_SERVICES);
  instruments.gauge('build_info', 'Always 1; the version that runs here', ['version']).set({ version: VERSION }, 1);
  return {
    registry: instruments.registry,
    ...createAccountMetrics(instruments, boundedService),
    ...createRequestMetrics(instruments),
    ...createFleetMetrics(instruments, boundedService),
    ...createMessageMetrics(instruments),
    ...createDependencyMetrics(instruments),
    ...createJobMetrics(instruments),
  };
};

export type Metrics = ReturnType<typeof createMetrics>;
