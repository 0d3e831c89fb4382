import type { EventType } from '../../../contracts/events.js';
import type { ErrorAction } from '../../../contracts/accounts.js';
import type { ActionType, ErrorClass, ErrorEvidence } from '../../../contracts/fields.js';
import type { LimitsLeft } from '../../../contracts/history.js';
import { Prisma } from '../../../generated/prisma/client.js';
import { isoOrNull, toIso } from '../../clock.js';
import type { Alert } from '../../decide/jobs/compare-alerts.js';
import { dayCountOn, utcDay } from '../../decide/limits/usage-window.js';
import { type AccountRecord, channelKey, type OpenLease } from './account-record.js';
import type { Sql, SqlPart } from '../database.js';
import { activatedNotice, freedNotice } from '../notices.js';
import { toStatement, type Writes } from '../writes.js';

export type LeaseEnd = 'released' | 'expired' | 'forced' | 'superseded';

export interface CountedAction {
  id: string;
  accountId: string;
  leaseId: string | null;
  serviceName: string | null;
  actionType: ActionType;
  channel: string | null;
  quantity: number;
  /** Number of the account's last event before it. */
  sequence: number;
  /** The account's usage version once the action is counted. */
  usageVersion: number;
  /** Acquired before, recorded after it was done, or reported at the release. */
  source: 'acquired' | 'recorded' | 'reported';
  caller: string | null;
  requestId: string;
  /** Room that the limits of the action leave after it. */
  limitsLeft: LimitsLeft;
  /** Whether the action succeeded; null while a permit is open. */
  success: boolean | null;
}

/** A report of an error, as the history of the account has it. */
export interface ErrorEntry {
  accountId: string;
  /** Number of the account's last event before it. */
  sequence: number;
  leaseId: string | null;
  serviceName: string | null;
  caller: string | null;
  requestId: string;
  errorClass: ErrorClass;
  /** Telegram's name of it; null: none was found. */
  telegramError: string | null;
  waitSeconds: number | null;
  actionTaken: ErrorAction;
  /** Why it was classified so: the kind of evidence, and what of it was found. */
  decidedBy: ErrorEvidence;
  found: string | null;
}

export interface PendingEvent {
  /** Names it to its subscribers. */
  eventId: string;
  type: EventType;
  accountId: string | null;
  userId: number | null;
  sequence: number | null;
  data: Record<string, unknown>;
  requestId: string | null;
  traceparent: string | null;
  caller: string | null;
}

/** Writes of one transaction; filled in memory, written in one statement. */
export interface Changes {
  accounts: Set<AccountRecord>;
  /** Those among them whose recovery is due at another instant than before, or not any more. */
  recoveries: Set<AccountRecord>;
  /** Users of whose accounts one has become active. */
  activated: Set<number>;
  windows: Map<AccountRecord, Set<ActionType>>;
  channels: Map<AccountRecord, Set<{ actionType: ActionType; channel: string }>>;
  leasesOpened: { account: AccountRecord; lease: OpenLease }[];
  leasesEnded: { accountId: string; userId: number; lease: OpenLease; reason: LeaseEnd; at: number }[];
  leasesExtended: { accountId: string; lease: OpenLease }[];
  actionsCounted: CountedAction[];
  permitsSettled: { permitId: string; success: boolean }[];
  errorsReported: ErrorEntry[];
  events: PendingEvent[];
  /** About what the batch met with; each ends by itself at its `until`. */
  alerts: Alert[];
}

export const noChanges = (): Changes => ({
  accounts: new Set(),
  recoveries: new Set(),
  activated: new Set(),
  windows: new Map(),
  channels: new Map(),
  leasesOpened: [],
  leasesEnded: [],
  leasesExtended: [],
  actionsCounted: [],
  permitsSettled: [],
  errorsReported: [],
  events: [],
  alerts: [],
});

/** Writes the changes in one statement, whatever has changed. */
export async function applyChanges(sql: Sql, changes: Changes, now: number): Promise<void> {
  const writes = writesOf(changes, now, false);
  if (writes.parts.length > 0) await sql.$executeRaw(toStatement(writes));
}

/**
 * The changes as writes; the commit tells who waits for an account.
 * @param isGuarded only accounts that are as they were read are written; `accounts` has a row for each of them
 */
