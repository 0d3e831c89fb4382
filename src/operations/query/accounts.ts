import { ACTION_TYPES, type ActionType } from '../../../contracts/fields.js';
import type { ReplyBody, RequestBody } from '../../../contracts/operations.js';
import { isoOrNull } from '../../clock.js';
import { evaluateLimits, type LimitChecks } from '../../decide/limits/evaluate-limits.js';
import { policyFor, reducePolicy, reentersSince } from '../../decide/limits/reentry.js';
import { EMPTY_CHANNEL_USAGE, EMPTY_WINDOW, nextUtcMidnight } from '../../decide/limits/usage-window.js';
import type { AccountRecord } from '../../store/accounts/account-record.js';
import { usedToday } from '../../store/accounts/changes.js';
import { countAccounts } from '../../store/accounts/count-accounts.js';
import { groupUsage } from '../../store/fleet/group-usage.js';
import { listAccounts } from '../../store/accounts/list-accounts.js';
import { loadAccountHeads } from '../../store/accounts/load-account-heads.js';
import { loadAccounts } from '../../store/accounts/load-accounts.js';
import type { BatchContext, OperationHandler, Outcome } from '../../requests/handler.js';
import { channelUsageOf, windowOf } from '../../accounts/unit-of-work.js';
import { grantableAt, QUERIED_LEASE_MS, type GrantWish, standingAt } from '../../accounts/judge-grant.js';

type Body = RequestBody<'query.accounts'>;
type Reply = ReplyBody<'query.accounts'>;

/** A page is looked for among this many accounts at most, then handed out as it is: limits are judged one by one. */
const MAX_LOOKED_AT = 5_000;
/** More accounts are not loaded at a time. */
const MAX_STEP = 1_000;

/** `query.accounts`: a user's accounts as of now; the totals by count, the page account by account. */
export const accounts: OperationHandler<'query.accounts'> = {
  handle: async (context, requests) => {
    const outcomes: Outcome<'query.accounts'>[] = [];
    for (const { body } of requests) outcomes.push({ reply: { success: true, ...(await summarise(context, body)) } });
    return outcomes;
  },
};

async function summarise(context: BatchContext, body: Body): Promise<Reply> {
  const { user_id: userId, target_channel_id: channel } = body;
  const { now } = await loadAccountHeads(context.sql, []);
  const counts = (await countAccounts(context.sql, [userId], now)).get(userId);
  const { free = 0, leased = 0, floodWait = 0, blocked = 0, draining = 0, disabled = 0 } = counts ?? {};
  const capacity = await sumCapacity(context, body, now);
  const ready = isJudged(body) ? await countReady(context, body, now) : { grantable: free, canInvite: 0 };
  return {
    user_id: userId,
    purpose: body.purpose ?? 'general',
    total_accounts: counts?.total ?? 0,
    free_accounts: free,
    leased_accounts: leased,
    active_accounts: free + leased,
    available_now: ready.grantable,
    aggregates: {
      status_distribution: { active: free + leased, flood_wait: floodWait, blocked, draining, disabled },
      capacity_today: capacity,
      capacity_today_sum:
        channel === undefined
          ? capacity.invite
          : (await sumCapacity(context, { ...body, target_channel_id: undefined }, now)).invite,
      capacity_today_by_channel: channel === undefined ? null : capacity.invite,
      can_invite_in_channel_true: channel === undefined ? null : ready.canInvite,
    },
    ...(await loadPage(context, body, now)),
  };
}

/** Whether free accounts have to be judged one by one: no limit bears on `general`. */
const isJudged = ({ purpose, target_channel_id: channel }: Body): boolean =>
  channel !== undefined || (purpose !== undefined && purpose !== 'general');

/** How many free accounts could be granted now, and how many of them may invite in the channel at this instant. */
async function countReady(context: BatchContext, body: Body, now: number) {
  const wish = wishOf(context, body);
  const counted = { grantable: 0, canInvite: 0 };
  let afterId: string | null = null;
  for (let lookedAt = 0; lookedAt < MAX_LOOKED_AT; lookedAt += MAX_STEP) {
    const filter = { userId: body.user_id, status: 'active' as const, onlyFree: true };
    const ids: string[] = await listAccounts(context.sql, { ...filter, afterId, limit: MAX_STEP }, now);
    const channels = wish.channel === null ? [] : [wish.channel];
    const { accounts: records } = await loadAccounts(context.sql, { accountIds: ids, channels });
    for (const record of records.values()) {
      const availableAt = grantableAt(record, wish, now);
      if (availableAt !== null && availableAt <= now) counted.grantable += 1;
      if (wish.channel !== null && mayInvite(context, record, wish.channel, now)) counted.canInvite += 1;
    }
    afterId = ids.at(-1) ?? null;
    if (ids.length < MAX_STEP) break;
  }
  return counted;
}

const mayInvite = (context: BatchContext, account: AccountRecord, channel: string, now: number): boolean =>
  evaluateLimits(
    {
      window: windowOf(account, 'invite'),
      channel: channelUsageOf(account, 'invite', channel),
      policy: policyFor(account.condition, context, now).invite,
    },
    now,
  ).allowed;

