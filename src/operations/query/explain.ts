import type { LimitReason } from '../../../contracts/actions.js';
import type { ActionType } from '../../../contracts/fields.js';
import type { ReplyBody, RequestBody } from '../../../contracts/operations.js';
import { isoOrNull, toIso } from '../../clock.js';
import {
  type CountCheck,
  describeChecks,
  failingRules,
  type LimitChecks,
  NEVER,
} from '../../decide/limits/evaluate-limits.js';
import { PURPOSE_ACTIONS } from '../../decide/limits/limits-policy.js';
import { policyFor } from '../../decide/limits/reentry.js';
import { rankCandidates } from '../../decide/selection/select-account.js';
import { EMPTY_CHANNEL_USAGE, EMPTY_WINDOW } from '../../decide/limits/usage-window.js';
import { type AccountRecord, channelKey } from '../../store/accounts/account-record.js';
import { countAccounts } from '../../store/accounts/count-accounts.js';
import { listAccountsByRest } from '../../store/accounts/list-accounts.js';
import { loadAccounts } from '../../store/accounts/load-accounts.js';
import type { BatchContext, OperationHandler, Outcome } from '../../requests/handler.js';
import { grantableAt, QUERIED_LEASE_MS, type GrantWish, standingAt, toOffer } from '../../accounts/judge-grant.js';

type Reply = ReplyBody<'query.explain'>;
type Explained = Reply['accounts'][number];
type Rule = Explained['rules'][number];

/** Some 200 kB of reply for one action in a channel. */
const MAX_EXPLAINED = 500;

/** `query.explain`: what `account.allocate` would find at every account of a user now. */
export const explain: OperationHandler<'query.explain'> = {
  handle: async (context, requests) => {
    const outcomes: Outcome<'query.explain'>[] = [];
    for (const { body } of requests) outcomes.push({ reply: { success: true, ...(await explainAll(context, body)) } });
    return outcomes;
  },
};

async function explainAll({ sql, policy, reentry }: BatchContext, body: RequestBody<'query.explain'>): Promise<Reply> {
  const { user_id: userId, purpose, target_channel_id: channel = null } = body;
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
  return {
    explained_at: toIso(now),
    total_accounts: counts.get(userId)?.total ?? 0,
    accounts: [...ranked.map(({ account }) => account), ...later].map((account) => explainAccount(account, wish, now)),
  };
}

function explainAccount(account: AccountRecord, wish: GrantWish, now: number): Explained {
  const { condition, activeAt, freeAt } = standingAt(account, now);
  const at = grantableAt(account, wish, now);
  const grantable = at !== null && at <= now;
  return {
    account_id: account.accountId,
    status: condition.status,
    grantable,
    grantable_at: grantable ? null : isoOrNull(at),
    rules: [
      passing('account_status', activeAt ?? NEVER, now),
      passing('lease', freeAt, now),
      ...PURPOSE_ACTIONS[wish.purpose].flatMap((action) => explainLimits(account, action, wish, now)),
    ],
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
