import type { ActionType, AccountStatus, DisabledReason, Purpose } from '../../../contracts/fields.js';
import type { AccountCondition } from '../../decide/condition/account-condition.js';
import type { ChannelUsage, UsageWindow } from '../../decide/limits/usage-window.js';

/** No account's, and before every one: where walking through all of them begins. */
export const FIRST_ID = '00000000-0000-0000-0000-000000000000';

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

/** An account as the operations work on it: changed in memory, written once. */
export interface AccountRecord {
  readonly accountId: string;
  /** Names the state of the account's row: the transaction that wrote it (`xmin`). Every change makes another. */
  version: string;
  readonly userId: number;
  /** Null: it was registered without one. */
  readonly phone: string | null;
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

/** The columns of an account's condition. */
export interface ConditionRow {
  status: AccountStatus;
  disabled_reason: DisabledReason | null;
  flood_wait_until: Date | null;
  blocked_until: Date | null;
  block_level: number;
  last_block_ended_at: Date | null;
  error_count: number;
  error_ends: Date[];
}

/** An account's row joined with its open lease. */
export interface AccountRow extends ConditionRow {
  id: string;
  version: string;
  user_id: bigint;
  phone: string | null;
  fence: bigint;
  usage_version: bigint;
  usage_day: string | null;
  per_channel_invites: Record<string, number>;
  last_used_at: Date | null;
  event_sequence: bigint;
  lease_id: string | null;
  service_name: string;
  caller: string | null;
  purpose: Purpose;
  target_channel: string | null;
  lease_fence: bigint;
  lock_value: string | null;
  allocated_at: Date;
  expires_at: Date;
  windows: WindowRow[] | null;
  channels: ChannelRow[] | null;
}

/** Usage rows come as JSON, their instants as ISO texts. */
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

const toWindow = (row: WindowRow): UsageWindow => ({
  recentAt: row.recent.map(at),
  burstCount: row.burst_count,
  lastActionAt: atOrNull(row.last_action_at),
  day: row.day,
  dayCount: row.day_count,
});

const toChannelUsage = (row: ChannelRow): ChannelUsage => ({
  day: row.day,
  dayCount: row.day_count,
  total: row.total,
});

/** By action. */
export const toWindows = (rows: readonly WindowRow[] | null): Map<ActionType, UsageWindow> =>
  new Map(rows?.map((row) => [row.action_type, toWindow(row)]));

/** By `channelKey`. */
export const toChannels = (rows: readonly ChannelRow[] | null): Map<string, ChannelUsage> =>
  new Map(rows?.map((row) => [channelKey(row.action_type, row.channel), toChannelUsage(row)]));

const msOrNull = (at: Date | null): number | null => at?.getTime() ?? null;

export const toCondition = (row: ConditionRow): AccountCondition => ({
  status: row.status,
  disabledReason: row.disabled_reason,
  floodWaitUntil: msOrNull(row.flood_wait_until),
  blockedUntil: msOrNull(row.blocked_until),
  blockLevel: row.block_level,
  lastBlockEndedAt: msOrNull(row.last_block_ended_at),
  errorCount: row.error_count,
  errorEnds: row.error_ends.map((end) => end.getTime()),
});

const toLease = (row: AccountRow): OpenLease | null =>
  row.lease_id === null
    ? null
    : {
        leaseId: row.lease_id,
        serviceName: row.service_name,
        caller: row.caller,
        purpose: row.purpose,
        targetChannel: row.target_channel,
        fence: Number(row.lease_fence),
        lockValue: row.lock_value,
        allocatedAt: row.allocated_at.getTime(),
        expiresAt: row.expires_at.getTime(),
      };

export const toAccountRecord = (row: AccountRow): AccountRecord => ({
  accountId: row.id,
  version: row.version,
  userId: Number(row.user_id),
  phone: row.phone,
  condition: toCondition(row),
  lease: toLease(row),
  fence: Number(row.fence),
  sequence: Number(row.event_sequence),
  usageVersion: Number(row.usage_version),
  lastUsedAt: msOrNull(row.last_used_at),
  usageDay: row.usage_day,
  invitesByChannelToday: row.per_channel_invites,
  windows: toWindows(row.windows),
  channels: toChannels(row.channels),
});
