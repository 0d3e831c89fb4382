"""Sends requests over a link, again where that is needed, and finds each one's reply."""

from __future__ import annotations

import asyncio
import json
import logging
import time
import uuid
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from .address import Address
from .errors import AccountManagerError, Closed, NoReply
from .failures import Forbidden, Internal, Unauthenticated, Unavailable
from .link import BrokerRefused, Link, LinkError, OpenLink
from .message import Request, read_failure, write_request

log = logging.getLogger("account_manager")

#: How long to pause before a request is sent again that was answered UNAVAILABLE or INTERNAL: at first, and at most,
#: seconds.
FIRST_PAUSE_SECONDS, LAST_PAUSE_SECONDS = 0.5, 5.0
#: The same where the broker was not reached, or no queue took the request.
FIRST_REOPEN_SECONDS, LAST_REOPEN_SECONDS = 0.05, 2.0
#: A broker that confirms nothing for so long, seconds, is tried on another connection.
DEAD_AFTER_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for what, seconds."""

    #: A request is given up after this.
    timeout: float = 30.0
    #: A request that nobody has answered is sent again after this.
    resend_after: float = 5.0
    #: Closing waits this long for what is under way.
    close_timeout: float = 5.0
    #: A broker that says nothing for some of these is taken for gone; whole seconds.
    heartbeat: int = 20


@dataclass(frozen=True, slots=True)
class Answer:
    """A success. `sent_at`: when the request was first sent, by the rising clock."""

    reply: dict[str, Any]
    sent_at: float


@dataclass(slots=True)
class _Attempt:
    """One copy of a request that is under way. It resolves with the reply, or with what went wrong."""

    request: Request
    link: Link
    outcome: asyncio.Future[dict[str, Any] | LinkError]

    def settle(self, outcome: dict[str, Any] | LinkError) -> None:
        if not self.outcome.done():
            self.outcome.set_result(outcome)


class Requester:
    """Asks the account manager. The link is opened when it is needed, and again when it was lost."""

    def __init__(self, addresses: list[Address], name: str, open_link: OpenLink, patience: Patience) -> None:
        self.patience = patience
        self._addresses = addresses
        self._name = name
        self._open_link = open_link
        self._link: Link | None = None
        self._opening: asyncio.Task[Link] | None = None
        #: Called when the client begins to close.
        self.on_closing: set[Callable[[], None]] = set()
        self._is_closing = False
        self._is_closed = False
        #: Since when the broker has confirmed nothing that was sent, by the rising clock; None: all is confirmed.
        self._unheard_since: float | None = None
        #: By message id. The same id may be asked for twice at a time.
        self._attempts: dict[str, list[_Attempt]] = {}
        self._under_way: set[asyncio.Task[Any]] = set()

    async def connect(self) -> None:
        """Opens the link, so that a wrong address or password is told at once."""
        give_up_at = time.monotonic() + self.patience.timeout
        pause = FIRST_REOPEN_SECONDS
        while True:
            try:
                await asyncio.wait_for(asyncio.shield(self._opened_link()), give_up_at - time.monotonic())
                return
            except BrokerRefused as error:
                raise refusal_of(error) from error
            except (LinkError, TimeoutError) as error:
                if time.monotonic() + pause >= give_up_at:
                    message = f"the broker was not reached: {error}"
                    raise NoReply(message, retryable=True, details={"problem": str(error)}) from error
            await asyncio.sleep(pause)
            pause = min(pause * 2, LAST_REOPEN_SECONDS)

    async def request(
        self,
        operation: str,
        body: Mapping[str, Any],
        *,
        timeout: float | None = None,
        message_id: str | None = None,
        resend_after: float | None = None,
        ends_work: bool = False,
    ) -> Answer:
        """Asks until there is an answer or `timeout` seconds are over, always under the same message id.

        Raises the refusal, or NoReply. A `wait_ms` in the body prolongs the time to wait, and to wait before asking again.
        `ends_work`: it may be asked while the client is closing, too.
        """
        if self._is_closed or (self._is_closing and not ends_work):
            raise Closed("the client is closed")
        served_wait = (body.get("wait_ms") or 0) / 1000
        timeout = (self.patience.timeout if timeout is None else timeout) + served_wait
        resend_after = min(self.patience.resend_after, resend_after or self.patience.resend_after) + served_wait
        request = write_request(
            operation, body, message_id=message_id or str(uuid.uuid4()), deadline=time.time() + timeout
        )
        # A task of its own, which `close` can wait for and end.
        task = self.in_background(self._ask(request, timeout, resend_after))
        try:
            answer: Answer = await task
            return answer
        except asyncio.CancelledError:
            if task.cancelled() and self._is_closed:
                raise Closed("the client was closed before the reply came") from None
            raise

    def in_background(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Does something that `close` waits for."""
        task = asyncio.ensure_future(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        task.add_done_callback(_retrieve)
        return task

    async def close(self) -> None:
        """Refuses new requests, waits for what is under way, as long as patience lasts, and closes the link."""
        self._is_closing = True
        for tell in list(self.on_closing):
            tell()
        # Blocks that are ended now give their accounts back.
        await asyncio.sleep(0)
        give_up_at = time.monotonic() + self.patience.close_timeout
        while self._under_way and (left := give_up_at - time.monotonic()) > 0:
            await asyncio.wait(self._under_way, timeout=left)
        self._is_closed = True
        for task in list(self._under_way):
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        if self._link is not None:
            await self._link.close()

    async def _ask(self, request: Request, timeout: float, resend_after: float) -> Answer:
        first_sent_at = time.monotonic()
        give_up_at = first_sent_at + timeout
        pause, reopen = FIRST_PAUSE_SECONDS, FIRST_REOPEN_SECONDS
        problem: AccountManagerError | LinkError = LinkError("nothing was sent")
        while (left := give_up_at - time.monotonic()) > 0:
            outcome = await self._try_once(request, left, resend_after)
            if isinstance(outcome, BrokerRefused):
                raise refusal_of(outcome)
            if isinstance(outcome, dict):
                failure = read_failure(outcome)
                if failure is None:
                    return Answer(outcome, first_sent_at)
                if not isinstance(failure, (Unavailable, Internal)):
                    raise failure
                problem = failure
            else:
                problem = outcome
            if isinstance(problem, _Silence):
                continue
            left = give_up_at - time.monotonic()
            if not isinstance(problem, AccountManagerError):
                await asyncio.sleep(max(0.0, min(reopen, left)))
                reopen = min(reopen * 2, LAST_REOPEN_SECONDS)
                continue
            wait = pause if problem.retry_after_ms is None else problem.retry_after_ms / 1000
            pause = min(pause * 2, LAST_PAUSE_SECONDS)
            if wait >= left:
                break
            await asyncio.sleep(wait)
        if isinstance(problem, AccountManagerError):
            raise problem
        message = f"{request.operation}: no reply within {timeout:g} s: {problem}"
        raise NoReply(message, retryable=True, details={"problem": str(problem)})

    async def _try_once(self, request: Request, left: float, resend_after: float) -> dict[str, Any] | LinkError:
        """Sends one copy and waits for its reply, its return, the loss of the link, or the time of the next copy."""
        link = self._link
        if link is None or link.lost.done():
            try:
                link = await asyncio.wait_for(asyncio.shield(self._opened_link()), left)
            except TimeoutError:
                return LinkError("the broker cannot be reached")
            except LinkError as error:
                return error
        loop = asyncio.get_running_loop()
        attempt = _Attempt(request, link, loop.create_future())
        self._attempts.setdefault(request.message_id, []).append(attempt)
        publishing = asyncio.ensure_future(self._publish(attempt))
        publishing.add_done_callback(_retrieve)
        patience = min(left, resend_after)
        timer = loop.call_later(patience, attempt.settle, _Silence(f"no reply within {patience:g} s"))
        try:
            outcome = await attempt.outcome
        finally:
            timer.cancel()
            attempts = self._attempts[request.message_id]
            attempts.remove(attempt)
            if not attempts:
                del self._attempts[request.message_id]
        if isinstance(outcome, _Silence):
            self._abandon_if_dead(link)
        return outcome

    async def _publish(self, attempt: _Attempt) -> None:
        if self._unheard_since is None:
            self._unheard_since = time.monotonic()
        try:
            await attempt.link.publish(attempt.request)
            self._unheard_since = None
        except LinkError as error:
            if isinstance(error, BrokerRefused):
                # The broker closes the channel, with all that is on it: whom it refuses the reason tells.
                self._give_up(attempt.link, error)
            elif not attempt.link.lost.done():
                attempt.settle(error)

    def _opened_link(self) -> asyncio.Task[Link]:
        """Opens a link; several requests share the work."""
        if self._opening is None or self._opening.done():
            self._opening = asyncio.ensure_future(self._open())
            self._opening.add_done_callback(_retrieve)
        return self._opening

    async def _open(self) -> Link:
        address = self._addresses[0]
        # When this node fails, the next one is tried.
        self._addresses.append(self._addresses.pop(0))
        link = await self._open_link(address, self._name, self.patience.heartbeat)
        try:
            await link.take_replies(self._on_reply)
        except BaseException:
            await link.close()
            raise
        self._addresses.insert(0, self._addresses.pop())
        link.lost.add_done_callback(lambda lost: self._on_lost(link, lost.result()))
        self._link, self._unheard_since = link, None
        return link

    def _abandon_if_dead(self, link: Link) -> None:
        """Gives up a link on which the broker does not even confirm: on it nothing comes any more."""
        since = self._unheard_since
        if since is not None and time.monotonic() - since >= DEAD_AFTER_SECONDS:
            self._give_up(link, LinkError("the broker did not answer"))

    def _give_up(self, link: Link, reason: LinkError) -> None:
        if not link.lost.done():
            link.lost.set_result(reason)

    def _on_reply(self, message_id: str, body: bytes) -> None:
        for attempt in self._attempts.get(message_id, []):
            try:
                reply = json.loads(body)
            except ValueError:
                reply = {}
            attempt.settle(reply if isinstance(reply, dict) else {})

    def _on_lost(self, link: Link, reason: LinkError) -> None:
        if not self._is_closed:
            log.warning("the connection to the broker was lost: %s", reason)
        for attempts in list(self._attempts.values()):
            for attempt in attempts:
                if attempt.link is link:
                    is_refused = isinstance(reason, BrokerRefused) and _is_about(attempt.request, str(reason))
                    attempt.settle(reason if is_refused else LinkError(str(reason)))
        if not self._is_closed:
            self.in_background(link.close())


class _Silence(LinkError):
    """Nothing has come in time; the next copy may be sent at once."""


def _is_about(request: Request, reason: str) -> bool:
    """Whether a refusal of the broker's is about this request: it closes the channel, and all that is on it is lost."""
    return f"'{request.exchange}'" in reason and ("topic '" not in reason or f"topic '{request.operation}'" in reason)


def refusal_of(error: BrokerRefused) -> AccountManagerError:
    kind = Unauthenticated if error.is_login else Forbidden
    return kind(f"the broker refuses it: {error}", details={"refused_by": "broker"})


def _retrieve(task: asyncio.Future[Any]) -> None:
    """Keeps asyncio from complaining of an error that nobody waits for any more."""
    if not task.cancelled():
        task.exception()
