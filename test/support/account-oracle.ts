/**
 * A second, simple-minded account: it remembers what happened to it and answers as the contract says. Time is not in it;
 * a test says when a lease or a wait ends and when a day passes.
 */
export const ORACLE_LIMITS = { hourly: 6, daily: 9, channelDaily: 3, channelTotal: 5 };

/** The caller that a request names. `service` names the holder's service alone, as the predecessor's callers do. */
export type Claim = 'holder' | 'service' | 'stale' | 'stranger';

export interface OracleLease {
  leaseId: string;
  fence: number;
  channel: string | null;
  /** Invites counted while it was open, by channel; '' is none. */
  counted: Map<string, number>;
}

export interface OracleAccount {
  lease: OracleLease | null;
  fence: number;
  flood: boolean;
  blocked: boolean;
  disabled: boolean;
  today: number;
  hour: number;
  channels: Map<string, { today: number; ever: number }>;
}

export const newAccount = (): OracleAccount => ({
  lease: null,
  fence: 0,
  flood: false,
  blocked: false,
  disabled: false,
  today: 0,
  hour: 0,
  channels: new Map(),
});

export const isAble = ({ flood, blocked, disabled }: OracleAccount): boolean => !flood && !blocked && !disabled;

export function statusOf({ flood, blocked, disabled }: OracleAccount): string {
  if (disabled) return 'disabled';
  if (blocked) return 'blocked';
  return flood ? 'flood_wait' : 'active';
}

export function hasRoom(account: OracleAccount, channel: string | null): boolean {
  const used = channel === null ? undefined : account.channels.get(channel);
  return (
    account.today < ORACLE_LIMITS.daily &&
    account.hour < ORACLE_LIMITS.hourly &&
    (used?.today ?? 0) < ORACLE_LIMITS.channelDaily &&
    (used?.ever ?? 0) < ORACLE_LIMITS.channelTotal
  );
}

/** The code a claim is refused with; null: it is the holder's. */
export function refusalOf({ lease }: OracleAccount, claim: Claim): 'NOT_HELD' | 'LEASE_LOST' | null {
  if (lease === null) return claim === 'holder' || claim === 'stale' ? 'LEASE_LOST' : 'NOT_HELD';
  if (claim === 'stale') return 'LEASE_LOST';
  return claim === 'stranger' ? 'NOT_HELD' : null;
}

/**
 * As `refusalOf`, of a report of an error: while nobody holds the account, that of its last holder counts, and that of
 * anybody who names no lease.
 */
export function refusalOfReport(account: OracleAccount, claim: Claim): 'NOT_HELD' | 'LEASE_LOST' | null {
  if (account.lease !== null) return refusalOf(account, claim);
  if (claim === 'holder') return account.fence > 0 ? null : 'LEASE_LOST';
  return claim === 'stale' ? 'LEASE_LOST' : null;
}

/** Counts invites on the account, in a channel or in none. */
function count(account: OracleAccount, channel: string | null, quantity: number): void {
  account.today += quantity;
  account.hour += quantity;
  if (channel !== null) countInChannel(account, channel, quantity);
}

function countInChannel(account: OracleAccount, channel: string, quantity: number): void {
  const used = account.channels.get(channel) ?? { today: 0, ever: 0 };
  account.channels.set(channel, { today: used.today + quantity, ever: used.ever + quantity });
}

/** Counts an action that happened during the lease. */
export function act(account: OracleAccount, channel: string | null): void {
  count(account, channel, 1);
  const { lease } = account;
  if (lease !== null) lease.counted.set(channel ?? '', (lease.counted.get(channel ?? '') ?? 0) + 1);
}

/** Ends the lease; answers how many of the reported invites had not been counted. */
export function release(account: OracleAccount, invites: number, split: Record<string, number> | null): number {
  const { counted, channel: leaseChannel } = account.lease ?? { counted: new Map<string, number>(), channel: null };
  const inLease = [...counted.values()].reduce((sum, n) => sum + n, 0);
  const inChannels = inLease - (counted.get('') ?? 0);
  for (const [channel, n] of Object.entries(split ?? {}))
    countInChannel(account, channel, Math.max(0, n - (counted.get(channel) ?? 0)));
  if (split === null && leaseChannel !== null) countInChannel(account, leaseChannel, Math.max(0, invites - inChannels));
  const added = Math.max(0, invites - inLease);
  count(account, null, added);
  account.lease = null;
  return added;
}

export function letDayPass(account: OracleAccount): void {
  account.today = 0;
  account.hour = 0;
  for (const used of account.channels.values()) used.today = 0;
}
