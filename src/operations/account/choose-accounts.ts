import { canBeGranted, dueAt } from '../../decide/condition/plan-recovery.js';
import { judgeCandidate, rankCandidates, type Ranking } from '../../decide/selection/select-account.js';
import type { AccountRecord, OpenLease } from '../../store/accounts/account-record.js';
import { judgeOwnership } from '../../decide/selection/judge-ownership.js';
import { MINUTE_MS } from '../../decide/time-units.js';
import type { AccountCounts } from '../../store/accounts/count-accounts.js';
import { type CandidatesWanted, lockCandidates } from '../../store/accounts/claim-candidates.js';
import { loadSessions } from '../../store/sessions/load-sessions.js';
import { SessionCipherError } from '../../store/sessions/session-cipher.js';
import type { AcceptedRequest, BatchContext } from '../../requests/handler.js';
import { lockValueOf } from '../../accounts/finish-work.js';
import { type GrantWish, isFree, type Offer, toOffer } from '../../accounts/judge-grant.js';
import { takeLeaseLocks } from '../../accounts/take-lease-locks.js';
import { extendWork } from '../../accounts/load-work.js';
import type { UnitOfWork } from '../../accounts/unit-of-work.js';

/**
 * Candidates beyond the number of requests, so that the ranking has a choice. Each is loaded and judged whoever gets it:
 * with 32 of them a fifth fewer cycles were done at 1 and at 32 in flight (2026-11-29).
 */
const SPARE_CANDIDATES = 2;
const MAX_PAGE = 1_000;
/** A batch looks at no more free accounts of one user than these: its neighbours wait for it. */
const MAX_SEEN = 400;

export type AllocateRequest = AcceptedRequest<'account.allocate'>;

/** The account a request gets, under its lease lock. */
export interface Choice {
  account: AccountRecord;
  /** Value of the lease's lock; null: Redis was away and the database decides alone. */
  lockValue: string | null;
  /** How many free accounts were considered. */
  candidates: number;
  /** Whether the preferred account was had; undefined where none was asked for. */
  preferred: boolean | undefined;
  /** The caller's own lease of the account, which the new one takes the place of. */
  superseded?: OpenLease;
}

/** Why a request gets none. */
export interface Shortage {
  /**
   * When the first account that lacks room has room again. For a required account: when it may be free again, which is
   * now where somebody holds it and may release it. Null: none, or waiting does not help.
   */
  nextAvailableAt: number | null;
  /** Free accounts that lack room. */
  limited: number;
  /** With `preferred_mode: require`: the state of that account. */
  preferredReason?: string;
  /** The caller holds a suitable account that has just been granted to it anew: it can be had as soon as that stands. */
  isBeingRegranted?: true;
  /** For a user with more accounts than a batch may look at: how they stood when they were looked through. */
  counts?: AccountCounts;
  /** They are to be looked through first. */
  search?: () => Promise<string[]>;
}

/** How many candidates of which users a batch locks at first; of those that were looked through only what is new since. */
export function candidatesWanted(
  context: BatchContext,
  requests: readonly AllocateRequest[],
): (CandidatesWanted & { least: number })[] {
  const wanted = new Map<number, { count: number; unseenAfter: number }>();
  for (const request of requests) {
    const userId = request.body.user_id;
    const { count, unseenAfter } = wanted.get(userId) ?? { count: SPARE_CANDIDATES, unseenAfter: Infinity };
    const surveyed = context.surveys.find(userId, wishOf(context, request))?.unseenAfter ?? 0;
    wanted.set(userId, { count: count + 1, unseenAfter: Math.min(unseenAfter, surveyed) });
  }
  return [...wanted].map(([userId, { count, unseenAfter }]) => ({
    userId,
    count: Math.min(count, MAX_PAGE),
    least: count - SPARE_CANDIDATES,
    unseenAfter,
  }));
}

/** Adds further candidates of a user to the work; answers how many. */
export type MoreCandidates = (userId: number, count: number) => number;

