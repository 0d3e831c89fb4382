"""Both clients under one asynchronous face, so that the same player plays the scenarios with each."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, AsyncIterator, Protocol

import account_manager
from account_manager import blocking

Fn = Callable[[], Awaitable[Any]]


class Client(Protocol):
    async def call(self, operation: str, body: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]: ...

    def account(self, wish: dict[str, Any]) -> AbstractAsyncContextManager[Any]: ...

    async def act(self, account: Any, action: str, channel: Any, fn: Fn, wait: float) -> Any: ...

    async def until_lost(self, account: Any) -> Any: ...

    async def subscribe(self, types: Sequence[str], handler: Callable[[Any], Awaitable[None]], queue: str | None) -> None: ...

    async def close(self) -> None: ...


class AsyncClient:
    """The client over aio-pika."""

    def __init__(self, manager: account_manager.AccountManager) -> None:
        self._manager = manager

    @classmethod
    async def connect(cls, url: str, options: dict[str, Any]) -> AsyncClient:
        return cls(await account_manager.connect(url, **options))

    async def call(self, operation: str, body: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
        return await self._manager.request(operation, body, **options)

    def account(self, wish: dict[str, Any]) -> AbstractAsyncContextManager[Any]:
        return self._manager.account(**wish)

    async def act(self, account: Any, action: str, channel: Any, fn: Fn, wait: float) -> Any:
        return await account.act(action, channel, fn, wait=wait)

    async def until_lost(self, account: Any) -> Any:
        return await account.until_lost()

    async def subscribe(self, types: Sequence[str], handler: Callable[[Any], Awaitable[None]], queue: str | None) -> None:
        await self._manager.subscribe(types, handler, queue=queue)

    async def close(self) -> None:
        await self._manager.close()


class BlockingClient:
    """The client over pika; each call waits in a thread of its own."""

    def __init__(self, manager: blocking.AccountManager) -> None:
        self._manager = manager
        self._loop = asyncio.get_running_loop()

    @classmethod
    async def connect(cls, url: str, options: dict[str, Any]) -> BlockingClient:
        return cls(await asyncio.to_thread(blocking.connect, url, **options))

    def _wait_for(self, work: Awaitable[Any]) -> Any:
        """Plays steps from the thread in which the client calls back."""
        return asyncio.run_coroutine_threadsafe(_awaited(work), self._loop).result()

    async def call(self, operation: str, body: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
        return await asyncio.to_thread(self._manager.request, operation, body, **options)

    @asynccontextmanager
    async def account(self, wish: dict[str, Any]) -> AsyncIterator[Any]:
        block = self._manager.account(**wish)
        account = await asyncio.to_thread(block.__enter__)
        try:
            yield account
        except BaseException:
            await asyncio.to_thread(block.__exit__, *sys.exc_info())
            raise
        await asyncio.to_thread(block.__exit__, None, None, None)

    async def act(self, account: Any, action: str, channel: Any, fn: Fn, wait: float) -> Any:
        return await asyncio.to_thread(account.act, action, channel, lambda: self._wait_for(fn()), wait=wait)

    async def until_lost(self, account: Any) -> Any:
        return await asyncio.to_thread(account.until_lost)

    async def subscribe(self, types: Sequence[str], handler: Callable[[Any], Awaitable[None]], queue: str | None) -> None:
        await asyncio.to_thread(
            lambda: self._manager.subscribe(types, lambda event: self._wait_for(handler(event)), queue=queue)
        )

    async def close(self) -> None:
        await asyncio.to_thread(self._manager.close)


async def _awaited(work: Awaitable[Any]) -> Any:
    return await work
