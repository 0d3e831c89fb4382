import type { LimitReason } from '../../../contracts/actions.js';
import type { ActionType, Purpose } from '../../../contracts/fields.js';
import type { ReplyBody } from '../../../contracts/operations.js';
import { fromIso, isoOrNull, toIso } from '../../clock.js';
import { recoveryAt } from '../../decide/condition/plan-recovery.js';
import {
  type CountCheck,
  describeChecks,
  failingRules,
  type LimitChecks,
  NEVER,
} from '../../decide/limits/evaluate-limits.js';
import { PURPOSE_ACTIONS } from '../../decide/limits/limits-policy.js';
import { policyFor } from '../../decide/limits/reentry.js';
import { explainInWords, type FailingLimit } from '../../decide/selection/explain-account.js';
import { rankCandidates } from '../../decide/selection/select-account.js';
import { EMPTY_CHANNEL_USAGE, EMPTY_WINDOW } from '../../decide/limits/usage-window.js';
import { type AccountRecord, channelKey } from '../../store/accounts/account-record.js';
import { countAccounts } from '../../store/accounts/count-accounts.js';
import { listAccountsByRest } from '../../store/accounts/list-accounts.js';
import { loadRestrictions, type RestrictionRow } from '../../store/history/restrictions.js';
import { loadAccounts } from '../../store/accounts/load-accounts.js';
import type { AcceptedRequest, BatchContext, OperationHandler, Outcome } from '../../requests/handler.js';
import { refuseInvalid } from '../../requests/refuse.js';
import { findAnsweredAllocation } from '../../store/history/answered-allocations.js';
import { toRestrictedBy } from '../restricted-by.js';
import { explainAllocation } from './explain-allocation.js';
import { grantableAt, QUERIED_LEASE_MS, type GrantWish, availabilityAt, toOffer } from '../../accounts/judge-grant.js';

type Reply = ReplyBody<'query.explain'>;
type Explained = Reply['accounts'][number];
type Rule = Explained['rules'][number];

/** Some 200 kB of reply for one action in a channel. */
const MAX_EXPLAINED = 500;

/** `query.explain`: what `account.allocate` would find at every account of a user now, or had found for a request. */
export const explain: OperationHandler<'query.explain'> = {
  handle: async (context, requests) => {
    const outcomes: Outcome<'query.explain'>[] = [];
    for (const request of requests) outcomes.push({ reply: await explainOne(context, request) });
    return outcomes;
  },
};

async function explainOne(
  context: BatchContext,
  { body, caller }: AcceptedRequest<'query.explain'>,
): Promise<Outcome<'query.explain'>['reply']> {
  const { request_id: requestId, user_id: userId, purpose, target_channel_id: channel = null } = body;
  if (userId !== undefined && purpose !== undefined)
    return { success: true, ...(await explainAll(context, { userId, purpose, channel })) };
  const found = requestId === undefined ? null : await findAnsweredAllocation(context.sql, requestId);
  const users = context.access.usersOf(caller);
  const { asked } = found?.reply ?? {};
  if (found === null || asked === undefined || (users !== '*' && !users.has(asked.user_id)))
    return refuseInvalid([
      { path: 'request_id', message: 'names no allocation that was answered in the last 24 hours' },
    ]);
  const wish = { userId: asked.user_id, purpose: asked.purpose, channel: asked.target_channel };
  return { success: true, request: explainAllocation(found, asked), ...(await explainAll(context, wish)) };
}

async function explainAll(
  { sql, policy, reentry }: BatchContext,
  { userId, purpose, channel }: { userId: number; purpose: Purpose; channel: string | null },
): Promise<Reply> {
  const wish = { purpose, channel, hasChannel: channel !== null, leaseMs: QUERIED_LEASE_MS, policy, reentry };
  const ids = await listAccountsByRest(sql, userId, MAX_EXPLAINED);
  const { now, accounts } = await loadAccounts(sql, { accountIds: ids, channels: channel === null ? [] : [channel] });
  const counts = await countAccounts(sql, [userId], now);

  const judged = [...accounts.values()].map((account) => ({ account, at: grantableAt(account, wish, now) ?? NEVER }));
  const { ranked } = rankCandidates(
    judged.filter(({ at }) => at <= now).map(({ account }) => toOffer(account, wish, now)),
    wish,
    now,
  );
  const later = judged
    .filter(({ at }) => at > now)
    .sort((a, b) => (a.at === b.at ? 0 : a.at - b.at))
    .map(({ account }) => account);
  const restricted = judged
    .map(({ account }) => ({ accountId: account.accountId, status: availabilityAt(account, now).condition.status }))
    .filter(({ status }) => status !== 'active');
  const restrictions = await loadRestrictions(sql, restricted);
  return {
    explained_at: toIso(now),
    total_accounts: counts.get(userId)?.total ?? 0,
    accounts: [...ranked.map(({ account }) => account), ...later].map((account) =>
      explainAccount(account, wish, restrictions.get(account.accountId) ?? null, now),
    ),
  };
}

