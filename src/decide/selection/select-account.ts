import { LIMIT_REASONS, type LimitReason } from '../../../contracts/actions.js';
import type { ActionType, Purpose } from '../../../contracts/fields.js';
import {
  type CountCheck,
  describeChecks,
  type FailingRules,
  failingRules,
  type LimitChecks,
  NEVER,
  rulesFailingWithin,
} from '../limits/evaluate-limits.js';
import { type LimitsPolicy, PURPOSE_ACTIONS } from '../limits/limits-policy.js';
import {
  type ChannelUsage,
  EMPTY_BOUNDS,
  EMPTY_CHANNEL_USAGE,
  EMPTY_WINDOW,
  type UsageWindow,
  type WindowBounds,
} from '../limits/usage-window.js';
import { MINUTE_MS } from '../time-units.js';

/** A free account that may be leased (`canBeGranted`), and what it has done of the purpose's actions. */
export interface Candidate {
  readonly accountId: string;
  /** When it was last leased or released; null: never. To be set with every grant, or rest cannot rank. */
  readonly lastUsedAt: number | null;
  readonly errorCount: number;
  /** By action; absent: nothing done. */
  readonly windows: Readonly<Partial<Record<ActionType, UsageWindow>>>;
  /** In the wish's target channel, by action; absent: nothing done there. */
  readonly channelUsage: Readonly<Partial<Record<ActionType, ChannelUsage>>>;
  /** The limits it is judged by where they are not the wish's: those of its first days after a block. */
  readonly policy?: LimitsPolicy;
}

/** A candidate as far as it can be refused: enough to tell when it is eligible, not to rank it. */
export interface CandidateBounds extends Pick<Candidate, 'channelUsage' | 'policy'> {
  readonly windows: Readonly<Partial<Record<ActionType, WindowBounds>>>;
}

/** Needs of a request for an account. Requests with equal wishes share one ranking. */
export interface Wish {
  readonly purpose: Purpose;
  readonly hasChannel: boolean;
  readonly leaseMs: number;
  readonly policy: LimitsPolicy;
}

/** How one candidate suits a wish. */
export interface Suitability {
  /** Room in every counting limit now, and every pause ends before the lease would. */
  readonly eligible: boolean;
  /** When it becomes eligible if nothing more is done: `now` if it is, null if waiting does not help. */
  readonly eligibleAt: number | null;
  /** When it can act first: `now` if at once. Null if never. */
  readonly readyAt: number | null;
  /** The least part, 0 to 1, that is left of any counting limit; 1 where nothing is limited. */
  readonly headroom: number;
}

export interface Ranking<C> {
  /** The eligible, best first. */
  readonly ranked: readonly C[];
  /** When the first of the others becomes eligible; null: none, or waiting does not help. */
  readonly nextAvailableAt: number | null;
}

/** A full headroom is worth this much rest: the default length of a lease (contract, section 4). */
const HEADROOM_MINUTES = 30;
/** Each error since the last recovery takes off this much rest… */
const ERROR_MINUTES = 3;
/** …up to this much, so that rest makes up for it in the end. */
const MAX_ERROR_MINUTES = 30;

/**
 * Ranks the candidates for a wish. Candidates that can act at once come before those still in a pause, and never used
 * ones before used ones. Then one score in minutes decides,
 *
 *     rest + 30 × headroom − min(3 × errors, 30) − wait until it can act
 *
 * then by account id. Rest grows without bound and the rest of the score spans 60 minutes, pauses apart, which end by
 * themselves: an account that has rested an hour longer than the others goes first, so no eligible account starves.
 * The order of the input does not matter. Once per distinct wish; the requests of a batch take from it in order.
 */
export function rankCandidates<C extends Candidate>(candidates: readonly C[], wish: Wish, now: number): Ranking<C> {
  const judged = candidates.map((candidate) => ({ candidate, ...judgeCandidate(candidate, wish, now) }));
  const ranked = judged
    .filter(({ eligible }) => eligible)
    .map(({ candidate, readyAt, headroom }) => ({
      candidate,
      isReady: readyAt !== null && readyAt <= now,
      isNew: candidate.lastUsedAt === null,
      score: scoreMinutes(candidate, headroom, readyAt ?? now, now),
    }))
    .sort(
      (a, b) =>
        Number(b.isReady) - Number(a.isReady) ||
        Number(b.isNew) - Number(a.isNew) ||
        b.score - a.score ||
        (a.candidate.accountId < b.candidate.accountId ? -1 : 1),
    )
    .map(({ candidate }) => candidate);
  const laterAt = judged.flatMap(({ eligible, eligibleAt }) => (eligible ? [] : (eligibleAt ?? [])));
  return { ranked, nextAvailableAt: earliest(laterAt) };
}

