import { toIso } from '../../clock.js';
import { judgeOwnership } from '../../decide/selection/judge-ownership.js';
import { policyFor } from '../../decide/limits/reentry.js';
import type { AccountRecord } from '../../store/accounts/account-record.js';
import type { Permit } from '../../store/accounts/load-permits.js';
import { claimOf } from '../../requests/claim.js';
import { announceExceeded } from '../../accounts/exceeded-limits.js';
import type { AcceptedRequest, AccountRule, BatchContext, Outcome } from '../../requests/handler.js';
import { refuseInvalid } from '../../requests/refuse.js';
import { roomAfter } from '../account/room-after.js';
import { countUsage, keepCountedAction, type UnitOfWork } from '../../accounts/unit-of-work.js';

type Request = AcceptedRequest<'action.record'>;

/** `action.record`: settles a permit, or counts one action that has happened, even over a limit. */
export const record: AccountRule<'action.record'> = {
  needs: ({ target_channel_id: channel, permit_id: permitId }) => ({
    channels: channel === undefined ? [] : [channel],
    permitIds: permitId === undefined ? [] : [permitId],
  }),
  decide: (context, work, account, request) => {
    const permitId = request.body.permit_id;
    return permitId === undefined
      ? countHappened(context, work, account, request)
      : settlePermit(work, account, work.permits.get(permitId), permitId, request);
  },
};

function settlePermit(
  work: UnitOfWork,
  account: AccountRecord,
  permit: Permit | undefined,
  permitId: string,
  { body }: Request,
): Outcome<'action.record'> {
  if (permit === undefined || permit.accountId !== account.accountId || permit.actionType !== body.action_type) {
    return { reply: refuseInvalid([{ path: 'permit_id', message: 'is no permit of this account for this action' }]) };
  }
  const wasSettled = permit.settled;
  permit.settled = true;
  if (!wasSettled) work.changes.permitsSettled.push({ permitId, success: body.success });
  return {
    reply: {
      success: true,
      message: wasSettled
        ? 'the permit was settled before'
        : 'permit settled; the action was counted when it was acquired',
      recorded_at: toIso(work.now),
      over_limit: false,
    },
    log: { user_id: account.userId, permit_id: permitId, succeeded: body.success },
  };
}

function countHappened(
  context: BatchContext,
  work: UnitOfWork,
  account: AccountRecord,
  request: Request,
): Outcome<'action.record'> {
  const { action_type: actionType, target_channel_id: channel = null, success } = request.body;
  const policy = policyFor(account.condition, context, work.now)[actionType];
  const log = { user_id: account.userId, action_type: actionType, succeeded: success };
  if (!success && !context.countFailedAttempts) {
    return {
      reply: {
        success: true,
        message: 'failed attempts are not counted',
        recorded_at: toIso(work.now),
        over_limit: false,
      },
      log,
    };
  }
  countUsage(
    work,
    account,
    { actionType, quantity: 1, byChannel: channel === null ? [] : [{ channel, quantity: 1 }] },
    policy,
  );
  const action = {
    leaseId: leaseOf(account, request),
    serviceName: request.body.service_name ?? null,
    actionType,
    channel,
    quantity: 1,
    source: 'recorded' as const,
    limitsLeft: roomAfter(work, account, { actionType, channel, policy }),
    success,
  };
  keepCountedAction(work, account, action, request);
  const channels = channel === null ? [] : [channel];
  const overLimit = announceExceeded(work, account, { actionType, channels, policy }, request);
  return {
    reply: { success: true, message: 'action counted', recorded_at: toIso(work.now), over_limit: overLimit },
    log: { ...log, lease_id: account.lease?.leaseId, over_limit: overLimit },
  };
}

/**
 * The open lease, unless the action is plainly not of it: under another lease's name it would hide there what its
 * release has to count.
 */
function leaseOf(account: AccountRecord, request: Request): string | null {
  return judgeOwnership(account.lease, claimOf(request)) === null ? (account.lease?.leaseId ?? null) : null;
}
