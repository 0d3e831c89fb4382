"""The outcomes of `act`: done, refused by the limits, or failed on Telegram."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """The action was done; `value` is what the function returned."""

    value: T
    outcome: Literal["done"] = "done"


@dataclass(frozen=True, slots=True)
class Refused:
    """The limits do not allow the action now, and nothing was done.

    `reason`: the rule that refuses it. `next_allowed_at`: when it will be allowed, ISO 8601; None: never by itself.
    """

    reason: str | None
    next_allowed_at: str | None
    details: Mapping[str, Any]
    checks: Mapping[str, Any]
    outcome: Literal["refused"] = "refused"

    @classmethod
    def read(cls, reply: Mapping[str, Any]) -> Refused:
        """Reads a reply to `action.acquire`."""
        return cls(reply.get("reason"), reply.get("next_allowed_at"), reply.get("details") or {}, reply.get("checks") or {})


@dataclass(frozen=True, slots=True)
class Failed:
    """Telegram refused the action, and the account manager was told.

    `error`: what the function raised. `classified_as`, `new_status`: what the error is, and what became of the account.
    `should_retry`: the same action, on this account, may succeed later. `recovery_time`: when the account acts again,
    ISO 8601; None: now, or only by an operator.
    """

    error: BaseException
    classified_as: str
    new_status: str
    should_retry: bool
    recovery_time: str | None
    outcome: Literal["failed"] = "failed"

    @classmethod
    def read(cls, error: BaseException, result: Mapping[str, Any]) -> Failed:
        """Reads the `result` of a reply to `account.error`."""
        return cls(
            error, result["classified_as"], result["new_status"], result["should_retry"], result.get("recovery_time")
        )


Outcome = Done[T] | Refused | Failed
