import { randomUUID } from 'node:crypto';
import type { EventType } from '../../contracts/events.js';
import type { ActionType } from '../../contracts/fields.js';
import { toIso } from '../clock.js';
import type { AccountCondition } from '../decide/condition/account-condition.js';
import type { ActionPolicy } from '../decide/limits/limits-policy.js';
import { dueAt, recoveryAt } from '../decide/condition/plan-recovery.js';
import type { HeldLease } from '../decide/selection/judge-ownership.js';
import {
  type ChannelUsage,
  countActions,
  countInChannel,
  EMPTY_CHANNEL_USAGE,
  EMPTY_WINDOW,
  type UsageWindow,
  utcDay,
  windowTime,
} from '../decide/limits/usage-window.js';
import { type AccountRecord, channelKey, type OpenLease } from '../store/accounts/account-record.js';
import { type Changes, type CountedAction, type ErrorEntry, type LeaseEnd } from '../store/accounts/changes.js';
import type { CountedInLease } from '../store/accounts/load-counted-in-leases.js';
import type { Permit } from '../store/accounts/load-permits.js';
import type { Connection } from '../store/sessions/load-sessions.js';

/**
 * The accounts of a batch, and what the batch changes of them. Requests are decided one after the other on the records in
 * memory; the result is written once.
 */
export interface UnitOfWork {
  /** The database's clock, read after the locks were had. */
  readonly now: number;
  /** Nothing is locked: what is decided stands only if the accounts are as they were read once it is written. */
  readonly isGuarded: boolean;
  readonly accounts: Map<string, AccountRecord>;
  /** Sessions and metadata of those accounts whose sessions were wanted. */
  readonly connections: Map<string, Connection>;
  /** Those that requests name, by id. */
  readonly permits: ReadonlyMap<string, Permit>;
  /** Actions counted in leases before this batch, by lease; loaded only where a rule asks for them. */
  readonly countedInLeases: ReadonlyMap<string, CountedInLease[]>;
  /** By account, where it was asked for. */
  readonly lastLeases: ReadonlyMap<string, HeldLease>;
  readonly changes: Changes;
}

/** Thrown where a batch that holds no locks comes to what only one that holds them can decide. */
export const NEEDS_LOCKS = new Error('the batch is to be decided under locks');

/** The author of a change; null where something ends by itself. */
export interface Origin {
  requestId: string;
  traceparent: string | null;
  /** Identity checked by the broker or the HTTP door. */
  caller: string | null;
}

export function appendEvent(
  work: UnitOfWork,
  account: AccountRecord,
  type: EventType,
  data: Record<string, unknown>,
  origin: Origin | null,
): void {
  account.sequence += 1;
  work.changes.accounts.add(account);
  work.changes.events.push({
    eventId: randomUUID(),
    type,
    accountId: account.accountId,
    userId: account.userId,
    sequence: account.sequence,
    data,
    requestId: origin?.requestId ?? null,
    traceparent: origin?.traceparent ?? null,
    caller: origin?.caller ?? null,
  });
}

/** Opens a lease: the fence rises, and the account counts as used from now on. */
export function openLease(
  work: UnitOfWork,
  account: AccountRecord,
  terms: Omit<OpenLease, 'leaseId' | 'fence' | 'allocatedAt'>,
  data: Record<string, unknown>,
  origin: Origin,
): OpenLease {
  account.fence += 1;
  const lease: OpenLease = { ...terms, leaseId: randomUUID(), fence: account.fence, allocatedAt: work.now };
  account.lease = lease;
  account.lastUsedAt = work.now;
  work.changes.leasesOpened.push({ account, lease });
  appendEvent(
    work,
    account,
    'account.allocated',
    { ...leaseData(lease), purpose: lease.purpose, expires_at: toIso(lease.expiresAt), ...data },
    origin,
  );
  return lease;
}