export function writesOf(changes: Changes, now: number, isGuarded: boolean): Writes {
  const parts = [
    updateAccounts(changes, now, isGuarded),
    endLeases(changes),
    openLeases(changes),
    extendLeases(changes),
    writeWindows(changes),
    writeChannelUsage(changes),
    insertCountedActions(changes, now),
    settlePermits(changes, now),
    insertErrorReports(changes, now),
    appendEvents(changes, now),
  ];
  const ended = changes.leasesEnded.filter(({ reason }) => reason !== 'superseded');
  const notices = new Set([
    ...ended.map(({ userId }) => freedNotice(userId)),
    ...[...changes.activated].map(activatedNotice),
  ]);
  return { parts: parts.filter((part) => part !== null), notices: [...notices] };
}

const json = (rows: unknown[]): string => JSON.stringify(rows);

function updateAccounts({ accounts }: Changes, now: number, isGuarded: boolean): SqlPart | null {
  if (accounts.size === 0) return null;
  const today = utcDay(now);
  // In one order everywhere, or two batches could wait for each other.
  const inOrder = [...accounts].sort((a, b) => (a.accountId < b.accountId ? -1 : 1));
  const rows = inOrder.map((account) => ({
    id: account.accountId,
    version: account.version,
    is_active: account.condition.status !== 'disabled',
    status: account.condition.status,
    disabled_reason: account.condition.disabledReason,
    flood_wait_until: isoOrNull(account.condition.floodWaitUntil),
    blocked_until: isoOrNull(account.condition.blockedUntil),
    block_level: account.condition.blockLevel,
    last_block_ended_at: isoOrNull(account.condition.lastBlockEndedAt),
    error_count: account.condition.errorCount,
    error_ends: (account.condition.errorEnds ?? []).map(toIso),
    locked: account.lease !== null,
    locked_by: account.lease?.serviceName ?? null,
    locked_until: isoOrNull(account.lease?.expiresAt ?? null),
    lease_id: account.lease?.leaseId ?? null,
    fence: account.fence,
    used_invites_today: usedToday(account, 'invite', now),
    used_messages_today: usedToday(account, 'message', now),
    contacts_today: usedToday(account, 'add_contact', now),
    per_channel_invites: account.usageDay === today ? account.invitesByChannelToday : {},
    usage_date: today,
    usage_version: account.usageVersion,
    last_used_at: isoOrNull(account.lastUsedAt),
    event_sequence: account.sequence,
  }));
  return Prisma.sql`
    accounts AS (UPDATE telegram_sessions s SET
      is_active = c.is_active, status = c.status::account_status, disabled_reason = c.disabled_reason,
      flood_wait_until = c.flood_wait_until, blocked_until = c.blocked_until, block_level = c.block_level,
      last_block_ended_at = c.last_block_ended_at, error_count = c.error_count, error_ends = c.error_ends,
      locked = c.locked, locked_by = c.locked_by, locked_until = c.locked_until, lease_id = c.lease_id, fence = c.fence,
      used_invites_today = c.used_invites_today, used_messages_today = c.used_messages_today,
      contacts_today = c.contacts_today, per_channel_invites = c.per_channel_invites, usage_date = c.usage_date,
      usage_version = c.usage_version, last_used_at = c.last_used_at, event_sequence = c.event_sequence
    FROM json_to_recordset(${json(rows)}::json) AS c(
      id uuid, version text, is_active boolean, status text, disabled_reason text, flood_wait_until timestamptz, blocked_until timestamptz,
      block_level integer, last_block_ended_at timestamptz, error_count integer, error_ends timestamptz[], locked boolean, locked_by text,
      locked_until timestamptz, lease_id uuid, fence bigint, used_invites_today integer, used_messages_today integer,
      contacts_today integer, per_channel_invites jsonb, usage_date date, usage_version bigint, last_used_at timestamptz,
      event_sequence bigint)
    WHERE s.id = c.id ${isGuarded ? Prisma.sql`AND s.xmin = c.version::xid` : Prisma.empty} RETURNING 1)`;
}

/** How often the account did this today (UTC). */
export function usedToday(account: AccountRecord, actionType: ActionType, now: number): number {
  const window = account.windows.get(actionType);
  return window === undefined ? 0 : dayCountOn(window, now);
}

function endLeases({ leasesEnded }: Changes): SqlPart | null {
  if (leasesEnded.length === 0) return null;
  const rows = leasesEnded.map(({ lease, reason, at }) => ({
    id: lease.leaseId,
    end_reason: reason,
    ended_at: toIso(at),
  }));
  return Prisma.sql`
    ended AS (UPDATE leases l SET ended_at = c.ended_at, end_reason = c.end_reason
    FROM json_to_recordset(${json(rows)}::json) AS c(id uuid, end_reason text, ended_at timestamptz)
    WHERE l.id = c.id RETURNING 1)`;
}

