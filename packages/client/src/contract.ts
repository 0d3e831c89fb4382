// Written by `npm run contracts` from contracts/; not to be changed by hand.

/** Every code that a refusal can carry. */
export type FailureCode = 'VALIDATION_FAILED' | 'MALFORMED_MESSAGE' | 'UNKNOWN_OPERATION' | 'UNAUTHENTICATED' | 'FORBIDDEN' | 'ACCOUNT_NOT_FOUND' | 'NO_ACCOUNTS' | 'ALL_BUSY' | 'ALL_LIMITED' | 'ALL_RESTRICTED' | 'PREFERRED_UNAVAILABLE' | 'NOT_HELD' | 'LEASE_LOST' | 'IDEMPOTENCY_CONFLICT' | 'COUNT_CHANGED' | 'DEADLINE_EXCEEDED' | 'UNAVAILABLE' | 'INTERNAL';
export type ActionType = 'invite' | 'message' | 'add_contact' | 'join_channel' | 'leave_channel' | 'parse';
export type Purpose = 'invite_campaign' | 'message_campaign' | 'contact_import' | 'parsing' | 'channel_management' | 'general';
export type AccountStatus = 'active' | 'flood_wait' | 'blocked' | 'draining' | 'disabled';
export type DisabledReason = 'banned' | 'deactivated' | 'frozen' | 'needs_reauth' | 'manual';
export type ErrorClass = 'flood_wait' | 'premium_wait' | 'slow_mode' | 'takeout' | 'peer_flood' | 'restricted' | 'banned' | 'deactivated' | 'auth' | 'privacy' | 'target' | 'permission' | 'invalid_request' | 'migrate' | 'transient' | 'other';
export type LimitReason = 'daily' | 'hourly' | 'per_channel_daily' | 'per_channel_total' | 'cooldown' | 'burst' | 'account_status';
export type EventType = 'account.registered' | 'account.allocated' | 'account.renewed' | 'account.released' | 'account.lease_expired' | 'account.flood_wait' | 'account.blocked' | 'account.disabled' | 'account.draining' | 'account.recovered' | 'account.reauthorized' | 'limit.exceeded' | 'limits.reset' | 'report.generated' | 'alert.info' | 'alert.warning' | 'alert.critical';

/** An event: CloudEvents 1.0 in structured JSON. */
export interface AccountManagerEvent {
  specversion: '1.0';
  /** Also the AMQP message_id */
  id: string;
  source: 'account-manager';
  type: EventType;
  /** ISO 8601, UTC, milliseconds */
  time: string;
  /** The account */
  subject?: string;
  datacontenttype: 'application/json';
  traceparent?: string;
  data: {
    /** UUID */
    account_id?: string;
    user_id?: number;
    /** Rises by one with each of the account's events */
    sequence?: number;
    [field: string]: unknown;
  };
}

/** `account.allocate`: Lease one account of a user for a purpose. */
export interface AccountAllocateRequest {
  /** The user who owns the accounts: an integer, 0 or more */
  user_id: number;
  purpose: Purpose;
  /** The calling service: 1 to 100 characters of a-z 0-9 . _ - */
  service_name: string;
  /** UUID */
  preferred_account_id?: string | null;
  /** require: the preferred account or PREFERRED_UNAVAILABLE; prefer: another account will do. Default: "require" */
  preferred_mode?: 'prefer' | 'require' | null;
  /** Length of the lease, minutes. Default: 30 */
  timeout_minutes?: number | null;
  /** A channel: id, @name, name or t.me link */
  target_channel_id?: string | number | null;
  /** How long to wait for an account that is busy, milliseconds. Default: 0 */
  wait_ms?: number | null;
  /** Default: true */
  include_session?: boolean | null;
}

/** The answer to `account.allocate`. */
export interface AccountAllocateReply {
  allocation: {
    /** UUID */
    account_id: string;
    /** The user who owns the accounts: an integer, 0 or more */
    user_id: number;
    /** null: the account was registered without one */
    phone: string | null;
    /** null when include_session is false, or when a repeat comes after the lease has ended */
    session_data: string | null;
    /** ISO 8601, UTC, milliseconds */
    allocated_at: string;
    /** The calling service: 1 to 100 characters of a-z 0-9 . _ - */
    allocated_by: string;
    purpose: Purpose;
    /** ISO 8601, UTC, milliseconds */
    expires_at: string;
    /** UUID */
    lease_id: string;
    /** Rises by one with every grant of the account */
    fence: number;
    limits: {
      daily_invite_limit: number | null;
      daily_message_limit: number | null;
      contacts_daily_limit: number | null;
      per_channel_invite_limit: number | null;
      max_per_channel_total: number | null;
      /** Present in the first days after a block: the account is used gently, with reduced daily limits */
      reentry?: {
        /** The first midnight (UTC) from which on the full limits hold */
        until: string;
        /** The part of each daily limit that holds until then */
        daily_percent: number;
      };
    };
    current_usage: {
      invites_today: number;
      messages_today: number;
      contacts_today: number;
    };
    selection: {
      reason: 'preferred' | 'best_available';
      preferred_honoured?: boolean;
      /** How many free accounts were considered */
      candidates: number;
    };
    /** Metadata registered with the account, such as its proxy; empty when a repeat comes after the lease */
    metadata: Record<string, unknown>;
    /** Present when a repeat comes after the lease has ended: the caller does not hold the account any more */
    ended_at?: string;
  };
}

/** `account.renew`: Prolong a lease, counted from now. */
export interface AccountRenewRequest {
  /** UUID */
  account_id: string;
  /** The calling service: 1 to 100 characters of a-z 0-9 . _ - */
  service_name: string;
  /** UUID */
  lease_id: string;
  /** Rises by one with every grant of the account */
  fence: number;
  /** Length of the lease, minutes. Default: 30 */
  timeout_minutes?: number | null;
}

/** The answer to `account.renew`. */
export interface AccountRenewReply {
  /** ISO 8601, UTC, milliseconds */
  expires_at: string;
  /** Rises by one with every grant of the account */
  fence: number;
}

/** `account.release`: Give an account back and say what was done with it. */
export interface AccountReleaseRequest {
  /** UUID */
  account_id: string;
  /** The calling service: 1 to 100 characters of a-z 0-9 . _ - */
  service_name: string;
  /** UUID */
  lease_id?: string | null;
  /** Rises by one with every grant of the account */
  fence?: number | null;
  /** Further fields change nothing; the reply names them in ignored */
  usage_stats: {
    /** Default: 0 */
    invites_sent?: number | null;
    /** Default: 0 */
    messages_sent?: number | null;
    /** Default: 0 */
    contacts_added?: number | null;
    /** Default: true */
    success?: boolean | null;
    /** Channels invited to; without channel_usage each is charged the whole uncounted amount */
    channels_used?: (string | number)[] | null;
    /** Invites by channel; at most 1,000 names */
    channel_usage?: Record<string, number> | null;
    /** As the library prints it, its traceback included; of more than 16,384 characters both ends are read, and the waits between them */
    error_type?: string | null;
    /** As the library prints it, its traceback included; of more than 16,384 characters both ends are read, and the waits between them */
    error_message?: string | null;
    [field: string]: unknown;
  };
}

/** The answer to `account.release`. */
export interface AccountReleaseReply {
  message: string;
  /** ISO 8601, UTC, milliseconds */
  released_at: string;
  /** The part of usage_stats that was not acquired or recorded before: this release added it */
  counted: {
    invites: number;
    messages: number;
    contacts: number;
  };
  /** Rises by one with every grant of the account */
  fence: number;
  /** The parts of usage_stats that could not be used: unknown fields, and channels that cannot be read (they are charged under their own text). At most 20 */
  ignored?: string[];
}

