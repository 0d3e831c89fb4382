import { toIso } from '../../clock.js';
import type { OperationHandler } from '../../requests/handler.js';

/** `query.recovery-stats`: how the fleet is, as of now. */
export const recoveryStats: OperationHandler<'query.recovery-stats'> = {
  handle: async ({ fleetSnapshot }, requests) => {
    const fleet = await fleetSnapshot();
    const { byStatus } = fleet;
    const reply = {
      success: true as const,
      stats: {
        total_active: byStatus.active + byStatus.flood_wait + byStatus.blocked + byStatus.draining,
        status_breakdown: byStatus,
        healthy_accounts: fleet.healthy,
        flood_wait_active: byStatus.flood_wait,
        blocked_active: byStatus.blocked,
        high_error_count: fleet.highErrorCount,
        locked_by_services: Object.fromEntries(fleet.leasesByService),
        recovery_queue_size: fleet.recoveriesDue,
        next_recovery_at: fleet.nextRecoveryAt === null ? null : toIso(fleet.nextRecoveryAt),
      },
      generated_at: toIso(fleet.now),
    };
    return requests.map(() => ({ reply }));
  },
};
