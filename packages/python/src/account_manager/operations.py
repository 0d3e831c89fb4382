"""Every operation of the contract as a method, and the shapes of requests and replies. Written by `npm run contracts`."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

__all__ = [
    "AccountAllocateReply",
    "AccountAllocateReplyAllocation",
    "AccountAllocateReplyAllocationCurrentUsage",
    "AccountAllocateReplyAllocationLimits",
    "AccountAllocateReplyAllocationLimitsReentry",
    "AccountAllocateReplyAllocationSelection",
    "AccountErrorReply",
    "AccountErrorReplyResult",
    "AccountErrorReplyResultEvidence",
    "AccountReleaseAllReply",
    "AccountReleaseReply",
    "AccountReleaseReplyCounted",
    "AccountReleaseUsageStats",
    "AccountRenewReply",
    "AccountStatus",
    "ActionAcquireReply",
    "ActionAcquireReplyChecks",
    "ActionAcquireReplyChecksBurst",
    "ActionAcquireReplyChecksCooldown",
    "ActionAcquireReplyChecksDaily",
    "ActionAcquireReplyChecksHourly",
    "ActionAcquireReplyChecksPerChannel",
    "ActionAcquireReplyChecksPerChannelTotal",
    "ActionAcquireReplyDetails",
    "ActionAcquireReplyReentry",
    "ActionCheckReply",
    "ActionCheckReplyChecks",
    "ActionCheckReplyChecksBurst",
    "ActionCheckReplyChecksCooldown",
    "ActionCheckReplyChecksDaily",
    "ActionCheckReplyChecksHourly",
    "ActionCheckReplyChecksPerChannel",
    "ActionCheckReplyChecksPerChannelTotal",
    "ActionCheckReplyDetails",
    "ActionCheckReplyReentry",
    "ActionRecordReply",
    "ActionType",
    "AdminBulkFilter",
    "AdminBulkReply",
    "AdminBulkReplyFailed",
    "AdminForceReleaseReply",
    "AdminParkedReply",
    "AdminParkedReplyMessages",
    "AdminParkedReplyResults",
    "AdminReauthorizeReply",
    "AdminRecoverReply",
    "AdminRegisterAccounts",
    "AdminRegisterAccountsUsage",
    "AdminRegisterAccountsUsageByChannel",
    "AdminRegisterReply",
    "AdminRegisterReplyAccounts",
    "AdminRemoveReply",
    "AdminRunJobReply",
    "AdminScheduleRecoveryReply",
    "AdminSetStatusReply",
    "DisabledReason",
    "ErrorClass",
    "ErrorEvidence",
    "EventType",
    "LimitReason",
    "Purpose",
    "QueryAccountsReply",
    "QueryAccountsReplyAccounts",
    "QueryAccountsReplyAccountsRestrictedBy",
    "QueryAccountsReplyAggregates",
    "QueryAlertsReply",
    "QueryAlertsReplyAlerts",
    "QueryEventsReply",
    "QueryEventsReplyEvents",
    "QueryEventsReplyEventsEvent",
    "QueryEventsReplyEventsEventData",
    "QueryExplainReply",
    "QueryExplainReplyAccounts",
    "QueryExplainReplyAccountsRestrictedBy",
    "QueryExplainReplyAccountsRules",
    "QueryExplainReplyRequest",
    "QueryFloodWaitReply",
    "QueryFloodWaitReplyFloodWait",
    "QueryHealthReply",
    "QueryHealthReplyHealth",
    "QueryHealthReplyHealthMetadata",
    "QueryHistoryReply",
    "QueryHistoryReplyEntries",
    "QueryHistoryReplyEntriesLimitsLeft",
    "QueryJobsReply",
    "QueryJobsReplyJobs",
    "QueryJobsReplyJobsRuns",
    "QueryLeasesReply",
    "QueryLeasesReplyLeases",
    "QueryLimitsReply",
    "QueryLimitsReplyStatus",
    "QueryLimitsReplyStatusBurstStatus",
    "QueryLimitsReplyStatusCooldowns",
    "QueryLimitsReplyStatusDailyLimits",
    "QueryLimitsReplyStatusHourlyLimits",
    "QueryLimitsReplyStatusPerChannelLimits",
    "QueryLimitsReplyStatusPerChannelLimitsTotal",
    "QueryLimitsReplyStatusReentry",
    "QueryPolicyReply",
    "QueryPolicyReplyAlerts",
    "QueryPolicyReplyDiffering",
    "QueryPolicyReplyLimits",
    "QueryPolicyReplyReentry",
    "QueryRecoveriesReply",
    "QueryRecoveriesReplyRecoveries",
    "QueryRecoveryStatsReply",
    "QueryRecoveryStatsReplyStats",
    "QueryReportReply",
    "QueryReportReplyReport",
    "QueryReportReplyReportAlerts",
    "QueryReportReplyReportRefusals",
    "QueryReportReplyReportServices",
    "QueryReportReplyReportWaits",
    "QuerySeriesReply",
    "QuerySeriesReplySeries",
    "QueryStatusReply",
    "QueryStatusReplyDependencies",
]

AccountStatus = Literal["active", "flood_wait", "blocked", "draining", "disabled"]
ActionType = Literal["invite", "message", "add_contact", "join_channel", "leave_channel", "parse"]
DisabledReason = Literal["banned", "deactivated", "frozen", "needs_reauth", "manual"]
ErrorClass = Literal["flood_wait", "premium_wait", "slow_mode", "takeout", "peer_flood", "restricted", "banned", "deactivated", "auth", "privacy", "target", "permission", "invalid_request", "migrate", "transient", "other"]
ErrorEvidence = Literal["name", "transport_code", "sentence", "restriction", "class_name", "spelling", "whole_text", "error_code", "error_type", "name_family", "wording", "bare_code", "code", "nothing"]
EventType = Literal["account.registered", "account.allocated", "account.renewed", "account.released", "account.lease_expired", "account.flood_wait", "account.blocked", "account.disabled", "account.draining", "account.recovered", "account.reauthorized", "limit.exceeded", "limits.reset", "report.generated", "alert.info", "alert.warning", "alert.critical"]
LimitReason = Literal["daily", "hourly", "per_channel_daily", "per_channel_total", "cooldown", "burst", "account_status"]
Purpose = Literal["invite_campaign", "message_campaign", "contact_import", "parsing", "channel_management", "general"]


class AccountAllocateReplyAllocationLimitsReentry(TypedDict):
    """Present in the first days after a block: the account is used gently, with reduced daily limits."""

    #: The first midnight (UTC) from which on the full limits hold
    until: str
    #: The part of each daily limit that holds until then
    daily_percent: int


class AccountAllocateReplyAllocationLimits(TypedDict):
    daily_invite_limit: int | None
    daily_message_limit: int | None
    contacts_daily_limit: int | None
    per_channel_invite_limit: int | None
    max_per_channel_total: int | None
    #: Present in the first days after a block: the account is used gently, with reduced daily limits
    reentry: NotRequired[AccountAllocateReplyAllocationLimitsReentry]


class AccountAllocateReplyAllocationCurrentUsage(TypedDict):
    invites_today: int
    messages_today: int
    contacts_today: int


class AccountAllocateReplyAllocationSelection(TypedDict):
    reason: Literal["preferred", "best_available"]
    preferred_honoured: NotRequired[bool]
    #: How many free accounts were considered
    candidates: int


class AccountAllocateReplyAllocation(TypedDict):
    #: UUID
    account_id: str
    #: The user who owns the accounts: an integer, 0 or more
    user_id: int
    #: null: the account was registered without one
    phone: str | None
    #: null when include_session is false, or when a repeat comes after the lease has ended
    session_data: str | None
    #: ISO 8601, UTC, milliseconds
    allocated_at: str
    #: The calling service: 1 to 100 characters of a-z 0-9 . _ -
    allocated_by: str
    purpose: Purpose
    #: ISO 8601, UTC, milliseconds
    expires_at: str
    #: UUID
    lease_id: str
    #: Rises by one with every grant of the account
    fence: int
    limits: AccountAllocateReplyAllocationLimits
    current_usage: AccountAllocateReplyAllocationCurrentUsage
    selection: AccountAllocateReplyAllocationSelection
    #: Metadata registered with the account, such as its proxy; empty when a repeat comes after the lease
    metadata: dict[str, Any]
    #: Present when a repeat comes after the lease has ended: the caller does not hold the account any more
    ended_at: NotRequired[str]


class AccountAllocateReply(TypedDict):
    success: Literal[True]
    allocation: AccountAllocateReplyAllocation


class AccountRenewReply(TypedDict):
    success: Literal[True]
    #: ISO 8601, UTC, milliseconds
    expires_at: str
    #: Rises by one with every grant of the account
    fence: int


class AccountReleaseUsageStats(TypedDict):
    """Further fields change nothing; the reply names them in ignored."""

    invites_sent: NotRequired[int | None]
    messages_sent: NotRequired[int | None]
    contacts_added: NotRequired[int | None]
    success: NotRequired[bool | None]
    channels_used: NotRequired[list[str | int] | None]
    channel_usage: NotRequired[dict[str, int] | None]
    error_type: NotRequired[str | None]
    error_message: NotRequired[str | None]


class AccountReleaseReplyCounted(TypedDict):
    """The part of usage_stats that was not acquired or recorded before: this release added it."""

    invites: int
    messages: int
    contacts: int


class AccountReleaseReply(TypedDict):
    success: Literal[True]
    message: str
    #: ISO 8601, UTC, milliseconds
    released_at: str
    #: The part of usage_stats that was not acquired or recorded before: this release added it
    counted: AccountReleaseReplyCounted
    #: Rises by one with every grant of the account
    fence: int
    #: The parts of usage_stats that could not be used: unknown fields, and channels that cannot be read (they are
    #: charged under their own text). At most 20
    ignored: NotRequired[list[str]]


class AccountReleaseAllReply(TypedDict):
    success: Literal[True]
    #: Leases that were open and are not any more
    released_count: int
    #: ISO 8601, UTC, milliseconds
    released_at: str


class AccountErrorReplyResultEvidence(TypedDict):
    """Why the error was classified as it was."""

    #: The kind of evidence that decided, from a whole name to nothing known
    decided_by: ErrorEvidence
    #: The finding: a name, a sentence or a code of Telegram's, never the reported text
    found: str | None


class AccountErrorReplyResult(TypedDict):
    #: UUID
    account_id: str
    #: As reported, at most 200 characters of it, or the Telegram name found
    error_type: str
    classified_as: ErrorClass
    action_taken: Literal["none", "error_counted", "wait_started", "blocked", "disabled"]
    new_status: AccountStatus
    #: When the account is active again by itself; null: now, or only by an operator
    recovery_time: str | None
    #: Whether the same request, on this account, may succeed later
    should_retry: bool
    message: str
    #: Why the error was classified as it was
    evidence: AccountErrorReplyResultEvidence


class AccountErrorReply(TypedDict):
    success: Literal[True]
    result: AccountErrorReplyResult


class ActionCheckReplyDetails(TypedDict):
    #: Whole seconds until allowed, rounded up; null: never by itself
    cooldown_remaining: int | None


class ActionCheckReplyChecksDaily(TypedDict):
    used: int
    limit: int | None
    remaining: int | None


class ActionCheckReplyChecksHourly(TypedDict):
    used: int
    limit: int | None
    remaining: int | None


class ActionCheckReplyChecksPerChannelTotal(TypedDict):
    used: int
    limit: int | None
    remaining: int | None


class ActionCheckReplyChecksPerChannel(TypedDict):
    """Today, and ever (total), in the target channel."""

    used: int
    limit: int | None
    remaining: int | None
    total: ActionCheckReplyChecksPerChannelTotal


class ActionCheckReplyChecksCooldown(TypedDict):
    ready: bool
    next_allowed_at: str | None


class ActionCheckReplyChecksBurst(TypedDict):
    ready: bool
    next_allowed_at: str | None


class ActionCheckReplyChecks(TypedDict):
    daily: ActionCheckReplyChecksDaily
    hourly: ActionCheckReplyChecksHourly
    #: Today, and ever (total), in the target channel
    per_channel: NotRequired[ActionCheckReplyChecksPerChannel]
    cooldown: ActionCheckReplyChecksCooldown
    burst: ActionCheckReplyChecksBurst


class ActionCheckReplyReentry(TypedDict):
    """Present in the first days after a block: the account is used gently, with reduced daily limits."""

    #: The first midnight (UTC) from which on the full limits hold
    until: str
    #: The part of each daily limit that holds until then
    daily_percent: int


class ActionCheckReply(TypedDict):
    success: Literal[True]
    allowed: bool
    reason: LimitReason | None
    #: null when allowed, and when the action will never be allowed by itself
    next_allowed_at: str | None
    details: ActionCheckReplyDetails
    checks: ActionCheckReplyChecks
    #: Present in the first days after a block: the account is used gently, with reduced daily limits
    reentry: NotRequired[ActionCheckReplyReentry]


class ActionAcquireReplyDetails(TypedDict):
    #: Whole seconds until allowed, rounded up; null: never by itself
    cooldown_remaining: int | None


class ActionAcquireReplyChecksDaily(TypedDict):
    used: int
    limit: int | None
    remaining: int | None


class ActionAcquireReplyChecksHourly(TypedDict):
    used: int
    limit: int | None
    remaining: int | None


class ActionAcquireReplyChecksPerChannelTotal(TypedDict):
    used: int
    limit: int | None
    remaining: int | None


class ActionAcquireReplyChecksPerChannel(TypedDict):
    """Today, and ever (total), in the target channel."""

    used: int
    limit: int | None
    remaining: int | None
    total: ActionAcquireReplyChecksPerChannelTotal


class ActionAcquireReplyChecksCooldown(TypedDict):
    ready: bool
    next_allowed_at: str | None


class ActionAcquireReplyChecksBurst(TypedDict):
    ready: bool
    next_allowed_at: str | None


class ActionAcquireReplyChecks(TypedDict):
    daily: ActionAcquireReplyChecksDaily
    hourly: ActionAcquireReplyChecksHourly
    #: Today, and ever (total), in the target channel
    per_channel: NotRequired[ActionAcquireReplyChecksPerChannel]
    cooldown: ActionAcquireReplyChecksCooldown
    burst: ActionAcquireReplyChecksBurst


class ActionAcquireReplyReentry(TypedDict):
    """Present in the first days after a block: the account is used gently, with reduced daily limits."""

    #: The first midnight (UTC) from which on the full limits hold
    until: str
    #: The part of each daily limit that holds until then
    daily_percent: int


class ActionAcquireReply(TypedDict):
    success: Literal[True]
    allowed: bool
    reason: LimitReason | None
    #: null when allowed, and when the action will never be allowed by itself
    next_allowed_at: str | None
    details: ActionAcquireReplyDetails
    checks: ActionAcquireReplyChecks
    #: Present in the first days after a block: the account is used gently, with reduced daily limits
    reentry: NotRequired[ActionAcquireReplyReentry]
    #: Present when allowed
    permit_id: NotRequired[str]


class ActionRecordReply(TypedDict):
    success: Literal[True]
    message: str
    #: ISO 8601, UTC, milliseconds
    recorded_at: str
    over_limit: bool


class QueryHealthReplyHealthMetadata(TypedDict):
    disabled_reason: DisabledReason | None
    flood_wait_until: str | None
    blocked_until: str | None
    #: How far blocks have escalated; 0: none yet
    block_level: int
    #: Errors of the last 24 hours (ERROR_WINDOW_HOURS) since its last recovery; leases that end well lower it
    error_count: int
    #: The service that has the account leased
    locked_by: str | None
    locked_until: str | None
    last_used_at: str | None
    invites_today: int
    messages_today: int
    contacts_today: int


class QueryHealthReplyHealth(TypedDict):
    #: UUID
    account_id: str
    #: Active, and with few errors since the last recovery
    is_healthy: bool
    status: AccountStatus
    #: Faults, one sentence each; for a person
    issues: list[str]
    #: When its waits end and it can act again; null: it waits for nothing, or is disabled
    recovery_eta: str | None
    #: The instant this is true of: now
    last_check: str
    metadata: QueryHealthReplyHealthMetadata


class QueryHealthReply(TypedDict):
    success: Literal[True]
    health: QueryHealthReplyHealth


class QueryLimitsReplyStatusDailyLimits(TypedDict):
    used: int
    limit: int | None
    remaining: int | None


class QueryLimitsReplyStatusHourlyLimits(TypedDict):
    used: int
    limit: int | None
    remaining: int | None


class QueryLimitsReplyStatusCooldowns(TypedDict):
    ready: bool
    next_allowed_at: str | None


class QueryLimitsReplyStatusBurstStatus(TypedDict):
    ready: bool
    next_allowed_at: str | None
    used: int
    limit: int | None


class QueryLimitsReplyStatusPerChannelLimitsTotal(TypedDict):
    used: int
    limit: int | None
    remaining: int | None


class QueryLimitsReplyStatusPerChannelLimits(TypedDict):
    used: int
    limit: int | None
    remaining: int | None
    total: QueryLimitsReplyStatusPerChannelLimitsTotal


class QueryLimitsReplyStatusReentry(TypedDict):
    """Present in the first days after a block: the account is used gently, with reduced daily limits."""

    #: The first midnight (UTC) from which on the full limits hold
    until: str
    #: The part of each daily limit that holds until then
    daily_percent: int


class QueryLimitsReplyStatus(TypedDict):
    #: UUID
    account_id: str
    #: Active, not draining, and not leased
    is_available: bool
    daily_limits: dict[str, QueryLimitsReplyStatusDailyLimits]
    hourly_limits: dict[str, QueryLimitsReplyStatusHourlyLimits]
    cooldowns: dict[str, QueryLimitsReplyStatusCooldowns]
    burst_status: dict[str, QueryLimitsReplyStatusBurstStatus]
    #: By action and channel: today, and ever (total)
    per_channel_limits: dict[str, dict[str, QueryLimitsReplyStatusPerChannelLimits]]
    #: Present in the first days after a block: the account is used gently, with reduced daily limits
    reentry: NotRequired[QueryLimitsReplyStatusReentry]


class QueryLimitsReply(TypedDict):
    success: Literal[True]
    status: QueryLimitsReplyStatus


class QueryFloodWaitReplyFloodWait(TypedDict):
    """Present while a flood wait is on, also under draining and disabled."""

    #: UUID
    account_id: str
    #: Its end: what Telegram asked for and a little more
    flood_wait_until: str
    #: Rounded up
    remaining_seconds: int


class QueryFloodWaitReply(TypedDict):
    success: Literal[True]
    flood_wait_active: bool
    #: Present while a flood wait is on, also under draining and disabled
    flood_wait: NotRequired[QueryFloodWaitReplyFloodWait]


class QueryRecoveryStatsReplyStats(TypedDict):
    #: Accounts that are not disabled
    total_active: int
    status_breakdown: dict[str, int]
    healthy_accounts: int
    flood_wait_active: int
    blocked_active: int
    high_error_count: int
    locked_by_services: dict[str, int]
    recovery_queue_size: int
    next_recovery_at: str | None


class QueryRecoveryStatsReply(TypedDict):
    success: Literal[True]
    stats: QueryRecoveryStatsReplyStats
    #: ISO 8601, UTC, milliseconds
    generated_at: str


class QueryAccountsReplyAggregates(TypedDict):
    status_distribution: dict[str, int]
    #: How often each action is still possible until midnight (UTC) by the daily limits, and those of the channel,
    #: over the accounts that can act before then; null: unlimited
    capacity_today: dict[str, int | None]
    #: Invites that are left today by the daily limit; null: unlimited
    capacity_today_sum: int | None
    #: Invites that are left today in the channel; null: no channel or no user is given, or unlimited
    capacity_today_by_channel: int | None
    #: Free accounts that may invite in the channel at this instant; null: no channel or no user is given
    can_invite_in_channel_true: int | None


class QueryAccountsReplyAccountsRestrictedBy(TypedDict):
    #: Class of the error behind it; null: none is known
    classified_as: ErrorClass | None
    #: Telegram's name of that error; null: none was found
    telegram_error: str | None
    #: Why, where an operator decided it
    reason: str | None


class QueryAccountsReplyAccounts(TypedDict):
    #: UUID
    account_id: str
    #: The user who owns the accounts: an integer, 0 or more
    user_id: int
    status: AccountStatus
    disabled_reason: DisabledReason | None
    #: Active, not leased and, with a purpose, with room for it: account.allocate could grant it now
    is_available: bool
    #: When it will be available if nothing more is done; null: it is, or waiting does not help
    available_at: str | None
    leased_by: str | None
    leased_until: str | None
    #: Errors of the last 24 hours (ERROR_WINDOW_HOURS) since its last recovery; leases that end well lower it
    error_count: int
    last_used_at: str | None
    used_today: dict[str, int]
    #: null: the account was registered without one
    phone: str | None
    used_invites_today: int
    used_messages_today: int
    contacts_today: int
    flood_wait_until: str | None
    blocked_until: str | None
    #: Metadata registered with the account, such as its proxy
    metadata: dict[str, Any]
    #: null: the account is active, or nothing is known any more
    restricted_by: QueryAccountsReplyAccountsRestrictedBy | None
    #: When its waits end; null: it waits for nothing, or is disabled
    recovery_at: str | None


class QueryAccountsReply(TypedDict):
    success: Literal[True]
    #: As asked for; null: the whole fleet
    user_id: int | None
    #: As asked for; else general
    purpose: Purpose
    #: All accounts of the user, whatever the filters; so the other totals. Those of a large fleet may be some
    #: minutes old
    total_accounts: int
    #: Active and not leased, whatever their limits
    free_accounts: int
    #: Active and leased
    leased_accounts: int
    #: Active, leased or not
    active_accounts: int
    #: Free accounts that account.allocate could grant now for the purpose and in the channel; judged are the first
    #: 5,000. For the whole fleet: all free accounts, whatever their limits
    available_now: int
    aggregates: QueryAccountsReplyAggregates
    #: In the order of their ids; a page may hold fewer than limit
    accounts: list[QueryAccountsReplyAccounts]
    #: Accounts that pass the filters, on whatever page; of only_available the free and active ones
    total: int
    #: true: there are more than total, which counts to 10,000
    total_is_at_least: bool
    #: Asks for the next page; null: this is the last
    next_cursor: str | None


class QueryExplainReplyRequest(TypedDict):
    """Present where request_id was given: the allocation as it was answered. accounts tells how they stand now."""

    request_id: str
    #: UUID
    message_id: str
    #: Identity that the broker or the HTTP door had checked; null: none
    caller: str | None
    #: ISO 8601, UTC, milliseconds
    answered_at: str
    #: The user who owns the accounts: an integer, 0 or more
    user_id: int
    purpose: Purpose
    #: The calling service: 1 to 100 characters of a-z 0-9 . _ -
    service_name: str
    target_channel: str | None
    #: Why it was refused; null: an account was granted
    code: Literal["VALIDATION_FAILED", "MALFORMED_MESSAGE", "UNKNOWN_OPERATION", "UNAUTHENTICATED", "FORBIDDEN", "ACCOUNT_NOT_FOUND", "NO_ACCOUNTS", "ALL_BUSY", "ALL_LIMITED", "ALL_RESTRICTED", "PREFERRED_UNAVAILABLE", "NOT_HELD", "LEASE_LOST", "IDEMPOTENCY_CONFLICT", "COUNT_CHANGED", "DEADLINE_EXCEEDED", "UNAVAILABLE", "INTERNAL"] | None
    #: The account that was granted
    account_id: str | None
    lease_id: str | None
    #: The user's accounts by what kept them back then; null: an account was granted, or there was none
    counts: dict[str, int] | None
    #: When an account was expected to be free; null: nobody knew
    next_available_at: str | None
    #: Why it was answered so, in one sentence for a person
    summary: str


class QueryExplainReplyAccountsRestrictedBy(TypedDict):
    #: Class of the error behind it; null: none is known
    classified_as: ErrorClass | None
    #: Telegram's name of that error; null: none was found
    telegram_error: str | None
    #: Why, where an operator decided it
    reason: str | None


class QueryExplainReplyAccountsRules(TypedDict):
    #: lease: nobody has the account; account_status: it is active; the others: limits of an action
    rule: Literal["lease", "daily", "hourly", "per_channel_daily", "per_channel_total", "cooldown", "burst", "account_status"]
    #: The action that the limit is of
    action_type: NotRequired[ActionType]
    passed: bool
    #: When it would pass if nothing more is done; null: it does, or never by itself
    passes_at: str | None
    #: Present where the limit counts
    used: NotRequired[int]
    #: null: the policy sets none
    limit: NotRequired[int | None]


class QueryExplainReplyAccounts(TypedDict):
    #: UUID
    account_id: str
    #: null: the account was registered without one
    phone: str | None
    status: AccountStatus
    leased_by: str | None
    leased_until: str | None
    #: null: the account is active, or nothing is known any more
    restricted_by: QueryExplainReplyAccountsRestrictedBy | None
    #: Why it can be granted or not, in one sentence for a person
    summary: str
    #: Whether account.allocate could grant it now. hourly, cooldown and burst may fail: they keep no account back
    #: that can act before a lease of 30 minutes ends. One action with room will do
    grantable: bool
    #: When it would be grantable if nothing more is done; null: it is, or waiting does not help
    grantable_at: str | None
    rules: list[QueryExplainReplyAccountsRules]


class QueryExplainReply(TypedDict):
    success: Literal[True]
    #: Present where request_id was given: the allocation as it was answered. accounts tells how they stand now
    request: NotRequired[QueryExplainReplyRequest]
    #: The instant this is true of: now
    explained_at: str
    #: All accounts of the user; at most 500 are explained, the free ones first
    total_accounts: int
    #: The grantable first, in the order in which account.allocate would take them; then by grantable_at
    accounts: list[QueryExplainReplyAccounts]


class QueryHistoryReplyEntriesLimitsLeft(TypedDict):
    #: null: the policy sets no limit
    daily: int | None
    #: null: the policy sets no limit
    hourly: int | None
    #: In the target channel
    per_channel_daily: NotRequired[int | None]
    #: In the target channel, ever
    per_channel_total: NotRequired[int | None]


class QueryHistoryReplyEntries(TypedDict):
    #: An event; or an action that was counted, acquired before it, recorded after it or reported at the release; or
    #: an error that was reported
    type: Literal["account.registered", "account.allocated", "account.renewed", "account.released", "account.lease_expired", "account.flood_wait", "account.blocked", "account.disabled", "account.draining", "account.recovered", "account.reauthorized", "limit.exceeded", "limits.reset", "report.generated", "alert.info", "alert.warning", "alert.critical", "action.acquired", "action.recorded", "action.reported", "error.reported"]
    #: Number of the account's event; of an action or error that of the event before it
    sequence: int
    #: ISO 8601, UTC, milliseconds
    occurred_at: str
    #: The service that did it, as it named itself
    service_name: str | None
    #: The caller that asked for it, as the broker or the HTTP door has checked; null: unchecked, or nobody: it
    #: ended by itself
    caller: str | None
    #: Why, where an operator said so
    reason: str | None
    #: The request that did it; null: none, it ended by itself
    request_id: str | None
    lease_id: str | None
    #: The room that the limits had left afterwards, where that was judged
    limits_left: dict[str, QueryHistoryReplyEntriesLimitsLeft] | None
    #: Further facts, by the type; session data and phone numbers are never among them
    details: dict[str, Any]


class QueryHistoryReply(TypedDict):
    success: Literal[True]
    #: UUID
    account_id: str
    #: The newest first; with a type a page may hold fewer than limit
    entries: list[QueryHistoryReplyEntries]
    #: Asks for what came before; null: there is nothing
    next_cursor: str | None


class QueryStatusReplyDependencies(TypedDict):
    up: bool
    #: How long its answer took, milliseconds; null: not measured
    latency_ms: float | None
    #: The fault, for a person
    detail: NotRequired[str]


class QueryStatusReply(TypedDict):
    success: Literal[True]
    total_accounts: int
    #: Active, and with few errors since the last recovery
    healthy_accounts: int
    leased_accounts: int
    status_breakdown: dict[str, int]
    leases_by_service: dict[str, int]
    active_accounts: int
    #: The same as leased_accounts, under the name that older callers read
    locked_accounts: int
    #: Active and not leased, whatever their limits
    available_accounts: int
    #: The same as leases_by_service
    locked_by_service: dict[str, int]
    #: on: callers are known and held to their rights; off: everybody who reaches a door may do everything
    identity: Literal["on", "off"]
    #: identity is off, and NETWORK_IS_TRUSTED lets the HTTP door listen on every address nevertheless
    network_is_trusted: bool
    dependencies: dict[str, QueryStatusReplyDependencies]
    #: ISO 8601, UTC, milliseconds
    generated_at: str


class QueryReportReplyReportRefusals(TypedDict):
    operation: str
    code: str | None
    rule: str | None
    count: int


class QueryReportReplyReportServices(TypedDict):
    service_name: str
    leases: int
    open_leases: int
    actions: int


class QueryReportReplyReportWaits(TypedDict):
    status: Literal["flood_wait", "blocked"]
    cause: str
    accounts: int


class QueryReportReplyReportAlerts(TypedDict):
    #: UUID
    alert_id: str
    alert: str
    subject: str
    severity: Literal["info", "warning", "critical"]
    #: ISO 8601, UTC, milliseconds
    raised_at: str


class QueryReportReplyReport(TypedDict):
    #: UUID
    report_id: str
    #: ISO 8601, UTC, milliseconds
    generated_at: str
    #: Counts run from here to generated_at
    since: str
    total_accounts: int
    #: Active, and with few errors since the last recovery
    healthy_accounts: int
    #: Per cent, with one decimal
    health_percent: float
    status_breakdown: dict[str, int]
    #: Accounts that have used most of a daily limit
    near_limits: int
    usage_today: dict[str, int]
    #: How often each action is still possible until midnight (UTC), by daily and hourly limits; null: unlimited
    remaining_today: dict[str, int | None]
    #: Attempts that were refused: requests that change state, by failure code, and actions not allowed, by the
    #: limit that binds. Questions (action.check, query.*) are no attempts, a repeat counts once, and what is not
    #: answered for good (UNAVAILABLE, INTERNAL, what is no valid request) is in the metrics alone
    refusals: list[QueryReportReplyReportRefusals]
    #: The busiest first; at most 20
    services: list[QueryReportReplyReportServices]
    #: Present waits by the class of the error that began them
    waits: list[QueryReportReplyReportWaits]
    #: Open ones, the most severe first, then the oldest; at most 100
    alerts: list[QueryReportReplyReportAlerts]


class QueryReportReply(TypedDict):
    success: Literal[True]
    #: null: there is none
    report: QueryReportReplyReport | None


class QueryLeasesReplyLeases(TypedDict):
    #: UUID
    lease_id: str
    #: UUID
    account_id: str
    #: The user who owns the accounts: an integer, 0 or more
    user_id: int
    #: null: the account was registered without one
    phone: str | None
    #: The calling service: 1 to 100 characters of a-z 0-9 . _ -
    service_name: str
    #: The caller that asked for it, as the broker or the HTTP door has checked; null: unchecked
    caller: str | None
    purpose: Purpose
    target_channel: str | None
    #: Rises by one with every grant of the account
    fence: int
    #: ISO 8601, UTC, milliseconds
    allocated_at: str
    #: ISO 8601, UTC, milliseconds
    expires_at: str
    #: How often each action was counted under the lease so far
    actions: dict[str, int]


class QueryLeasesReply(TypedDict):
    success: Literal[True]
    #: Open leases, the earliest end first
    leases: list[QueryLeasesReplyLeases]
    #: All entries that match, on whatever page
    total: int
    #: true: there are more than total, which counts to 10,000
    total_is_at_least: bool
    #: Asks for the next page; null: this is the last
    next_cursor: str | None


class QueryRecoveriesReplyRecoveries(TypedDict):
    #: UUID
    account_id: str
    #: The user who owns the accounts: an integer, 0 or more
    user_id: int
    #: null: the account was registered without one
    phone: str | None
    status: Literal["flood_wait", "blocked"]
    #: Class of the error that began the wait; null: no error is known
    classified_as: ErrorClass | None
    #: Telegram's name of that error; null: none was found
    telegram_error: str | None
    #: When the wait began; null: not known any more
    began_at: str | None
    #: When its waits end and it is active again by itself
    recovers_at: str


class QueryRecoveriesReply(TypedDict):
    success: Literal[True]
    #: Accounts in a flood wait or blocked, the soonest to recover first
    recoveries: list[QueryRecoveriesReplyRecoveries]
    #: All entries that match, on whatever page
    total: int
    #: true: there are more than total, which counts to 10,000
    total_is_at_least: bool
    #: Asks for the next page; null: this is the last
    next_cursor: str | None


class QueryJobsReplyJobsRuns(TypedDict):
    #: When it was asked for; names the run
    scheduled_for: str
    #: done: see counts. failed or interrupted: it is tried again by itself. waiting or running: it has not ended
    #: within 60 seconds; the same message_id asks how it stands
    state: Literal["waiting", "running", "done", "failed", "interrupted", "replaced", "skipped"]
    #: How often it has been begun
    attempt: int
    started_at: str | None
    finished_at: str | None
    #: Counts of its work, by name
    counts: dict[str, int]
    #: Why the last attempt failed
    failure: str | None
    #: The instance that has taken it up last, or was asked for it
    instance: str


class QueryJobsReplyJobs(TypedDict):
    job: Literal["reset-daily-limits", "process-recoveries", "cleanup-locks", "health-scan", "cleanup-rate-limits", "report"]
    #: When it is due: a cron expression in UTC, the first field being seconds
    cadence: str
    #: ISO 8601, UTC, milliseconds
    next_run_at: str
    #: It has not finished for twice its cadence
    overdue: bool
    #: The newest first
    runs: list[QueryJobsReplyJobsRuns]


class QueryJobsReply(TypedDict):
    success: Literal[True]
    #: Where several are due, in this order. Empty for callers with listed users: jobs are of the whole fleet
    jobs: list[QueryJobsReplyJobs]
    #: All entries that match, on whatever page
    total: int
    #: true: there are more than total, which counts to 10,000
    total_is_at_least: bool
    #: Asks for the next page; null: this is the last
    next_cursor: str | None


class QueryAlertsReplyAlerts(TypedDict):
    #: UUID
    alert_id: str
    alert: str
    #: Tells several of one name apart; empty where there is one only
    subject: str
    severity: Literal["info", "warning", "critical"]
    #: Figures and ids, as its event has them
    data: dict[str, Any]
    #: ISO 8601, UTC, milliseconds
    raised_at: str
    #: null: it is open
    resolved_at: str | None


class QueryAlertsReply(TypedDict):
    success: Literal[True]
    #: The newest first. Callers with listed users see the alerts about accounts of these users
    alerts: list[QueryAlertsReplyAlerts]
    #: All entries that match, on whatever page
    total: int
    #: true: there are more than total, which counts to 10,000
    total_is_at_least: bool
    #: Asks for the next page; null: this is the last
    next_cursor: str | None


class QueryEventsReplyEventsEventData(TypedDict):
    #: UUID
    account_id: NotRequired[str]
    user_id: NotRequired[int]
    #: Rises by one with each of the account's events
    sequence: NotRequired[int]


class QueryEventsReplyEventsEvent(TypedDict):
    specversion: Literal["1.0"]
    #: Also the AMQP message_id
    id: str
    source: Literal["account-manager"]
    type: EventType
    #: ISO 8601, UTC, milliseconds
    time: str
    #: The account
    subject: NotRequired[str]
    datacontenttype: Literal["application/json"]
    traceparent: NotRequired[str]
    data: QueryEventsReplyEventsEventData


class QueryEventsReplyEvents(TypedDict):
    #: Opaque; it can be kept and asked from later
    position: str
    event: QueryEventsReplyEventsEvent


class QueryEventsReply(TypedDict):
    success: Literal[True]
    #: The oldest first, those of one account by their sequence; a page may hold fewer than limit, and none where
    #: there are no more or where looking for the next took 3 s: ask on from next_after
    events: list[QueryEventsReplyEvents]
    #: Asks for what comes after this page, now or later
    next_after: str


class QuerySeriesReplySeries(TypedDict):
    name: str
    #: When the step began, and the value. A step in which no instance ran has no point
    points: list[list[Any]]


class QuerySeriesReply(TypedDict):
    success: Literal[True]
    step_seconds: int
    #: accounts.*, leases.open: as they stood; grants, refusals.*, actions.*, errors.*, recoveries, requests.*: how
    #: many in the step; outbox.age_seconds: seconds; p50_ms, p99_ms: milliseconds. Kept are a sample a minute for
    #: 48 hours and one an hour for 90 days. Empty for callers with listed users: series are of the whole fleet
    series: list[QuerySeriesReplySeries]


class QueryPolicyReplyLimits(TypedDict):
    #: null: no such limit
    daily_limit: float | None
    #: null: no such limit
    hourly_limit: float | None
    #: null: no such limit
    per_channel_daily: float | None
    #: null: no such limit
    per_channel_total: float | None
    #: null: no such limit
    cooldown_seconds: float | None
    #: null: no such limit
    burst_limit: float | None
    #: null: no such limit
    burst_cooldown_seconds: float | None


class QueryPolicyReplyDiffering(TypedDict):
    #: null: no such limit
    daily_limit: NotRequired[float | None]
    #: null: no such limit
    hourly_limit: NotRequired[float | None]
    #: null: no such limit
    per_channel_daily: NotRequired[float | None]
    #: null: no such limit
    per_channel_total: NotRequired[float | None]
    #: null: no such limit
    cooldown_seconds: NotRequired[float | None]
    #: null: no such limit
    burst_limit: NotRequired[float | None]
    #: null: no such limit
    burst_cooldown_seconds: NotRequired[float | None]


class QueryPolicyReplyReentry(TypedDict):
    #: Days (UTC) with reduced daily limits after a block; 0: none
    days: int
    #: The part of each daily limit that holds on these days
    daily_percent: int


class QueryPolicyReplyAlerts(TypedDict):
    """From which share of the fleet on an alert is raised, per cent."""

    flood_wait_percent: int
    blocked_percent: int
    near_limits_percent: int
    #: An account that has used so much of a daily limit is near it
    near_limit_percent: int


class QueryPolicyReply(TypedDict):
    success: Literal[True]
    #: The limits in force, by action
    limits: dict[str, QueryPolicyReplyLimits]
    #: The defaults of what is set otherwise, by action; empty: everything is as by default
    differing: dict[str, QueryPolicyReplyDiffering]
    #: Whether an attempt that failed counts like one that succeeded
    count_failed_attempts: bool
    reentry: QueryPolicyReplyReentry
    #: From which share of the fleet on an alert is raised, per cent
    alerts: QueryPolicyReplyAlerts
    #: When each job is due: cron expressions in UTC, with seconds
    cadences: dict[str, str]
    #: How long events, leases, runs, reports and resolved alerts are kept
    history_days: int


class AdminRegisterAccountsUsageByChannel(TypedDict):
    #: How often today (UTC)
    today: NotRequired[int | None]
    #: How often ever; today counts at least
    total: NotRequired[int | None]


class AdminRegisterAccountsUsage(TypedDict):
    #: How often today (UTC), wherever
    today: NotRequired[int | None]
    #: When each action of the last 60 minutes was; the hourly limit, the cooldown and the burst are judged by these
    last_hour: NotRequired[list[str] | None]
    #: By channel; a channel is an id, @name, name or t.me link
    by_channel: NotRequired[dict[str, AdminRegisterAccountsUsageByChannel] | None]


class AdminRegisterAccounts(TypedDict):
    #: Kept as the id of a new account; refused where another account has it, and where that account was removed
    account_id: NotRequired[str | None]
    #: The user who owns the accounts: an integer, 0 or more
    user_id: int
    #: 5 to 20 digits, with or without a leading +; punctuation between them does not count. Absent: the account is
    #: known by the key of its session
    phone: NotRequired[str | None]
    #: A Telethon, GramJS or Pyrogram session string of a user account
    session_data: str
    #: Kept with the account, such as its proxy; every holder of the account gets it
    metadata: NotRequired[dict[str, Any] | None]
    #: How it stood. flood_wait and blocked need their instant; one that is over has ended
    status: NotRequired[AccountStatus | None]
    #: End of its flood wait, whatever the status
    flood_wait_until: NotRequired[str | None]
    #: End of its block, whatever the status; one in the past counts as its latest block
    blocked_until: NotRequired[str | None]
    #: Why it is disabled; disabled without one means manual
    disabled_reason: NotRequired[DisabledReason | None]
    #: Its actions so far, by action (invite, message, add_contact, join_channel, leave_channel, parse). The greater
    #: of two counts holds, so nothing is counted twice
    usage: NotRequired[dict[str, AdminRegisterAccountsUsage] | None]


class AdminRegisterReplyAccounts(TypedDict):
    #: Position in the request, from 0
    index: int
    #: UUID
    account_id: NotRequired[str]
    outcome: Literal["created", "updated", "rejected"]
    #: Why it was rejected
    reason: NotRequired[str]
    #: The field at fault, where it is one
    field: NotRequired[str]


class AdminRegisterReply(TypedDict):
    success: Literal[True]
    accounts: list[AdminRegisterReplyAccounts]


class AdminSetStatusReply(TypedDict):
    success: Literal[True]
    #: UUID
    account_id: str
    status: AccountStatus
    previous_status: AccountStatus
    #: null unless disabled
    disabled_reason: DisabledReason | None
    #: When its waits end and it can act again; null: it waits for nothing, or is disabled
    recovery_time: str | None
    #: Whether the account is in another condition than before
    changed: bool


class AdminReauthorizeReply(TypedDict):
    success: Literal[True]
    #: UUID
    account_id: str
    status: AccountStatus
    previous_status: AccountStatus
    #: null unless disabled
    disabled_reason: DisabledReason | None
    #: When its waits end and it can act again; null: it waits for nothing, or is disabled
    recovery_time: str | None
    #: Whether the account is in another condition than before
    changed: bool


class AdminRecoverReply(TypedDict):
    success: Literal[True]
    #: UUID
    account_id: str
    status: AccountStatus
    previous_status: AccountStatus
    #: null unless disabled
    disabled_reason: DisabledReason | None
    #: When its waits end and it can act again; null: it waits for nothing, or is disabled
    recovery_time: str | None
    #: Whether the account is in another condition than before
    changed: bool


class AdminScheduleRecoveryReply(TypedDict):
    success: Literal[True]
    #: UUID
    account_id: str
    status: AccountStatus
    previous_status: AccountStatus
    #: null unless disabled
    disabled_reason: DisabledReason | None
    #: When the wait ends, or has just ended
    recovery_time: str
    #: Whether the account is in another condition than before
    changed: bool


class AdminForceReleaseReply(TypedDict):
    success: Literal[True]
    #: UUID
    account_id: str
    #: false: nobody held the account, and nothing was changed
    released: bool
    #: The service that held it
    released_from: str | None
    released_at: str | None
    #: Rises by one with every grant of the account
    fence: int


class AdminBulkFilter(TypedDict):
    """Accounts that meet every condition given; at least one is needed."""

    user_id: NotRequired[int | None]
    status: NotRequired[AccountStatus | None]
    #: Accounts that are disabled for this
    disabled_reason: NotRequired[DisabledReason | None]
    #: Accounts that this service has
    leased_by: NotRequired[str | None]
    account_ids: NotRequired[list[str] | None]


class AdminBulkReplyFailed(TypedDict):
    #: UUID
    account_id: str
    code: Literal["VALIDATION_FAILED", "MALFORMED_MESSAGE", "UNKNOWN_OPERATION", "UNAUTHENTICATED", "FORBIDDEN", "ACCOUNT_NOT_FOUND", "NO_ACCOUNTS", "ALL_BUSY", "ALL_LIMITED", "ALL_RESTRICTED", "PREFERRED_UNAVAILABLE", "NOT_HELD", "LEASE_LOST", "IDEMPOTENCY_CONFLICT", "COUNT_CHANGED", "DEADLINE_EXCEEDED", "UNAVAILABLE", "INTERNAL"]


class AdminBulkReply(TypedDict):
    success: Literal[True]
    matched: int
    #: Accounts that are in another condition than before, or were taken from their holder
    changed: int
    unchanged: int
    #: Accounts on which nothing was done, and why
    failed: list[AdminBulkReplyFailed]


class AdminRemoveReply(TypedDict):
    success: Literal[True]
    #: From then on the account is nowhere but in its history; its session is erased
    removed_at: str


class AdminParkedReplyMessages(TypedDict):
    #: The same for every copy of a message, however often it is parked
    parked_id: str
    copies: int
    parked_at: str | None
    #: Its routing key, which may name no operation
    operation: str
    #: Why it was parked
    code: Literal["VALIDATION_FAILED", "MALFORMED_MESSAGE", "UNKNOWN_OPERATION", "UNAUTHENTICATED", "FORBIDDEN", "ACCOUNT_NOT_FOUND", "NO_ACCOUNTS", "ALL_BUSY", "ALL_LIMITED", "ALL_RESTRICTED", "PREFERRED_UNAVAILABLE", "NOT_HELD", "LEASE_LOST", "IDEMPOTENCY_CONFLICT", "COUNT_CHANGED", "DEADLINE_EXCEEDED", "UNAVAILABLE", "INTERNAL"] | None
    reason: str
    #: As the broker had checked it
    caller: str | None
    message_id: str | None
    correlation_id: str | None
    #: How often it had been tried before
    attempts: int
    #: Size of its body
    bytes: int
    #: Why it cannot be replayed; null: it can
    obstacle: str | None
    #: With show: as it was parked, without secrets; at most 64 KiB of it
    body: NotRequired[str]


class AdminParkedReplyResults(TypedDict):
    #: UUID
    parked_id: str
    #: replayed: it was answered, see code, and its parked copy is gone. kept: it is still parked, see reason
    outcome: Literal["replayed", "discarded", "kept", "not_found"]
    #: The code that a replay was answered with; null: success, or not asked
    code: Literal["VALIDATION_FAILED", "MALFORMED_MESSAGE", "UNKNOWN_OPERATION", "UNAUTHENTICATED", "FORBIDDEN", "ACCOUNT_NOT_FOUND", "NO_ACCOUNTS", "ALL_BUSY", "ALL_LIMITED", "ALL_RESTRICTED", "PREFERRED_UNAVAILABLE", "NOT_HELD", "LEASE_LOST", "IDEMPOTENCY_CONFLICT", "COUNT_CHANGED", "DEADLINE_EXCEEDED", "UNAVAILABLE", "INTERNAL"] | None
    reason: str | None


class AdminParkedReply(TypedDict):
    success: Literal[True]
    #: Messages that are parked, copies counted; at most 5,000 are looked at
    total: int
    #: For list and show, the oldest first
    messages: list[AdminParkedReplyMessages]
    #: A list goes on with it; null: this is the last page
    next_cursor: str | None
    #: For replay and discard, one for each id
    results: list[AdminParkedReplyResults]


class AdminRunJobReply(TypedDict):
    success: Literal[True]
    job: Literal["reset-daily-limits", "process-recoveries", "cleanup-locks", "health-scan", "cleanup-rate-limits", "report"]
    #: When it was asked for; names the run
    scheduled_for: str
    #: done: see counts. failed or interrupted: it is tried again by itself. waiting or running: it has not ended
    #: within 60 seconds; the same message_id asks how it stands
    state: Literal["waiting", "running", "done", "failed", "interrupted", "replaced", "skipped"]
    #: How often it has been begun
    attempt: int
    started_at: str | None
    finished_at: str | None
    #: Counts of its work, by name
    counts: dict[str, int]
    #: Why the last attempt failed
    failure: str | None



class AsyncOperations:
    """Every operation of the contract as a method. `timeout`: seconds. `message_id`: a UUID; the repeat of a request has
    that of the first.
    """

    service_name: str

    async def _call(self, operation: str, body: dict[str, Any], timeout: float | None, message_id: str | None) -> Any:
        raise NotImplementedError

    async def account_allocate(
        self,
        *,
        user_id: int,
        purpose: Purpose,
        service_name: str | None = None,
        preferred_account_id: str | None = None,
        preferred_mode: Literal["prefer", "require"] | None = None,
        timeout_minutes: int | None = None,
        target_channel_id: str | int | None = None,
        wait_ms: int | None = None,
        include_session: bool | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> AccountAllocateReply:
        """`account.allocate`: lease one account of a user for a purpose. Raises NoAccounts, AllBusy, AllLimited,
        AllRestricted, PreferredUnavailable.
        """
        body: dict[str, Any] = {
            "user_id": user_id,
            "purpose": purpose,
            "service_name": service_name or self.service_name,
            "preferred_account_id": preferred_account_id,
            "preferred_mode": preferred_mode,
            "timeout_minutes": timeout_minutes,
            "target_channel_id": target_channel_id,
            "wait_ms": wait_ms,
            "include_session": include_session,
        }
        reply: AccountAllocateReply = await self._call("account.allocate", body, timeout, message_id)
        return reply

    async def account_renew(
        self,
        *,
        account_id: str,
        lease_id: str,
        fence: int,
        service_name: str | None = None,
        timeout_minutes: int | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> AccountRenewReply:
        """`account.renew`: prolong a lease, counted from now. Raises AccountNotFound, NotHeld, LeaseLost."""
        body: dict[str, Any] = {
            "account_id": account_id,
            "service_name": service_name or self.service_name,
            "lease_id": lease_id,
            "fence": fence,
            "timeout_minutes": timeout_minutes,
        }
        reply: AccountRenewReply = await self._call("account.renew", body, timeout, message_id)
        return reply

    async def account_release(
        self,
        *,
        account_id: str,
        usage_stats: AccountReleaseUsageStats,
        service_name: str | None = None,
        lease_id: str | None = None,
        fence: int | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> AccountReleaseReply:
        """`account.release`: give an account back and say what was done with it. Raises AccountNotFound,
        NotHeld, LeaseLost.
        """
        body: dict[str, Any] = {
            "account_id": account_id,
            "service_name": service_name or self.service_name,
            "lease_id": lease_id,
            "fence": fence,
            "usage_stats": usage_stats,
        }
        reply: AccountReleaseReply = await self._call("account.release", body, timeout, message_id)
        return reply

    async def account_release_all(
        self,
        *,
        service_name: str | None = None,
        force: bool | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> AccountReleaseAllReply:
        """`account.release-all`: give back everything a service holds, such as after its crash."""
        body: dict[str, Any] = {
            "service_name": service_name or self.service_name,
            "force": force,
        }
        reply: AccountReleaseAllReply = await self._call("account.release-all", body, timeout, message_id)
        return reply

    async def account_error(
        self,
        *,
        account_id: str,
        error_type: str | None = None,
        error_message: str | None = None,
        error_code: int | str | None = None,
        seconds: float | None = None,
        context: dict[str, Any] | None = None,
        service_name: str | None = None,
        lease_id: str | None = None,
        fence: int | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> AccountErrorReply:
        """`account.error`: report an error Telegram gave and learn what it means for the account. Raises
        AccountNotFound, NotHeld, LeaseLost.
        """
        body: dict[str, Any] = {
            "account_id": account_id,
            "error_type": error_type,
            "error_message": error_message,
            "error_code": error_code,
            "seconds": seconds,
            "context": context,
            "service_name": service_name,
            "lease_id": lease_id,
            "fence": fence,
        }
        reply: AccountErrorReply = await self._call("account.error", body, timeout, message_id)
        return reply

    async def action_check(
        self,
        *,
        account_id: str,
        action_type: ActionType,
        target_channel_id: str | int | None = None,
        allow_locked: bool | None = None,
        service_name: str | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> ActionCheckReply:
        """`action.check`: ask whether an action is allowed now; changes nothing. Raises AccountNotFound."""
        body: dict[str, Any] = {
            "account_id": account_id,
            "action_type": action_type,
            "target_channel_id": target_channel_id,
            "allow_locked": allow_locked,
            "service_name": service_name,
        }
        reply: ActionCheckReply = await self._call("action.check", body, timeout, message_id)
        return reply

    async def action_acquire(
        self,
        *,
        account_id: str,
        action_type: ActionType,
        target_channel_id: str | int | None = None,
        service_name: str | None = None,
        lease_id: str | None = None,
        fence: int | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> ActionAcquireReply:
        """`action.acquire`: check and record an action in one atomic step. Raises AccountNotFound, NotHeld,
        LeaseLost.
        """
        body: dict[str, Any] = {
            "account_id": account_id,
            "action_type": action_type,
            "target_channel_id": target_channel_id,
            "service_name": service_name,
            "lease_id": lease_id,
            "fence": fence,
        }
        reply: ActionAcquireReply = await self._call("action.acquire", body, timeout, message_id)
        return reply

    async def action_record(
        self,
        *,
        account_id: str,
        action_type: ActionType,
        target_channel_id: str | int | None = None,
        success: bool | None = None,
        permit_id: str | None = None,
        service_name: str | None = None,
        lease_id: str | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> ActionRecordReply:
        """`action.record`: settle a permit, or count an action that has happened. Raises AccountNotFound."""
        body: dict[str, Any] = {
            "account_id": account_id,
            "action_type": action_type,
            "target_channel_id": target_channel_id,
            "success": success,
            "permit_id": permit_id,
            "service_name": service_name,
            "lease_id": lease_id,
        }
        reply: ActionRecordReply = await self._call("action.record", body, timeout, message_id)
        return reply

    async def query_health(
        self,
        *,
        account_id: str,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> QueryHealthReply:
        """`query.health`: whether an account is well, and what is wrong with it. Raises AccountNotFound."""
        body: dict[str, Any] = {
            "account_id": account_id,
        }
        reply: QueryHealthReply = await self._call("query.health", body, timeout, message_id)
        return reply

    async def query_limits(
        self,
        *,
        account_id: str,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> QueryLimitsReply:
        """`query.limits`: every window of an account, by action. Raises AccountNotFound."""
        body: dict[str, Any] = {
            "account_id": account_id,
        }
        reply: QueryLimitsReply = await self._call("query.limits", body, timeout, message_id)
        return reply

    async def query_flood_wait(
        self,
        *,
        account_id: str,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> QueryFloodWaitReply:
        """`query.flood-wait`: whether an account is in a flood wait, and until when. Raises AccountNotFound."""
        body: dict[str, Any] = {
            "account_id": account_id,
        }
        reply: QueryFloodWaitReply = await self._call("query.flood-wait", body, timeout, message_id)
        return reply

    async def query_recovery_stats(
        self,
        *,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> QueryRecoveryStatsReply:
        """`query.recovery-stats`: how many accounts are well, waiting, blocked, and when the next one recovers."""
        body: dict[str, Any] = {}
        reply: QueryRecoveryStatsReply = await self._call("query.recovery-stats", body, timeout, message_id)
        return reply

    async def query_accounts(
        self,
        *,
        user_id: int | None = None,
        purpose: Purpose | None = None,
        target_channel_id: str | int | None = None,
        status: AccountStatus | None = None,
        only_available: bool | None = None,
        disabled_reason: DisabledReason | None = None,
        leased_by: str | None = None,
        phone: str | None = None,
        search: str | None = None,
        include_unavailable: bool | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> QueryAccountsReply:
        """`query.accounts`: the accounts of a user or of the fleet, page by page, with what they can still do
        today.
        """
        body: dict[str, Any] = {
            "user_id": user_id,
            "purpose": purpose,
            "target_channel_id": target_channel_id,
            "status": status,
            "only_available": only_available,
            "disabled_reason": disabled_reason,
            "leased_by": leased_by,
            "phone": phone,
            "search": search,
            "include_unavailable": include_unavailable,
            "limit": limit,
            "cursor": cursor,
        }
        reply: QueryAccountsReply = await self._call("query.accounts", body, timeout, message_id)
        return reply

    async def query_explain(
        self,
        *,
        user_id: int | None = None,
        purpose: Purpose | None = None,
        target_channel_id: str | int | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> QueryExplainReply:
        """`query.explain`: why each account of a user would be granted or not: every rule, and when it would
        pass.
        """
        body: dict[str, Any] = {
            "user_id": user_id,
            "purpose": purpose,
            "target_channel_id": target_channel_id,
            "request_id": request_id,
        }
        reply: QueryExplainReply = await self._call("query.explain", body, timeout, message_id)
        return reply

    async def query_history(
        self,
        *,
        account_id: str,
        type: Literal["account.registered", "account.allocated", "account.renewed", "account.released", "account.lease_expired", "account.flood_wait", "account.blocked", "account.disabled", "account.draining", "account.recovered", "account.reauthorized", "limit.exceeded", "limits.reset", "report.generated", "alert.info", "alert.warning", "alert.critical", "action.acquired", "action.recorded", "action.reported", "error.reported"] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> QueryHistoryReply:
        """`query.history`: everything that was done to an account, by whom and why, page by page. Raises
        AccountNotFound.
        """
        body: dict[str, Any] = {
            "account_id": account_id,
            "type": type,
            "limit": limit,
            "cursor": cursor,
        }
        reply: QueryHistoryReply = await self._call("query.history", body, timeout, message_id)
        return reply

    async def query_status(
        self,
        *,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> QueryStatusReply:
        """`query.status`: the fleet, the leases by service, and the state of what the service depends on."""
        body: dict[str, Any] = {}
        reply: QueryStatusReply = await self._call("query.status", body, timeout, message_id)
        return reply

    async def query_report(
        self,
        *,
        report_id: str | None = None,
        at: str | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> QueryReportReply:
        """`query.report`: a report of the state of the fleet: the latest, or by id or time."""
        body: dict[str, Any] = {
            "report_id": report_id,
            "at": at,
        }
        reply: QueryReportReply = await self._call("query.report", body, timeout, message_id)
        return reply

    async def query_leases(
        self,
        *,
        user_id: int | None = None,
        service_name: str | None = None,
        account_id: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> QueryLeasesReply:
        """`query.leases`: the open leases of the fleet: who has which account, for what, until when."""
        body: dict[str, Any] = {
            "user_id": user_id,
            "service_name": service_name,
            "account_id": account_id,
            "limit": limit,
            "cursor": cursor,
        }
        reply: QueryLeasesReply = await self._call("query.leases", body, timeout, message_id)
        return reply

    async def query_recoveries(
        self,
        *,
        user_id: int | None = None,
        within_seconds: int | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> QueryRecoveriesReply:
        """`query.recoveries`: the accounts that wait, why, and when each is active again."""
        body: dict[str, Any] = {
            "user_id": user_id,
            "within_seconds": within_seconds,
            "limit": limit,
            "cursor": cursor,
        }
        reply: QueryRecoveriesReply = await self._call("query.recoveries", body, timeout, message_id)
        return reply

    async def query_jobs(
        self,
        *,
        job: Literal["reset-daily-limits", "process-recoveries", "cleanup-locks", "health-scan", "cleanup-rate-limits", "report"] | None = None,
        runs: int | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> QueryJobsReply:
        """`query.jobs`: the background jobs: when each is due, and how its latest runs ended."""
        body: dict[str, Any] = {
            "job": job,
            "runs": runs,
            "limit": limit,
            "cursor": cursor,
        }
        reply: QueryJobsReply = await self._call("query.jobs", body, timeout, message_id)
        return reply

    async def query_alerts(
        self,
        *,
        state: Literal["open", "resolved", "all"] | None = None,
        severity: Literal["info", "warning", "critical"] | None = None,
        alert: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> QueryAlertsReply:
        """`query.alerts`: the alerts that are open, or were."""
        body: dict[str, Any] = {
            "state": state,
            "severity": severity,
            "alert": alert,
            "limit": limit,
            "cursor": cursor,
        }
        reply: QueryAlertsReply = await self._call("query.alerts", body, timeout, message_id)
        return reply

    async def query_events(
        self,
        *,
        after: str | None = None,
        account_id: str | None = None,
        user_id: int | None = None,
        types: list[EventType] | None = None,
        limit: int | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> QueryEventsReply:
        """`query.events`: the events of the fleet, in order, from any position on."""
        body: dict[str, Any] = {
            "after": after,
            "account_id": account_id,
            "user_id": user_id,
            "types": types,
            "limit": limit,
        }
        reply: QueryEventsReply = await self._call("query.events", body, timeout, message_id)
        return reply

    async def query_series(
        self,
        *,
        names: list[str] | None = None,
        from_: str | None = None,
        to: str | None = None,
        step_seconds: int | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> QuerySeriesReply:
        """`query.series`: how the fleet developed: figures by the minute for 48 hours, and by the hour for 90
        days.
        """
        body: dict[str, Any] = {
            "names": names,
            "from": from_,
            "to": to,
            "step_seconds": step_seconds,
        }
        reply: QuerySeriesReply = await self._call("query.series", body, timeout, message_id)
        return reply

    async def query_policy(
        self,
        *,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> QueryPolicyReply:
        """`query.policy`: the limits in force, and what else the service goes by."""
        body: dict[str, Any] = {}
        reply: QueryPolicyReply = await self._call("query.policy", body, timeout, message_id)
        return reply

    async def admin_register(
        self,
        *,
        accounts: list[AdminRegisterAccounts],
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> AdminRegisterReply:
        """`admin.register`: add accounts as they stand, or renew the session of accounts that are known."""
        body: dict[str, Any] = {
            "accounts": accounts,
        }
        reply: AdminRegisterReply = await self._call("admin.register", body, timeout, message_id)
        return reply

    async def admin_set_status(
        self,
        *,
        account_id: str,
        status: Literal["active", "disabled", "draining"],
        reason: str,
        force: bool | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> AdminSetStatusReply:
        """`admin.set-status`: disable, drain or activate an account. Raises AccountNotFound."""
        body: dict[str, Any] = {
            "account_id": account_id,
            "status": status,
            "reason": reason,
            "force": force,
        }
        reply: AdminSetStatusReply = await self._call("admin.set-status", body, timeout, message_id)
        return reply

    async def admin_reauthorize(
        self,
        *,
        account_id: str,
        session_data: str,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> AdminReauthorizeReply:
        """`admin.reauthorize`: give an account a fresh session; ends disabled for needs_reauth. Raises
        AccountNotFound.
        """
        body: dict[str, Any] = {
            "account_id": account_id,
            "session_data": session_data,
        }
        reply: AdminReauthorizeReply = await self._call("admin.reauthorize", body, timeout, message_id)
        return reply

    async def admin_recover(
        self,
        *,
        account_id: str,
        reason: str,
        force: bool | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> AdminRecoverReply:
        """`admin.recover`: end an account's waits and its count of errors now. Raises AccountNotFound."""
        body: dict[str, Any] = {
            "account_id": account_id,
            "reason": reason,
            "force": force,
        }
        reply: AdminRecoverReply = await self._call("admin.recover", body, timeout, message_id)
        return reply

    async def admin_schedule_recovery(
        self,
        *,
        account_id: str,
        recovery_time: str,
        recovery_type: str | None = None,
        reason: str | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> AdminScheduleRecoveryReply:
        """`admin.schedule-recovery`: set the end of an account's present wait. Raises AccountNotFound."""
        body: dict[str, Any] = {
            "account_id": account_id,
            "recovery_time": recovery_time,
            "recovery_type": recovery_type,
            "reason": reason,
        }
        reply: AdminScheduleRecoveryReply = await self._call("admin.schedule-recovery", body, timeout, message_id)
        return reply

    async def admin_force_release(
        self,
        *,
        account_id: str,
        reason: str,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> AdminForceReleaseReply:
        """`admin.force-release`: take an account away from its holder, who is refused from then on. Raises
        AccountNotFound.
        """
        body: dict[str, Any] = {
            "account_id": account_id,
            "reason": reason,
        }
        reply: AdminForceReleaseReply = await self._call("admin.force-release", body, timeout, message_id)
        return reply

    async def admin_bulk(
        self,
        *,
        filter: AdminBulkFilter,
        action: Literal["recover", "activate", "drain", "disable", "force-release"],
        reason: str,
        dry_run: bool | None = None,
        expected_count: int | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> AdminBulkReply:
        """`admin.bulk`: recover, activate, drain, disable or take back every account that matches a filter.
        Raises CountChanged.
        """
        body: dict[str, Any] = {
            "filter": filter,
            "action": action,
            "reason": reason,
            "dry_run": dry_run,
            "expected_count": expected_count,
        }
        reply: AdminBulkReply = await self._call("admin.bulk", body, timeout, message_id)
        return reply

    async def admin_remove(
        self,
        *,
        account_id: str,
        reason: str,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> AdminRemoveReply:
        """`admin.remove`: take an account away and erase its session, phone number and metadata for good. Raises
        AccountNotFound.
        """
        body: dict[str, Any] = {
            "account_id": account_id,
            "reason": reason,
        }
        reply: AdminRemoveReply = await self._call("admin.remove", body, timeout, message_id)
        return reply

    async def admin_parked(
        self,
        *,
        action: Literal["list", "show", "replay", "discard"],
        parked_ids: list[str] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        force: bool | None = None,
        reason: str | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> AdminParkedReply:
        """`admin.parked`: list, show, replay or discard the messages that were put aside."""
        body: dict[str, Any] = {
            "action": action,
            "parked_ids": parked_ids,
            "limit": limit,
            "cursor": cursor,
            "force": force,
            "reason": reason,
        }
        reply: AdminParkedReply = await self._call("admin.parked", body, timeout, message_id)
        return reply

    async def admin_run_job(
        self,
        *,
        job: Literal["reset-daily-limits", "process-recoveries", "cleanup-locks", "health-scan", "cleanup-rate-limits", "report"],
        limit: int | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> AdminRunJobReply:
        """`admin.run-job`: run a background job now, and tell what it did."""
        body: dict[str, Any] = {
            "job": job,
            "limit": limit,
        }
        reply: AdminRunJobReply = await self._call("admin.run-job", body, timeout, message_id)
        return reply


class BlockingOperations:
    """Every operation of the contract as a method. `timeout`: seconds. `message_id`: a UUID; the repeat of a request has
    that of the first.
    """

    service_name: str

    def _call(self, operation: str, body: dict[str, Any], timeout: float | None, message_id: str | None) -> Any:
        raise NotImplementedError

    def account_allocate(
        self,
        *,
        user_id: int,
        purpose: Purpose,
        service_name: str | None = None,
        preferred_account_id: str | None = None,
        preferred_mode: Literal["prefer", "require"] | None = None,
        timeout_minutes: int | None = None,
        target_channel_id: str | int | None = None,
        wait_ms: int | None = None,
        include_session: bool | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> AccountAllocateReply:
        """`account.allocate`: lease one account of a user for a purpose. Raises NoAccounts, AllBusy, AllLimited,
        AllRestricted, PreferredUnavailable.
        """
        body: dict[str, Any] = {
            "user_id": user_id,
            "purpose": purpose,
            "service_name": service_name or self.service_name,
            "preferred_account_id": preferred_account_id,
            "preferred_mode": preferred_mode,
            "timeout_minutes": timeout_minutes,
            "target_channel_id": target_channel_id,
            "wait_ms": wait_ms,
            "include_session": include_session,
        }
        reply: AccountAllocateReply = self._call("account.allocate", body, timeout, message_id)
        return reply

    def account_renew(
        self,
        *,
        account_id: str,
        lease_id: str,
        fence: int,
        service_name: str | None = None,
        timeout_minutes: int | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> AccountRenewReply:
        """`account.renew`: prolong a lease, counted from now. Raises AccountNotFound, NotHeld, LeaseLost."""
        body: dict[str, Any] = {
            "account_id": account_id,
            "service_name": service_name or self.service_name,
            "lease_id": lease_id,
            "fence": fence,
            "timeout_minutes": timeout_minutes,
        }
        reply: AccountRenewReply = self._call("account.renew", body, timeout, message_id)
        return reply

    def account_release(
        self,
        *,
        account_id: str,
        usage_stats: AccountReleaseUsageStats,
        service_name: str | None = None,
        lease_id: str | None = None,
        fence: int | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> AccountReleaseReply:
        """`account.release`: give an account back and say what was done with it. Raises AccountNotFound,
        NotHeld, LeaseLost.
        """
        body: dict[str, Any] = {
            "account_id": account_id,
            "service_name": service_name or self.service_name,
            "lease_id": lease_id,
            "fence": fence,
            "usage_stats": usage_stats,
        }
        reply: AccountReleaseReply = self._call("account.release", body, timeout, message_id)
        return reply

    def account_release_all(
        self,
        *,
        service_name: str | None = None,
        force: bool | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> AccountReleaseAllReply:
        """`account.release-all`: give back everything a service holds, such as after its crash."""
        body: dict[str, Any] = {
            "service_name": service_name or self.service_name,
            "force": force,
        }
        reply: AccountReleaseAllReply = self._call("account.release-all", body, timeout, message_id)
        return reply

    def account_error(
        self,
        *,
        account_id: str,
        error_type: str | None = None,
        error_message: str | None = None,
        error_code: int | str | None = None,
        seconds: float | None = None,
        context: dict[str, Any] | None = None,
        service_name: str | None = None,
        lease_id: str | None = None,
        fence: int | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> AccountErrorReply:
        """`account.error`: report an error Telegram gave and learn what it means for the account. Raises
        AccountNotFound, NotHeld, LeaseLost.
        """
        body: dict[str, Any] = {
            "account_id": account_id,
            "error_type": error_type,
            "error_message": error_message,
            "error_code": error_code,
            "seconds": seconds,
            "context": context,
            "service_name": service_name,
            "lease_id": lease_id,
            "fence": fence,
        }
        reply: AccountErrorReply = self._call("account.error", body, timeout, message_id)
        return reply

    def action_check(
        self,
        *,
        account_id: str,
        action_type: ActionType,
        target_channel_id: str | int | None = None,
        allow_locked: bool | None = None,
        service_name: str | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> ActionCheckReply:
        """`action.check`: ask whether an action is allowed now; changes nothing. Raises AccountNotFound."""
        body: dict[str, Any] = {
            "account_id": account_id,
            "action_type": action_type,
            "target_channel_id": target_channel_id,
            "allow_locked": allow_locked,
            "service_name": service_name,
        }
        reply: ActionCheckReply = self._call("action.check", body, timeout, message_id)
        return reply

    def action_acquire(
        self,
        *,
        account_id: str,
        action_type: ActionType,
        target_channel_id: str | int | None = None,
        service_name: str | None = None,
        lease_id: str | None = None,
        fence: int | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> ActionAcquireReply:
        """`action.acquire`: check and record an action in one atomic step. Raises AccountNotFound, NotHeld,
        LeaseLost.
        """
        body: dict[str, Any] = {
            "account_id": account_id,
            "action_type": action_type,
            "target_channel_id": target_channel_id,
            "service_name": service_name,
            "lease_id": lease_id,
            "fence": fence,
        }
        reply: ActionAcquireReply = self._call("action.acquire", body, timeout, message_id)
        return reply

    def action_record(
        self,
        *,
        account_id: str,
        action_type: ActionType,
        target_channel_id: str | int | None = None,
        success: bool | None = None,
        permit_id: str | None = None,
        service_name: str | None = None,
        lease_id: str | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> ActionRecordReply:
        """`action.record`: settle a permit, or count an action that has happened. Raises AccountNotFound."""
        body: dict[str, Any] = {
            "account_id": account_id,
            "action_type": action_type,
            "target_channel_id": target_channel_id,
            "success": success,
            "permit_id": permit_id,
            "service_name": service_name,
            "lease_id": lease_id,
        }
        reply: ActionRecordReply = self._call("action.record", body, timeout, message_id)
        return reply

    def query_health(
        self,
        *,
        account_id: str,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> QueryHealthReply:
        """`query.health`: whether an account is well, and what is wrong with it. Raises AccountNotFound."""
        body: dict[str, Any] = {
            "account_id": account_id,
        }
        reply: QueryHealthReply = self._call("query.health", body, timeout, message_id)
        return reply

    def query_limits(
        self,
        *,
        account_id: str,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> QueryLimitsReply:
        """`query.limits`: every window of an account, by action. Raises AccountNotFound."""
        body: dict[str, Any] = {
            "account_id": account_id,
        }
        reply: QueryLimitsReply = self._call("query.limits", body, timeout, message_id)
        return reply

    def query_flood_wait(
        self,
        *,
        account_id: str,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> QueryFloodWaitReply:
        """`query.flood-wait`: whether an account is in a flood wait, and until when. Raises AccountNotFound."""
        body: dict[str, Any] = {
            "account_id": account_id,
        }
        reply: QueryFloodWaitReply = self._call("query.flood-wait", body, timeout, message_id)
        return reply

    def query_recovery_stats(
        self,
        *,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> QueryRecoveryStatsReply:
        """`query.recovery-stats`: how many accounts are well, waiting, blocked, and when the next one recovers."""
        body: dict[str, Any] = {}
        reply: QueryRecoveryStatsReply = self._call("query.recovery-stats", body, timeout, message_id)
        return reply

    def query_accounts(
        self,
        *,
        user_id: int | None = None,
        purpose: Purpose | None = None,
        target_channel_id: str | int | None = None,
        status: AccountStatus | None = None,
        only_available: bool | None = None,
        disabled_reason: DisabledReason | None = None,
        leased_by: str | None = None,
        phone: str | None = None,
        search: str | None = None,
        include_unavailable: bool | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> QueryAccountsReply:
        """`query.accounts`: the accounts of a user or of the fleet, page by page, with what they can still do
        today.
        """
        body: dict[str, Any] = {
            "user_id": user_id,
            "purpose": purpose,
            "target_channel_id": target_channel_id,
            "status": status,
            "only_available": only_available,
            "disabled_reason": disabled_reason,
            "leased_by": leased_by,
            "phone": phone,
            "search": search,
            "include_unavailable": include_unavailable,
            "limit": limit,
            "cursor": cursor,
        }
        reply: QueryAccountsReply = self._call("query.accounts", body, timeout, message_id)
        return reply

    def query_explain(
        self,
        *,
        user_id: int | None = None,
        purpose: Purpose | None = None,
        target_channel_id: str | int | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> QueryExplainReply:
        """`query.explain`: why each account of a user would be granted or not: every rule, and when it would
        pass.
        """
        body: dict[str, Any] = {
            "user_id": user_id,
            "purpose": purpose,
            "target_channel_id": target_channel_id,
            "request_id": request_id,
        }
        reply: QueryExplainReply = self._call("query.explain", body, timeout, message_id)
        return reply

    def query_history(
        self,
        *,
        account_id: str,
        type: Literal["account.registered", "account.allocated", "account.renewed", "account.released", "account.lease_expired", "account.flood_wait", "account.blocked", "account.disabled", "account.draining", "account.recovered", "account.reauthorized", "limit.exceeded", "limits.reset", "report.generated", "alert.info", "alert.warning", "alert.critical", "action.acquired", "action.recorded", "action.reported", "error.reported"] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> QueryHistoryReply:
        """`query.history`: everything that was done to an account, by whom and why, page by page. Raises
        AccountNotFound.
        """
        body: dict[str, Any] = {
            "account_id": account_id,
            "type": type,
            "limit": limit,
            "cursor": cursor,
        }
        reply: QueryHistoryReply = self._call("query.history", body, timeout, message_id)
        return reply

    def query_status(
        self,
        *,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> QueryStatusReply:
        """`query.status`: the fleet, the leases by service, and the state of what the service depends on."""
        body: dict[str, Any] = {}
        reply: QueryStatusReply = self._call("query.status", body, timeout, message_id)
        return reply

    def query_report(
        self,
        *,
        report_id: str | None = None,
        at: str | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> QueryReportReply:
        """`query.report`: a report of the state of the fleet: the latest, or by id or time."""
        body: dict[str, Any] = {
            "report_id": report_id,
            "at": at,
        }
        reply: QueryReportReply = self._call("query.report", body, timeout, message_id)
        return reply

    def query_leases(
        self,
        *,
        user_id: int | None = None,
        service_name: str | None = None,
        account_id: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> QueryLeasesReply:
        """`query.leases`: the open leases of the fleet: who has which account, for what, until when."""
        body: dict[str, Any] = {
            "user_id": user_id,
            "service_name": service_name,
            "account_id": account_id,
            "limit": limit,
            "cursor": cursor,
        }
        reply: QueryLeasesReply = self._call("query.leases", body, timeout, message_id)
        return reply

    def query_recoveries(
        self,
        *,
        user_id: int | None = None,
        within_seconds: int | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> QueryRecoveriesReply:
        """`query.recoveries`: the accounts that wait, why, and when each is active again."""
        body: dict[str, Any] = {
            "user_id": user_id,
            "within_seconds": within_seconds,
            "limit": limit,
            "cursor": cursor,
        }
        reply: QueryRecoveriesReply = self._call("query.recoveries", body, timeout, message_id)
        return reply

    def query_jobs(
        self,
        *,
        job: Literal["reset-daily-limits", "process-recoveries", "cleanup-locks", "health-scan", "cleanup-rate-limits", "report"] | None = None,
        runs: int | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> QueryJobsReply:
        """`query.jobs`: the background jobs: when each is due, and how its latest runs ended."""
        body: dict[str, Any] = {
            "job": job,
            "runs": runs,
            "limit": limit,
            "cursor": cursor,
        }
        reply: QueryJobsReply = self._call("query.jobs", body, timeout, message_id)
        return reply

    def query_alerts(
        self,
        *,
        state: Literal["open", "resolved", "all"] | None = None,
        severity: Literal["info", "warning", "critical"] | None = None,
        alert: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> QueryAlertsReply:
        """`query.alerts`: the alerts that are open, or were."""
        body: dict[str, Any] = {
            "state": state,
            "severity": severity,
            "alert": alert,
            "limit": limit,
            "cursor": cursor,
        }
        reply: QueryAlertsReply = self._call("query.alerts", body, timeout, message_id)
        return reply

    def query_events(
        self,
        *,
        after: str | None = None,
        account_id: str | None = None,
        user_id: int | None = None,
        types: list[EventType] | None = None,
        limit: int | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> QueryEventsReply:
        """`query.events`: the events of the fleet, in order, from any position on."""
        body: dict[str, Any] = {
            "after": after,
            "account_id": account_id,
            "user_id": user_id,
            "types": types,
            "limit": limit,
        }
        reply: QueryEventsReply = self._call("query.events", body, timeout, message_id)
        return reply

    def query_series(
        self,
        *,
        names: list[str] | None = None,
        from_: str | None = None,
        to: str | None = None,
        step_seconds: int | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> QuerySeriesReply:
        """`query.series`: how the fleet developed: figures by the minute for 48 hours, and by the hour for 90
        days.
        """
        body: dict[str, Any] = {
            "names": names,
            "from": from_,
            "to": to,
            "step_seconds": step_seconds,
        }
        reply: QuerySeriesReply = self._call("query.series", body, timeout, message_id)
        return reply

    def query_policy(
        self,
        *,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> QueryPolicyReply:
        """`query.policy`: the limits in force, and what else the service goes by."""
        body: dict[str, Any] = {}
        reply: QueryPolicyReply = self._call("query.policy", body, timeout, message_id)
        return reply

    def admin_register(
        self,
        *,
        accounts: list[AdminRegisterAccounts],
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> AdminRegisterReply:
        """`admin.register`: add accounts as they stand, or renew the session of accounts that are known."""
        body: dict[str, Any] = {
            "accounts": accounts,
        }
        reply: AdminRegisterReply = self._call("admin.register", body, timeout, message_id)
        return reply

    def admin_set_status(
        self,
        *,
        account_id: str,
        status: Literal["active", "disabled", "draining"],
        reason: str,
        force: bool | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> AdminSetStatusReply:
        """`admin.set-status`: disable, drain or activate an account. Raises AccountNotFound."""
        body: dict[str, Any] = {
            "account_id": account_id,
            "status": status,
            "reason": reason,
            "force": force,
        }
        reply: AdminSetStatusReply = self._call("admin.set-status", body, timeout, message_id)
        return reply

    def admin_reauthorize(
        self,
        *,
        account_id: str,
        session_data: str,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> AdminReauthorizeReply:
        """`admin.reauthorize`: give an account a fresh session; ends disabled for needs_reauth. Raises
        AccountNotFound.
        """
        body: dict[str, Any] = {
            "account_id": account_id,
            "session_data": session_data,
        }
        reply: AdminReauthorizeReply = self._call("admin.reauthorize", body, timeout, message_id)
        return reply

    def admin_recover(
        self,
        *,
        account_id: str,
        reason: str,
        force: bool | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> AdminRecoverReply:
        """`admin.recover`: end an account's waits and its count of errors now. Raises AccountNotFound."""
        body: dict[str, Any] = {
            "account_id": account_id,
            "reason": reason,
            "force": force,
        }
        reply: AdminRecoverReply = self._call("admin.recover", body, timeout, message_id)
        return reply

    def admin_schedule_recovery(
        self,
        *,
        account_id: str,
        recovery_time: str,
        recovery_type: str | None = None,
        reason: str | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> AdminScheduleRecoveryReply:
        """`admin.schedule-recovery`: set the end of an account's present wait. Raises AccountNotFound."""
        body: dict[str, Any] = {
            "account_id": account_id,
            "recovery_time": recovery_time,
            "recovery_type": recovery_type,
            "reason": reason,
        }
        reply: AdminScheduleRecoveryReply = self._call("admin.schedule-recovery", body, timeout, message_id)
        return reply

    def admin_force_release(
        self,
        *,
        account_id: str,
        reason: str,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> AdminForceReleaseReply:
        """`admin.force-release`: take an account away from its holder, who is refused from then on. Raises
        AccountNotFound.
        """
        body: dict[str, Any] = {
            "account_id": account_id,
            "reason": reason,
        }
        reply: AdminForceReleaseReply = self._call("admin.force-release", body, timeout, message_id)
        return reply

    def admin_bulk(
        self,
        *,
        filter: AdminBulkFilter,
        action: Literal["recover", "activate", "drain", "disable", "force-release"],
        reason: str,
        dry_run: bool | None = None,
        expected_count: int | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> AdminBulkReply:
        """`admin.bulk`: recover, activate, drain, disable or take back every account that matches a filter.
        Raises CountChanged.
        """
        body: dict[str, Any] = {
            "filter": filter,
            "action": action,
            "reason": reason,
            "dry_run": dry_run,
            "expected_count": expected_count,
        }
        reply: AdminBulkReply = self._call("admin.bulk", body, timeout, message_id)
        return reply

    def admin_remove(
        self,
        *,
        account_id: str,
        reason: str,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> AdminRemoveReply:
        """`admin.remove`: take an account away and erase its session, phone number and metadata for good. Raises
        AccountNotFound.
        """
        body: dict[str, Any] = {
            "account_id": account_id,
            "reason": reason,
        }
        reply: AdminRemoveReply = self._call("admin.remove", body, timeout, message_id)
        return reply

    def admin_parked(
        self,
        *,
        action: Literal["list", "show", "replay", "discard"],
        parked_ids: list[str] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        force: bool | None = None,
        reason: str | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> AdminParkedReply:
        """`admin.parked`: list, show, replay or discard the messages that were put aside."""
        body: dict[str, Any] = {
            "action": action,
            "parked_ids": parked_ids,
            "limit": limit,
            "cursor": cursor,
            "force": force,
            "reason": reason,
        }
        reply: AdminParkedReply = self._call("admin.parked", body, timeout, message_id)
        return reply

    def admin_run_job(
        self,
        *,
        job: Literal["reset-daily-limits", "process-recoveries", "cleanup-locks", "health-scan", "cleanup-rate-limits", "report"],
        limit: int | None = None,
        timeout: float | None = None,
        message_id: str | None = None,
    ) -> AdminRunJobReply:
        """`admin.run-job`: run a background job now, and tell what it did."""
        body: dict[str, Any] = {
            "job": job,
            "limit": limit,
        }
        reply: AdminRunJobReply = self._call("admin.run-job", body, timeout, message_id)
        return reply
