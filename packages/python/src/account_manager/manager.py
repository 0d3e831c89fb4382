"""The client for asyncio, over aio-pika."""

from __future__ import annotations

import asyncio
import inspect
import ssl
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self, TypeVar, cast, overload

from .address import read_addresses
from .aio_pika_link import AioPikaLink
from .errors import AccountManagerError, Closed
from .events import Event, EventStream, read_queue_name
from .holding import AccountFacts
from .lease import Lease, Permit, Wish, take_lease
from .operations import ActionCheckReply, ActionType, AsyncOperations, EventType, Purpose
from .outcomes import Done, Outcome
from .requester import Patience, Requester
from .telegram import IsTelegramError, is_telegram_error

T = TypeVar("T")


class AccountManager(AsyncOperations):
    """A connection to the account manager. `connect` makes one.

    Every operation of the contract is a method: `account.allocate` is `account_allocate`, `query.health` is
    `query_health`. A refusal of the account manager is raised as an AccountManagerError.
    """

    def __init__(
        self, requester: Requester, service_name: str, open_events: Callable[..., EventStream], is_telegram: IsTelegramError
    ) -> None:
        self.service_name = service_name
        self._requester = requester
        self._open_events = open_events
        self._is_telegram = is_telegram
        self._streams: set[EventStream] = set()

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
        """Leases an account for an `async with` block.

        The lease is renewed for as long as the block runs. When it is lost, the block is cancelled and LeaseLost is
        raised in its place. Telegram's error that ends the block is reported and goes on as it is. The account is given
        back with what was done.
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
        return AccountBlock(self._requester, Wish(self.service_name, wish), self._is_telegram)

    async def subscribe(
        self,
        types: Sequence[EventType | str],
        handler: Callable[[Event], Awaitable[None] | None],
        *,
        queue: str | None = None,
    ) -> Subscription:
        """Has events handled until the subscription or the client is closed.

        They wait in a durable queue, `events.<service_name>` or the one named, also while nobody listens. Events of one
        account are handled in their order, those of different accounts beside each other; a repeated id is dropped. An
        event is acknowledged after its handler; a handler that raises is called again, after a pause.
        """

        async def handle(event: Event) -> None:
            outcome = handler(event)
            if inspect.isawaitable(outcome):
                await outcome

        stream = self._open_events(read_queue_name(self.service_name, queue), types, handle)
        await stream.start()
        self._streams.add(stream)
        return Subscription(stream, self._streams)

    async def request(
        self, operation: str, body: Mapping[str, Any], *, timeout: float | None = None, message_id: str | None = None
    ) -> dict[str, Any]:
        """Any operation by its name in the contract; also one that this version of the client does not know."""
        return (await self._requester.request(operation, body, timeout=timeout, message_id=message_id)).reply

    async def close(self) -> None:
        """Waits for what is under way, some seconds at most, and closes the connections."""
        await asyncio.gather(*(stream.close() for stream in list(self._streams)), self._requester.close())

    async def _call(self, operation: str, body: dict[str, Any], timeout: float | None, message_id: str | None) -> Any:
        return await self.request(operation, body, timeout=timeout, message_id=message_id)


class Subscription:
    """Events that are being handled. Leaving the `async with` block, or `close`, ends it; the queue stays."""

    def __init__(self, stream: EventStream, streams: set[EventStream]) -> None:
        self._stream = stream
        self._streams = streams

    async def close(self) -> None:
        """Takes no more events and waits for those in work, some seconds at most."""
        self._streams.discard(self._stream)
        await self._stream.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_raised: object) -> None:
        await self.close()


class Account(AccountFacts):
    """An account while it is held."""

    def __init__(self, lease: Lease, owner: asyncio.Task[Any] | None, requester: Requester) -> None:
        super().__init__(lease)
        self._owner = owner
        self._requester = requester
        self._cancelled = False
        self._ended = asyncio.Event()
        lease.lost.add_done_callback(self._on_lost)

    def _on_lost(self, _lost: object) -> None:
        # Where the block itself has found it out, it is told by what it has called.
        if self._owner is not None and asyncio.current_task() is not self._owner:
            self._cancelled = self._owner.cancel()
            if isinstance(self.lost, Closed):
                self._requester.in_background(_wait_for(self._ended.wait()))

    def forgive(self) -> bool:
        """Takes the cancellation of the block back; False: there is none."""
        was_cancelled, self._cancelled, owner = self._cancelled, False, self._owner
        if was_cancelled and owner is not None:
            owner.uncancel()
        return was_cancelled

    def end(self) -> bool:
        """The block has ended: nobody is cancelled from now on. Whether it was cancelled because the lease is lost."""
        was_cancelled = self.forgive()
        self._owner = None
        return was_cancelled

    def ended(self) -> None:
        """The account was given back."""
        self._ended.set()

    @overload
    async def act(
        self, action: ActionType, channel: str | int | None, fn: Callable[[], Awaitable[T]], *, wait: float = ...
    ) -> Outcome[T]: ...

    @overload
    async def act(
        self, action: ActionType, channel: str | int | None, fn: Callable[[], T], *, wait: float = ...
    ) -> Outcome[T]: ...

    async def act(
        self, action: ActionType, channel: str | int | None, fn: Callable[[], Any], *, wait: float = 0.0
    ) -> Outcome[Any]:
        """Does one action on Telegram, if the limits allow it now, or within `wait` seconds.

        `fn` is called with nothing once the action is allowed and counted. Returns Done with what `fn` returned, Refused
        where the limits do not allow it, or Failed where `fn` raised Telegram's error: then the account manager has been
        told, and says what the error means. Anything else that `fn` raises goes on. Raises LeaseLost.
        """
        permit: Permit | None = None
        try:
            begun = await self._lease.begin_action(action, channel, wait)
            if not isinstance(begun, Permit):
                return begun
            permit = begun
            outcome = fn()
            value = await outcome if inspect.isawaitable(outcome) else outcome
        except asyncio.CancelledError as error:
            if permit is not None:
                self._lease.settle(permit, is_success=False)
            if asyncio.current_task() is self._owner and self.forgive():
                raise self._lease.lost.result() from error
            raise
        except Exception as error:
            if permit is None:
                raise
            self._lease.settle(permit, is_success=False)
            failed = await self._lease.explain(error)
            if failed is None:
                raise
            return failed
        self._lease.settle(permit, is_success=True)
        return Done(value)

    async def check(self, action: ActionType, channel: str | int | None = None) -> ActionCheckReply:
        """Whether an action would be allowed now; counts nothing."""
        body = {"action_type": action, "target_channel_id": channel}
        return cast(ActionCheckReply, await self._lease.call("action.check", body))

    async def until_lost(self) -> AccountManagerError:
        """Waits until the account must not be used any more, for tasks beside the block; returns LeaseLost, or Closed."""
        return await asyncio.shield(self._lease.lost)


class AccountBlock:
    """Asynchronous context manager that `AccountManager.account` returns."""

    def __init__(self, requester: Requester, wish: Wish, is_telegram: IsTelegramError) -> None:
        self._requester = requester
        self._wish = wish
        self._is_telegram = is_telegram
        self._held: tuple[Lease, Account] | None = None

    async def __aenter__(self) -> Account:
        if self._held is not None:
            raise RuntimeError("the block was entered before: ask for another account")
        lease = await take_lease(self._requester, self._wish, self._is_telegram)
        account = Account(lease, asyncio.current_task(), self._requester)
        self._held = (lease, account)
        return account

    async def __aexit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        assert self._held is not None
        lease, account = self._held
        is_ours = account.end() and isinstance(error, asyncio.CancelledError)
        own_error = None if is_ours or _tells_of_loss(error, lease) else error
        # A second cancellation does not keep the account from being given back.
        ending = self._requester.in_background(lease.end(own_error))
        ending.add_done_callback(lambda _ending: account.ended())
        await asyncio.shield(ending)
        if own_error is None and lease.lost.done():
            raise lease.lost.result() from error


async def _wait_for(ending: Awaitable[Any]) -> None:
    await ending


def _tells_of_loss(error: BaseException | None, lease: Lease) -> bool:
    return lease.lost.done() and error is lease.lost.result()


class _Connecting:
    """Result of `connect`. `async with` closes the client at the end; `await` leaves that to the caller."""

    def __init__(self, open_manager: Callable[[], Awaitable[AccountManager]]) -> None:
        self._open = open_manager
        self._manager: AccountManager | None = None

    def __await__(self) -> Generator[Any, None, AccountManager]:
        return self._open().__await__()

    async def __aenter__(self) -> AccountManager:
        self._manager = await self._open()
        return self._manager

    async def __aexit__(self, *_raised: object) -> None:
        if self._manager is not None:
            await self._manager.close()


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
) -> _Connecting:
    """Connects to the account manager: `async with connect(url, service_name="inviting") as manager`.

    `url`: the broker's, such as `amqps://user:password@host/vhost`; several nodes of a cluster are separated by commas.
    `timeout`: when a request is given up, seconds. `resend_after`: when one that nobody answered is sent again, seconds.
    `close_timeout`: how long closing waits for what is under way, seconds. `heartbeat`: seconds. `events_url`: where
    the subscriber is another user of the broker. `ssl_context`: for `amqps`, where the public authorities will not do.
    `is_telegram_error`: says which exceptions are Telegram's word; the default knows Telethon and Pyrogram.

    Raises Unauthenticated where the broker refuses the user, and NoReply where it is not reached in time.
    """
    patience = Patience(timeout, resend_after, close_timeout, heartbeat)
    addresses = read_addresses(url, ssl_context)
    events_addresses = addresses if events_url is None else read_addresses(events_url, ssl_context)

    def open_events(queue: str, types: Sequence[str], handle: Callable[[Event], Awaitable[None]]) -> EventStream:
        return EventStream(events_addresses, queue, types, handle, AioPikaLink.open, patience)

    async def open_manager() -> AccountManager:
        requester = Requester(list(addresses), service_name, AioPikaLink.open, patience)
        try:
            await requester.connect()
        except BaseException:
            await requester.close()
            raise
        return AccountManager(requester, service_name, open_events, is_telegram_error)

    return _Connecting(open_manager)


__all__ = ["Account", "AccountBlock", "AccountManager", "AccountManagerError", "Subscription", "connect"]
