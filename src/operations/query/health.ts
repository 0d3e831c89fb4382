import type { ReplyBody } from '../../../contracts/operations.js';
import { isoOrNull, toIso } from '../../clock.js';
import type { AccountCondition } from '../../decide/condition/account-condition.js';
import { HIGH_ERROR_COUNT } from '../../decide/condition/errors.js';
import { recoveryAt } from '../../decide/condition/plan-recovery.js';
import type { AccountRecord } from '../../store/accounts/account-record.js';
import { usedToday } from '../../store/accounts/changes.js';
import { loadAccounts } from '../../store/accounts/load-accounts.js';
import type { OperationHandler } from '../../requests/handler.js';
import { availabilityAt } from '../../accounts/judge-grant.js';
import { refuse } from '../../requests/refuse.js';

/** `query.health`: how an account is now, by what is known of it; nobody is asked. */
export const health: OperationHandler<'query.health'> = {
  handle: async ({ sql }, requests) => {
    const accountIds = [...new Set(requests.map((request) => request.body.account_id))];
    const { now, accounts } = await loadAccounts(sql, { accountIds, channels: [] });
    return requests.map(({ body }) => {
      const account = accounts.get(body.account_id);
      if (account === undefined) return { reply: refuse('ACCOUNT_NOT_FOUND') };
      return { reply: { success: true, health: describe(account, now) }, log: { user_id: account.userId } };
    });
  },
};

function describe(account: AccountRecord, now: number): ReplyBody<'query.health'>['health'] {
  const { condition, lease } = availabilityAt(account, now);
  return {
    account_id: account.accountId,
    is_healthy: condition.status === 'active' && condition.errorCount < HIGH_ERROR_COUNT,
    status: condition.status,
    issues: issuesOf(condition),
    recovery_eta: isoOrNull(recoveryAt(condition)),
    last_check: toIso(now),
    metadata: {
      disabled_reason: condition.disabledReason,
      flood_wait_until: isoOrNull(condition.floodWaitUntil),
      blocked_until: isoOrNull(condition.blockedUntil),
      block_level: condition.blockLevel,
      error_count: condition.errorCount,
      locked_by: lease?.serviceName ?? null,
      locked_until: isoOrNull(lease?.expiresAt ?? null),
      last_used_at: isoOrNull(account.lastUsedAt),
      invites_today: usedToday(account, 'invite', now),
      messages_today: usedToday(account, 'message', now),
      contacts_today: usedToday(account, 'add_contact', now),
    },
  };
}

function issuesOf({ status, disabledReason, floodWaitUntil, blockedUntil, errorCount }: AccountCondition): string[] {
  return [
    ...(status === 'disabled' ? [`disabled until an operator acts: ${disabledReason ?? 'for no known reason'}`] : []),
    ...(status === 'draining' ? ['draining: it gets no new lease'] : []),
    ...(blockedUntil === null ? [] : [`blocked after a peer flood until ${toIso(blockedUntil)}`]),
    ...(floodWaitUntil === null ? [] : [`in a flood wait until ${toIso(floodWaitUntil)}`]),
    ...(errorCount < HIGH_ERROR_COUNT ? [] : [`${errorCount} errors since the last recovery`]),
  ];
}
