import { toIso } from '../../clock.js';
import { judgeOwnership, judgeReport } from '../../decide/selection/judge-ownership.js';
import { reconcileUsage } from '../../decide/limits/reconcile-usage.js';
import { forgiveError } from '../../decide/condition/errors.js';
import { policyFor } from '../../decide/limits/reentry.js';
import type { AccountRecord, OpenLease } from '../../store/accounts/account-record.js';
import { usedToday } from '../../store/accounts/changes.js';
import type { CountedInLease } from '../../store/accounts/load-counted-in-leases.js';
import { claimOf } from '../../requests/claim.js';
import { announceExceeded } from '../../accounts/exceeded-limits.js';
import type { AcceptedRequest, AccountRule, BatchContext, Outcome } from '../../requests/handler.js';
import { refuse } from '../../requests/refuse.js';
import { takeError } from './error.js';
import { roomAfter, roomToday } from './room-after.js';
import {
  changeCondition,
  countedDuring,
  countUsage,
  endLease,
  keepCountedAction,
  type UnitOfWork,
} from '../../accounts/unit-of-work.js';

type Request = AcceptedRequest<'account.release'>;

/**
 * `account.release`: ends the lease, counts what was not yet counted, and takes the error reported along. That error is
 * evidence, so it counts for the account even where the release is refused because the lease is over (`judgeReport`).
 */
export const release: AccountRule<'account.release'> = {
  needs: ({ usage_stats: stats }) => ({
    channels: [...(stats.channels_used ?? []), ...Object.keys(stats.channel_usage ?? {})],
    withCounted: true,
    withLastLease: reportsError(stats),
  }),
  decide: releaseOne,
};

const reportsError = ({ error_type: type, error_message: message }: Request['body']['usage_stats']): boolean =>
  type !== undefined || message !== undefined;

function releaseOne(
  context: BatchContext,
  work: UnitOfWork,
  account: AccountRecord,
  request: Request,
): Outcome<'account.release'> {
  const { lease } = account;
  const claim = claimOf(request);
  const refusal = judgeOwnership(lease, claim);
  if (refusal !== null || lease === null) {
    const isEvidence = judgeReport(lease, work.lastLeases.get(account.accountId) ?? null, claim) === null;
    if (isEvidence) takeReported(context, work, account, request, claim.leaseId ?? null);
    return { reply: refuse(refusal ?? 'NOT_HELD'), log: { user_id: account.userId, status: account.condition.status } };
  }

  const counted = countReported(context, work, account, lease, countedDuring(work, lease), request);
  const { success } = request.body.usage_stats;
  takeReported(context, work, account, request, lease.leaseId);
  if (success && !reportsError(request.body.usage_stats)) {
    const forgiven = forgiveError(account.condition, lease.allocatedAt, context.errorWindowMs);
    changeCondition(work, account, forgiven, {}, request);
  }
  const left = roomToday(account, policyFor(account.condition, context, work.now), work.now);
  endLease(work, account, 'released', work.now, 'account.released', { counted, success, limits_left: left }, request);
  const { ignored } = request.body.usage_stats;
  return {
    reply: {
      success: true,
      message: 'account released',
      released_at: toIso(work.now),
      counted,
      fence: account.fence,
      ...(ignored !== undefined && { ignored }),
    },
    log: {
      user_id: account.userId,
      lease_id: lease.leaseId,
      counted,
      ...(ignored !== undefined && { ignored }),
      status: account.condition.status,
      invites_today: usedToday(account, 'invite', work.now),
      messages_today: usedToday(account, 'message', work.now),
      contacts_today: usedToday(account, 'add_contact', work.now),
    },
  };
}

/** Takes the error that the release reports, where it reports one. */
function takeReported(
  context: BatchContext,
  work: UnitOfWork,
  account: AccountRecord,
  request: Request,
  leaseId: string | null,
): void {
  if (!reportsError(request.body.usage_stats)) return;
  const { error_type: errorType, error_message: errorMessage } = request.body.usage_stats;
  const report = { errorType, errorMessage, serviceName: request.body.service_name, leaseId };
  const { classified_as: errorClass } = takeError(context, work, account, report, request);
  context.afterCommit(() => context.metrics.errors.inc({ class: errorClass }));
}

/** Counts what the holder reports beyond what was acquired and recorded during the lease. */
function countReported(
  context: BatchContext,
  work: UnitOfWork,
  account: AccountRecord,
  lease: OpenLease,
  countedInLease: CountedInLease[],
  request: Request,
) {
  const reported = request.body.usage_stats;
  if (!reported.success && !context.countFailedAttempts) return { invites: 0, messages: 0, contacts: 0 };
  const policy = policyFor(account.condition, context, work.now);
  const { additions, counted } = reconcileUsage({ reported, countedInLease, leaseChannel: lease.targetChannel });
  for (const addition of additions) {
    const { actionType, quantity, byChannel } = addition;
    countUsage(work, account, addition, policy[actionType]);
    if (quantity > 0) {
      const channel = byChannel.length === 1 ? (byChannel[0]?.channel ?? null) : null;
      const action = {
        leaseId: lease.leaseId,
        serviceName: lease.serviceName,
        actionType,
        channel,
        quantity,
        source: 'reported' as const,
        limitsLeft: roomAfter(work, account, { actionType, channel, policy: policy[actionType] }),
        success: reported.success,
      };
      keepCountedAction(work, account, action, request);
    }
    const channels = byChannel.map(({ channel }) => channel);
    announceExceeded(work, account, { actionType, channels, policy: policy[actionType] }, request);
  }
  return counted;
}
