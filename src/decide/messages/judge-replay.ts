import type { FailureCode } from '../../../contracts/failures.js';
import type { OperationName } from '../../../contracts/operations.js';
import { REPLAYED_WITHIN_HOURS } from '../../../contracts/parked.js';
import { HOUR_MS } from '../time-units.js';

/** Facts that decide whether a parked message can be served again. */
export interface ParkedFacts {
  operation: string;
  /** Why it was parked; null: it does not say. */
  code: FailureCode | null;
  /** Parked by this service, by the word of the broker: only then do its headers name its caller truly. */
  isOwn: boolean;
  /** Secrets in it were replaced when it was parked. */
  isRedacted: boolean;
  /** Epoch milliseconds; null: unknown. */
  parkedAt: number | null;
}

/** One replay of these gave an account to nobody for the length of its lease. */
const GRANTING: ReadonlySet<string> = new Set<OperationName>(['account.allocate', 'account.renew', 'action.acquire']);

/** Why a parked message must not be served again, for a person; null: it may be. `force` overrides its age alone. */
export function judgeReplay(facts: ParkedFacts, { now, force }: { now: number; force: boolean }): string | null {
  const { operation, code, isOwn, isRedacted, parkedAt } = facts;
  if (!isOwn) return 'it was not parked by this service, so nobody vouches for its caller';
  if (isRedacted) return 'its secrets were replaced when it was parked: its caller has to send it again';
  if (code === 'MALFORMED_MESSAGE' || code === 'UNKNOWN_OPERATION') return `it was refused for its form: ${code}`;
  if (operation === 'admin.parked') return 'a request about parked messages is asked anew';
  if (GRANTING.has(operation)) return `${operation} would grant something that nobody waits for: its caller asks anew`;
  if (!force && (parkedAt === null || now - parkedAt > REPLAYED_WITHIN_HOURS * HOUR_MS)) {
    return `it was parked more than ${REPLAYED_WITHIN_HOURS} hours ago: whether it has been done since is not known; force replays it all the same`;
  }
  return null;
}
