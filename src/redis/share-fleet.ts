import { z } from 'zod';
import type { FleetState } from '../telemetry/metrics.js';
import type { RedisConnection } from './connection.js';

const KEY = 'fleet_state';
/** The fleet is read anew when what an instance has read is as old as this. */
const SHARED_MS = 15_000;

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
 * others. Over 200,000 accounts that is half a second of the database's. Without Redis each reads for itself, and so it
 * does once at its start: it may know other keys than the one that read before.
 */
export function shareFleet(redis: RedisConnection, read: () => Promise<FleetState>): () => Promise<FleetState> {
  let isFirst = true;
  return async () => {
    const found = isFirst ? null : await redis.attempt((client) => client.get(KEY));
    const known = found === null ? null : parse(found);
    if (known !== null) return known;
    const fleet = await read();
    isFirst = false;
    const text = JSON.stringify({ ...fleet, leasesByService: [...fleet.leasesByService] });
    await redis.attempt((client) => client.set(KEY, text, 'PX', SHARED_MS));
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