/** `account.release-all`: Give back everything a service holds, such as after its crash. */
export interface AccountReleaseAllRequest {
  /** The calling service: 1 to 100 characters of a-z 0-9 . _ - */
  service_name: string;
  /** Accepted from older callers; changes nothing */
  force?: boolean | null;
}

/** The answer to `account.release-all`. */
export interface AccountReleaseAllReply {
  /** Leases that were open and are not any more */
  released_count: number;
  /** ISO 8601, UTC, milliseconds */
  released_at: string;
}

/** `account.error`: Report an error Telegram gave and learn what it means for the account. */
export interface AccountErrorRequest {
  /** UUID */
  account_id: string;
  /** As the library prints it, its traceback included; of more than 16,384 characters both ends are read, and the waits between them */
  error_type?: string | null;
  /** As the library prints it, its traceback included; of more than 16,384 characters both ends are read, and the waits between them */
  error_message?: string | null;
  error_code?: number | string | null;
  /** The wait Telegram asked for, seconds */
  seconds?: number | null;
  /** Whatever helps the caller; it is not kept */
  context?: Record<string, unknown> | null;
  /** The calling service: 1 to 100 characters of a-z 0-9 . _ - */
  service_name?: string | null;
  /** UUID */
  lease_id?: string | null;
  /** Rises by one with every grant of the account */
  fence?: number | null;
}

/** The answer to `account.error`. */
export interface AccountErrorReply {
  result: {
    /** UUID */
    account_id: string;
    /** As reported, at most 200 characters of it, or the Telegram name found */
    error_type: string;
    classified_as: ErrorClass;
    action_taken: 'none' | 'error_counted' | 'wait_started' | 'blocked' | 'disabled';
    new_status: AccountStatus;
    /** When the account is active again by itself; null: now, or only by an operator */
    recovery_time: string | null;
    /** Whether the same request, on this account, may succeed later */
    should_retry: boolean;
    message: string;
    /** Why the error was classified as it was */
    evidence: {
      /** The kind of evidence that decided, from a whole name to nothing known */
      decided_by: 'name' | 'transport_code' | 'sentence' | 'restriction' | 'class_name' | 'spelling' | 'whole_text' | 'error_code' | 'error_type' | 'name_family' | 'wording' | 'bare_code' | 'code' | 'nothing';
      /** The finding: a name, a sentence or a code of Telegram's, never the reported text */
      found: string | null;
    };
  };
}

/** `action.check`: Ask whether an action is allowed now; changes nothing. */
export interface ActionCheckRequest {
  /** UUID */
  account_id: string;
  action_type: ActionType;
  /** A channel: id, @name, name or t.me link */
  target_channel_id?: string | number | null;
  /** Accepted from older callers; changes nothing */
  allow_locked?: boolean | null;
  /** Accepted from older callers; changes nothing */
  service_name?: string | null;
}

/** The answer to `action.check`. */
export interface ActionCheckReply {
  allowed: boolean;
  reason: LimitReason | null;
  /** null when allowed, and when the action will never be allowed by itself */
  next_allowed_at: string | null;
  details: {
    /** Whole seconds until allowed, rounded up; null: never by itself */
    cooldown_remaining: number | null;
  };
  checks: {
    daily: {
      used: number;
      limit: number | null;
      remaining: number | null;
    };
    hourly: {
      used: number;
      limit: number | null;
      remaining: number | null;
    };
    /** Today, and ever (total), in the target channel */
    per_channel?: {
      used: number;
      limit: number | null;
      remaining: number | null;
      total: {
        used: number;
        limit: number | null;
        remaining: number | null;
      };
    };
    cooldown: {
      ready: boolean;
      /** ISO 8601, UTC, milliseconds */
      next_allowed_at: string | null;
    };
    burst: {
      ready: boolean;
      /** ISO 8601, UTC, milliseconds */
      next_allowed_at: string | null;
    };
  };
  /** Present in the first days after a block: the account is used gently, with reduced daily limits */
  reentry?: {
    /** The first midnight (UTC) from which on the full limits hold */
    until: string;
    /** The part of each daily limit that holds until then */
    daily_percent: number;
  };
}

/** `action.acquire`: Check and record an action in one atomic step. */
export interface ActionAcquireRequest {
  /** UUID */
  account_id: string;
  action_type: ActionType;
  /** A channel: id, @name, name or t.me link */
  target_channel_id?: string | number | null;
  /** The calling service: 1 to 100 characters of a-z 0-9 . _ - */
  service_name?: string | null;
  /** UUID */
  lease_id?: string | null;
  /** Rises by one with every grant of the account */
  fence?: number | null;
}

/** The answer to `action.acquire`. */
export interface ActionAcquireReply {
  allowed: boolean;
  reason: LimitReason | null;
  /** null when allowed, and when the action will never be allowed by itself */
  next_allowed_at: string | null;
  details: {
    /** Whole seconds until allowed, rounded up; null: never by itself */
    cooldown_remaining: number | null;
  };
  checks: {
    daily: {
      used: number;
      limit: number | null;
      remaining: number | null;
    };
    hourly: {
      used: number;
      limit: number | null;
      remaining: number | null;
    };
    /** Today, and ever (total), in the target channel */
    per_channel?: {
      used: number;
      limit: number | null;
      remaining: number | null;
      total: {
        used: number;
        limit: number | null;
        remaining: number | null;
      };
    };
    cooldown: {
      ready: boolean;
      /** ISO 8601, UTC, milliseconds */
      next_allowed_at: string | null;
    };
    burst: {
      ready: boolean;
      /** ISO 8601, UTC, milliseconds */
      next_allowed_at: string | null;
    };
  };
  /** Present in the first days after a block: the account is used gently, with reduced daily limits */
  reentry?: {
    /** The first midnight (UTC) from which on the full limits hold */
    until: string;
    /** The part of each daily limit that holds until then */
    daily_percent: number;
  };
  /** Present when allowed */
  permit_id?: string;
}

/** `action.record`: Settle a permit, or count an action that has happened. */
export interface ActionRecordRequest {
  /** UUID */
  account_id: string;
  action_type: ActionType;
  /** A channel: id, @name, name or t.me link */
  target_channel_id?: string | number | null;
  /** Default: true */
  success?: boolean | null;
  /** Settles that permit and counts nothing again */
  permit_id?: string | null;
  /** The calling service: 1 to 100 characters of a-z 0-9 . _ - */
  service_name?: string | null;
  /** UUID */
  lease_id?: string | null;
}

/** The answer to `action.record`. */
export interface ActionRecordReply {
  message: string;
  /** ISO 8601, UTC, milliseconds */
  recorded_at: string;
  over_limit: boolean;
}

/** `query.health`: Whether an account is well, and what is wrong with it. */
export interface QueryHealthRequest {
  /** UUID */
  account_id: string;
}

/** The answer to `query.health`. */
export interface QueryHealthReply {
  health: {
    /** UUID */
    account_id: string;
    /** Active, and with few errors since the last recovery */
    is_healthy: boolean;
    status: AccountStatus;
    /** Faults, one sentence each; for a person */
    issues: string[];
    /** When its waits end and it can act again; null: it waits for nothing, or is disabled */
    recovery_eta: string | null;
    /** The instant this is true of: now */
    last_check: string;
    metadata: {
      disabled_reason: DisabledReason | null;
      /** ISO 8601, UTC, milliseconds */
      flood_wait_until: string | null;
      /** ISO 8601, UTC, milliseconds */
      blocked_until: string | null;
      /** How far blocks have escalated; 0: none yet */
      block_level: number;
      /** Errors of the last 24 hours (ERROR_WINDOW_HOURS) since its last recovery; leases that end well lower it */
      error_count: number;
      /** The service that has the account leased */
      locked_by: string | null;
      /** ISO 8601, UTC, milliseconds */
      locked_until: string | null;
      /** ISO 8601, UTC, milliseconds */
      last_used_at: string | null;
      invites_today: number;
      messages_today: number;
      contacts_today: number;
    };
  };
}