/** How often each action is still possible today over the user's accounts; null: unlimited. */
async function sumCapacity(
  context: BatchContext,
  { user_id: userId, target_channel_id: channel }: Body,
  now: number,
): Promise<Record<ActionType, number | null>> {
  const cohorts = await groupUsage(context.sql, {
    userId,
    channel: channel ?? null,
    ableBefore: nextUtcMidnight(now),
    reentersSince: reentersSince(context.reentry, now),
  });
  const capacityOf = (actionType: ActionType): number | null => {
    let capacity = 0;
    for (const { reenters, able, groups } of cohorts) {
      const policy = (reenters ? reducePolicy(context.policy, context.reentry) : context.policy)[actionType];
      const used = groups.filter((group) => group.actionType === actionType);
      const unused = able - used.reduce((accounts, group) => accounts + group.accounts, 0);
      for (const group of [{ usage: EMPTY_WINDOW, channel: EMPTY_CHANNEL_USAGE, accounts: unused }, ...used]) {
        const window = { ...EMPTY_WINDOW, ...group.usage };
        const inChannel = channel === undefined ? null : group.channel;
        const each = leastRemaining(evaluateLimits({ window, channel: inChannel, policy }, now).checks);
        if (each === null) return null;
        capacity += each * group.accounts;
      }
    }
    return capacity;
  };
  return Object.fromEntries(ACTION_TYPES.map((action) => [action, capacityOf(action)])) as Record<
    ActionType,
    number | null
  >;
}

function leastRemaining({ daily, perChannel }: LimitChecks): number | null {
  const counts = [daily, perChannel, perChannel?.total].flatMap((check) => check?.remaining ?? []);
  return counts.length === 0 ? null : Math.min(...counts);
}

/** The accounts after the cursor that pass the filters, up to the limit. */
async function loadPage(
  context: BatchContext,
  body: Body,
  now: number,
): Promise<Pick<Reply, 'accounts' | 'next_cursor'>> {
  const wish = wishOf(context, body);
  const onlyAvailable = body.only_available || body.include_unavailable === false;
  const page: Reply['accounts'] = [];
  let afterId = body.cursor ?? null;
  // One more than fits tells whether a page follows; where few pass the filters, the steps grow.
  for (let step = body.limit + 1, lookedAt = 0; lookedAt < MAX_LOOKED_AT; lookedAt += step, step = longer(step)) {
    const filter = { userId: body.user_id, status: body.status ?? null, onlyFree: onlyAvailable };
    const ids = await listAccounts(context.sql, { ...filter, afterId, limit: step }, now);
    const { accounts: records } = await loadAccounts(context.sql, {
      accountIds: ids,
      channels: wish.channel === null ? [] : [wish.channel],
    });
    for (const accountId of ids) {
      if (page.length === body.limit) return { accounts: page, next_cursor: toCursor(afterId) };
      afterId = accountId;
      const record = records.get(accountId);
      const summary = record && describe(record, wish, now);
      if (summary !== undefined && (summary.is_available || !onlyAvailable)) page.push(summary);
    }
    if (ids.length < step) return { accounts: page, next_cursor: null };
  }
  return { accounts: page, next_cursor: toCursor(afterId) };
}

const longer = (step: number): number => Math.min(step * 2, MAX_STEP);

const toCursor = (accountId: string | null): string | null => accountId?.replaceAll('-', '') ?? null;

const wishOf = ({ policy, reentry }: BatchContext, { purpose, target_channel_id: channel }: Body): GrantWish => ({
  // No limit bears on `general`.
  purpose: purpose ?? 'general',
  channel: channel ?? null,
  hasChannel: channel !== undefined,
  leaseMs: QUERIED_LEASE_MS,
  policy,
  reentry,
});

function describe(account: AccountRecord, wish: GrantWish, now: number): Reply['accounts'][number] {
  const { condition, lease } = standingAt(account, now);
  const availableAt = grantableAt(account, wish, now);
  const isAvailable = availableAt !== null && availableAt <= now;
  return {
    account_id: account.accountId,
    status: condition.status,
    disabled_reason: condition.disabledReason,
    is_available: isAvailable,
    available_at: isAvailable ? null : isoOrNull(availableAt),
    leased_by: lease?.serviceName ?? null,
    leased_until: isoOrNull(lease?.expiresAt ?? null),
    error_count: condition.errorCount,
    last_used_at: isoOrNull(account.lastUsedAt),
    used_today: Object.fromEntries(ACTION_TYPES.map((action) => [action, usedToday(account, action, now)])) as Record<
      ActionType,
      number
    >,
    phone: account.phone,
    used_invites_today: usedToday(account, 'invite', now),
    used_messages_today: usedToday(account, 'message', now),
    contacts_today: usedToday(account, 'add_contact', now),
    flood_wait_until: isoOrNull(condition.floodWaitUntil),
    blocked_until: isoOrNull(condition.blockedUntil),
  };
}
