import { ACTION_TYPES, type ActionType } from '../../../contracts/fields.js';
import type { ReplyBody, RequestBody } from '../../../contracts/operations.js';
import { isoOrNull } from '../../clock.js';
import { recoveryAt } from '../../decide/condition/plan-recovery.js';
import { evaluateLimits, type LimitChecks } from '../../decide/limits/evaluate-limits.js';
import { policyFor, reducePolicy, reentersSince } from '../../decide/limits/reentry.js';
import { EMPTY_CHANNEL_USAGE, EMPTY_WINDOW, nextUtcMidnight } from '../../decide/limits/usage-window.js';
import type { AccountRecord } from '../../store/accounts/account-record.js';
import { usedToday } from '../../store/accounts/changes.js';
import { countAccounts } from '../../store/accounts/count-accounts.js';
import { groupUsage, type UsageCohort } from '../../store/fleet/group-usage.js';
import { type AccountMatch, ANY_ACCOUNT, countMatching, matchAccounts } from '../../store/accounts/match-accounts.js';
import { readSearch } from '../../store/accounts/search-terms.js';
import { loadMetadata } from '../../store/accounts/load-metadata.js';
import { loadRestrictions } from '../../store/history/restrictions.js';
import { usersSeen } from '../list-page.js';
import { toRestrictedBy } from '../restricted-by.js';
import { loadAccountHeads } from '../../store/accounts/load-account-heads.js';
import { loadAccounts } from '../../store/accounts/load-accounts.js';
import type { AcceptedRequest, BatchContext, OperationHandler, Outcome } from '../../requests/handler.js';
import { channelUsageOf, windowOf } from '../../accounts/unit-of-work.js';
import { grantableAt, QUERIED_LEASE_MS, type GrantWish, availabilityAt } from '../../accounts/judge-grant.js';

type Body = RequestBody<'query.accounts'>;
type Reply = ReplyBody<'query.accounts'>;

/** A page is looked for among this many accounts at most, then handed out as it is: limits are judged one by one. */
const MAX_LOOKED_AT = 5_000;
/** More accounts are not loaded at a time. */
const MAX_STEP = 1_000;

/** `query.accounts`: accounts as of now; the totals by count, the page account by account. */
export const accounts: OperationHandler<'query.accounts'> = {
  handle: async (context, requests) => {
    const outcomes: Outcome<'query.accounts'>[] = [];
    for (const request of requests) outcomes.push({ reply: { success: true, ...(await summarise(context, request)) } });
    return outcomes;
  },
};

async function summarise(context: BatchContext, request: AcceptedRequest<'query.accounts'>): Promise<Reply> {
  const { body } = request;
  const users = usersSeen(context, request);
  const { now } = await loadAccountHeads(context.sql, []);
  const match = matchOf(body, users);
  const [totals, count, page] = await Promise.all([
    users === null ? totalsOfFleet(context, now) : totalsOfUsers(context, body, users, now),
    context.largeCounts.of(JSON.stringify(['query.accounts', match]), () => countMatching(context.sql, match)),
    loadPage(context, body, users, now),
  ]);
  return { user_id: body.user_id ?? null, purpose: body.purpose ?? 'general', ...totals, ...count, ...page };
}

type Totals = Pick<
  Reply,
  'total_accounts' | 'free_accounts' | 'leased_accounts' | 'active_accounts' | 'available_now' | 'aggregates'
>;

/** Every account is counted, but limits are judged by none: what has to be asked of each account is asked of a user's. */
async function totalsOfFleet(context: BatchContext, now: number): Promise<Totals> {
  const { snapshot, cohorts } = await context.fleetTotals();
  const { byStatus, available } = snapshot;
  const capacity = addUpCapacity(context, cohorts, null, now);
  return {
    total_accounts: Object.values(byStatus).reduce((sum, accounts) => sum + accounts, 0),
    free_accounts: available,
    leased_accounts: byStatus.active - available,
    active_accounts: byStatus.active,
    available_now: available,
    aggregates: {
      status_distribution: byStatus,
      capacity_today: capacity,
      capacity_today_sum: capacity.invite,
      capacity_today_by_channel: null,
      can_invite_in_channel_true: null,
    },
  };
}