/** `query.limits`: Every window of an account, by action. */
export interface QueryLimitsRequest {
  /** UUID */
  account_id: string;
}

/** The answer to `query.limits`. */
export interface QueryLimitsReply {
  status: {
    /** UUID */
    account_id: string;
    /** Active, not draining, and not leased */
    is_available: boolean;
    daily_limits: Record<string, {
      used: number;
      limit: number | null;
      remaining: number | null;
    }>;
    hourly_limits: Record<string, {
      used: number;
      limit: number | null;
      remaining: number | null;
    }>;
    cooldowns: Record<string, {
      ready: boolean;
      /** ISO 8601, UTC, milliseconds */
      next_allowed_at: string | null;
    }>;
    burst_status: Record<string, {
      ready: boolean;
      /** ISO 8601, UTC, milliseconds */
      next_allowed_at: string | null;
      used: number;
      limit: number | null;
    }>;
    /** By action and channel: today, and ever (total) */
    per_channel_limits: Record<string, Record<string, {
      used: number;
      limit: number | null;
      remaining: number | null;
      total: {
        used: number;
        limit: number | null;
        remaining: number | null;
      };
    }>>;
    /** Present in the first days after a block: the account is used gently, with reduced daily limits */
    reentry?: {
      /** The first midnight (UTC) from which on the full limits hold */
      until: string;
      /** The part of each daily limit that holds until then */
      daily_percent: number;
    };
  };
}

/** `query.flood-wait`: Whether an account is in a flood wait, and until when. */
export interface QueryFloodWaitRequest {
  /** UUID */
  account_id: string;
}

/** The answer to `query.flood-wait`. */
export interface QueryFloodWaitReply {
  flood_wait_active: boolean;
  /** Present while a flood wait is on, also under draining and disabled */
  flood_wait?: {
    /** UUID */
    account_id: string;
    /** Its end: what Telegram asked for and a little more */
    flood_wait_until: string;
    /** Rounded up */
    remaining_seconds: number;
  };
}

/** `query.recovery-stats`: How many accounts are well, waiting, blocked, and when the next one recovers. */
export type QueryRecoveryStatsRequest = Record<string, never>;

/** The answer to `query.recovery-stats`. */
export interface QueryRecoveryStatsReply {
  stats: {
    /** Accounts that are not disabled */
    total_active: number;
    status_breakdown: Record<string, number>;
    healthy_accounts: number;
    flood_wait_active: number;
    blocked_active: number;
    high_error_count: number;
    locked_by_services: Record<string, number>;
    recovery_queue_size: number;
    /** ISO 8601, UTC, milliseconds */
    next_recovery_at: string | null;
  };
  /** ISO 8601, UTC, milliseconds */
  generated_at: string;
}

/** `query.accounts`: The accounts of a user or of the fleet, page by page, with what they can still do today. */
export interface QueryAccountsRequest {
  /** Absent: the whole fleet, as far as the caller may see it */
  user_id?: number | null;
  /** Judges whether an account is available by the limits of this purpose too */
  purpose?: Purpose | null;
  /** Judges by the limits in this channel too */
  target_channel_id?: string | number | null;
  /** Lists only the accounts in this status */
  status?: AccountStatus | null;
  /** Lists only the accounts that are available. Default: false */
  only_available?: boolean | null;
  /** Lists only the accounts that are disabled for this */
  disabled_reason?: DisabledReason | null;
  /** Lists only the accounts that this service has */
  leased_by?: string | null;
  /** Lists only the account with this phone number */
  phone?: string | null;
  /** An account id or its beginning, a phone number or a part of it of 4 digits or more, or the name of the service that has the account */
  search?: string | null;
  /** Sent by older callers: false means only_available */
  include_unavailable?: boolean | null;
  /** How many accounts to list at most; more than 500 counts as 500. Default: 100 */
  limit?: number | null;
  /** next_cursor of the page before */
  cursor?: string | null;
}

/** The answer to `query.accounts`. */
export interface QueryAccountsReply {
  /** As asked for; null: the whole fleet */
  user_id: number | null;
  /** As asked for; else general */
  purpose: Purpose;
  /** All accounts of the user, whatever the filters; so the other totals. Those of a large fleet may be some minutes old */
  total_accounts: number;
  /** Active and not leased, whatever their limits */
  free_accounts: number;
  /** Active and leased */
  leased_accounts: number;
  /** Active, leased or not */
  active_accounts: number;
  /** Free accounts that account.allocate could grant now for the purpose and in the channel; judged are the first 5,000. For the whole fleet: all free accounts, whatever their limits */
  available_now: number;
  aggregates: {
    status_distribution: Record<string, number>;
    /** How often each action is still possible until midnight (UTC) by the daily limits, and those of the channel, over the accounts that can act before then; null: unlimited */
    capacity_today: Record<string, number | null>;
    /** Invites that are left today by the daily limit; null: unlimited */
    capacity_today_sum: number | null;
    /** Invites that are left today in the channel; null: no channel or no user is given, or unlimited */
    capacity_today_by_channel: number | null;
    /** Free accounts that may invite in the channel at this instant; null: no channel or no user is given */
    can_invite_in_channel_true: number | null;
  };
  /** In the order of their ids; a page may hold fewer than limit */
  accounts: {
    /** UUID */
    account_id: string;
    /** The user who owns the accounts: an integer, 0 or more */
    user_id: number;
    status: AccountStatus;
    disabled_reason: DisabledReason | null;
    /** Active, not leased and, with a purpose, with room for it: account.allocate could grant it now */
    is_available: boolean;
    /** When it will be available if nothing more is done; null: it is, or waiting does not help */
    available_at: string | null;
    /** The calling service: 1 to 100 characters of a-z 0-9 . _ - */
    leased_by: string | null;
    /** ISO 8601, UTC, milliseconds */
    leased_until: string | null;
    /** Errors of the last 24 hours (ERROR_WINDOW_HOURS) since its last recovery; leases that end well lower it */
    error_count: number;
    /** ISO 8601, UTC, milliseconds */
    last_used_at: string | null;
    used_today: Record<string, number>;
    /** null: the account was registered without one */
    phone: string | null;
    used_invites_today: number;
    used_messages_today: number;
    contacts_today: number;
    /** ISO 8601, UTC, milliseconds */
    flood_wait_until: string | null;
    /** ISO 8601, UTC, milliseconds */
    blocked_until: string | null;
    /** Metadata registered with the account, such as its proxy */
    metadata: Record<string, unknown>;
    /** null: the account is active, or nothing is known any more */
    restricted_by: {
      /** Class of the error behind it; null: none is known */
      classified_as: ErrorClass | null;
      /** Telegram's name of that error; null: none was found */
      telegram_error: string | null;
      /** Why, where an operator decided it */
      reason: string | null;
    } | null;
    /** When its waits end; null: it waits for nothing, or is disabled */
    recovery_at: string | null;
  }[];
  /** Accounts that pass the filters, on whatever page; of only_available the free and active ones */
  total: number;
  /** true: there are more than total, which counts to 10,000 */
  total_is_at_least: boolean;
  /** Asks for the next page; null: this is the last */
  next_cursor: string | null;
}

/** `query.explain`: Why each account of a user would be granted or not: every rule, and when it would pass. */
export interface QueryExplainRequest {
  /** The user who owns the accounts: an integer, 0 or more */
  user_id?: number | null;
  purpose?: Purpose | null;
  /** A channel: id, @name, name or t.me link */
  target_channel_id?: string | number | null;
  /** Instead of the others: tells why that allocation was answered as it was. The id of the request, such as its correlation_id or X-Request-ID, or its message_id; kept for 24 hours */
  request_id?: string | null;
}

