"""The errors that a client raises. The codes of the contract have a class each in `failures`; this is their common ground."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class AccountManagerError(Exception):
    """A refusal or failure. `code` names it; `retryable`: the same wish may succeed later.

    `retry_after_ms`: how long to wait before asking again; None: as long as you like. `details`: by code, see
    docs/errors.md of the account manager.
    """

    code: str = ""

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        retryable: bool = False,
        retry_after_ms: int | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code if code is not None else type(self).code
        self.message = message
        self.retryable = retryable
        self.retry_after_ms = retry_after_ms
        self.details: dict[str, Any] = dict(details or {})

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class NoReply(AccountManagerError, TimeoutError):
    """Nobody answered in time. Whether the request was done is not known; `details["problem"]` tells what was seen."""

    code = "NO_REPLY"


class Closed(AccountManagerError):
    """The client was closed."""

    code = "CLOSED"
