import { toIso } from '../../clock.js';
import type { OperationHandler } from '../../requests/handler.js';

/** `query.status`: the fleet and what the service depends on, as of now. */
export const status: OperationHandler<'query.status'> = {
  handle: async ({ fleetSnapshot, dependencies, access, networkIsTrusted }, requests) => {
    const [fleet, states] = await Promise.all([fleetSnapshot(), dependencies()]);
    const leased = sum([...fleet.leasesByService.values()]);
    const leasesByService = Object.fromEntries(fleet.leasesByService);
    const knowsCallers = access.policy() !== null;
    const reply = {
      success: true as const,
      total_accounts: sum(Object.values(fleet.byStatus)),
      healthy_accounts: fleet.healthy,
      leased_accounts: leased,
      status_breakdown: fleet.byStatus,
      leases_by_service: leasesByService,
      active_accounts: fleet.byStatus.active,
      locked_accounts: leased,
      available_accounts: fleet.available,
      locked_by_service: leasesByService,
      identity: knowsCallers ? ('on' as const) : ('off' as const),
      network_is_trusted: networkIsTrusted && !knowsCallers,
      dependencies: Object.fromEntries(
        Object.entries(states).map(([name, { ok, detail, latency_ms }]) => [
          name,
          { up: ok, latency_ms: latency_ms ?? null, ...(detail !== undefined && { detail }) },
        ]),
      ),
      generated_at: toIso(fleet.now),
    };
    return requests.map(() => ({ reply }));
  },
};

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