/** The answer to `query.explain`. */
export interface QueryExplainReply {
  /** Present where request_id was given: the allocation as it was answered. accounts tells how they stand now */
  request?: {
    request_id: string;
    /** UUID */
    message_id: string;
    /** Identity that the broker or the HTTP door had checked; null: none */
    caller: string | null;
    /** ISO 8601, UTC, milliseconds */
    answered_at: string;
    /** The user who owns the accounts: an integer, 0 or more */
    user_id: number;
    purpose: Purpose;
    /** The calling service: 1 to 100 characters of a-z 0-9 . _ - */
    service_name: string;
    target_channel: string | null;
    /** Why it was refused; null: an account was granted */
    code: 'VALIDATION_FAILED' | 'MALFORMED_MESSAGE' | 'UNKNOWN_OPERATION' | 'UNAUTHENTICATED' | 'FORBIDDEN' | 'ACCOUNT_NOT_FOUND' | 'NO_ACCOUNTS' | 'ALL_BUSY' | 'ALL_LIMITED' | 'ALL_RESTRICTED' | 'PREFERRED_UNAVAILABLE' | 'NOT_HELD' | 'LEASE_LOST' | 'IDEMPOTENCY_CONFLICT' | 'COUNT_CHANGED' | 'DEADLINE_EXCEEDED' | 'UNAVAILABLE' | 'INTERNAL' | null;
    /** The account that was granted */
    account_id: string | null;
    /** UUID */
    lease_id: string | null;
    /** The user's accounts by what kept them back then; null: an account was granted, or there was none */
    counts: Record<string, number> | null;
    /** When an account was expected to be free; null: nobody knew */
    next_available_at: string | null;
    /** Why it was answered so, in one sentence for a person */
    summary: string;
  };
  /** The instant this is true of: now */
  explained_at: string;
  /** All accounts of the user; at most 500 are explained, the free ones first */
  total_accounts: number;
  /** The grantable first, in the order in which account.allocate would take them; then by grantable_at */
  accounts: {
    /** UUID */
    account_id: string;
    /** null: the account was registered without one */
    phone: string | null;
    status: AccountStatus;
    /** The calling service: 1 to 100 characters of a-z 0-9 . _ - */
    leased_by: string | null;
    /** ISO 8601, UTC, milliseconds */
    leased_until: string | null;
    /** null: the account is active, or nothing is known any more */
    restricted_by: {
      /** Class of the error behind it; null: none is known */
      classified_as: ErrorClass | null;
      /** Telegram's name of that error; null: none was found */
      telegram_error: string | null;
      /** Why, where an operator decided it */
      reason: string | null;
    } | null;
    /** Why it can be granted or not, in one sentence for a person */
    summary: string;
    /** Whether account.allocate could grant it now. hourly, cooldown and burst may fail: they keep no account back that can act before a lease of 30 minutes ends. One action with room will do */
    grantable: boolean;
    /** When it would be grantable if nothing more is done; null: it is, or waiting does not help */
    grantable_at: string | null;
    rules: {
      /** lease: nobody has the account; account_status: it is active; the others: limits of an action */
      rule: 'lease' | 'daily' | 'hourly' | 'per_channel_daily' | 'per_channel_total' | 'cooldown' | 'burst' | 'account_status';
      /** The action that the limit is of */
      action_type?: ActionType;
      passed: boolean;
      /** When it would pass if nothing more is done; null: it does, or never by itself */
      passes_at: string | null;
      /** Present where the limit counts */
      used?: number;
      /** null: the policy sets none */
      limit?: number | null;
    }[];
  }[];
}

/** `query.history`: Everything that was done to an account, by whom and why, page by page. */
export interface QueryHistoryRequest {
  /** UUID */
  account_id: string;
  /** Lists only entries of this type */
  type?: 'account.registered' | 'account.allocated' | 'account.renewed' | 'account.released' | 'account.lease_expired' | 'account.flood_wait' | 'account.blocked' | 'account.disabled' | 'account.draining' | 'account.recovered' | 'account.reauthorized' | 'limit.exceeded' | 'limits.reset' | 'report.generated' | 'alert.info' | 'alert.warning' | 'alert.critical' | 'action.acquired' | 'action.recorded' | 'action.reported' | 'error.reported' | null;
  /** How many entries to list at most; more than 500 counts as 500. Default: 100 */
  limit?: number | null;
  /** next_cursor of the page before */
  cursor?: string | null;
}

/** The answer to `query.history`. */
export interface QueryHistoryReply {
  /** UUID */
  account_id: string;
  /** The newest first; with a type a page may hold fewer than limit */
  entries: {
    /** An event; or an action that was counted, acquired before it, recorded after it or reported at the release; or an error that was reported */
    type: 'account.registered' | 'account.allocated' | 'account.renewed' | 'account.released' | 'account.lease_expired' | 'account.flood_wait' | 'account.blocked' | 'account.disabled' | 'account.draining' | 'account.recovered' | 'account.reauthorized' | 'limit.exceeded' | 'limits.reset' | 'report.generated' | 'alert.info' | 'alert.warning' | 'alert.critical' | 'action.acquired' | 'action.recorded' | 'action.reported' | 'error.reported';
    /** Number of the account's event; of an action or error that of the event before it */
    sequence: number;
    /** ISO 8601, UTC, milliseconds */
    occurred_at: string;
    /** The service that did it, as it named itself */
    service_name: string | null;
    /** The caller that asked for it, as the broker or the HTTP door has checked; null: unchecked, or nobody: it ended by itself */
    caller: string | null;
    /** Why, where an operator said so */
    reason: string | null;
    /** The request that did it; null: none, it ended by itself */
    request_id: string | null;
    /** UUID */
    lease_id: string | null;
    /** The room that the limits had left afterwards, where that was judged */
    limits_left: Record<string, {
      /** null: the policy sets no limit */
      daily: number | null;
      /** null: the policy sets no limit */
      hourly: number | null;
      /** In the target channel */
      per_channel_daily?: number | null;
      /** In the target channel, ever */
      per_channel_total?: number | null;
    }> | null;
    /** Further facts, by the type; session data and phone numbers are never among them */
    details: Record<string, unknown>;
  }[];
  /** Asks for what came before; null: there is nothing */
  next_cursor: string | null;
}

/** `query.status`: The fleet, the leases by service, and the state of what the service depends on. */
export type QueryStatusRequest = Record<string, never>;

/** The answer to `query.status`. */
export interface QueryStatusReply {
  total_accounts: number;
  /** Active, and with few errors since the last recovery */
  healthy_accounts: number;
  leased_accounts: number;
  status_breakdown: Record<string, number>;
  leases_by_service: Record<string, number>;
  active_accounts: number;
  /** The same as leased_accounts, under the name that older callers read */
  locked_accounts: number;
  /** Active and not leased, whatever their limits */
  available_accounts: number;
  /** The same as leases_by_service */
  locked_by_service: Record<string, number>;
  /** on: callers are known and held to their rights; off: everybody who reaches a door may do everything */
  identity: 'on' | 'off';
  /** identity is off, and NETWORK_IS_TRUSTED lets the HTTP door listen on every address nevertheless */
  network_is_trusted: boolean;
  dependencies: Record<string, {
    up: boolean;
    /** How long its answer took, milliseconds; null: not measured */
    latency_ms: number | null;
    /** The fault, for a person */
    detail?: string;
  }>;
  /** ISO 8601, UTC, milliseconds */
  generated_at: string;
}

/** `query.report`: A report of the state of the fleet: the latest, or by id or time. */
export interface QueryReportRequest {
  /** UUID */
  report_id?: string | null;
  /** The latest report that was generated by then; ISO 8601 with an offset or Z */
  at?: string | null;
}