function openLeases({ leasesOpened, leasesEnded }: Changes): SqlPart | null {
  if (leasesOpened.length === 0) return null;
  // One that ends in the batch that opened it is written as ended: an update in the same statement does not see it.
  const ends = new Map(leasesEnded.map((end) => [end.lease.leaseId, end]));
  const rows = leasesOpened.map(({ account, lease }) => ({
    id: lease.leaseId,
    account_id: account.accountId,
    user_id: account.userId,
    service_name: lease.serviceName,
    caller: lease.caller,
    purpose: lease.purpose,
    target_channel: lease.targetChannel,
    fence: lease.fence,
    lock_value: lease.lockValue,
    allocated_at: toIso(lease.allocatedAt),
    expires_at: toIso(lease.expiresAt),
    ended_at: isoOrNull(ends.get(lease.leaseId)?.at ?? null),
    end_reason: ends.get(lease.leaseId)?.reason ?? null,
  }));
  // An account has one open lease, so those that end go first; of themselves the parts of a statement have no order.
  const afterThoseEnded = leasesEnded.length === 0 ? Prisma.empty : Prisma.sql`WHERE (SELECT count(*) FROM ended) >= 0`;
  return Prisma.sql`
    opened AS (INSERT INTO leases (id, account_id, user_id, service_name, caller, purpose, target_channel, fence, lock_value, allocated_at, expires_at, ended_at, end_reason)
    SELECT * FROM json_to_recordset(${json(rows)}::json) AS c(
      id uuid, account_id uuid, user_id bigint, service_name text, caller text, purpose text, target_channel text,
      fence bigint, lock_value text, allocated_at timestamptz, expires_at timestamptz, ended_at timestamptz,
      end_reason text) ${afterThoseEnded})`;
}

function extendLeases({ leasesExtended }: Changes): SqlPart | null {
  if (leasesExtended.length === 0) return null;
  // Renewed twice in one batch is one row: the record carries the later end.
  const leases = new Set(leasesExtended.map(({ lease }) => lease));
  const rows = [...leases].map((lease) => ({ id: lease.leaseId, expires_at: toIso(lease.expiresAt) }));
  return Prisma.sql`
    extended AS (UPDATE leases l SET expires_at = c.expires_at
    FROM json_to_recordset(${json(rows)}::json) AS c(id uuid, expires_at timestamptz) WHERE l.id = c.id)`;
}

function writeWindows({ windows }: Changes): SqlPart | null {
  const rows = [...windows].flatMap(([account, actionTypes]) =>
    [...actionTypes].flatMap((actionType) => {
      const window = account.windows.get(actionType);
      if (window === undefined) return [];
      return {
        account_id: account.accountId,
        action_type: actionType,
        recent: window.recentAt.map(toIso),
        burst_count: window.burstCount,
        last_action_at: isoOrNull(window.lastActionAt),
        day: window.day,
        day_count: window.dayCount,
      };
    }),
  );
  if (rows.length === 0) return null;
  return Prisma.sql`
    windows AS (INSERT INTO usage_windows (account_id, action_type, recent, burst_count, last_action_at, day, day_count)
    SELECT * FROM json_to_recordset(${json(rows)}::json) AS c(
      account_id uuid, action_type text, recent timestamptz[], burst_count integer, last_action_at timestamptz, day date, day_count integer)
    ON CONFLICT (account_id, action_type) DO UPDATE SET
      recent = EXCLUDED.recent, burst_count = EXCLUDED.burst_count, last_action_at = EXCLUDED.last_action_at,
      day = EXCLUDED.day, day_count = EXCLUDED.day_count)`;
}

function writeChannelUsage({ channels }: Changes): SqlPart | null {
  const rows = [...channels].flatMap(([account, touched]) => {
    const distinct = new Map([...touched].map((target) => [channelKey(target.actionType, target.channel), target]));
    return [...distinct].flatMap(([key, { actionType, channel }]) => {
      const usage = account.channels.get(key);
      if (usage === undefined) return [];
      return {
        account_id: account.accountId,
        action_type: actionType,
        channel,
        day: usage.day,
        day_count: usage.dayCount,
        total: usage.total,
      };
    });
  });
  if (rows.length === 0) return null;
  return Prisma.sql`
    channels AS (INSERT INTO channel_usage (account_id, action_type, channel, day, day_count, total)
    SELECT * FROM json_to_recordset(${json(rows)}::json) AS c(
      account_id uuid, action_type text, channel text, day date, day_count integer, total bigint)
    ON CONFLICT (account_id, action_type, channel) DO UPDATE SET
      day = EXCLUDED.day, day_count = EXCLUDED.day_count, total = EXCLUDED.total)`;
}