function explainAccount(
  account: AccountRecord,
  wish: GrantWish,
  restriction: RestrictionRow | null,
  now: number,
): Explained {
  const { condition, lease, activeAt, freeAt } = availabilityAt(account, now);
  const at = grantableAt(account, wish, now);
  const grantable = at !== null && at <= now;
  const limits = PURPOSE_ACTIONS[wish.purpose].flatMap((action) => explainLimits(account, action, wish, now));
  const restrictedBy =
    restriction === null
      ? null
      : {
          errorClass: restriction.error_class,
          telegramError: restriction.telegram_error,
          reason: restriction.reason,
        };
  const summary = explainInWords(
    {
      purpose: wish.purpose,
      status: condition.status,
      disabledReason: condition.disabledReason,
      recoversAt: recoveryAt(condition),
      leasedBy: lease?.serviceName ?? null,
      leasedUntil: lease?.expiresAt ?? null,
      restriction: restrictedBy,
      failing: grantable ? null : longestFailing(limits),
      grantable,
    },
    now,
  );
  return {
    account_id: account.accountId,
    phone: account.phone,
    status: condition.status,
    leased_by: lease?.serviceName ?? null,
    leased_until: isoOrNull(lease?.expiresAt ?? null),
    restricted_by: toRestrictedBy(restriction ?? undefined),
    summary,
    grantable,
    grantable_at: grantable ? null : isoOrNull(at),
    rules: [passing('account_status', activeAt ?? NEVER, now), passing('lease', freeAt, now), ...limits],
  };
}

/** The failing limit that waiting ends last, or never; null: none fails. */
function longestFailing(limits: readonly Rule[]): FailingLimit | null {
  const endOf = ({ passes_at: at }: Rule) => (at === null ? NEVER : fromIso(at));
  const failing = limits
    .filter(({ passed }) => !passed)
    .toSorted((a, b) => (endOf(a) === endOf(b) ? 0 : endOf(b) - endOf(a)));
  const [longest] = failing;
  if (longest?.action_type === undefined) return null;
  return {
    rule: longest.rule as FailingLimit['rule'],
    actionType: longest.action_type,
    used: longest.used ?? null,
    limit: longest.limit ?? null,
    passesAt: longest.passes_at === null ? null : fromIso(longest.passes_at),
  };
}

/** A rule that passes from an instant on. */
const passing = (rule: Rule['rule'], from: number, now: number): Rule => ({
  rule,
  passed: from <= now,
  passes_at: from <= now || from === NEVER ? null : toIso(from),
});

function explainLimits(account: AccountRecord, action: ActionType, wish: GrantWish, now: number): Rule[] {
  const { channel } = wish;
  const input = {
    window: account.windows.get(action) ?? EMPTY_WINDOW,
    channel: channel === null ? null : (account.channels.get(channelKey(action, channel)) ?? EMPTY_CHANNEL_USAGE),
    policy: policyFor(account.condition, wish, now)[action],
  };
  const failing = failingRules(input, now);
  return countsByRule(describeChecks(input, failing, now)).map(([rule, check]) => ({
    ...passing(rule, failing[rule] ?? now, now),
    action_type: action,
    ...(check !== null && { used: check.used, limit: check.limit }),
  }));
}

/** Every limit that is judged, in the contract's order, with its count where it has one. */
function countsByRule({ daily, hourly, perChannel, burst }: LimitChecks) {
  const rules: [LimitReason, Pick<CountCheck, 'used' | 'limit'> | null][] = [
    ['daily', daily],
    ['hourly', hourly],
    ...(perChannel === undefined
      ? []
      : ([
          ['per_channel_daily', perChannel],
          ['per_channel_total', perChannel.total],
        ] satisfies [LimitReason, CountCheck][])),
    ['cooldown', null],
    ['burst', burst],
  ];
  return rules;
}