interface Pool {
  work: UnitOfWork;
  channels: string[];
  /** By user. */
  wanted: ReadonlyMap<number, CandidatesWanted>;
  /** Takes further candidates from memory, where nothing is locked. */
  more: MoreCandidates | undefined;
  /** Users all of whose grantable accounts are loaded, or all that are not known from a survey. */
  exhausted: Set<number>;
  /** Accounts chosen in this batch, or whose lease lock somebody holds though the database knows of no lease. */
  gone: Set<string>;
  /** By wish, with how many of the accounts it is of: where the pool has grown, only those that came later are judged. */
  rankings: Map<string, Ranking<Offer> & { judged: number }>;
}

/**
 * Chooses an account for each request, in order of arrival, and takes the lease locks of the chosen, all at once. An
 * account whose lock somebody holds, or whose session does not open, is left alone, and its request chooses again.
 * @param candidates locked and loaded into the work already, by user
 */
export async function chooseAccounts(
  context: BatchContext,
  work: UnitOfWork,
  requests: readonly AllocateRequest[],
  candidates: ReadonlyMap<number, readonly string[]>,
  more?: MoreCandidates,
) {
  const wanted = candidatesWanted(context, requests);
  const pool: Pool = {
    work,
    channels: requests.flatMap(({ body }) => body.target_channel_id ?? []),
    more,
    wanted: new Map(wanted.map((one) => [one.userId, one])),
    exhausted: new Set(
      wanted.flatMap(({ userId, count }) => ((candidates.get(userId)?.length ?? 0) < count ? userId : [])),
    ),
    gone: new Set(),
    rankings: new Map(),
  };
  const choices = new Map<AllocateRequest, Choice>();
  const shortages = new Map<AllocateRequest, Shortage>();
  /** Opened, by account. */
  const sessions = new Map<string, string>();
  let waiting = requests;
  while (waiting.length > 0) {
    const chosen: { request: AllocateRequest; choice: Choice }[] = [];
    for (const request of waiting) {
      const found = await chooseOne(context, pool, request);
      if ('account' in found) chosen.push({ request, choice: found });
      else shortages.set(request, found);
    }
    const held = await lockChosen(context, work, chosen, choices);
    const granted = chosen.filter(({ request }) => choices.has(request));
    await loadConnections(
      context,
      work,
      granted.map(({ choice }) => choice.account.accountId),
    );
    const wanting = granted.filter(({ request }) => request.body.include_session);
    const closed = openSessions(
      context,
      work,
      wanting.map(({ choice }) => choice.account.accountId),
      sessions,
    );
    waiting = [...held, ...passOver(context, choices, closed)];
  }
  return { choices, shortages, sessions };
}

/** Takes the lease locks; answers with the requests whose account turned out to be held. */
async function lockChosen(
  context: BatchContext,
  work: UnitOfWork,
  chosen: readonly { request: AllocateRequest; choice: Choice }[],
  choices: Map<AllocateRequest, Choice>,
): Promise<AllocateRequest[]> {
  const accountIds = chosen.flatMap(({ choice }) => (choice.superseded === undefined ? choice.account.accountId : []));
  const lockValues = await takeLeaseLocks(context, work, accountIds);
  return chosen.flatMap(({ request, choice }) => {
    if (choice.superseded !== undefined) {
      choices.set(request, choice);
      return [];
    }
    const lockValue = lockValues.get(choice.account.accountId);
    if (lockValue === undefined) return [request];
    choices.set(request, { ...choice, lockValue });
    return [];
  });
}

/** Sessions of first candidates are loaded along with them; of those that the pool has grown by, when they are chosen. */
async function loadConnections(
  { sql }: BatchContext,
  { connections }: UnitOfWork,
  accountIds: readonly string[],
): Promise<void> {
  const missing = accountIds.filter((accountId) => !connections.has(accountId));
  for (const [accountId, connection] of await loadSessions(sql, missing)) connections.set(accountId, connection);
}

/** Answers the accounts whose session does not open here: every grant of theirs would fail, and the next choose them again. */
function openSessions(
  { cipher, log }: BatchContext,
  { connections }: UnitOfWork,
  wanted: readonly string[],
  sessions: Map<string, string>,
): Set<string> {
  const closed = new Set<string>();
  for (const accountId of wanted) {
    const session = connections.get(accountId);
    if (session === undefined) continue;
    const { keyId, sealed } = session;
    try {
      sessions.set(accountId, cipher.decrypt(keyId, sealed, accountId));
    } catch (error) {
      if (!(error instanceof SessionCipherError)) throw error;
      log.error('account passed over: its session cannot be opened', { account_id: accountId, error });
      closed.add(accountId);
    }
  }
  return closed;
}