async function totalsOfUsers(
  context: BatchContext,
  body: Body,
  users: readonly number[],
  now: number,
): Promise<Totals> {
  const { target_channel_id: channel = null } = body;
  const { total, free, leased, floodWait, blocked, draining, disabled } = await addUpCounts(context, users, now);
  const capacity = await sumCapacity(context, users, channel, now);
  const ready = isJudged(body) ? await countReady(context, body, users, now) : { grantable: free, canInvite: 0 };
  const invites = channel === null ? capacity.invite : (await sumCapacity(context, users, null, now)).invite;
  return {
    total_accounts: total,
    free_accounts: free,
    leased_accounts: leased,
    active_accounts: free + leased,
    available_now: ready.grantable,
    aggregates: {
      status_distribution: { active: free + leased, flood_wait: floodWait, blocked, draining, disabled },
      capacity_today: capacity,
      capacity_today_sum: invites,
      capacity_today_by_channel: channel === null ? null : capacity.invite,
      can_invite_in_channel_true: channel === null ? null : ready.canInvite,
    },
  };
}

async function addUpCounts({ sql }: BatchContext, users: readonly number[], now: number) {
  const sum = { total: 0, free: 0, leased: 0, floodWait: 0, blocked: 0, draining: 0, disabled: 0 };
  for (const counts of (await countAccounts(sql, users, now)).values()) {
    for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += counts[name];
  }
  return sum;
}

/** Which accounts the request is about, as far as the database can tell. */
const matchOf = (body: Body, users: readonly number[] | null): AccountMatch => ({
  ...ANY_ACCOUNT,
  users,
  status: body.status ?? (onlyAvailable(body) ? 'active' : null),
  disabledReason: body.disabled_reason ?? null,
  leasedBy: body.leased_by ?? null,
  phone: body.phone === undefined ? null : `+${body.phone.replace('+', '')}`,
  search: body.search === undefined ? null : readSearch(body.search),
  onlyFree: onlyAvailable(body),
});

const onlyAvailable = (body: Body): boolean => body.only_available || body.include_unavailable === false;

/** Whether free accounts have to be judged one by one: no limit bears on `general`. */
const isJudged = ({ purpose, target_channel_id: channel }: Body): boolean =>
  channel !== undefined || (purpose !== undefined && purpose !== 'general');

