import { type Finding, findingsOf, judgeClock } from './finding.js';

/** Observations of Redis. */
export interface RedisFacts {
  version: string;
  /** `standalone`, `cluster` or `sentinel`. */
  mode: string;
  /** `master` or `slave`. */
  role: string;
  evictionPolicy: string;
  usedBytes: number;
  /** 0: no bound. */
  maxBytes: number;
  clockSkewMs: number;
  latencyMs: number;
  databases: readonly { number: number; purpose: string; isThere: boolean; foreignKeys: readonly string[] }[];
}

const { ok, warn, fail } = findingsOf('redis');

/** A slower answer is given up by the service. */
const SLOW_MS = 150;
const FULL_SHARE = 0.9;

/** Judges Redis: each finding says what is right or wrong. */
export const judgeRedis = (facts: RedisFacts): Finding[] => [
  ok('version', facts.version),
  judgeKind(facts),
  judgeDatabases(facts),
  facts.evictionPolicy === 'noeviction'
    ? ok('eviction policy', 'noeviction')
    : warn(
        'eviction policy',
        facts.evictionPolicy,
        'set maxmemory-policy noeviction: an evicted lock no longer guards a lease after a failover of PostgreSQL',
      ),
  judgeMemory(facts),
  facts.latencyMs > SLOW_MS
    ? warn('latency', `${Math.round(facts.latencyMs)} ms`, `bring it nearer: after ${SLOW_MS} ms it counts as away`)
    : ok('latency', `${facts.latencyMs.toFixed(1)} ms`),
  judgeClock('redis', facts.clockSkewMs),
];

function judgeKind({ mode, role }: RedisFacts): Finding {
  if (mode === 'cluster') {
    return fail('kind', 'a cluster, which has one database only', 'use a Redis that is no cluster, with a replica');
  }
  return role === 'slave'
    ? fail('kind', 'a replica, which takes no writes', 'name its master in REDIS_URL')
    : ok('kind', `${mode}, ${role}`);
}

function judgeDatabases({ databases }: RedisFacts): Finding {
  const check = 'databases';
  const missing = databases.filter(({ isThere }) => !isThere);
  const numbers = databases.map(({ number }) => number).join(', ');
  if (missing.length > 0) {
    const lacking = missing.map(({ number }) => number).join(', ');
    return fail(check, `${lacking} cannot be selected`, 'set `databases` higher, or a lower number in REDIS_URL');
  }
  const foreign = databases.filter(({ foreignKeys }) => foreignKeys.length > 0);
  if (foreign.length > 0) {
    const told = foreign
      .map(({ number, foreignKeys }) => `${number} (${foreignKeys.slice(0, 3).join(', ')})`)
      .join('; ');
    return warn(check, `another program uses ${told}`, 'give this service five databases of its own by REDIS_URL');
  }
  return ok(check, numbers);
}

function judgeMemory({ usedBytes, maxBytes }: RedisFacts): Finding {
  const mebibytes = (bytes: number): string => `${Math.round(bytes / 1_048_576)} MiB`;
  if (maxBytes === 0) return ok('memory', `${mebibytes(usedBytes)}, without a bound`);
  const found = `${mebibytes(usedBytes)} of ${mebibytes(maxBytes)}`;
  return usedBytes > maxBytes * FULL_SHARE ? warn('memory', found, 'raise maxmemory') : ok('memory', found);
}