/** The answer to `query.report`. */
export interface QueryReportReply {
  /** null: there is none */
  report: {
    /** UUID */
    report_id: string;
    /** ISO 8601, UTC, milliseconds */
    generated_at: string;
    /** Counts run from here to generated_at */
    since: string;
    total_accounts: number;
    /** Active, and with few errors since the last recovery */
    healthy_accounts: number;
    /** Per cent, with one decimal */
    health_percent: number;
    status_breakdown: Record<string, number>;
    /** Accounts that have used most of a daily limit */
    near_limits: number;
    usage_today: Record<string, number>;
    /** How often each action is still possible until midnight (UTC), by daily and hourly limits; null: unlimited */
    remaining_today: Record<string, number | null>;
    /** Attempts that were refused: requests that change state, by failure code, and actions not allowed, by the limit that binds. Questions (action.check, query.*) are no attempts, a repeat counts once, and what is not answered for good (UNAVAILABLE, INTERNAL, what is no valid request) is in the metrics alone */
    refusals: {
      operation: string;
      code: string | null;
      rule: string | null;
      count: number;
    }[];
    /** The busiest first; at most 20 */
    services: {
      service_name: string;
      leases: number;
      open_leases: number;
      actions: number;
    }[];
    /** Present waits by the class of the error that began them */
    waits: {
      status: 'flood_wait' | 'blocked';
      cause: string;
      accounts: number;
    }[];
    /** Open ones, the most severe first, then the oldest; at most 100 */
    alerts: {
      /** UUID */
      alert_id: string;
      alert: string;
      subject: string;
      severity: 'info' | 'warning' | 'critical';
      /** ISO 8601, UTC, milliseconds */
      raised_at: string;
    }[];
  } | null;
}

/** `query.leases`: The open leases of the fleet: who has which account, for what, until when. */
export interface QueryLeasesRequest {
  /** The user who owns the accounts: an integer, 0 or more */
  user_id?: number | null;
  /** Lists only the leases of this service */
  service_name?: string | null;
  /** UUID */
  account_id?: string | null;
  /** How many entries to list at most; more than 500 counts as 500. Default: 100 */
  limit?: number | null;
  /** next_cursor of the page before */
  cursor?: string | null;
}

/** The answer to `query.leases`. */
export interface QueryLeasesReply {
  /** Open leases, the earliest end first */
  leases: {
    /** UUID */
    lease_id: string;
    /** UUID */
    account_id: string;
    /** The user who owns the accounts: an integer, 0 or more */
    user_id: number;
    /** null: the account was registered without one */
    phone: string | null;
    /** The calling service: 1 to 100 characters of a-z 0-9 . _ - */
    service_name: string;
    /** The caller that asked for it, as the broker or the HTTP door has checked; null: unchecked */
    caller: string | null;
    purpose: Purpose;
    target_channel: string | null;
    /** Rises by one with every grant of the account */
    fence: number;
    /** ISO 8601, UTC, milliseconds */
    allocated_at: string;
    /** ISO 8601, UTC, milliseconds */
    expires_at: string;
    /** How often each action was counted under the lease so far */
    actions: Record<string, number>;
  }[];
  /** All entries that match, on whatever page */
  total: number;
  /** true: there are more than total, which counts to 10,000 */
  total_is_at_least: boolean;
  /** Asks for the next page; null: this is the last */
  next_cursor: string | null;
}

/** `query.recoveries`: The accounts that wait, why, and when each is active again. */
export interface QueryRecoveriesRequest {
  /** The user who owns the accounts: an integer, 0 or more */
  user_id?: number | null;
  /** Lists only the waits that end within so long */
  within_seconds?: number | null;
  /** How many entries to list at most; more than 500 counts as 500. Default: 100 */
  limit?: number | null;
  /** next_cursor of the page before */
  cursor?: string | null;
}

/** The answer to `query.recoveries`. */
export interface QueryRecoveriesReply {
  /** Accounts in a flood wait or blocked, the soonest to recover first */
  recoveries: {
    /** UUID */
    account_id: string;
    /** The user who owns the accounts: an integer, 0 or more */
    user_id: number;
    /** null: the account was registered without one */
    phone: string | null;
    status: 'flood_wait' | 'blocked';
    /** Class of the error that began the wait; null: no error is known */
    classified_as: ErrorClass | null;
    /** Telegram's name of that error; null: none was found */
    telegram_error: string | null;
    /** When the wait began; null: not known any more */
    began_at: string | null;
    /** When its waits end and it is active again by itself */
    recovers_at: string;
  }[];
  /** All entries that match, on whatever page */
  total: number;
  /** true: there are more than total, which counts to 10,000 */
  total_is_at_least: boolean;
  /** Asks for the next page; null: this is the last */
  next_cursor: string | null;
}

/** `query.jobs`: The background jobs: when each is due, and how its latest runs ended. */
export interface QueryJobsRequest {
  /** Lists only this job */
  job?: 'reset-daily-limits' | 'process-recoveries' | 'cleanup-locks' | 'health-scan' | 'cleanup-rate-limits' | 'report' | null;
  /** How many of its latest runs to tell of each job; more than 50 counts as 50. Default: 5 */
  runs?: number | null;
  /** How many jobs to list at most. Default: 100 */
  limit?: number | null;
  /** next_cursor of the page before */
  cursor?: string | null;
}

/** The answer to `query.jobs`. */
export interface QueryJobsReply {
  /** Where several are due, in this order. Empty for callers with listed users: jobs are of the whole fleet */
  jobs: {
    job: 'reset-daily-limits' | 'process-recoveries' | 'cleanup-locks' | 'health-scan' | 'cleanup-rate-limits' | 'report';
    /** When it is due: a cron expression in UTC, the first field being seconds */
    cadence: string;
    /** ISO 8601, UTC, milliseconds */
    next_run_at: string;
    /** It has not finished for twice its cadence */
    overdue: boolean;
    /** The newest first */
    runs: {
      /** When it was asked for; names the run */
      scheduled_for: string;
      /** done: see counts. failed or interrupted: it is tried again by itself. waiting or running: it has not ended within 60 seconds; the same message_id asks how it stands */
      state: 'waiting' | 'running' | 'done' | 'failed' | 'interrupted' | 'replaced' | 'skipped';
      /** How often it has been begun */
      attempt: number;
      /** ISO 8601, UTC, milliseconds */
      started_at: string | null;
      /** ISO 8601, UTC, milliseconds */
      finished_at: string | null;
      /** Counts of its work, by name */
      counts: Record<string, number>;
      /** Why the last attempt failed */
      failure: string | null;
      /** The instance that has taken it up last, or was asked for it */
      instance: string;
    }[];
  }[];
  /** All entries that match, on whatever page */
  total: number;
  /** true: there are more than total, which counts to 10,000 */
  total_is_at_least: boolean;
  /** Asks for the next page; null: this is the last */
  next_cursor: string | null;
}

/** `query.alerts`: The alerts that are open, or were. */
export interface QueryAlertsRequest {
  /** Default: "open" */
  state?: 'open' | 'resolved' | 'all' | null;
  severity?: 'info' | 'warning' | 'critical' | null;
  /** Lists only alerts of this name */
  alert?: string | null;
  /** How many entries to list at most; more than 500 counts as 500. Default: 100 */
  limit?: number | null;
  /** next_cursor of the page before */
  cursor?: string | null;
}

