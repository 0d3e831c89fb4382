import type { OperationName } from '../../contracts/operations.js';
import { finishWithAnswers, finishWork } from '../accounts/finish-work.js';
import { loadWork } from '../accounts/load-work.js';
import { type Recollected, recollectWork } from '../accounts/recollect.js';
import { NEEDS_LOCKS, type UnitOfWork } from '../accounts/unit-of-work.js';
import { grantAll, holdersOf, recallGrants, refuseAll } from '../operations/account/allocate.js';
import type { AllocateRequest } from '../operations/account/choose-accounts.js';
import { candidatesWanted, type MoreCandidates } from '../operations/account/choose-accounts.js';
import { reportError } from '../operations/account/error.js';
import { release } from '../operations/account/release.js';
import { renew } from '../operations/account/renew.js';
import { acquire } from '../operations/action/acquire.js';
import { record } from '../operations/action/record.js';
import { lockCandidates } from '../store/accounts/claim-candidates.js';
import { findHeldAccounts } from '../store/accounts/find-held-accounts.js';
import { lockAccounts } from '../store/accounts/locks.js';
import { withHooks } from '../store/commit-hooks.js';
import { classifyDatabaseFault, isStale } from '../store/database.js';
import { guardedStatement, type Written } from '../store/guarded-write.js';
import { insertAnsweredRequests } from '../store/history/answered-requests.js';
import { gatherWrites } from '../store/writes.js';
import {
  type AnswerUnlocked,
  answersToStore,
  type BatchItem,
  isLate,
  type KeyedItem,
  toAnswer,
  toKeyed,
  zip,
} from './batch-items.js';
import type {
  AcceptedRequest,
  AccountOperation,
  AccountRule,
  BatchContext,
  NamedAccountOperation,
  OperationHandler,
  Outcome,
} from './handler.js';
import { refuse } from './refuse.js';

type AccountRequest = AcceptedRequest<AccountOperation>;
type NamedRequest = AcceptedRequest<NamedAccountOperation>;

const RULES: { readonly [K in NamedAccountOperation]: AccountRule<K> } = {
  'account.renew': renew,
  'account.release': release,
  'account.error': reportError,
  'action.acquire': acquire,
  'action.record': record,
};

/** Each kind in order of arrival. */
const split = (requests: readonly AccountRequest[]) => ({
  allocations: requests.filter(({ operation }) => operation === 'account.allocate') as AllocateRequest[],
  named: requests.filter(({ operation }) => operation !== 'account.allocate') as NamedRequest[],
});

/** Accounts that may be granted to it beside the user's best: the preferred one, and those that were found for it. */
const namedBy = ({ body, found = [] }: AllocateRequest): string[] => [
  ...(body.preferred_account_id === undefined ? [] : [body.preferred_account_id]),
  ...found,
];

/** The rule of a request's operation; which of them it is does not matter from here on. */
const ruleOf = ({ operation }: NamedRequest) =>
  RULES[operation as NamedAccountOperation] as AccountRule<NamedAccountOperation>;

/** Counters of channels that take as long to read and write as an ordinary request. */
const CHANNELS_PER_REQUEST = 16;

/** How many ordinary requests one takes the time of: a release may count in 1,000 channels. */
export function weighAccountRequest(request: AccountRequest): number {
  if (request.operation === 'account.allocate') return 1;
  const named = request as NamedRequest;
  const { channels = [] } = ruleOf(named).needs?.(named.body) ?? {};
  return 1 + Math.floor(channels.length / CHANNELS_PER_REQUEST);
}

/** Everything that the batch is decided by. */
interface Prepared {
  work: UnitOfWork;
  /** By user. */
  candidates: ReadonlyMap<number, readonly string[]>;
  /** Where nothing is locked. */
  moreCandidates?: MoreCandidates;
}

/**
 * Answers requests on accounts in one batch, whatever their operations: locks and reads in one round trip, decides on the
 * records in memory, writes and commits in another. Allocations are decided first, as if they had arrived first; their
 * lease locks are taken in between. The others follow in order of arrival.
 */