function insertCountedActions({ actionsCounted }: Changes, now: number): SqlPart | null {
  if (actionsCounted.length === 0) return null;
  const rows = actionsCounted.map((action) => ({
    id: action.id,
    account_id: action.accountId,
    lease_id: action.leaseId,
    service_name: action.serviceName,
    action_type: action.actionType,
    channel: action.channel,
    quantity: action.quantity,
    counted_at: toIso(now),
    settled_at: action.success === null ? null : toIso(now),
    success: action.success,
    sequence: action.sequence,
    usage_version: action.usageVersion,
    source: action.source,
    caller: action.caller,
    request_id: action.requestId,
    limits_left: action.limitsLeft,
  }));
  return Prisma.sql`
    counted AS (INSERT INTO counted_actions (id, account_id, lease_id, service_name, action_type, channel, quantity, counted_at, settled_at, success,
      sequence, usage_version, source, caller, request_id, limits_left)
    SELECT * FROM json_to_recordset(${json(rows)}::json) AS c(
      id uuid, account_id uuid, lease_id uuid, service_name text, action_type text, channel text, quantity integer,
      counted_at timestamptz, settled_at timestamptz, success boolean, sequence bigint, usage_version bigint, source text,
      caller text, request_id text, limits_left jsonb))`;
}

function settlePermits({ permitsSettled }: Changes, now: number): SqlPart | null {
  if (permitsSettled.length === 0) return null;
  const rows = permitsSettled.map(({ permitId, success }) => ({ id: permitId, success }));
  return Prisma.sql`
    settled AS (UPDATE counted_actions a SET settled_at = ${toIso(now)}::timestamptz, success = c.success
    FROM json_to_recordset(${json(rows)}::json) AS c(id uuid, success boolean)
    WHERE a.id = c.id AND a.settled_at IS NULL RETURNING 1)`;
}

function insertErrorReports({ errorsReported }: Changes, now: number): SqlPart | null {
  if (errorsReported.length === 0) return null;
  const rows = errorsReported.map((report) => ({
    account_id: report.accountId,
    sequence: report.sequence,
    service_name: report.serviceName,
    caller: report.caller,
    lease_id: report.leaseId,
    request_id: report.requestId,
    error_class: report.errorClass,
    telegram_error: report.telegramError,
    wait_seconds: report.waitSeconds,
    action_taken: report.actionTaken,
    decided_by: report.decidedBy,
    found: report.found,
  }));
  return Prisma.sql`
    reported AS (INSERT INTO error_reports (account_id, sequence, reported_at, service_name, caller, lease_id, request_id, error_class,
      telegram_error, wait_seconds, action_taken, decided_by, found)
    SELECT c.account_id, c.sequence, ${toIso(now)}::timestamptz, c.service_name, c.caller, c.lease_id, c.request_id, c.error_class,
      c.telegram_error, c.wait_seconds, c.action_taken, c.decided_by, c.found
    FROM ROWS FROM (json_to_recordset(${json(rows)}::json) AS (
      account_id uuid, sequence bigint, service_name text, caller text, lease_id uuid, request_id text, error_class text,
      telegram_error text, wait_seconds double precision, action_taken text, decided_by text, found text))
      WITH ORDINALITY AS c(account_id, sequence, service_name, caller, lease_id, request_id, error_class, telegram_error,
        wait_seconds, action_taken, decided_by, found, position)
    ORDER BY c.position)`;
}

/** In order: their ids are those of the outbox. */
function appendEvents({ events }: Changes, now: number): SqlPart | null {
  if (events.length === 0) return null;
  const rows = events.map((event) => ({
    event_id: event.eventId,
    type: event.type,
    account_id: event.accountId,
    user_id: event.userId,
    sequence: event.sequence,
    data: event.data,
    request_id: event.requestId,
    traceparent: event.traceparent,
    caller: event.caller,
  }));
  return Prisma.sql`
    appended AS (INSERT INTO events (event_id, type, account_id, user_id, sequence, data, occurred_at, request_id, traceparent, caller)
    SELECT c.event_id, c.type, c.account_id, c.user_id, c.sequence, c.data, ${toIso(now)}::timestamptz, c.request_id, c.traceparent, c.caller
    FROM ROWS FROM (json_to_recordset(${json(rows)}::json) AS (
      event_id uuid, type text, account_id uuid, user_id bigint, sequence bigint, data jsonb, request_id text, traceparent text, caller text))
      WITH ORDINALITY AS c(event_id, type, account_id, user_id, sequence, data, request_id, traceparent, caller, position)
    ORDER BY c.position RETURNING id)`;
}
