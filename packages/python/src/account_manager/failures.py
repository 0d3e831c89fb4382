"""The failure codes of the contract as exceptions. Written by `npm run contracts`."""

from __future__ import annotations

from .errors import AccountManagerError

__all__ = [
    "ValidationFailed",
    "MalformedMessage",
    "UnknownOperation",
    "Unauthenticated",
    "Forbidden",
    "AccountNotFound",
    "NoAccounts",
    "AllBusy",
    "AllLimited",
    "AllRestricted",
    "PreferredUnavailable",
    "NotHeld",
    "LeaseLost",
    "IdempotencyConflict",
    "CountChanged",
    "DeadlineExceeded",
    "Unavailable",
    "Internal",
]


class ValidationFailed(AccountManagerError):
    """A body, property or field is wrong; details.issues lists path and message."""

    code = "VALIDATION_FAILED"


class MalformedMessage(AccountManagerError):
    """Not JSON, too large, too deep, wrong content type, refused reply_to."""

    code = "MALFORMED_MESSAGE"


class UnknownOperation(AccountManagerError):
    """No such routing key."""

    code = "UNKNOWN_OPERATION"


class Unauthenticated(AccountManagerError):
    """No identity: the broker or the token tells of nobody known."""

    code = "UNAUTHENTICATED"


class Forbidden(AccountManagerError):
    """Not this caller's account, user or operation."""

    code = "FORBIDDEN"


class AccountNotFound(AccountManagerError):
    """No such account, or not of this user."""

    code = "ACCOUNT_NOT_FOUND"


class NoAccounts(AccountManagerError):
    """The user has no account at all for this purpose."""

    code = "NO_ACCOUNTS"


class AllBusy(AccountManagerError):
    """All suitable accounts are leased; retry_after_ms leads to the earliest expiry."""

    code = "ALL_BUSY"


class AllLimited(AccountManagerError):
    """No account has headroom; details.next_available_at."""

    code = "ALL_LIMITED"


class AllRestricted(AccountManagerError):
    """All accounts are in flood wait, blocked, draining or disabled."""

    code = "ALL_RESTRICTED"


class PreferredUnavailable(AccountManagerError):
    """preferred_mode is require and that account cannot be had; details.reason."""

    code = "PREFERRED_UNAVAILABLE"


class NotHeld(AccountManagerError):
    """The caller does not hold this account."""

    code = "NOT_HELD"


class LeaseLost(AccountManagerError):
    """The lease is over or was taken over: lease_id or fence is stale."""

    code = "LEASE_LOST"


class IdempotencyConflict(AccountManagerError):
    """The same message_id came with a different body."""

    code = "IDEMPOTENCY_CONFLICT"


class CountChanged(AccountManagerError):
    """Another number of accounts matches than was expected; nothing was done; details.matched."""

    code = "COUNT_CHANGED"


class DeadlineExceeded(AccountManagerError):
    """The deadline had passed; nothing was done."""

    code = "DEADLINE_EXCEEDED"


class Unavailable(AccountManagerError):
    """A dependency is down, or, with retry_after_ms, the caller asks too much; nothing was changed, unless
    details.outcome is unknown: then a repeat tells.
    """

    code = "UNAVAILABLE"


class Internal(AccountManagerError):
    """A defect; logged with its id."""

    code = "INTERNAL"


#: By code.
FAILURES: dict[str, type[AccountManagerError]] = {
    "VALIDATION_FAILED": ValidationFailed,
    "MALFORMED_MESSAGE": MalformedMessage,
    "UNKNOWN_OPERATION": UnknownOperation,
    "UNAUTHENTICATED": Unauthenticated,
    "FORBIDDEN": Forbidden,
    "ACCOUNT_NOT_FOUND": AccountNotFound,
    "NO_ACCOUNTS": NoAccounts,
    "ALL_BUSY": AllBusy,
    "ALL_LIMITED": AllLimited,
    "ALL_RESTRICTED": AllRestricted,
    "PREFERRED_UNAVAILABLE": PreferredUnavailable,
    "NOT_HELD": NotHeld,
    "LEASE_LOST": LeaseLost,
    "IDEMPOTENCY_CONFLICT": IdempotencyConflict,
    "COUNT_CHANGED": CountChanged,
    "DEADLINE_EXCEEDED": DeadlineExceeded,
    "UNAVAILABLE": Unavailable,
    "INTERNAL": Internal,
}