export function endLease(
  work: UnitOfWork,
  account: AccountRecord,
  reason: LeaseEnd,
  at: number,
  event: EventType,
  data: Record<string, unknown>,
  origin: Origin | null,
): void {
  const lease = account.lease;
  if (lease === null) return;
  account.lease = null;
  account.lastUsedAt = Math.max(account.lastUsedAt ?? 0, at);
  work.changes.leasesEnded.push({ accountId: account.accountId, userId: account.userId, lease, reason, at });
  appendEvent(work, account, event, { ...leaseData(lease), ended_at: toIso(at), ...data }, origin);
}

export function extendLease(
  work: UnitOfWork,
  account: AccountRecord,
  lease: OpenLease,
  expiresAt: number,
  origin: Origin,
): void {
  lease.expiresAt = expiresAt;
  work.changes.leasesExtended.push({ accountId: account.accountId, lease });
  appendEvent(work, account, 'account.renewed', { ...leaseData(lease), expires_at: toIso(expiresAt) }, origin);
}

const leaseData = (lease: OpenLease) => ({
  lease_id: lease.leaseId,
  fence: lease.fence,
  service_name: lease.serviceName,
});

/** Takes a new condition and announces a change of status. */
export function changeCondition(
  work: UnitOfWork,
  account: AccountRecord,
  condition: AccountCondition,
  data: Record<string, unknown>,
  origin: Origin | null,
): void {
  if (condition === account.condition) return;
  const before = account.condition;
  takeCondition(work, account, condition);
  const event = conditionEvent(before, condition);
  if (event === null) return;
  const until = recoveryAt(condition);
  appendEvent(
    work,
    account,
    event,
    {
      status: condition.status,
      previous_status: before.status,
      recovery_at: until === null ? null : toIso(until),
      ...data,
    },
    origin,
  );
}

export function takeCondition(work: UnitOfWork, account: AccountRecord, condition: AccountCondition): void {
  if (dueAt(condition) !== dueAt(account.condition)) work.changes.recoveries.add(account);
  if (condition.status === 'active' && account.condition.status !== 'active')
    work.changes.activated.add(account.userId);
  account.condition = condition;
  work.changes.accounts.add(account);
}

/** The event that announces a change of condition; null where only the error count has changed. */
function conditionEvent(before: AccountCondition, after: AccountCondition): EventType | null {
  if (after.status === 'disabled') return before.disabledReason === after.disabledReason ? null : 'account.disabled';
  if (after.blockedUntil !== before.blockedUntil && after.blockedUntil !== null) return 'account.blocked';
  if (after.floodWaitUntil !== before.floodWaitUntil && after.floodWaitUntil !== null) return 'account.flood_wait';
  if (after.status === before.status) return null;
  if (after.status === 'draining') return 'account.draining';
  if (after.status === 'active') return 'account.recovered';
  return after.status === 'blocked' ? 'account.blocked' : 'account.flood_wait';
}

export const windowOf = (account: AccountRecord, actionType: ActionType): UsageWindow =>
  account.windows.get(actionType) ?? EMPTY_WINDOW;

export const channelUsageOf = (account: AccountRecord, actionType: ActionType, channel: string): ChannelUsage =>
  account.channels.get(channelKey(actionType, channel)) ?? EMPTY_CHANNEL_USAGE;

/** An action that was done: `quantity` counts for the account, `byChannel` for the channels. */
export interface Usage {
  actionType: ActionType;
  quantity: number;
  byChannel: readonly { channel: string; quantity: number }[];
}

/** Counts actions in the account's windows and in its channels' counters. */
export function countUsage(work: UnitOfWork, account: AccountRecord, usage: Usage, policy: ActionPolicy): void {
  const { actionType, quantity, byChannel } = usage;
  if (quantity > 0) {
    account.windows.set(actionType, countActions(windowOf(account, actionType), quantity, policy, work.now));
    touch(work.changes.windows, account, actionType);
    account.usageVersion += 1;
  }
  // The instant that the channel's limits are judged at, too.
  const at = windowTime(windowOf(account, actionType), work.now);
  for (const { channel, quantity: inChannel } of byChannel) {
    if (inChannel === 0) continue;
    account.channels.set(
      channelKey(actionType, channel),
      countInChannel(channelUsageOf(account, actionType, channel), inChannel, at),
    );
    touch(work.changes.channels, account, { actionType, channel });
  }
  if (actionType === 'invite') countInvitesToday(account, byChannel, work.now);
  account.lastUsedAt = work.now;
  work.changes.accounts.add(account);
}

