import type { FailureCode } from '../../../contracts/failures.js';
import type { ReplyBody } from '../../../contracts/operations.js';
import { fromIso, toIso } from '../../clock.js';
import type { LimitsPolicy } from '../../decide/limits/limits-policy.js';
import { policyFor } from '../../decide/limits/reentry.js';
import { MINUTE_MS } from '../../decide/time-units.js';
import type { AccountRecord, OpenLease } from '../../store/accounts/account-record.js';
import { usedToday } from '../../store/accounts/changes.js';
import type { AskedAllocation } from '../../store/history/answered-allocations.js';
import { loadGranted } from '../../store/sessions/load-granted.js';
import {
  type AllocateRequest,
  chooseAccounts,
  type Choice,
  type MoreCandidates,
  regrantsTo,
  type Shortage,
} from './choose-accounts.js';
import type { BatchContext, Outcome, Recall } from '../../requests/handler.js';
import { noteReentry } from '../../accounts/reentry-note.js';
import { refuseAllocations } from './refuse-allocations.js';
import { roomToday } from './room-after.js';
import { endLease, openLease, type UnitOfWork } from '../../accounts/unit-of-work.js';

/**
 * `account.allocate`: the user's best free account with room for the purpose, leased to the caller.
 * @param candidates in the work already, by user
 * @param more where nothing is locked: takes further ones from memory
 */
export async function grantAll(
  context: BatchContext,
  work: UnitOfWork,
  requests: readonly AllocateRequest[],
  candidates: ReadonlyMap<number, readonly string[]>,
  more?: MoreCandidates,
): Promise<{ outcomes: Map<AllocateRequest, Outcome<'account.allocate'>>; shortages: Map<AllocateRequest, Shortage> }> {
  const { choices, shortages, sessions } = await chooseAccounts(context, work, requests, candidates, more);
  const outcomes = new Map<AllocateRequest, Outcome<'account.allocate'>>();
  for (const [request, choice] of choices) {
    const { account, lockValue, preferred, superseded } = choice;
    if (superseded !== undefined) {
      endLease(work, account, 'superseded', work.now, 'account.released', { superseded: true }, request);
    }
    const left = roomToday(account, policyFor(account.condition, context, work.now), work.now);
    const why = { selection: selectionReason(preferred), limits_left: left };
    const lease = openLease(work, account, leaseTerms(request, lockValue, work.now), why, request);
    const connection = {
      session: sessions.get(account.accountId),
      metadata: work.connections.get(account.accountId)?.metadata,
    };
    outcomes.set(request, grant(context, request, choice, lease, connection, work.now));
  }
  return { outcomes, shortages };
}

/** Tells requests that got no account why; counts what is leased now, so the grants of the batch are written before. */
export async function refuseAll(
  context: BatchContext,
  shortages: ReadonlyMap<AllocateRequest, Shortage>,
  now: number,
): Promise<Map<AllocateRequest, Outcome<'account.allocate'>>> {
  const refusals = await refuseAllocations(context, shortages, now);
  return new Map(
    [...refusals].map(([request, { reply, contended, freeInMs }]): [AllocateRequest, Outcome<'account.allocate'>] => {
      const search = shortages.get(request)?.search;
      if (search !== undefined) return [request, { reply, deferred: true, search }];
      const { code, retryable } = reply.error;
      const mayHope = freeInMs !== null && freeInMs <= request.waitsForMs && request.waitsForMs > 0;
      const deferred = retryable && (mayHope || (request.mayAskAgain && contended));
      if (!deferred) count(context, request, code);
      const stored = { ...reply, asked: askedBy(request) };
      return [request, { reply, stored, deferred, log: { purpose: request.body.purpose } }];
    }),
  );
}

/** Fields of the request that `query.explain` shows beside the answer. */
const askedBy = ({ requestId, body }: AllocateRequest): AskedAllocation => ({
  request_id: requestId,
  user_id: body.user_id,
  purpose: body.purpose,
  service_name: body.service_name,
  target_channel: body.target_channel_id ?? null,
});

/**
 * Puts the secrets back into a stored grant, as long as its lease is open, and drops `asked`, which is no part of an
 * answer.
 */
