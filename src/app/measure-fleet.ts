import { shareFleet } from '../redis/share-fleet.js';
import { loadFleetSnapshot, loadOutboxState } from '../store/fleet/fleet-state.js';
import { countSessionKeys } from '../store/sessions/session-keys.js';
import { watchFleet } from '../telemetry/watch-fleet.js';
import type { Base } from './base.js';
import type { Stores } from './open-stores.js';

/** Keeps the fleet's gauges; one instance reads the fleet for all. `looks`: other gauges that are read as often. */
export function measureFleet(
  { log, metrics }: Base,
  { database, redis }: Stores,
  { keyIds, looks }: { keyIds: readonly string[]; looks: () => Promise<unknown> },
) {
  const readFleet = shareFleet(redis, async () => {
    const [snapshot, outbox, sessionKeys] = await Promise.all([
      loadFleetSnapshot(database.reader),
      loadOutboxState(database.reader),
      countSessionKeys(database.reader, keyIds),
    ]);
    return {
      totalAccounts: Object.values(snapshot.byStatus).reduce((total, accounts) => total + accounts, 0),
      healthyAccounts: snapshot.healthy,
      floodWaitActive: snapshot.byStatus.flood_wait,
      blockedActive: snapshot.byStatus.blocked,
      leasesByService: snapshot.leasesByService,
      sessionKeys,
      outboxPending: outbox.pending,
      outboxOldestAgeSeconds: outbox.oldestAgeSeconds,
    };
  });
  return watchFleet({
    metrics,
    log,
    load: async () => {
      const [state] = await Promise.all([readFleet(), looks()]);
      return state;
    },
  });
}