/** The answer to `query.alerts`. */
export interface QueryAlertsReply {
  /** The newest first. Callers with listed users see the alerts about accounts of these users */
  alerts: {
    /** UUID */
    alert_id: string;
    alert: string;
    /** Tells several of one name apart; empty where there is one only */
    subject: string;
    severity: 'info' | 'warning' | 'critical';
    /** Figures and ids, as its event has them */
    data: Record<string, unknown>;
    /** ISO 8601, UTC, milliseconds */
    raised_at: string;
    /** null: it is open */
    resolved_at: string | null;
  }[];
  /** All entries that match, on whatever page */
  total: number;
  /** true: there are more than total, which counts to 10,000 */
  total_is_at_least: boolean;
  /** Asks for the next page; null: this is the last */
  next_cursor: string | null;
}

/** `query.events`: The events of the fleet, in order, from any position on. */
export interface QueryEventsRequest {
  /** The position of the last event that was read; without it from the oldest on */
  after?: string | null;
  /** Only events of this account */
  account_id?: string | null;
  /** Only events of this user's accounts */
  user_id?: number | null;
  /** Only events of these types; in a query string repeated, or separated by commas */
  types?: EventType[] | null;
  /** How many entries to list at most; more than 500 counts as 500. Default: 100 */
  limit?: number | null;
}

/** The answer to `query.events`. */
export interface QueryEventsReply {
  /** The oldest first, those of one account by their sequence; a page may hold fewer than limit, and none where there are no more or where looking for the next took 3 s: ask on from next_after */
  events: {
    /** Opaque; it can be kept and asked from later */
    position: string;
    event: {
      specversion: '1.0';
      /** Also the AMQP message_id */
      id: string;
      source: 'account-manager';
      type: EventType;
      /** ISO 8601, UTC, milliseconds */
      time: string;
      /** The account */
      subject?: string;
      datacontenttype: 'application/json';
      traceparent?: string;
      data: {
        /** UUID */
        account_id?: string;
        user_id?: number;
        /** Rises by one with each of the account's events */
        sequence?: number;
        [field: string]: unknown;
      };
    };
  }[];
  /** Asks for what comes after this page, now or later */
  next_after: string;
}

/** `query.series`: How the fleet developed: figures by the minute for 48 hours, and by the hour for 90 days. */
export interface QuerySeriesRequest {
  /** Names of series (accounts.active) or of groups (accounts, leases, grants, refusals, actions, errors, recoveries, outbox, requests); absent: all that have a point */
  names?: string[] | null;
  /** Absent: 6 hours before to */
  from?: string | null;
  /** Absent: now */
  to?: string | null;
  /** One point for so long; absent: the shortest of 60, 300, 900, 3600, 21600 and 86400 with at most 360 points */
  step_seconds?: number | null;
}

/** The answer to `query.series`. */
export interface QuerySeriesReply {
  step_seconds: number;
  /** accounts.*, leases.open: as they stood; grants, refusals.*, actions.*, errors.*, recoveries, requests.*: how many in the step; outbox.age_seconds: seconds; p50_ms, p99_ms: milliseconds. Kept are a sample a minute for 48 hours and one an hour for 90 days. Empty for callers with listed users: series are of the whole fleet */
  series: {
    name: string;
    /** When the step began, and the value. A step in which no instance ran has no point */
    points: unknown[][];
  }[];
}

/** `query.policy`: The limits in force, and what else the service goes by. */
export type QueryPolicyRequest = Record<string, never>;

/** The answer to `query.policy`. */
export interface QueryPolicyReply {
  /** The limits in force, by action */
  limits: Record<string, {
    /** null: no such limit */
    daily_limit: number | null;
    /** null: no such limit */
    hourly_limit: number | null;
    /** null: no such limit */
    per_channel_daily: number | null;
    /** null: no such limit */
    per_channel_total: number | null;
    /** null: no such limit */
    cooldown_seconds: number | null;
    /** null: no such limit */
    burst_limit: number | null;
    /** null: no such limit */
    burst_cooldown_seconds: number | null;
  }>;
  /** The defaults of what is set otherwise, by action; empty: everything is as by default */
  differing: Record<string, {
    /** null: no such limit */
    daily_limit?: number | null;
    /** null: no such limit */
    hourly_limit?: number | null;
    /** null: no such limit */
    per_channel_daily?: number | null;
    /** null: no such limit */
    per_channel_total?: number | null;
    /** null: no such limit */
    cooldown_seconds?: number | null;
    /** null: no such limit */
    burst_limit?: number | null;
    /** null: no such limit */
    burst_cooldown_seconds?: number | null;
  }>;
  /** Whether an attempt that failed counts like one that succeeded */
  count_failed_attempts: boolean;
  reentry: {
    /** Days (UTC) with reduced daily limits after a block; 0: none */
    days: number;
    /** The part of each daily limit that holds on these days */
    daily_percent: number;
  };
  /** From which share of the fleet on an alert is raised, per cent */
  alerts: {
    flood_wait_percent: number;
    blocked_percent: number;
    near_limits_percent: number;
    /** An account that has used so much of a daily limit is near it */
    near_limit_percent: number;
  };
  /** When each job is due: cron expressions in UTC, with seconds */
  cadences: Record<string, string>;
  /** How long events, leases, runs, reports and resolved alerts are kept */
  history_days: number;
}

/** `admin.register`: Add accounts as they stand, or renew the session of accounts that are known. */
export interface AdminRegisterRequest {
  /** Each is judged by itself: a faulty one is rejected in the reply, and the others are registered */
  accounts: {
    /** Kept as the id of a new account; refused where another account has it, and where that account was removed */
    account_id?: string | null;
    /** The user who owns the accounts: an integer, 0 or more */
    user_id: number;
    /** 5 to 20 digits, with or without a leading +; punctuation between them does not count. Absent: the account is known by the key of its session */
    phone?: string | null;
    /** A Telethon, GramJS or Pyrogram session string of a user account */
    session_data: string;
    /** Kept with the account, such as its proxy; every holder of the account gets it */
    metadata?: Record<string, unknown> | null;
    /** How it stood. flood_wait and blocked need their instant; one that is over has ended */
    status?: AccountStatus | null;
    /** End of its flood wait, whatever the status */
    flood_wait_until?: string | null;
    /** End of its block, whatever the status; one in the past counts as its latest block */
    blocked_until?: string | null;
    /** Why it is disabled; disabled without one means manual */
    disabled_reason?: DisabledReason | null;
    /** Its actions so far, by action (invite, message, add_contact, join_channel, leave_channel, parse). The greater of two counts holds, so nothing is counted twice */
    usage?: Record<string, {
      /** How often today (UTC), wherever */
      today?: number | null;
      /** When each action of the last 60 minutes was; the hourly limit, the cooldown and the burst are judged by these */
      last_hour?: string[] | null;
      /** By channel; a channel is an id, @name, name or t.me link */
      by_channel?: Record<string, {
        /** How often today (UTC) */
        today?: number | null;
        /** How often ever; today counts at least */
        total?: number | null;
      }> | null;
    }> | null;
  }[];
}

/** The answer to `admin.register`. */
export interface AdminRegisterReply {
  accounts: {
    /** Position in the request, from 0 */
    index: number;
    /** UUID */
    account_id?: string;
    outcome: 'created' | 'updated' | 'rejected';
    /** Why it was rejected */
    reason?: string;
    /** The field at fault, where it is one */
    field?: string;
  }[];
}

/** `admin.set-status`: Disable, drain or activate an account. */
export interface AdminSetStatusRequest {
  /** UUID */
  account_id: string;
  /** active: ends disabled and draining, whatever the reason; its waits stand unless force is set. disabled: until an operator acts; a ban stays a ban. draining: keeps its lease and gets no new one; a disabled account stays disabled */
  status: 'active' | 'disabled' | 'draining';
  /** Why, for the history of the account: 1 to 300 characters, no secrets */
  reason: string;
  /** With active: ends the waits too. Default: false */
  force?: boolean | null;
}

