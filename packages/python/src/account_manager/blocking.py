"""The client for programs without asyncio, over pika.

    with account_manager.blocking.connect(url, service_name="inviting") as manager:
        with manager.account(user_id=1, purpose="invite_campaign") as account:
            account.act("invite", "@channel", lambda: telegram.invite(...))

A thread of the client's own keeps the connections and renews the leases, so a program may work, or do nothing, for as long
as it likes between two calls. A client may be used from several threads.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Literal, Self, TypeVar, cast

from .address import read_addresses
from .errors import AccountManagerError, Closed
from .events import Event, EventStream, read_queue_name
from .holding import AccountFacts
from .lease import Lease, Permit, Wish, take_lease
from .operations import ActionCheckReply, ActionType, BlockingOperations, EventType, Purpose
from .outcomes import Done, Outcome
from .pika_link import PikaLink
from .requester import Patience, Requester
from .telegram import IsTelegramError, is_telegram_error

T = TypeVar("T")

#: So many handlers of events run at a time, each in a thread.
HANDLER_THREADS = 8


class _Loop:
    """A thread in which everything of the client's own runs."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"account-manager {name}", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Does something in the thread and waits for it."""
        if not self._thread.is_alive():
            work.close()
            raise Closed("the client is closed")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def call(self, fn: Callable[[], T]) -> T:
        """Calls something in the thread."""

        async def work() -> T:
            return fn()

        return self.run(work())

    def stop(self) -> None:
        """Ends the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class AccountManager(BlockingOperations):
    """A connection to the account manager. `connect` makes one.

    Every operation of the contract is a method: `account.allocate` is `account_allocate`, `query.health` is
    `query_health`. A refusal of the account manager is raised as an AccountManagerError.
    """

    def __init__(
        self,
        loop: _Loop,
        requester: Requester,
        service_name: str,
        open_events: Callable[..., EventStream],
        is_telegram: IsTelegramError,
    ) -> None:
        self.service_name = service_name
        self._loop = loop
        self._requester = requester
        self._open_events = open_events
        self._is_telegram = is_telegram
        self._subscriptions: set[Subscription] = set()
        self._is_closed = False

    def account(
        self,
        *,
        user_id: int,
        purpose: Purpose,
        preferred_account_id: str | None = None,
        preferred_mode: Literal["prefer", "require"] | None = None,
        timeout_minutes: int = 30,
        target_channel_id: str | int | None = None,
        wait_ms: int | None = None,
        include_session: bool | None = None,
    ) -> AccountBlock:
        """Leases an account for a `with` block.

        The lease is renewed for as long as the block runs. When it is lost, the next call under it raises LeaseLost, and
        so does the end of the block; `account.lost` tells before. Telegram's error that ends the block is reported and
        goes on as it is. The account is given back with what was done.
        """
        wish = {
            "user_id": user_id,
            "purpose": purpose,
            "preferred_account_id": preferred_account_id,
            "preferred_mode": preferred_mode,
            "timeout_minutes": timeout_minutes,
            "target_channel_id": target_channel_id,
            "wait_ms": wait_ms,
            "include_session": include_session,
        }
        return AccountBlock(self._loop, self._requester, Wish(self.service_name, wish), self._is_telegram)

    def subscribe(
        self,
        types: Sequence[EventType | str],
        handler: Callable[[Event], None],
        *,
        queue: str | None = None,
    ) -> Subscription:
        """Has events handled, in threads of the client's own, until the subscription or the client is closed.

        They wait in a durable queue, `events.<service_name>` or the one named, also while nobody listens. Events of one
        account are handled in their order, those of different accounts beside each other; a repeated id is dropped. An
        event is acknowledged after its handler; a handler that raises is called again, after a pause.
        """
        pool = ThreadPoolExecutor(HANDLER_THREADS, thread_name_prefix="account-manager events")

        async def handle(event: Event) -> None:
            await asyncio.get_running_loop().run_in_executor(pool, handler, event)

        name = read_queue_name(self.service_name, queue)
        stream = self._loop.call(lambda: self._open_events(name, types, handle))
        try:
            self._loop.run(stream.start())
        except BaseException:
            pool.shutdown(wait=False)
            raise
        subscription = Subscription(self._loop, stream, pool, self._subscriptions)
        self._subscriptions.add(subscription)
        return subscription

    def request(
        self, operation: str, body: Mapping[str, Any], *, timeout: float | None = None, message_id: str | None = None
    ) -> dict[str, Any]:
        """Any operation by its name in the contract; also one that this version of the client does not know."""
        return self._loop.run(self._requester.request(operation, body, timeout=timeout, message_id=message_id)).reply

    def close(self) -> None:
        """Waits for what is under way, some seconds at most, and closes the connections."""
        if self._is_closed:
            return
        self._is_closed = True
        for subscription in list(self._subscriptions):
            subscription.close()
        self._loop.run(self._requester.close())
        self._loop.stop()

    def _call(self, operation: str, body: dict[str, Any], timeout: float | None, message_id: str | None) -> Any:
        return self.request(operation, body, timeout=timeout, message_id=message_id)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self.close()


class Subscription:
    """Events that are being handled. Leaving the `with` block, or `close`, ends it; the queue stays."""

    def __init__(
        self, loop: _Loop, stream: EventStream, pool: ThreadPoolExecutor, subscriptions: set[Subscription]
    ) -> None:
        self._loop = loop
        self._stream = stream
        self._pool = pool
        self._subscriptions = subscriptions

    def close(self) -> None:
        """Takes no more events and waits for those in work, some seconds at most."""
        self._subscriptions.discard(self)
        self._loop.run(self._stream.close())
        self._pool.shutdown(wait=False, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self.close()


class Account(AccountFacts):
    """An account while it is held."""

    def __init__(self, loop: _Loop, lease: Lease) -> None:
        super().__init__(lease)
        self._loop = loop

    def act(
        self,
        action: ActionType,
        channel: str | int | None,
        fn: Callable[[], T],
        *,
        wait: float = 0.0,
    ) -> Outcome[T]:
        """Does one action on Telegram, if the limits allow it now, or within `wait` seconds.

        `fn` is called with nothing, in the caller's thread, once the action is allowed and counted. Returns Done with
        what `fn` returned, Refused where the limits do not allow it, or Failed where `fn` raised Telegram's error: then
        the account manager has been told, and says what the error means. Anything else that `fn` raises goes on. Raises
        LeaseLost.
        """
        permit = self._loop.run(self._lease.begin_action(action, channel, wait))
        if not isinstance(permit, Permit):
            return permit
        try:
            value = fn()
        except BaseException as error:
            self._settle(permit, is_success=False)
            failed = self._loop.run(self._lease.explain(error))
            if failed is None:
                raise
            return failed
        self._settle(permit, is_success=True)
        return Done(value)

    def _settle(self, permit: Permit, *, is_success: bool) -> None:
        self._loop.call(lambda: self._lease.settle(permit, is_success=is_success))

    def check(self, action: ActionType, channel: str | int | None = None) -> ActionCheckReply:
        """Whether an action would be allowed now; counts nothing."""
        body = {"action_type": action, "target_channel_id": channel}
        return cast(ActionCheckReply, self._loop.run(self._lease.call("action.check", body)))

    def until_lost(self, timeout: float | None = None) -> AccountManagerError | None:
        """Waits until the account must not be used any more, for threads beside the block; returns LeaseLost, or Closed.

        None: it can still be used after `timeout` seconds.
        """

        async def wait() -> AccountManagerError | None:
            await asyncio.wait({self._lease.lost}, timeout=timeout)
            return self.lost

        return self._loop.run(wait())


class AccountBlock:
    """Context manager that `AccountManager.account` returns."""

    def __init__(self, loop: _Loop, requester: Requester, wish: Wish, is_telegram: IsTelegramError) -> None:
        self._loop = loop
        self._requester = requester
        self._wish = wish
        self._is_telegram = is_telegram
        self._lease: Lease | None = None

    def __enter__(self) -> Account:
        if self._lease is not None:
            raise RuntimeError("the block was entered before: ask for another account")
        self._lease = self._loop.run(take_lease(self._requester, self._wish, self._is_telegram))
        return Account(self._loop, self._lease)

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        lease = self._lease
        assert lease is not None
        lost = lease.lost.result() if lease.lost.done() else None
        own_error = None if error is not None and error is lost else error
        self._loop.run(lease.end(own_error))
        if own_error is None and lease.lost.done():
            raise lease.lost.result()


def connect(
    url: str,
    *,
    service_name: str,
    timeout: float = 30.0,
    resend_after: float = 5.0,
    close_timeout: float = 5.0,
    heartbeat: int = 20,
    events_url: str | None = None,
    ssl_context: ssl.SSLContext | None = None,
    is_telegram_error: IsTelegramError = is_telegram_error,
) -> AccountManager:
    """Connects to the account manager. The arguments are those of `account_manager.connect`."""
    patience = Patience(timeout, resend_after, close_timeout, heartbeat)
    addresses = read_addresses(url, ssl_context)
    events_addresses = addresses if events_url is None else read_addresses(events_url, ssl_context)

    def open_events(queue: str, types: Sequence[str], handle: Any) -> EventStream:
        return EventStream(events_addresses, queue, types, handle, PikaLink.open, patience)

    loop = _Loop(service_name)
    try:
        requester = loop.call(lambda: Requester(list(addresses), service_name, PikaLink.open, patience))
        try:
            loop.run(requester.connect())
        except BaseException:
            loop.run(requester.close())
            raise
    except BaseException:
        loop.stop()
        raise
    return AccountManager(loop, requester, service_name, open_events, is_telegram_error)


__all__ = ["Account", "AccountBlock", "AccountManager", "Subscription", "connect"]