/** How many free accounts could be granted now, and how many of them may invite in the channel at this instant. */
async function countReady(context: BatchContext, body: Body, users: readonly number[], now: number) {
  const wish = wishOf(context, body);
  const counted = { grantable: 0, canInvite: 0 };
  let afterId: string | null = null;
  for (let lookedAt = 0; lookedAt < MAX_LOOKED_AT; lookedAt += MAX_STEP) {
    const match = { ...ANY_ACCOUNT, users, status: 'active' as const, onlyFree: true };
    const ids: string[] = await matchAccounts(context.sql, match, { afterId, limit: MAX_STEP });
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

/** How often each action is still possible today over the users' accounts; null: unlimited. */
async function sumCapacity(
  context: BatchContext,
  users: readonly number[],
  channel: string | null,
  now: number,
): Promise<Record<ActionType, number | null>> {
  const cohorts = await groupUsage(context.sql, {
    users,
    channel,
    ableBefore: nextUtcMidnight(now),
    reentersSince: reentersSince(context.reentry, now),
  });
  return addUpCapacity(context, cohorts, channel, now);
}

function addUpCapacity(
  context: BatchContext,
  cohorts: readonly UsageCohort[],
  channel: string | null,
  now: number,
): Record<ActionType, number | null> {
  const capacityOf = (actionType: ActionType): number | null => {
    let capacity = 0;
    for (const { reenters, able, groups } of cohorts) {
      const policy = (reenters ? reducePolicy(context.policy, context.reentry) : context.policy)[actionType];
      const used = groups.filter((group) => group.actionType === actionType);
      const unused = able - used.reduce((accounts, group) => accounts + group.accounts, 0);
      for (const group of [{ usage: EMPTY_WINDOW, channel: EMPTY_CHANNEL_USAGE, accounts: unused }, ...used]) {
        const window = { ...EMPTY_WINDOW, ...group.usage };
        const inChannel = channel === null ? null : group.channel;
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
  users: readonly number[] | null,
  now: number,
): Promise<Pick<Reply, 'accounts' | 'next_cursor'>> {
  const wish = wishOf(context, body);
  const match = matchOf(body, users);
  const page: AccountRecord[] = [];
  let afterId = body.cursor ?? null;
  // One more than fits tells whether a page follows; where few pass the filters, the steps grow.
  for (let step = body.limit + 1, lookedAt = 0; lookedAt < MAX_LOOKED_AT; lookedAt += step, step = longer(step)) {
    const ids = await matchAccounts(context.sql, match, { afterId, limit: step });
    const { accounts: records } = await loadAccounts(context.sql, {
      accountIds: ids,
      channels: wish.channel === null ? [] : [wish.channel],
    });
    for (const accountId of ids) {
      if (page.length === body.limit) return describeAll(context, page, wish, now, afterId);
      afterId = accountId;
      const record = records.get(accountId);
      if (record !== undefined && (!onlyAvailable(body) || isAvailable(record, wish, now))) page.push(record);
    }
    if (ids.length < step) return describeAll(context, page, wish, now, null);
  }
  return describeAll(context, page, wish, now, afterId);
}

async function describeAll(
  { sql }: BatchContext,
  page: readonly AccountRecord[],
  wish: GrantWish,
  now: number,
  afterId: string | null,
): Promise<Pick<Reply, 'accounts' | 'next_cursor'>> {
  const restricted = page
    .map((account) => ({ accountId: account.accountId, status: availabilityAt(account, now).condition.status }))
    .filter(({ status }) => status !== 'active');
  const [restrictions, metadata] = await Promise.all([
    loadRestrictions(sql, restricted),
    loadMetadata(
      sql,
      page.map(({ accountId }) => accountId),
    ),
  ]);
  return {
    accounts: page.map((account) => ({
      ...describe(account, wish, now),
      metadata: metadata.get(account.accountId) ?? {},
      restricted_by: toRestrictedBy(restrictions.get(account.accountId)),
    })),
    next_cursor: afterId?.replaceAll('-', '') ?? null,
  };
}

const longer = (step: number): number => Math.min(step * 2, MAX_STEP);

const wishOf = ({ policy, reentry }: BatchContext, { purpose, target_channel_id: channel }: Body): GrantWish => ({
  // No limit bears on `general`.
  purpose: purpose ?? 'general',
  channel: channel ?? null,
  hasChannel: channel !== undefined,
  leaseMs: QUERIED_LEASE_MS,
  policy,
  reentry,
});

const isAvailable = (account: AccountRecord, wish: GrantWish, now: number): boolean => {
  const availableAt = grantableAt(account, wish, now);
  return availableAt !== null && availableAt <= now;
};

function describe(
  account: AccountRecord,
  wish: GrantWish,
  now: number,
): Omit<Reply['accounts'][number], 'metadata' | 'restricted_by'> {
  const { condition, lease } = availabilityAt(account, now);
  const availableAt = grantableAt(account, wish, now);
  const isFree = isAvailable(account, wish, now);
  return {
    account_id: account.accountId,
    user_id: account.userId,
    status: condition.status,
    disabled_reason: condition.disabledReason,
    is_available: isFree,
    available_at: isFree ? null : isoOrNull(availableAt),
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
    recovery_at: isoOrNull(recoveryAt(condition)),
  };
}