export const accountLane: OperationHandler<AccountOperation, Prepared> = {
  locks: (requests) => {
    const { allocations, named } = split(requests);
    return {
      userIds: allocations.map(({ body }) => body.user_id),
      accountIds: [...allocations.flatMap(namedBy), ...named.map(({ body }) => body.account_id)],
    };
  },

  prepare: async (context, requests) => {
    const { sql } = context;
    const { allocations, named } = split(requests);
    const heldIds = await lockHeld(context, allocations);
    const wanted = candidatesWanted(context, allocations);
    const locking = wanted.length === 0 ? new Map<number, string[]>() : lockCandidates(sql, wanted, []);
    const needs = gatherNeeds(allocations, named, heldIds);
    const loading = loadWork(sql, { ...needs, candidates: wanted.length > 0 });
    const [candidates, work] = await Promise.all([locking, loading]);
    return { candidates, work };
  },

  handle: async (context, requests, { work, candidates, moreCandidates }) => {
    const { allocations, named } = split(requests);
    const { outcomes, shortages } = await grantAll(context, work, allocations, candidates, moreCandidates);
    if (work.isGuarded && shortages.size > 0) {
      for (const [{ body }, { preferredReason }] of shortages)
        if (preferredReason === undefined) context.memory.lines.noteShortage(body.user_id);
      throw NEEDS_LOCKS;
    }
    const decided = new Map<AccountRequest, Outcome<AccountOperation>>(outcomes);
    for (const request of named) decided.set(request, decideNamed(context, work, request));
    if (shortages.size === 0) await finishWithAnswers(context, work);
    else {
      await finishWork(context, work);
      for (const [request, refusal] of await refuseAll(context, shortages, work.now)) decided.set(request, refusal);
    }
    return requests.map((request) => {
      const outcome = decided.get(request);
      if (outcome === undefined) throw new Error('a request was not decided');
      return outcome;
    });
  },

  recall: async (context, repeats) => {
    const grants = repeats.filter(({ operation }) => operation === 'account.allocate');
    const recalled = new Map(
      (await recallGrants(context, grants as Parameters<typeof recallGrants>[1])).map((stored, index) => [
        grants[index],
        stored,
      ]),
    );
    return repeats.map((repeat) => recalled.get(repeat) ?? repeat.stored);
  },
};

/**
 * Answers a batch on what this process remembers of its accounts: nothing is locked, what is not remembered is read, and
 * one statement writes everything where all is still as the batch was decided on. That statement fails as a whole where
 * something has changed, and where a request was answered before, since its answer is stored already.
 */
export const answerFromMemory: AnswerUnlocked = async ({ database, resources, log }, items, onDecided) => {
  const { memory, metrics } = resources;
  const keyed = items.map(toKeyed);
  const hasRepeat = new Set(keyed.map(({ key }) => key)).size < keyed.length;
  if (hasRepeat || !memory.isTrusted()) return 'locks';
  /** How far it has come. */
  const progress: { isWriting: boolean; recollected?: Recollected } = { isWriting: false };
  try {
    return await withHooks(
      async (hooks) => {
        const { pending, writeWithAnswers } = gatherWrites();
        const context = { ...resources, ...hooks, log, sql: database.unlocked.sql, writeWithAnswers };
        const recollected = await recollect(context, items as readonly AccountRequest[]);
        progress.recollected = recollected;
        const { now } = recollected.work;
        // One that comes too late may have been answered before, which only its stored answer tells.
        if (items.some((item) => isLate(item, now))) throw NEEDS_LOCKS;
        const outcomes = await accountLane.handle(context, items as readonly AccountRequest[], recollected);
        const handled = new Map<KeyedItem, Outcome<OperationName>>(zip(keyed, outcomes));
        const answers = answersToStore(handled);
        if (answers.length > 0) pending.parts.push(insertAnsweredRequests(answers, now));
        onDecided();
        progress.isWriting = true;
        const written = await database.unlocked.write<Written>(
          guardedStatement(pending, { ...recollected.guard(), deadline: earliestDeadline(items) }),
          items.map(({ traceparent }) => traceparent),
        );
        // Behind what else follows the write, so that no other batch changes the accounts before.
        hooks.afterCommit(() => {
          recollected.remember(written);
          resources.recentEvents.keep(written.events?.split(',') ?? [], recollected.work.changes.events, now);
          metrics.memoryBatches.inc({ outcome: 'written' });
        });
        return keyed.map((entry) => toAnswer(entry.item, handled.get(entry)));
      },
      { waits: false },
    );
  } catch (error) {
    if (error === NEEDS_LOCKS) {
      metrics.memoryBatches.inc({ outcome: 'locks' });
      return 'locks';
    }
    const fault = classifyDatabaseFault(error);
    const stale = isStale(error);
    metrics.memoryBatches.inc({ outcome: stale ? 'stale' : 'locks' });
    log.debug('not written from memory', { requests: items.length, fault, error });
    // A request that was answered before and an account that somebody keeps say nothing of what is remembered.
    if (stale || fault === 'unavailable' || fault === 'undecided') {
      progress.recollected?.dismiss();
      memory.failed();
    }
    return progress.isWriting && fault === 'undecided' ? 'undecided' : 'locks';
  }
};

