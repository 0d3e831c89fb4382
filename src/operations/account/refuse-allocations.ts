import type { FailureReply } from '../../../contracts/failures.js';
import { toIso } from '../../clock.js';
import type { AccountCounts } from '../../store/accounts/count-accounts.js';
import { type AllocateRequest, earliest, type Shortage } from './choose-accounts.js';
import type { BatchContext } from '../../requests/handler.js';
import { refuse } from '../../requests/refuse.js';

/** An account that is free but was held by a neighbouring transaction, or by a lease lock, is worth asking for soon. */
const CONTENDED_RETRY_MS = 1_000;

/** Why a request gets no account. */
export interface AllocationRefusal {
  reply: FailureReply;
  /** An account that suits is free: somebody has it locked for the moment. */
  contended: boolean;
  /**
   * When an account may become free without an operator, milliseconds from now; 0: at any time, since a holder may
   * release one. Null: never by itself, so waiting is of no use.
   */
  freeInMs: number | null;
}

/** Tells apart why requests got no account, with one count per user. */
export async function refuseAllocations(
  { sql, surveys }: BatchContext,
  shortages: ReadonlyMap<AllocateRequest, Shortage>,
  now: number,
): Promise<Map<AllocateRequest, AllocationRefusal>> {
  const uncounted = [...shortages].filter(([, { counts, search }]) => counts === undefined && search === undefined);
  const userIds = [...new Set(uncounted.map(([request]) => request.body.user_id))];
  const counts = await surveys.count(sql, userIds, now);
  return new Map(
    [...shortages].map(([request, shortage]) => {
      const { isBeingRegranted, preferredReason, limited, search } = shortage;
      if (search !== undefined) return [request, { reply: refuse('ALL_BUSY'), contended: true, freeInMs: 0 }];
      const counted = shortage.counts ?? counts.get(request.body.user_id);
      // A required account is judged alone; others that are free do not count. Where all were looked
      // through no free account has room.
      const isKnown = preferredReason !== undefined || shortage.counts !== undefined;
      const contended = isBeingRegranted === true || (!isKnown && (counted?.free ?? 0) > limited);
      const freeAt = counted === undefined ? null : freeFrom(shortage, counted, contended, now);
      const freeInMs = freeAt === null ? null : Math.max(0, freeAt - now);
      return [request, { reply: refuseAllocation(shortage, counted, contended, now), contended, freeInMs }];
    }),
  );
}

/** The instant from which on waiting may be of use; null: none is known. */
function freeFrom(shortage: Shortage, counted: AccountCounts, contended: boolean, now: number): number | null {
  if (shortage.preferredReason !== undefined) return shortage.nextAvailableAt;
  return counted.leased > 0 || contended ? now : earliest(shortage.nextAvailableAt, counted.earliestRecoveryAt);
}

/**
 * `ALL_BUSY` when an account that is otherwise suitable is leased, else `ALL_LIMITED` when one lacks only room, else
 * `ALL_RESTRICTED`: the caller is told the nearest hope.
 */
function refuseAllocation(
  shortage: Shortage,
  counted: AccountCounts | undefined,
  contended: boolean,
  now: number,
): FailureReply {
  if (counted === undefined) return refuse('NO_ACCOUNTS');
  const counts = {
    total: counted.total,
    leased: counted.leased,
    limited: shortage.limited,
    flood_wait: counted.floodWait,
    blocked: counted.blocked,
    draining: counted.draining,
    disabled: counted.disabled,
  };
  if (shortage.preferredReason !== undefined) {
    return refuse('PREFERRED_UNAVAILABLE', {
      message: `the preferred account cannot be had: ${shortage.preferredReason}`,
      details: { reason: shortage.preferredReason, counts },
    });
  }
  if (counted.leased > 0 || contended) {
    const until = contended ? now + CONTENDED_RETRY_MS : counted.earliestLeaseEndAt;
    return refuse('ALL_BUSY', { ...(until !== null && { retryAfterMs: until - now }), details: { counts } });
  }
  if (shortage.limited > 0) return refuse('ALL_LIMITED', hope(shortage.nextAvailableAt, counts, now));
  return refuse('ALL_RESTRICTED', hope(counted.earliestRecoveryAt, counts, now));
}

const hope = (at: number | null, counts: Record<string, number>, now: number) => ({
  ...(at !== null && { retryAfterMs: at - now }),
  details: { counts, next_available_at: at === null ? null : toIso(at) },
});