/** The answer to `admin.set-status`. */
export interface AdminSetStatusReply {
  /** UUID */
  account_id: string;
  status: AccountStatus;
  previous_status: AccountStatus;
  /** null unless disabled */
  disabled_reason: DisabledReason | null;
  /** When its waits end and it can act again; null: it waits for nothing, or is disabled */
  recovery_time: string | null;
  /** Whether the account is in another condition than before */
  changed: boolean;
}

/** `admin.reauthorize`: Give an account a fresh session; ends disabled for needs_reauth. */
export interface AdminReauthorizeRequest {
  /** UUID */
  account_id: string;
  /** A session string whose key no other account has */
  session_data: string;
}

/** The answer to `admin.reauthorize`. */
export interface AdminReauthorizeReply {
  /** UUID */
  account_id: string;
  status: AccountStatus;
  previous_status: AccountStatus;
  /** null unless disabled */
  disabled_reason: DisabledReason | null;
  /** When its waits end and it can act again; null: it waits for nothing, or is disabled */
  recovery_time: string | null;
  /** Whether the account is in another condition than before */
  changed: boolean;
}

/** `admin.recover`: End an account's waits and its count of errors now. */
export interface AdminRecoverRequest {
  /** UUID */
  account_id: string;
  /** Why, for the history of the account: 1 to 300 characters, no secrets */
  reason: string;
  /** Recovers a disabled account too, whatever it is disabled for. Default: false */
  force?: boolean | null;
}

/** The answer to `admin.recover`. */
export interface AdminRecoverReply {
  /** UUID */
  account_id: string;
  status: AccountStatus;
  previous_status: AccountStatus;
  /** null unless disabled */
  disabled_reason: DisabledReason | null;
  /** When its waits end and it can act again; null: it waits for nothing, or is disabled */
  recovery_time: string | null;
  /** Whether the account is in another condition than before */
  changed: boolean;
}

/** `admin.schedule-recovery`: Set the end of an account's present wait. */
export interface AdminScheduleRecoveryRequest {
  /** UUID */
  account_id: string;
  /** When the present wait ends, sooner or later than it would: ISO 8601 with an offset or Z; a time in the past means now */
  recovery_time: string;
  /** Kept in the history, and nothing else */
  recovery_type?: string | null;
  /** Why, for the history of the account: 1 to 300 characters, no secrets */
  reason?: string | null;
}

/** The answer to `admin.schedule-recovery`. */
export interface AdminScheduleRecoveryReply {
  /** UUID */
  account_id: string;
  status: AccountStatus;
  previous_status: AccountStatus;
  /** null unless disabled */
  disabled_reason: DisabledReason | null;
  /** When the wait ends, or has just ended */
  recovery_time: string;
  /** Whether the account is in another condition than before */
  changed: boolean;
}

/** `admin.force-release`: Take an account away from its holder, who is refused from then on. */
export interface AdminForceReleaseRequest {
  /** UUID */
  account_id: string;
  /** Why, for the history of the account: 1 to 300 characters, no secrets */
  reason: string;
}

/** The answer to `admin.force-release`. */
export interface AdminForceReleaseReply {
  /** UUID */
  account_id: string;
  /** false: nobody held the account, and nothing was changed */
  released: boolean;
  /** The service that held it */
  released_from: string | null;
  /** ISO 8601, UTC, milliseconds */
  released_at: string | null;
  /** Rises by one with every grant of the account */
  fence: number;
}

/** `admin.bulk`: Recover, activate, drain, disable or take back every account that matches a filter. */
export interface AdminBulkRequest {
  /** Accounts that meet every condition given; at least one is needed */
  filter: {
    /** The user who owns the accounts: an integer, 0 or more */
    user_id?: number | null;
    status?: AccountStatus | null;
    /** Accounts that are disabled for this */
    disabled_reason?: DisabledReason | null;
    /** Accounts that this service has */
    leased_by?: string | null;
    account_ids?: string[] | null;
  };
  /** recover: as admin.recover. activate, drain, disable: as admin.set-status, without force. force-release: as admin.force-release */
  action: 'recover' | 'activate' | 'drain' | 'disable' | 'force-release';
  /** Why, for the history of the account: 1 to 300 characters, no secrets */
  reason: string;
  /** Tells what would be done, and does nothing. Default: false */
  dry_run?: boolean | null;
  /** How many accounts are expected to match; where another number does, nothing is done: COUNT_CHANGED */
  expected_count?: number | null;
}

/** The answer to `admin.bulk`. */
export interface AdminBulkReply {
  matched: number;
  /** Accounts that are in another condition than before, or were taken from their holder */
  changed: number;
  unchanged: number;
  /** Accounts on which nothing was done, and why */
  failed: {
    /** UUID */
    account_id: string;
    code: 'VALIDATION_FAILED' | 'MALFORMED_MESSAGE' | 'UNKNOWN_OPERATION' | 'UNAUTHENTICATED' | 'FORBIDDEN' | 'ACCOUNT_NOT_FOUND' | 'NO_ACCOUNTS' | 'ALL_BUSY' | 'ALL_LIMITED' | 'ALL_RESTRICTED' | 'PREFERRED_UNAVAILABLE' | 'NOT_HELD' | 'LEASE_LOST' | 'IDEMPOTENCY_CONFLICT' | 'COUNT_CHANGED' | 'DEADLINE_EXCEEDED' | 'UNAVAILABLE' | 'INTERNAL';
  }[];
}

/** `admin.remove`: Take an account away and erase its session, phone number and metadata for good. */
export interface AdminRemoveRequest {
  /** UUID */
  account_id: string;
  /** Why, for the history of the account: 1 to 300 characters, no secrets */
  reason: string;
}

/** The answer to `admin.remove`. */
export interface AdminRemoveReply {
  /** From then on the account is nowhere but in its history; its session is erased */
  removed_at: string;
}

/** `admin.parked`: List, show, replay or discard the messages that were put aside. */
export interface AdminParkedRequest {
  /** list: page by page. show: with bodies. replay: runs each as the request that it was, of its caller and under its message_id, and removes what was answered. discard: removes them unserved */
  action: 'list' | 'show' | 'replay' | 'discard';
  /** Which; required but for list */
  parked_ids?: string[] | null;
  /** A list shows so many at most; more than 100 counts as 100. Default: 50 */
  limit?: number | null;
  /** A list goes on here: next_cursor of the page before */
  cursor?: string | null;
  /** A replay also takes what was parked more than 12 hours ago; whether it has been done since, nobody can tell any more. Default: false */
  force?: boolean | null;
  /** Why, for the history of the account: 1 to 300 characters, no secrets */
  reason?: string | null;
}

