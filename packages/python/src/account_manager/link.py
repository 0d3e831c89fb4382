"""A connection to the broker as the client needs it, whichever library opens it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from .address import Address
from .message import Request

#: Opening a connection takes no longer, seconds.
OPEN_TIMEOUT_SECONDS = 10.0
#: Closing one takes no longer, seconds.
CLOSE_TIMEOUT_SECONDS = 2.0
#: So many events may be in work at a time.
EVENTS_PREFETCH = 100
#: One consumer at a time, so that the events of an account stay in order however many processes subscribe; no event is
#: dropped for having been delivered often.
EVENTS_QUEUE_ARGUMENTS: dict[str, Any] = {
    "x-queue-type": "quorum",
    "x-delivery-limit": 1_000_000_000,
    "x-single-active-consumer": True,
}


class LinkError(Exception):
    """The broker cannot be reached, or does not take a message, or has closed the connection; the text says why."""


class Unroutable(LinkError):
    """No queue takes a message."""


class BrokerRefused(LinkError):
    """The broker refuses what the user asks for. `is_login`: its name or password."""

    def __init__(self, text: str, *, is_login: bool = False) -> None:
        super().__init__(text)
        self.is_login = is_login


def to_link_error(error: BaseException | None) -> LinkError:
    """Turns a library's error for a lost connection or channel into one of the client's."""
    if isinstance(error, LinkError):
        return error
    # aiormq hands on the frame that closes a connection which was being opened.
    frames = [one for one in getattr(error, "args", ()) if hasattr(one, "reply_text")]
    text = f"{type(error).__name__}: {error}" if error is not None else "the connection was closed"
    text = str(frames[0].reply_text) if frames else text
    if any(word in text for word in ("ACCESS_REFUSED", "NOT_ALLOWED", "PRECONDITION_FAILED")):
        return BrokerRefused(text, is_login="using authentication mechanism" in text)
    return LinkError(text)


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event as it was delivered. `ack` says that it has been handled; it does nothing once the link is lost."""

    body: bytes
    ack: Callable[[], Awaitable[None]]


class Link(Protocol):
    """One connection to the broker. It is used until it is lost, and then replaced."""

    #: Resolves with the reason when the link is lost; never before, and never with an exception raised.
    lost: asyncio.Future[LinkError]

    async def take_replies(self, on_reply: Callable[[str, bytes], None]) -> None:
        """Has replies handed over, with the correlation id of each. Comes before the first `publish`."""

    async def publish(self, request: Request) -> None:
        """Sends a request and waits until the broker has it. Raises a LinkError where the broker does not take it."""

    async def take_events(self, queue: str, types: Sequence[str], on_event: Callable[[Delivery], None]) -> None:
        """Declares the queue, binds the types to it and has its events handed over."""

    async def check_events(self) -> None:
        """Loses the link where the queue of events is gone: its consumer is told nothing by some libraries."""

    async def stop_events(self) -> None:
        """Has no more events handed over; those in work can still be acknowledged."""

    async def close(self) -> None:
        """Closes the connection. Never raises, and never takes long."""


#: Opens a link: to an address, under a name that the broker shows, with a heartbeat in seconds. Raises a LinkError.
OpenLink = Callable[[Address, str, int], Awaitable[Link]]