/** Takes back the choices of accounts; answers the requests they were for. */
function passOver(
  { afterCommit, locks }: BatchContext,
  choices: Map<AllocateRequest, Choice>,
  accountIds: ReadonlySet<string>,
): AllocateRequest[] {
  const taken = [...choices].filter(([, { account }]) => accountIds.has(account.accountId));
  for (const [request, { account, lockValue, superseded }] of taken) {
    choices.delete(request);
    if (lockValue !== null && superseded === undefined)
      afterCommit(() => locks.release([{ accountId: account.accountId, value: lockValue }]));
  }
  return taken.map(([request]) => request);
}

/** Adds the user's next candidates; false when there are none. */
async function growPool({ sql }: BatchContext, pool: Pool, userId: number): Promise<boolean> {
  const known = [...pool.work.accounts.values()].filter((account) => account.userId === userId);
  if (pool.more !== undefined) return pool.more(userId, known.length) > 0;
  if (pool.exhausted.has(userId)) return false;
  const count = Math.min(MAX_PAGE, known.length * 2);
  const locked = await lockCandidates(
    sql,
    [{ userId, count, unseenAfter: pool.wanted.get(userId)?.unseenAfter }],
    known.map((account) => account.accountId),
  );
  const ids = locked.get(userId) ?? [];
  if (ids.length < count) pool.exhausted.add(userId);
  await extendWork(sql, pool.work, ids, pool.channels);
  return ids.length > 0;
}

async function chooseOne(context: BatchContext, pool: Pool, request: AllocateRequest): Promise<Choice | Shortage> {
  const { preferred_account_id: preferredId, preferred_mode: mode } = request.body;
  const regrant = chooseHeld(context, pool, request);
  if (regrant !== null) return regrant;
  if (preferredId !== undefined) {
    const verdict = judgePreferred(context, pool, request, preferredId);
    if (!('reason' in verdict)) return take(pool, verdict, 1, true);
    if (mode === 'require') {
      return { nextAvailableAt: verdict.freeAt, limited: 0, preferredReason: verdict.reason };
    }
  }
  for (;;) {
    const { ranked, nextAvailableAt } = rank(context, pool, request);
    const best = ranked.find(({ accountId }) => !pool.gone.has(accountId));
    if (best !== undefined)
      return take(pool, best.account, ranked.length, preferredId === undefined ? undefined : false);
    const seen = openTo(pool, request.body.user_id, 0).length;
    if (seen >= MAX_SEEN) return searchFor(context, request);
    if (!(await growPool(context, pool, request.body.user_id))) {
      return explainShortage(context, pool, request, { nextAvailableAt, limited: seen - ranked.length });
    }
  }
}

/** Whether the caller gets what it holds already when it asks for it again. */
export const regrantsTo = ({ access }: BatchContext, { caller }: AllocateRequest): boolean =>
  access.policy()?.get(caller ?? '')?.regrants === true;

/**
 * An account that the caller holds already, for callers whose rights let them get it again. The preferred account comes
 * first, else the one that the caller has held longest for the purpose. Null where none could be granted.
 */
function chooseHeld(context: BatchContext, pool: Pool, request: AllocateRequest): Choice | Shortage | null {
  if (!regrantsTo(context, request)) return null;
  const { now, accounts } = pool.work;
  const { user_id: userId, service_name: serviceName, purpose, preferred_account_id: preferredId } = request.body;
  const wish = wishOf(context, request);
  const held = [...accounts.values()]
    .flatMap((account) => (account.lease === null ? [] : { account, lease: account.lease }))
    .filter(
      ({ account, lease }) =>
        account.userId === userId &&
        judgeOwnership(lease, { caller: request.caller, serviceName }) === null &&
        (preferredId === undefined ? lease.purpose === purpose : account.accountId === preferredId) &&
        canBeGranted(account.condition) &&
        judgeCandidate(toOffer(account, wish, now), wish, now).eligible,
    )
    .sort((a, b) => a.lease.allocatedAt - b.lease.allocatedAt || a.lease.fence - b.lease.fence);
  const longest = held.find(({ account }) => !pool.gone.has(account.accountId));
  if (longest === undefined)
    return held.length === 0 ? null : { nextAvailableAt: now, limited: 0, isBeingRegranted: true };
  const { account, lease } = longest;
  const choice = take(pool, account, 1, preferredId === undefined ? undefined : true);
  return { ...choice, lockValue: lockValueOf(lease), superseded: lease };
}

