import { z } from 'zod';
import { clock } from '../clock.js';
import type { ActionType } from '../../contracts/fields.js';
import { type UsageWindow } from '../decide/limits/usage-window.js';
import { HOUR_MS } from '../decide/time-units.js';
import type { RedisConnection } from './connection.js';

/** Names a window, and the account's usage version that it belongs to. */
export interface WindowName {
  accountId: string;
  actionType: ActionType;
  usageVersion: number;
}

/**
 * Copies of usage windows for `action.check` and `query.limits`. A copy carries the account's usage version; the
 * reader, who knows the present one from the database, takes no other, so that a stale copy is never believed.
 */
export interface WindowCache {
  /** The windows that are cached in their present version, by `windowName`. */
  load: (names: readonly WindowName[]) => Promise<Map<string, UsageWindow>>;
  store: (entries: readonly (WindowName & { window: UsageWindow })[]) => Promise<void>;
}

export const windowName = ({ accountId, actionType }: Pick<WindowName, 'accountId' | 'actionType'>): string =>
  `${accountId}:${actionType}`;

/** A window is kept under four keys, one per rule that reads it; each value begins with the usage version. */
const KEY_PREFIXES = ['hourly', 'cooldown', 'burst', 'daily'] as const;
const keysOf = (name: WindowName): string[] => KEY_PREFIXES.map((prefix) => `${prefix}:${windowName(name)}`);

/** The account and the usage version that an entry is of; null for what this cache has not written. */
export function readWindowEntry(key: string, value: string): { accountId: string; usageVersion: number } | null {
  const [, prefix, accountId] = /^(\w+):([0-9a-f-]{36}):\w+$/.exec(key) ?? [];
  const [, version] = /^\[(\d+),/.exec(value) ?? [];
  if (accountId === undefined || version === undefined || !KEY_PREFIXES.some((known) => known === prefix)) return null;
  return { accountId, usageVersion: Number(version) };
}

const count = z.int().min(0);
/** No action lies so far ahead of this machine's clock; of those that were cached nobody of ours wrote one. */
const MAX_AHEAD_MS = 24 * HOUR_MS;
const pastInstant = z
  .int()
  .min(0)
  .refine((at) => at <= clock.now() + MAX_AHEAD_MS);

// In the order of the prefixes.
const parts = z.tuple([
  z.tuple([count, z.array(pastInstant)]),
  z.tuple([count, pastInstant.nullable()]),
  z.tuple([count, count]),
  z.tuple([count, z.iso.date().nullable(), count]),
]);
type Parts = z.output<typeof parts>;

export function createWindowCache(redis: RedisConnection): WindowCache {
  return {
    load: async (names) => {
      const found = new Map<string, UsageWindow>();
      if (names.length === 0) return found;
      const values = await redis.attempt((client) => client.mget(names.flatMap(keysOf)));
      if (values === null) return found;
      names.forEach((name, index) => {
        const texts = values.slice(index * KEY_PREFIXES.length, (index + 1) * KEY_PREFIXES.length);
        const window = assemble(texts, name.usageVersion);
        if (window !== null) found.set(windowName(name), window);
      });
      return found;
    },
    store: async (entries) => {
      if (entries.length === 0) return;
      await redis.attempt(async (client) => {
        const pipeline = client.pipeline();
        for (const entry of entries) {
          const parts = disassemble(entry.window, entry.usageVersion);
          keysOf(entry).forEach((key, index) => pipeline.set(key, JSON.stringify(parts[index]), 'PX', HOUR_MS));
        }
        await pipeline.exec();
      });
    },
  };
}

const disassemble = (window: UsageWindow, usageVersion: number): Parts => [
  [usageVersion, [...window.recentAt]],
  [usageVersion, window.lastActionAt],
  [usageVersion, window.burstCount],
  [usageVersion, window.day, window.dayCount],
];

/** The window, when all its parts are there and of one version; null also for what others may have left there. */
function assemble(texts: (string | null)[], usageVersion: number): UsageWindow | null {
  const parsed = parts.safeParse(texts.map(parseJson));
  if (!parsed.success || parsed.data.some(([partVersion]) => partVersion !== usageVersion)) return null;
  const [hourly, cooldown, burst, daily] = parsed.data;
  return { recentAt: hourly[1], lastActionAt: cooldown[1], burstCount: burst[1], day: daily[1], dayCount: daily[2] };
}

function parseJson(text: string | null): unknown {
  if (text === null) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