/** The answer to `admin.parked`. */
export interface AdminParkedReply {
  /** Messages that are parked, copies counted; at most 5,000 are looked at */
  total: number;
  /** For list and show, the oldest first */
  messages: {
    /** The same for every copy of a message, however often it is parked */
    parked_id: string;
    copies: number;
    /** ISO 8601, UTC, milliseconds */
    parked_at: string | null;
    /** Its routing key, which may name no operation */
    operation: string;
    /** Why it was parked */
    code: 'VALIDATION_FAILED' | 'MALFORMED_MESSAGE' | 'UNKNOWN_OPERATION' | 'UNAUTHENTICATED' | 'FORBIDDEN' | 'ACCOUNT_NOT_FOUND' | 'NO_ACCOUNTS' | 'ALL_BUSY' | 'ALL_LIMITED' | 'ALL_RESTRICTED' | 'PREFERRED_UNAVAILABLE' | 'NOT_HELD' | 'LEASE_LOST' | 'IDEMPOTENCY_CONFLICT' | 'COUNT_CHANGED' | 'DEADLINE_EXCEEDED' | 'UNAVAILABLE' | 'INTERNAL' | null;
    reason: string;
    /** As the broker had checked it */
    caller: string | null;
    message_id: string | null;
    correlation_id: string | null;
    /** How often it had been tried before */
    attempts: number;
    /** Size of its body */
    bytes: number;
    /** Why it cannot be replayed; null: it can */
    obstacle: string | null;
    /** With show: as it was parked, without secrets; at most 64 KiB of it */
    body?: string;
  }[];
  /** A list goes on with it; null: this is the last page */
  next_cursor: string | null;
  /** For replay and discard, one for each id */
  results: {
    /** UUID */
    parked_id: string;
    /** replayed: it was answered, see code, and its parked copy is gone. kept: it is still parked, see reason */
    outcome: 'replayed' | 'discarded' | 'kept' | 'not_found';
    /** The code that a replay was answered with; null: success, or not asked */
    code: 'VALIDATION_FAILED' | 'MALFORMED_MESSAGE' | 'UNKNOWN_OPERATION' | 'UNAUTHENTICATED' | 'FORBIDDEN' | 'ACCOUNT_NOT_FOUND' | 'NO_ACCOUNTS' | 'ALL_BUSY' | 'ALL_LIMITED' | 'ALL_RESTRICTED' | 'PREFERRED_UNAVAILABLE' | 'NOT_HELD' | 'LEASE_LOST' | 'IDEMPOTENCY_CONFLICT' | 'COUNT_CHANGED' | 'DEADLINE_EXCEEDED' | 'UNAVAILABLE' | 'INTERNAL' | null;
    reason: string | null;
  }[];
}

/** `admin.run-job`: Run a background job now, and tell what it did. */
export interface AdminRunJobRequest {
  job: 'reset-daily-limits' | 'process-recoveries' | 'cleanup-locks' | 'health-scan' | 'cleanup-rate-limits' | 'report';
  /** Accepted from older callers; changes nothing */
  limit?: number | null;
}

/** The answer to `admin.run-job`. */
export interface AdminRunJobReply {
  job: 'reset-daily-limits' | 'process-recoveries' | 'cleanup-locks' | 'health-scan' | 'cleanup-rate-limits' | 'report';
  /** When it was asked for; names the run */
  scheduled_for: string;
  /** done: see counts. failed or interrupted: it is tried again by itself. waiting or running: it has not ended within 60 seconds; the same message_id asks how it stands */
  state: 'waiting' | 'running' | 'done' | 'failed' | 'interrupted' | 'replaced' | 'skipped';
  /** How often it has been begun */
  attempt: number;
  /** ISO 8601, UTC, milliseconds */
  started_at: string | null;
  /** ISO 8601, UTC, milliseconds */
  finished_at: string | null;
  /** Counts of its work, by name */
  counts: Record<string, number>;
  /** Why the last attempt failed */
  failure: string | null;
}

/** Every operation by its name: what is asked, and what is answered. */
export interface Operations {
  /** Lease one account of a user for a purpose */
  'account.allocate': { request: AccountAllocateRequest; reply: AccountAllocateReply };
  /** Prolong a lease, counted from now */
  'account.renew': { request: AccountRenewRequest; reply: AccountRenewReply };
  /** Give an account back and say what was done with it */
  'account.release': { request: AccountReleaseRequest; reply: AccountReleaseReply };
  /** Give back everything a service holds, such as after its crash */
  'account.release-all': { request: AccountReleaseAllRequest; reply: AccountReleaseAllReply };
  /** Report an error Telegram gave and learn what it means for the account */
  'account.error': { request: AccountErrorRequest; reply: AccountErrorReply };
  /** Ask whether an action is allowed now; changes nothing */
  'action.check': { request: ActionCheckRequest; reply: ActionCheckReply };
  /** Check and record an action in one atomic step */
  'action.acquire': { request: ActionAcquireRequest; reply: ActionAcquireReply };
  /** Settle a permit, or count an action that has happened */
  'action.record': { request: ActionRecordRequest; reply: ActionRecordReply };
  /** Whether an account is well, and what is wrong with it */
  'query.health': { request: QueryHealthRequest; reply: QueryHealthReply };
  /** Every window of an account, by action */
  'query.limits': { request: QueryLimitsRequest; reply: QueryLimitsReply };
  /** Whether an account is in a flood wait, and until when */
  'query.flood-wait': { request: QueryFloodWaitRequest; reply: QueryFloodWaitReply };
  /** How many accounts are well, waiting, blocked, and when the next one recovers */
  'query.recovery-stats': { request: QueryRecoveryStatsRequest; reply: QueryRecoveryStatsReply };
  /** The accounts of a user or of the fleet, page by page, with what they can still do today */
  'query.accounts': { request: QueryAccountsRequest; reply: QueryAccountsReply };
  /** Why each account of a user would be granted or not: every rule, and when it would pass */
  'query.explain': { request: QueryExplainRequest; reply: QueryExplainReply };
  /** Everything that was done to an account, by whom and why, page by page */
  'query.history': { request: QueryHistoryRequest; reply: QueryHistoryReply };
  /** The fleet, the leases by service, and the state of what the service depends on */
  'query.status': { request: QueryStatusRequest; reply: QueryStatusReply };
  /** A report of the state of the fleet: the latest, or by id or time */
  'query.report': { request: QueryReportRequest; reply: QueryReportReply };
  /** The open leases of the fleet: who has which account, for what, until when */
  'query.leases': { request: QueryLeasesRequest; reply: QueryLeasesReply };
  /** The accounts that wait, why, and when each is active again */
  'query.recoveries': { request: QueryRecoveriesRequest; reply: QueryRecoveriesReply };
  /** The background jobs: when each is due, and how its latest runs ended */
  'query.jobs': { request: QueryJobsRequest; reply: QueryJobsReply };
  /** The alerts that are open, or were */
  'query.alerts': { request: QueryAlertsRequest; reply: QueryAlertsReply };
  /** The events of the fleet, in order, from any position on */
  'query.events': { request: QueryEventsRequest; reply: QueryEventsReply };
  /** How the fleet developed: figures by the minute for 48 hours, and by the hour for 90 days */
  'query.series': { request: QuerySeriesRequest; reply: QuerySeriesReply };
  /** The limits in force, and what else the service goes by */
  'query.policy': { request: QueryPolicyRequest; reply: QueryPolicyReply };
  /** Add accounts as they stand, or renew the session of accounts that are known */
  'admin.register': { request: AdminRegisterRequest; reply: AdminRegisterReply };
  /** Disable, drain or activate an account */
  'admin.set-status': { request: AdminSetStatusRequest; reply: AdminSetStatusReply };
  /** Give an account a fresh session; ends disabled for needs_reauth */
  'admin.reauthorize': { request: AdminReauthorizeRequest; reply: AdminReauthorizeReply };
  /** End an account's waits and its count of errors now */
  'admin.recover': { request: AdminRecoverRequest; reply: AdminRecoverReply };
  /** Set the end of an account's present wait */
  'admin.schedule-recovery': { request: AdminScheduleRecoveryRequest; reply: AdminScheduleRecoveryReply };
  /** Take an account away from its holder, who is refused from then on */
  'admin.force-release': { request: AdminForceReleaseRequest; reply: AdminForceReleaseReply };
  /** Recover, activate, drain, disable or take back every account that matches a filter */
  'admin.bulk': { request: AdminBulkRequest; reply: AdminBulkReply };
  /** Take an account away and erase its session, phone number and metadata for good */
  'admin.remove': { request: AdminRemoveRequest; reply: AdminRemoveReply };
  /** List, show, replay or discard the messages that were put aside */
  'admin.parked': { request: AdminParkedRequest; reply: AdminParkedReply };
  /** Run a background job now, and tell what it did */
  'admin.run-job': { request: AdminRunJobRequest; reply: AdminRunJobReply };
}

export type OperationName = keyof Operations;
