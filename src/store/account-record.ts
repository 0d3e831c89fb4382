import type { ActionType, AccountStatus, DisabledReason, Purpose } from '../../contracts/fields.js';
import type { AccountCondition } from '../decide/account-condition.js';
import type { ChannelUsage, UsageWindow } from '../decide/usage-window.js';

/** The lease an account is under. Instants are epoch milliseconds. */
export interface OpenLease {
  leaseId: string;
  serviceName: string;
  /** Identity that asked for it, where the broker or the HTTP door checked one. */
  caller: string | null;
  purpose: Purpose;
  targetChannel: string | null;
  fence: number;
  /** Value of the lease's lock in Redis; null where Redis was away. */
  lockValue: string | null;
  allocatedAt: number;
  expiresAt: number;
}

/** An account as the operations work on it: loaded under its row lock, changed in memory, written once. */
export interface AccountRecord {
  readonly accountId: string;
  readonly userId: number;
  readonly phone: string;
  condition: AccountCondition;
  lease: OpenLease | null;
  fence: number;
  /** Number of the account's last event. */
  sequence: number;
  /** Rises with every change of a usage window; tells whether a cached window is the present one. */
  usageVersion: number;
  lastUsedAt: number | null;
  /** UTC date of `invitesByChannelToday`. */
  usageDay: string | null;
  invitesByChannelToday: Record<string, number>;
  windows: Map<ActionType, UsageWindow>;
  /** By `channelKey`. */
  channels: Map<string, ChannelUsage>;
}

/** Key of a channel's counters in an account's record. */
export const channelKey = (actionType: ActionType, channel: string): string => `${actionType} ${channel}`;

/** The rows as PostgreSQL gives them: JSON, instants as ISO texts. */
export interface AccountRow {
  id: string;
  user_id: number;
  phone: string;
  status: AccountStatus;
  disabled_reason: DisabledReason | null;
  flood_wait_until: string | null;
  blocked_until: string | null;
  block_level: number;
  last_block_ended_at: string | null;
  error_count: number;
  fence: number;
  usage_version: number;
  usage_date: string | null;
  per_channel_invites: Record<string, number>;
  last_used_at: string | null;
  event_sequence: number;
}

export interface LeaseRow {
  id: string;
  service_name: string;
  caller: string | null;
  purpose: Purpose;
  target_channel: string | null;
  fence: number;
  lock_value: string | null;
  allocated_at: string;
  expires_at: string;
}

export interface WindowRow {
  action_type: ActionType;
  recent: string[];
  burst_count: number;
  last_action_at: string | null;
  day: string | null;
  day_count: number;
}

export interface ChannelRow {
  action_type: ActionType;
  channel: string;
  day: string | null;
  day_count: number;
  total: number;
}

const at = (text: string): number => Date.parse(text);
const atOrNull = (text: string | null): number | null => (text === null ? null : Date.parse(text));

export const toWindow = (row: WindowRow): UsageWindow => ({
  recentAt: row.recent.map(at),
  burstCount: row.burst_count,
  lastActionAt: atOrNull(row.last_action_at),
  day: row.day,
  dayCount: row.day_count,
});

export const toChannelUsage = (row: ChannelRow): ChannelUsage => ({
  day: row.day,
  dayCount: row.day_count,
  total: row.total,
});

const toLease = (row: LeaseRow): OpenLease => ({
  leaseId: row.id,
  serviceName: row.service_name,
  caller: row.caller,
  purpose: row.purpose,
  targetChannel: row.target_channel,
  fence: row.fence,
  lockValue: row.lock_value,
  allocatedAt: at(row.allocated_at),
  expiresAt: at(row.expires_at),
});

export function toAccountRecord(
  row: AccountRow,
  lease: LeaseRow | null,
  windows: WindowRow[] | null,
  channels: ChannelRow[] | null,
): AccountRecord {
  return {
    accountId: row.id,
    userId: row.user_id,
    phone: row.phone,
    condition: {
      status: row.status,
      disabledReason: row.disabled_reason,
      floodWaitUntil: atOrNull(row.flood_wait_until),
      blockedUntil: atOrNull(row.blocked_until),
      blockLevel: row.block_level,
      lastBlockEndedAt: atOrNull(row.last_block_ended_at),
      errorCount: row.error_count,
    },
    lease: lease === null ? null : toLease(lease),
    fence: row.fence,
    sequence: row.event_sequence,
    usageVersion: row.usage_version,
    lastUsedAt: atOrNull(row.last_used_at),
    usageDay: row.usage_date,
    invitesByChannelToday: row.per_channel_invites,
    windows: new Map((windows ?? []).map((window) => [window.action_type, toWindow(window)])),
    channels: new Map(
      (channels ?? []).map((usage) => [channelKey(usage.action_type, usage.channel), toChannelUsage(usage)]),
    ),
  };
}