/** Takes what the batch is decided by from memory, and reads the rest. */
async function recollect(context: BatchContext, requests: readonly AccountRequest[]): Promise<Recollected> {
  const { allocations, named } = split(requests);
  const candidates = candidatesWanted(context, allocations);
  const needsLocks =
    holdersOf(context, allocations).length > 0 ||
    candidates.some(({ userId, unseenAfter = 0 }) => unseenAfter > 0 || context.memory.lines.isShort(userId));
  if (needsLocks) throw NEEDS_LOCKS;
  const needs = gatherNeeds(allocations, named, []);
  const recollected = await recollectWork(context.memory, context.sql, { ...needs, candidates });
  if (recollected === null) throw NEEDS_LOCKS;
  return recollected;
}

const earliestDeadline = (items: readonly BatchItem[]): number =>
  Math.min(...items.map(({ deadlineAt }) => deadlineAt ?? Number.POSITIVE_INFINITY));

/** Locks what callers hold that get it again; for these alone it takes round trips of its own. */
async function lockHeld(context: BatchContext, allocations: readonly AllocateRequest[]): Promise<string[]> {
  const holders = holdersOf(context, allocations);
  const heldIds = holders.length === 0 ? [] : await findHeldAccounts(context.sql, holders);
  if (heldIds.length > 0) await lockAccounts(context.sql, heldIds);
  return heldIds;
}

function decideNamed(context: BatchContext, work: UnitOfWork, request: NamedRequest): Outcome<AccountOperation> {
  const account = work.accounts.get(request.body.account_id);
  if (account === undefined) return { reply: refuse('ACCOUNT_NOT_FOUND') };
  return ruleOf(request).decide(context, work, account, request);
}

function gatherNeeds(
  allocations: readonly AllocateRequest[],
  named: readonly NamedRequest[],
  heldIds: readonly string[],
) {
  const sessionsOf = [...allocations.flatMap(namedBy), ...heldIds];
  const accountIds = new Set(sessionsOf);
  const channels = new Set(allocations.flatMap(({ body }) => body.target_channel_id ?? []));
  const permitIds: string[] = [];
  const countedOf: string[] = [];
  const lastLeaseOf: string[] = [];
  for (const request of named) {
    const { account_id: accountId } = request.body;
    const needs = ruleOf(request).needs?.(request.body) ?? {};
    accountIds.add(accountId);
    for (const channel of needs.channels ?? []) channels.add(channel);
    permitIds.push(...(needs.permitIds ?? []));
    if (needs.withCounted) countedOf.push(accountId);
    if (needs.withLastLease) lastLeaseOf.push(accountId);
  }
  return {
    accountIds: [...accountIds],
    channels: [...channels],
    sessionsOf,
    permitIds,
    countedOf,
    lastLeaseOf,
  };
}

/** The operations whose requests this lane answers. */
export const ACCOUNT_OPERATIONS = ['account.allocate', ...Object.keys(RULES)] as readonly AccountOperation[];