/** Nothing more can be seen from here. */
function searchFor(context: BatchContext, request: AllocateRequest): Shortage {
  const search = () => context.surveys.look(request.body.user_id, wishOf(context, request));
  return { nextAvailableAt: null, limited: 0, search };
}

/** For a user whose older accounts are known from a survey, with what it has found. */
function explainShortage(context: BatchContext, pool: Pool, request: AllocateRequest, shortage: Shortage): Shortage {
  const { user_id: userId } = request.body;
  if ((pool.wanted.get(userId)?.unseenAfter ?? 0) === 0) return shortage;
  const survey = context.surveys.find(userId, wishOf(context, request));
  // It has ended since the batch began.
  if (survey === undefined) return searchFor(context, request);
  const { counts, limited, nextAvailableAt } = survey;
  return { counts, limited, nextAvailableAt: earliest(nextAvailableAt, shortage.nextAvailableAt) };
}

function take(pool: Pool, account: AccountRecord, candidates: number, preferred: boolean | undefined): Choice {
  pool.gone.add(account.accountId);
  return { account, lockValue: null, candidates, preferred };
}

/** The preferred account where it can be granted, else the obstacle and when that may end; null: not by itself. */
function judgePreferred(
  context: BatchContext,
  pool: Pool,
  request: AllocateRequest,
  preferredId: string,
): AccountRecord | { reason: string; freeAt: number | null } {
  const { now, accounts } = pool.work;
  const account = accounts.get(preferredId);
  if (account === undefined || account.userId !== request.body.user_id) return { reason: 'not_found', freeAt: null };
  const { condition } = account;
  if (!canBeGranted(condition)) return { reason: condition.status, freeAt: dueAt(condition) };
  if (account.lease !== null || pool.gone.has(preferredId)) return { reason: 'leased', freeAt: now };
  const wish = wishOf(context, request);
  const { eligible, eligibleAt } = judgeCandidate(toOffer(account, wish, now), wish, now);
  return eligible ? account : { reason: 'limited', freeAt: eligibleAt };
}

function rank(context: BatchContext, pool: Pool, request: AllocateRequest): Ranking<Offer> {
  const { user_id: userId, purpose, target_channel_id: channel, timeout_minutes: minutes } = request.body;
  const key = JSON.stringify([userId, purpose, channel ?? null, minutes]);
  const known = pool.rankings.get(key) ?? { ranked: [], nextAvailableAt: null, judged: 0 };
  const loaded = pool.work.accounts.size;
  if (known.judged === loaded) return known;
  const wish = wishOf(context, request);
  const offers = openTo(pool, userId, known.judged).map((account) => toOffer(account, wish, pool.work.now));
  const { ranked, nextAvailableAt } = rankCandidates([...known.ranked, ...offers], wish, pool.work.now);
  const ranking = { ranked, nextAvailableAt: earliest(known.nextAvailableAt, nextAvailableAt), judged: loaded };
  pool.rankings.set(key, ranking);
  return ranking;
}

/** The earlier of two instants that may never come (null). */
export const earliest = (one: number | null, other: number | null): number | null =>
  one === null || other === null ? (one ?? other) : Math.min(one, other);

/** The user's accounts that nobody has leased and nothing restricts, without the first so many loaded. */
const openTo = ({ work }: Pool, user: number, after: number): AccountRecord[] =>
  [...work.accounts.values()].slice(after).filter((account) => account.userId === user && isFree(account));

const wishOf = ({ policy, reentry }: BatchContext, { body }: AllocateRequest): GrantWish => ({
  purpose: body.purpose,
  channel: body.target_channel_id ?? null,
  hasChannel: body.target_channel_id !== undefined,
  leaseMs: body.timeout_minutes * MINUTE_MS,
  policy,
  reentry,
});
