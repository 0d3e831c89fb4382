import { claimsOwnership, judgeOwnership } from '../../decide/selection/judge-ownership.js';
import { judgeAction, type LimitsVerdict } from '../../decide/limits/evaluate-limits.js';
import { policyFor } from '../../decide/limits/reentry.js';
import type { AccountRecord } from '../../store/accounts/account-record.js';
import { claimOf } from '../../requests/claim.js';
import type { AcceptedRequest, AccountRule, BatchContext, Outcome } from '../../requests/handler.js';
import { noteReentry } from '../../accounts/reentry-note.js';
import { refuse } from '../../requests/refuse.js';
import { describeRoom, describeVerdict, roomLeft } from '../query/describe-limits.js';
import {
  channelUsageOf,
  countUsage,
  keepCountedAction,
  type UnitOfWork,
  windowOf,
} from '../../accounts/unit-of-work.js';

/** `action.acquire`: checks every limit and counts the action in one step; what is refused counts nothing. */
export const acquire: AccountRule<'action.acquire'> = {
  needs: ({ target_channel_id: channel }) => (channel === undefined ? {} : { channels: [channel] }),
  decide: acquireOne,
};

function acquireOne(
  context: BatchContext,
  work: UnitOfWork,
  account: AccountRecord,
  request: AcceptedRequest<'action.acquire'>,
): Outcome<'action.acquire'> {
  const { action_type: actionType, target_channel_id: channel } = request.body;
  const refusal = refuseStranger(account, request);
  if (refusal !== null) return { reply: refuse(refusal) };

  const verdict = judge(context, work, account, request);
  const note = noteReentry(account.condition, context, work.now);
  const log = {
    user_id: account.userId,
    lease_id: account.lease?.leaseId,
    allowed: verdict.allowed,
    reason: verdict.reason,
  };
  if (!verdict.allowed) {
    return {
      reply: { success: true, ...describeVerdict(verdict, work.now), ...note },
      log: { ...log, ...describeRoom(actionType, verdict) },
    };
  }

  const byChannel = channel === undefined ? [] : [{ channel, quantity: 1 }];
  countUsage(work, account, { actionType, quantity: 1, byChannel }, context.policy[actionType]);
  const after = judge(context, work, account, request);
  const action = {
    leaseId: account.lease?.leaseId ?? null,
    serviceName: request.body.service_name ?? null,
    actionType,
    channel: channel ?? null,
    quantity: 1,
    source: 'acquired' as const,
    limitsLeft: roomLeft(actionType, after.checks),
    success: null,
  };
  const permitId = keepCountedAction(work, account, action, request);
  return {
    reply: {
      success: true,
      ...describeVerdict({ ...verdict, checks: after.checks }, work.now),
      ...note,
      permit_id: permitId,
    },
    log: { ...log, ...describeRoom(actionType, after), permit_id: permitId },
  };
}

/** A caller that says who it is must be the holder; one that says nothing acts on an account as the predecessor's callers do. */
function refuseStranger(account: AccountRecord, request: AcceptedRequest<'action.acquire'>) {
  const claim = claimOf(request);
  if (!claimsOwnership(claim) && account.lease === null) return null;
  return judgeOwnership(account.lease, claim);
}

function judge(
  context: BatchContext,
  work: UnitOfWork,
  account: AccountRecord,
  { body }: AcceptedRequest<'action.acquire'>,
): LimitsVerdict {
  return judgeAction(
    {
      condition: account.condition,
      window: windowOf(account, body.action_type),
      channel:
        body.target_channel_id === undefined ? null : channelUsageOf(account, body.action_type, body.target_channel_id),
      policy: policyFor(account.condition, context, work.now)[body.action_type],
    },
    work.now,
  );
}