/** The best candidate for one wish; see `rankCandidates`. */
export function selectAccount<C extends Candidate>(
  candidates: readonly C[],
  wish: Wish,
  now: number,
): { chosen: C | null; eligible: number; nextAvailableAt: number | null } {
  const { ranked, nextAvailableAt } = rankCandidates(candidates, wish, now);
  return { chosen: ranked[0] ?? null, eligible: ranked.length, nextAvailableAt };
}

/** Judges one candidate; of a purpose's actions the best will do. */
export function judgeCandidate(candidate: Candidate, wish: Wish, now: number): Suitability {
  const actions = PURPOSE_ACTIONS[wish.purpose];
  if (actions.length === 0) return { eligible: true, eligibleAt: now, readyAt: now, headroom: 1 };
  const judged = actions.map((action) => judgeForAction(candidate, action, wish, now));
  return {
    eligible: judged.some(({ eligible }) => eligible),
    eligibleAt: earliest(judged.flatMap(({ eligibleAt }) => eligibleAt ?? [])),
    readyAt: earliest(judged.flatMap(({ readyAt }) => readyAt ?? [])),
    headroom: Math.max(...judged.map(({ headroom }) => headroom)),
  };
}

/** When `judgeCandidate` would say that the candidate becomes eligible. */
export function eligibleAt({ windows, channelUsage, policy }: CandidateBounds, wish: Wish, now: number): number | null {
  const actions = PURPOSE_ACTIONS[wish.purpose];
  if (actions.length === 0) return now;
  const instants = actions.map((action) => {
    const window = windows[action] ?? EMPTY_BOUNDS;
    const channel = wish.hasChannel ? (channelUsage[action] ?? EMPTY_CHANNEL_USAGE) : null;
    const failing = rulesFailingWithin({ window, channel, policy: (policy ?? wish.policy)[action] }, now);
    return eligibleFrom(failing, wish, now);
  });
  return orNull(Math.min(...instants));
}

/** Rules that end by themselves within a lease or so; the others count, and must have room when the lease begins. */
const PAUSES: ReadonlySet<string> = new Set<LimitReason>(['hourly', 'cooldown', 'burst']);

function judgeForAction(candidate: Candidate, action: ActionType, wish: Wish, now: number): Suitability {
  const input = {
    window: candidate.windows[action] ?? EMPTY_WINDOW,
    channel: wish.hasChannel ? (candidate.channelUsage[action] ?? EMPTY_CHANNEL_USAGE) : null,
    policy: (candidate.policy ?? wish.policy)[action],
  };
  const failing = failingRules(input, now);
  const from = eligibleFrom(failing, wish, now);
  return {
    eligible: from <= now,
    eligibleAt: orNull(from),
    readyAt: orNull(Math.max(now, ...Object.values(failing))),
    headroom: leastPartLeft(describeChecks(input, failing, now)),
  };
}

/** `NEVER` where waiting does not help. */
function eligibleFrom(failing: FailingRules, { leaseMs }: Wish, now: number): number {
  let from = now;
  for (const reason of LIMIT_REASONS) {
    const endsAt = failing[reason];
    if (endsAt === undefined) continue;
    // An account that cannot act once during its lease is of no use: a pause ends at the latest 1 ms before the lease.
    from = Math.max(from, PAUSES.has(reason) ? endsAt - leaseMs + 1 : endsAt);
  }
  return from;
}

const orNull = (instant: number): number | null => (instant === NEVER ? null : instant);

function leastPartLeft({ daily, hourly, perChannel }: LimitChecks): number {
  const counts = perChannel ? [daily, hourly, perChannel, perChannel.total] : [daily, hourly];
  return Math.min(...counts.map(partLeft));
}

const partLeft = ({ limit, remaining }: CountCheck): number =>
  limit === null || remaining === null ? 1 : remaining / Math.max(limit, 1);

function scoreMinutes(candidate: Candidate, headroom: number, readyAt: number, now: number): number {
  const rest = Math.max(0, now - (candidate.lastUsedAt ?? now)) / MINUTE_MS;
  const errors = Math.min(candidate.errorCount * ERROR_MINUTES, MAX_ERROR_MINUTES);
  const pause = Math.max(0, readyAt - now) / MINUTE_MS;
  return rest + HEADROOM_MINUTES * headroom - errors - pause;
}

const earliest = (instants: readonly number[]): number | null => (instants.length > 0 ? Math.min(...instants) : null);
