"""Events of the account manager: each handled once, those of one account in their order."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NotRequired, TypedDict, cast

from .address import Address
from .errors import AccountManagerError, NoReply
from .link import BrokerRefused, Delivery, Link, LinkError, OpenLink
from .requester import FIRST_REOPEN_SECONDS, LAST_REOPEN_SECONDS, Patience, refusal_of

log = logging.getLogger("account_manager")

#: So many ids of handled events are remembered, to know a repeat by.
REMEMBERED_IDS = 10_000
#: How long to pause before a handler that has failed is called again: at first, and at most, seconds.
FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS = 0.1, 30.0


#: How often it is made sure that the queue is still there, seconds.
CHECK_SECONDS = 60.0


class Event(TypedDict):
    """A CloudEvents 1.0 event. `subject` is the account; events of the fleet have none.

    `data["sequence"]` rises by one with each of the account's events.
    """

    specversion: str
    id: str
    source: str
    type: str
    time: str
    subject: NotRequired[str]
    datacontenttype: str
    traceparent: NotRequired[str]
    data: dict[str, Any]


Handle = Callable[[Event], Awaitable[None]]


class EventStream:
    """A durable queue of events and the handler that they go to. The link is opened again when it was lost."""

    def __init__(
        self,
        addresses: list[Address],
        queue: str,
        types: Sequence[str],
        handle: Handle,
        open_link: OpenLink,
        patience: Patience,
    ) -> None:
        self._addresses = list(addresses)
        self._queue = queue
        self._types = list(types)
        self._handle = handle
        self._open_link = open_link
        self._patience = patience
        self._handled: OrderedDict[str, None] = OrderedDict()
        #: By account: the work on its events, of which each part waits for the one before.
        self._lanes: dict[str | None, asyncio.Task[None]] = {}
        self._working: set[asyncio.Task[None]] = set()
        self._link: Link | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._is_closing = False

    async def start(self) -> None:
        """Subscribes; raises what the broker refuses."""
        try:
            async with asyncio.timeout(self._patience.timeout):
                link = await self._open_until_there(is_first=True)
        except BrokerRefused as error:
            raise refusal_of(error) from error
        except TimeoutError as error:
            raise NoReply(f"{self._queue}: the broker was not reached in time", retryable=True) from error
        self._keeper = asyncio.ensure_future(self._keep(link))

    async def close(self) -> None:
        """Takes no more events, waits for those in work, as long as patience lasts, and closes the link."""
        self._is_closing = True
        if self._link is not None:
            try:
                await self._link.stop_events()
            except LinkError:
                pass  # It is lost: nothing comes any more.
        if self._working:
            await asyncio.wait(self._working, timeout=self._patience.close_timeout)
        ending = [*self._working, *([self._keeper] if self._keeper is not None else [])]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        if self._link is not None:
            await self._link.close()

    async def _keep(self, link: Link) -> None:
        while True:
            await asyncio.wait({link.lost}, timeout=CHECK_SECONDS)
            if not link.lost.done():
                try:
                    await link.check_events()
                    continue
                except LinkError:
                    await link.close()  # The queue is gone: it is declared anew.
            log.warning("the connection for the events in %s was lost: %s", self._queue, link.lost.result())
            await link.close()
            link = await self._open_until_there(is_first=False)

    async def _open_until_there(self, *, is_first: bool) -> Link:
        pause = FIRST_REOPEN_SECONDS
        while True:
            try:
                self._link = await self._open()
                return self._link
            except LinkError as error:
                if is_first and isinstance(error, BrokerRefused):
                    raise
                log.warning("events are not to be had from %s: %s", self._queue, error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LAST_REOPEN_SECONDS)

    async def _open(self) -> Link:
        address = self._addresses[0]
        self._addresses.append(self._addresses.pop(0))
        link = await self._open_link(address, self._queue, self._patience.heartbeat)
        try:
            await link.take_events(self._queue, self._types, self._take)
        except BaseException:
            await link.close()
            raise
        self._addresses.insert(0, self._addresses.pop())
        return link

    def _take(self, delivery: Delivery) -> None:
        """Puts an event behind the others of its account."""
        if self._is_closing:
            return  # It is not acknowledged, so it comes again.
        event = _read(delivery.body)
        subject = None if event is None else event.get("subject")
        before = self._lanes.get(subject)
        task = asyncio.ensure_future(self._work_on(delivery, event, before))
        self._lanes[subject] = task
        self._working.add(task)

        def forget(_done: object) -> None:
            self._working.discard(task)
            if self._lanes.get(subject) is task:
                del self._lanes[subject]

        task.add_done_callback(forget)

    async def _work_on(self, delivery: Delivery, event: Event | None, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait({before})
        if event is not None and event["id"] not in self._handled and self._wants(event["type"]):
            await self._handle_until_done(event)
            self._handled[event["id"]] = None
            if len(self._handled) > REMEMBERED_IDS:
                self._handled.popitem(last=False)
        await delivery.ack()

    async def _handle_until_done(self, event: Event) -> None:
        pause = FIRST_RETRY_SECONDS
        while True:
            try:
                await self._handle(event)
                return
            except Exception:
                log.exception("the handler of %s has failed on event %s; it is called again", event["type"], event["id"])
            await asyncio.sleep(pause)
            pause = min(pause * 2, LAST_RETRY_SECONDS)

    def _wants(self, type_: str) -> bool:
        """The queue may be bound to types that an earlier version of the program asked for."""
        return any(_matches(pattern.split("."), type_.split(".")) for pattern in self._types)


def _matches(pattern: list[str], words: list[str]) -> bool:
    """As a topic exchange compares: `*` is one word, `#` any number of them."""
    if not pattern:
        return not words
    if pattern[0] == "#":
        return any(_matches(pattern[1:], words[skipped:]) for skipped in range(len(words) + 1))
    return bool(words) and pattern[0] in ("*", words[0]) and _matches(pattern[1:], words[1:])


def _read(body: bytes) -> Event | None:
    """None: no event at all, which nobody can handle."""
    try:
        event = json.loads(body)
        if isinstance(event["id"], str) and isinstance(event["type"], str):
            return cast(Event, event)
    except (ValueError, TypeError, KeyError):
        pass
    log.error("a message that is no event was dropped: %d bytes", len(body))
    return None


def read_queue_name(service_name: str, queue: str | None) -> str:
    """The queue that events are kept in; brokers set up by deploy/rabbitmq allow names with this beginning only."""
    if queue is not None and not queue.startswith("events."):
        raise AccountManagerError("queue: must begin with events.", code="VALIDATION_FAILED")
    return queue or f"events.{service_name}"
