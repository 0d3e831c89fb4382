"""Requests and replies as they stand on the wire. Pure: time and ids are arguments."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from .errors import AccountManagerError
from .failures import FAILURES

REQUESTS_EXCHANGE = "account-manager.requests"
ADMIN_EXCHANGE = "account-manager.admin"
EVENTS_EXCHANGE = "account-manager.events"
#: The broker hands a reply to the channel that the request came from, without a queue.
REPLY_TO = "amq.rabbitmq.reply-to"
CONTENT_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class Request:
    """A message to the account manager. Every copy of it is the same, so it has one effect however often it is sent."""

    operation: str
    exchange: str
    body: bytes
    message_id: str
    #: ISO 8601; from then on the request has no effect.
    deadline: str


def write_request(operation: str, body: Mapping[str, Any], *, message_id: str, deadline: float) -> Request:
    """A request as a message. `deadline`: seconds since 1970. A field that is None is left out."""
    given = {name: value for name, value in body.items() if value is not None}
    return Request(
        operation=operation,
        exchange=ADMIN_EXCHANGE if operation.startswith("admin.") else REQUESTS_EXCHANGE,
        body=json.dumps(given).encode(),
        message_id=message_id,
        deadline=_to_iso(deadline),
    )


def read_failure(reply: Mapping[str, Any]) -> AccountManagerError | None:
    """The error that a reply tells of; None: it tells of success."""
    if reply.get("success") is True:
        return None
    error = reply.get("error") or {}
    code = str(error.get("code", "INTERNAL"))
    # A code that a later service adds is still told.
    return FAILURES.get(code, AccountManagerError)(
        str(error.get("message", "the reply is neither a success nor a failure")),
        code=code,
        retryable=bool(error.get("retryable")),
        retry_after_ms=error.get("retry_after_ms"),
        details=error.get("details"),
    )


def read_instant(text: str) -> datetime:
    """An instant of the contract: ISO 8601, UTC."""
    return datetime.fromisoformat(text)


def _to_iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
