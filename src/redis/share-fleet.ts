import { z } from 'zod';
import { clock } from '../clock.js';
import type { FleetState } from '../telemetry/metrics.js';
import type { RedisConnection } from './connection.js';

const KEY = 'fleet_state';
/**
 * Figures are shown for this many times as long as reading them took: a small fleet is seen as it is now, and a
 * large one (200,000 accounts: half a second) takes a twentieth of the database's time at most.
 */
const SHARED_PER_READ = 20;
const LEAST_SHARED_MS = 1_000;

const count = z.number().min(0);
const shared = z.object({
  totalAccounts: count,
  healthyAccounts: count,
  floodWaitActive: count,
  blockedActive: count,
  leasesByService: z.array(z.tuple([z.string(), count])).transform((entries) => new Map(entries)),
  sessionKeys: z.array(z.object({ keyId: z.string(), state: z.string(), sessions: count })),
  outboxPending: count,
  outboxOldestAgeSeconds: count,
});

/**
 * Reads the state of the fleet once for all instances: whoever finds none in Redis reads it, and leaves it there for the
 * others. Without Redis each reads for itself, and so it does once at its start: it may know other keys than the one
 * that read before.
 */
export function shareFleet(redis: RedisConnection, read: () => Promise<FleetState>): () => Promise<FleetState> {
  let isFirst = true;
  return async () => {
    const found = isFirst ? null : await redis.attempt((client) => client.get(KEY));
    const known = found === null ? null : parse(found);
    if (known !== null) return known;
    const startedAt = clock.monotonicMs();
    const fleet = await read();
    const sharedMs = Math.max(LEAST_SHARED_MS, Math.ceil((clock.monotonicMs() - startedAt) * SHARED_PER_READ));
    isFirst = false;
    const text = JSON.stringify({ ...fleet, leasesByService: [...fleet.leasesByService] });
    await redis.attempt((client) => client.set(KEY, text, 'PX', sharedMs));
    return fleet;
  };
}

const parse = (text: string): FleetState | null => {
  try {
    return shared.parse(JSON.parse(text));
  } catch {
    return null;
  }
};