/** Sets the counters of an action, where they are known from elsewhere. */
export function setUsage(
  work: UnitOfWork,
  account: AccountRecord,
  actionType: ActionType,
  window: UsageWindow,
  channels: readonly { channel: string; usage: ChannelUsage }[],
): void {
  account.windows.set(actionType, window);
  touch(work.changes.windows, account, actionType);
  account.usageVersion += 1;
  for (const { channel, usage } of channels) {
    account.channels.set(channelKey(actionType, channel), usage);
    touch(work.changes.channels, account, { actionType, channel });
  }
  if (actionType === 'invite') {
    const today = utcDay(work.now);
    const shown = new Map(account.usageDay === today ? Object.entries(account.invitesByChannelToday) : []);
    for (const { channel, usage } of channels) {
      if (usage.day === today && (shown.has(channel) || shown.size < MAX_CHANNELS_SHOWN))
        shown.set(channel, usage.dayCount);
    }
    account.usageDay = today;
    account.invitesByChannelToday = Object.fromEntries(shown);
  }
  work.changes.accounts.add(account);
}

/**
 * The day's invites are shown for so many channels: they travel with the account's row, which every operation reads and
 * writes. Further channels are shown in one sum; limits are judged by the channels' own counters, which have no bound.
 */
const MAX_CHANNELS_SHOWN = 1_000;
/** Stands for the channels beyond; no channel's key. */
const OTHER_CHANNELS = '*';

function countInvitesToday(account: AccountRecord, byChannel: Usage['byChannel'], now: number): void {
  if (byChannel.length === 0) return;
  const today = utcDay(now);
  const counted = new Map(account.usageDay === today ? Object.entries(account.invitesByChannelToday) : []);
  for (const { channel, quantity } of byChannel) {
    const shown = counted.has(channel) || counted.size < MAX_CHANNELS_SHOWN ? channel : OTHER_CHANNELS;
    counted.set(shown, (counted.get(shown) ?? 0) + quantity);
  }
  account.usageDay = today;
  account.invitesByChannelToday = Object.fromEntries(counted);
}

function touch<T>(touched: Map<AccountRecord, Set<T>>, account: AccountRecord, what: T): void {
  const set = touched.get(account);
  if (set === undefined) touched.set(account, new Set([what]));
  else set.add(what);
}

/** Actions counted during an open lease, before this batch and in it. */
export const countedDuring = (work: UnitOfWork, { leaseId }: OpenLease): CountedInLease[] => [
  ...(work.countedInLeases.get(leaseId) ?? []),
  ...work.changes.actionsCounted.filter((action) => action.leaseId === leaseId),
];

/**
 * Keeps the counted actions themselves, once they are counted: they stand in the account's history, and a release is
 * reconciled against those of its lease.
 */
export function keepCountedAction(
  work: UnitOfWork,
  account: AccountRecord,
  action: Omit<CountedAction, 'id' | 'accountId' | 'sequence' | 'usageVersion' | 'caller' | 'requestId'>,
  { caller, requestId }: Origin,
): string {
  const id = randomUUID();
  const { accountId, sequence, usageVersion } = account;
  work.changes.actionsCounted.push({ id, accountId, sequence, usageVersion, caller, requestId, ...action });
  return id;
}

/** Keeps a report of an error, before what it does to the account. */
export function keepErrorReport(
  work: UnitOfWork,
  account: AccountRecord,
  report: Omit<ErrorEntry, 'accountId' | 'sequence' | 'caller' | 'requestId'>,
  { caller, requestId }: Origin,
): void {
  const { accountId, sequence } = account;
  work.changes.errorsReported.push({ accountId, sequence, caller, requestId, ...report });
}
