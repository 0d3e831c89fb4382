import { Redis } from 'ioredis';
import { clock } from '../clock.js';
import type { RedisFacts } from '../decide/doctor/judge-redis.js';
import { readRedisUrl, REDIS_DATABASES, type RedisOptions } from './connection.js';

/** Keys that the service writes into each of its databases. Any other key belongs to somebody else. */
const OWN_KEYS: Readonly<Record<keyof typeof REDIS_DATABASES, RegExp>> = {
  locks: /^account_lock:/,
  recoveryQueue: /^account_recovery_queue/,
  windows: /^(hourly|cooldown|burst|daily):|^fleet_state$/,
  jobLocks: /^job_lock:/,
};
/** Enough to see whether somebody else writes here. */
const LOOKED_AT = 200;
/** The beginning of a key, enough to know whose it is. */
const SHOWN_LENGTH = 40;
const TIMEOUT_MS = 3_000;

/** Looks at Redis, and changes nothing. Rejects where it cannot be reached. */
export async function inspectRedis({ url, tls }: Pick<RedisOptions, 'url' | 'tls'>): Promise<RedisFacts> {
  const { href, tls: clientTls, firstDatabase } = readRedisUrl(url, tls);
  const client = new Redis(href, {
    tls: clientTls,
    lazyConnect: true,
    connectTimeout: TIMEOUT_MS,
    commandTimeout: TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let failure: unknown = null;
  client.on('error', (error: unknown) => (failure ??= error));
  try {
    await client.connect().catch((error: unknown) => {
      // It says that the connection is closed; why was told before.
      throw failure ?? error;
    });
    const info = readInfo(await client.info());
    const askedAt = clock.now();
    const startedAt = clock.monotonicMs();
    const [seconds, micros] = (await client.time()).map(Number);
    const latencyMs = clock.monotonicMs() - startedAt;
    const redisNow = (seconds ?? 0) * 1_000 + (micros ?? 0) / 1_000;
    const databases = [];
    for (const [purpose, offset] of Object.entries(REDIS_DATABASES)) {
      databases.push(await look(client, purpose as keyof typeof REDIS_DATABASES, firstDatabase + offset));
    }
    return {
      version: info.get('redis_version') ?? 'unknown',
      mode: info.get('redis_mode') ?? 'standalone',
      role: info.get('role') ?? 'master',
      evictionPolicy: info.get('maxmemory_policy') ?? 'unknown',
      usedBytes: Number(info.get('used_memory') ?? 0),
      maxBytes: Number(info.get('maxmemory') ?? 0),
      clockSkewMs: redisNow - (askedAt + latencyMs / 2),
      latencyMs,
      databases,
    };
  } finally {
    client.disconnect();
  }
}

async function look(
  client: Redis,
  purpose: keyof typeof REDIS_DATABASES,
  number: number,
): Promise<RedisFacts['databases'][number]> {
  try {
    await client.select(number);
  } catch {
    return { number, purpose, isThere: false, foreignKeys: [] };
  }
  const [, keys] = await client.scan('0', 'COUNT', LOOKED_AT);
  return {
    number,
    purpose,
    isThere: true,
    foreignKeys: keys.filter((key) => !OWN_KEYS[purpose].test(key)).map((key) => key.slice(0, SHOWN_LENGTH)),
  };
}

/** https://redis.io/docs/latest/commands/info/ */
const readInfo = (text: string): ReadonlyMap<string, string> =>
  new Map(
    text.split(/\r?\n/).flatMap((line): [string, string][] => {
      const colon = line.indexOf(':');
      return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 1)]] : [];
    }),
  );
