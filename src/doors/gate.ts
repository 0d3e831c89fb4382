import { createHash, timingSafeEqual } from 'node:crypto';
import type { FailureReply } from '../../contracts/failures.js';
import { OPERATION_NAMES, type OperationName } from '../../contracts/operations.js';
import { clock } from '../clock.js';
import type { CallerRights, Door } from '../decide/access/access-policy.js';
import { judgeCaller, mayBeAnsweredAt } from '../decide/access/judge-access.js';
import { fullBucket, takeToken, type TokenBucket } from '../decide/access/token-bucket.js';
import { type Access, refuseAccess } from '../requests/access.js';
import { refuse } from '../requests/refuse.js';
import type { Log } from '../telemetry/log.js';
import type { Metrics } from '../telemetry/metrics.js';

/** Facts that a door knows of a request before it has read its body. */
export interface Arrival {
  door: Door;
  /** The identity that the broker or `identify` has checked. */
  caller: string | null;
  operation: string;
  requestId: string;
  /** It was let in before, by this instance or another: its rights are judged anew, its caller's limits are not. */
  again: boolean;
}

/** Let in: `leave` is called when the request is answered, and may be called again. */
export type Entry = { ok: true; leave: () => void } | { ok: false; refusal: FailureReply };

/** Stands before both doors. */
export interface Gate {
  /** The caller whose bearer token the `authorization` header carries; null for nobody's. */
  identify: (authorization: string | undefined) => string | null;
  /** The operations that a caller may ask for over HTTP; null: it may not come there at all. */
  operationsOf: (caller: string | null) => readonly OperationName[] | null;
  /**
   * Whether the caller may have its reply written to a queue of that name, so that nobody writes into another's.
   */
  mayBeAnsweredAt: (caller: string | null, replyTo: string) => boolean;
  /**
   * Lets a request in. Refuses `UNAUTHENTICATED` and `FORBIDDEN` who may not come, and `UNAVAILABLE` with
   * `retry_after_ms` who comes too often or has too much in work.
   */
  enter: (arrival: Arrival) => Entry;
}

export interface GateOptions {
  access: Pick<Access, 'policy'>;
  metrics: Pick<Metrics, 'denied' | 'throttled'>;
  log: Log;
}

/** When one of the caller's requests will have been answered, nobody knows; soon, as a rule. */
const CONCURRENCY_PAUSE_MS = 250;
/** Limits of a caller's own, as the access file names them. */
const RULES = ['concurrent_requests', 'requests_per_second'] as const;
const BEARER = /^bearer +(\S+) *$/i;

/** The state of one caller, as long as this process lives. */
interface Load {
  bucket: TokenBucket;
  inWork: number;
}

const pass: Entry = { ok: true, leave: () => {} };

/** Knows callers, holds them to their rights and their limits; with no access policy lets everybody in. */
export function createGate({ access, metrics, log }: GateOptions): Gate {
  const loads = new Map<string, Load>();

  const limit = (rights: CallerRights): Entry => {
    const { name, requestsPerSecond, concurrentRequests } = rights;
    const now = clock.monotonicMs();
    const load = loads.get(name) ?? { bucket: fullBucket(requestsPerSecond, now), inWork: 0 };
    if (!loads.has(name)) for (const rule of RULES) metrics.throttled.inc({ caller: name, limit: rule }, 0);
    loads.set(name, load);
    const refused = (rule: (typeof RULES)[number], most: number, retryAfterMs: number): Entry => {
      metrics.throttled.inc({ caller: name, limit: rule });
      const message = `${rule}: the caller may have ${most}; nothing was done`;
      return { ok: false, refusal: refuse('UNAVAILABLE', { message, retryAfterMs, details: { limit: rule } }) };
    };
    if (load.inWork >= concurrentRequests) {
      return refused('concurrent_requests', concurrentRequests, CONCURRENCY_PAUSE_MS);
    }
    const { bucket, taken, retryAfterMs } = takeToken(load.bucket, requestsPerSecond, now);
    load.bucket = bucket;
    if (!taken) return refused('requests_per_second', requestsPerSecond, retryAfterMs);
    load.inWork += 1;
    let isIn = true;
    const leave = (): void => {
      if (isIn) load.inWork -= 1;
      isIn = false;
    };
    return { ok: true, leave };
  };

  return {
    identify: (authorization) => {
      const [, token] = BEARER.exec(authorization ?? '') ?? [];
      if (token === undefined) return null;
      const given = createHash('sha256').update(token).digest();
      let found: string | null = null;
      // All are compared, whoever it is: how long it takes says nothing.
      for (const { name, tokenHashes } of access.policy()?.values() ?? []) {
        for (const hash of tokenHashes) if (timingSafeEqual(given, Buffer.from(hash, 'hex'))) found = name;
      }
      return found;
    },
    operationsOf: (caller) => {
      const policy = access.policy();
      if (policy === null) return OPERATION_NAMES;
      const rights = caller === null ? undefined : policy.get(caller);
      return rights?.doors.has('http') ? [...rights.operations] : null;
    },
    mayBeAnsweredAt: (caller, replyTo) => {
      const policy = access.policy();
      return policy === null || mayBeAnsweredAt(policy, caller, replyTo);
    },
    enter: ({ door, caller, operation, requestId, again }) => {
      const policy = access.policy();
      if (policy === null) return pass;
      const judged = judgeCaller(policy, { door, caller, operation });
      if (judged.ok && again) return pass;
      const entry = judged.ok ? limit(judged.rights) : ({ ok: false, refusal: refuseAccess(judged.refusal) } as const);
      if (!entry.ok) {
        const { code, message: reason } = entry.refusal.error;
        if (!judged.ok) metrics.denied.inc({ door, code });
        log.info('refused at the door', { request_id: requestId, door, operation, caller, code, reason });
      }
      return entry;
    },
  };
}