export const recallGrants: Recall<'account.allocate'> = async (context, repeats) => {
  const leaseIds = repeats.flatMap(({ stored }) => (isGrant(stored) ? stored.allocation.lease_id : []));
  const { open, endedAt } = await loadGranted(context.sql, leaseIds);
  // The process that granted these may have died before it prolonged their locks.
  const locks = [...open.values()].map(({ accountId, lockValue, ttlMs }) => ({ accountId, value: lockValue, ttlMs }));
  context.afterCommit(() => context.locks.stretch(locks));
  return repeats.map(({ body, stored: { asked: _, ...stored } }) => {
    if (!isGrant(stored)) return stored;
    const { lease_id: leaseId, expires_at: expiresAt } = stored.allocation;
    const granted = open.get(leaseId);
    if (granted === undefined) {
      const ended_at = toIso(endedAt.get(leaseId) ?? fromIso(expiresAt));
      return { ...stored, allocation: { ...stored.allocation, metadata: {}, ended_at } };
    }
    const session_data = body.include_session
      ? context.cipher.decrypt(granted.keyId, granted.sealed, granted.accountId)
      : null;
    const { phone, metadata } = granted;
    return { ...stored, allocation: { ...stored.allocation, phone, session_data, metadata: readMetadata(metadata) } };
  });
};

/** Callers that get what they hold already when they ask for it again. */
export const holdersOf = (context: BatchContext, requests: readonly AllocateRequest[]) =>
  requests
    .filter((request) => regrantsTo(context, request))
    .map(({ body }) => ({ userId: body.user_id, serviceName: body.service_name }));

const isGrant = (stored: Record<string, unknown>): stored is { allocation: { lease_id: string; expires_at: string } } =>
  stored.success === true;

const readMetadata = (json: string): Record<string, unknown> => JSON.parse(json) as Record<string, unknown>;

const leaseTerms = ({ body, caller }: AllocateRequest, lockValue: string | null, now: number) => ({
  serviceName: body.service_name,
  caller,
  purpose: body.purpose,
  targetChannel: body.target_channel_id ?? null,
  lockValue,
  expiresAt: now + body.timeout_minutes * MINUTE_MS,
});

function grant(
  context: BatchContext,
  request: AllocateRequest,
  { account, candidates, preferred }: Choice,
  lease: OpenLease,
  { session, metadata }: { session: string | undefined; metadata: string | undefined },
  now: number,
): Outcome<'account.allocate'> {
  const allocation: ReplyBody<'account.allocate'>['allocation'] = {
    account_id: account.accountId,
    user_id: account.userId,
    phone: account.phone,
    session_data: session ?? null,
    allocated_at: toIso(lease.allocatedAt),
    allocated_by: lease.serviceName,
    purpose: lease.purpose,
    expires_at: toIso(lease.expiresAt),
    lease_id: lease.leaseId,
    fence: lease.fence,
    limits: {
      ...limitsOf(policyFor(account.condition, context, now)),
      ...noteReentry(account.condition, context, now),
    },
    current_usage: usageOf(account, now),
    selection: {
      reason: selectionReason(preferred),
      ...(preferred !== undefined && { preferred_honoured: preferred }),
      candidates,
    },
    metadata: metadata === undefined ? {} : readMetadata(metadata),
  };
  count(context, request, 'success');
  return {
    reply: { success: true, allocation },
    // A proxy's address in the metadata may hold a password.
    stored: {
      success: true,
      allocation: { ...allocation, phone: '', session_data: null, metadata: {} },
      asked: askedBy(request),
    },
    log: {
      account_id: account.accountId,
      lease_id: lease.leaseId,
      fence: lease.fence,
      purpose: lease.purpose,
      ...usageOf(account, now),
    },
  };
}

const selectionReason = (preferred: boolean | undefined) => (preferred === true ? 'preferred' : 'best_available');

const limitsOf = ({ invite, message, add_contact: addContact }: LimitsPolicy) => ({
  daily_invite_limit: invite.dailyLimit,
  daily_message_limit: message.dailyLimit,
  contacts_daily_limit: addContact.dailyLimit,
  per_channel_invite_limit: invite.perChannelDaily,
  max_per_channel_total: invite.perChannelTotal,
});

const usageOf = (account: AccountRecord, now: number) => ({
  invites_today: usedToday(account, 'invite', now),
  messages_today: usedToday(account, 'message', now),
  contacts_today: usedToday(account, 'add_contact', now),
});

/** Counted once the answer stands. */
const count = (
  { metrics, afterCommit }: BatchContext,
  { body }: AllocateRequest,
  outcome: 'success' | FailureCode,
): void => afterCommit(() => metrics.countAllocation({ service: body.service_name, purpose: body.purpose, outcome }));
