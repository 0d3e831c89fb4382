"""A link over pika, on an asyncio loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pika
from pika.adapters.asyncio_connection import AsyncioConnection

from .address import Address
from .link import (
    CLOSE_TIMEOUT_SECONDS,
    EVENTS_PREFETCH,
    EVENTS_QUEUE_ARGUMENTS,
    OPEN_TIMEOUT_SECONDS,
    Delivery,
    LinkError,
    Unroutable,
    to_link_error,
)
from .message import CONTENT_TYPE, EVENTS_EXCHANGE, REPLY_TO, Request

PERSISTENT = 2


class PikaLink:
    """One connection and one channel of pika."""

    def __init__(self, user: str) -> None:
        self._loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[LinkError] = self._loop.create_future()
        self._user = user
        self._connection: Any = None
        self._channel: Any = None
        self._closed: asyncio.Future[None] = self._loop.create_future()
        #: Messages published and not confirmed, by the number that the broker confirms it by.
        self._unconfirmed: dict[int, tuple[str, asyncio.Future[None]]] = {}
        self._published = 0
        self._events_queue = ""
        self._events_tag: str | None = None

    @classmethod
    async def open(cls, address: Address, name: str, heartbeat: int) -> PikaLink:
        """Opens a connection."""
        link = cls(address.user)
        try:
            await link._open(address, name, heartbeat)
        except (LinkError, asyncio.CancelledError):
            await link.close()
            raise
        return link

    async def _open(self, address: Address, name: str, heartbeat: int) -> None:
        ssl_options = address.ssl_context and pika.SSLOptions(address.ssl_context, address.host)
        parameters = pika.ConnectionParameters(
            host=address.host,
            port=address.port,
            virtual_host=address.vhost,
            credentials=pika.PlainCredentials(address.user, address.password),
            ssl_options=ssl_options,
            heartbeat=heartbeat,
            client_properties={"connection_name": name},
            socket_timeout=OPEN_TIMEOUT_SECONDS,
            stack_timeout=OPEN_TIMEOUT_SECONDS,
        )
        await self._answer(
            lambda done: setattr(
                self,
                "_connection",
                AsyncioConnection(
                    parameters,
                    on_open_callback=done,
                    on_open_error_callback=self._on_connection_close,
                    on_close_callback=self._on_connection_close,
                    custom_ioloop=self._loop,
                ),
            )
        )
        await self._answer(lambda done: setattr(self, "_channel", self._connection.channel(on_open_callback=done)))
        self._channel.add_on_close_callback(lambda _channel, reason: self._lose(to_link_error(reason)))
        self._channel.add_on_return_callback(self._on_return)
        await self._answer(lambda done: self._channel.confirm_delivery(self._on_confirm, callback=done))

    async def take_replies(self, on_reply: Callable[[str, bytes], None]) -> None:
        def on_message(_channel: Any, _method: Any, properties: Any, body: bytes) -> None:
            on_reply(properties.correlation_id or "", body)

        await self._answer(
            lambda done: self._channel.basic_consume(REPLY_TO, on_message, auto_ack=True, callback=done)
        )

    async def publish(self, request: Request) -> None:
        if self.lost.done():
            raise self.lost.result()
        properties = pika.BasicProperties(
            content_type=CONTENT_TYPE,
            delivery_mode=PERSISTENT,
            message_id=request.message_id,
            correlation_id=request.message_id,
            reply_to=REPLY_TO,
            user_id=self._user,
            headers={"x-deadline": request.deadline},
        )
        try:
            self._channel.basic_publish(
                request.exchange, request.operation, request.body, properties, mandatory=True
            )
        except Exception as error:
            raise to_link_error(error) from error
        self._published += 1
        confirmed: asyncio.Future[None] = self._loop.create_future()
        self._unconfirmed[self._published] = (request.message_id, confirmed)
        await self._wait(confirmed)

    def _on_confirm(self, frame: Any) -> None:
        method = frame.method
        tags = [method.delivery_tag]
        if method.multiple:
            tags = [tag for tag in self._unconfirmed if tag <= method.delivery_tag]
        for tag in tags:
            _message_id, confirmed = self._unconfirmed.pop(tag, (None, None))
            if confirmed is None or confirmed.done():
                continue
            if isinstance(method, pika.spec.Basic.Ack):
                confirmed.set_result(None)
            else:
                confirmed.set_exception(LinkError("the broker refuses the message: its queue is full"))

    def _on_return(self, _channel: Any, _method: Any, properties: Any, _body: bytes) -> None:
        for message_id, confirmed in self._unconfirmed.values():
            if message_id == properties.message_id and not confirmed.done():
                confirmed.set_exception(Unroutable("no queue takes it: is the account manager set up?"))

    async def take_events(self, queue: str, types: Sequence[str], on_event: Callable[[Delivery], None]) -> None:
        def on_message(_channel: Any, method: Any, _properties: Any, body: bytes) -> None:
            on_event(Delivery(body, lambda: self._ack(method.delivery_tag)))

        channel, self._events_queue = self._channel, queue
        await self._answer(lambda done: channel.basic_qos(prefetch_count=EVENTS_PREFETCH, callback=done))
        arguments = dict(EVENTS_QUEUE_ARGUMENTS)
        await self._answer(
            lambda done: channel.queue_declare(queue, durable=True, arguments=arguments, callback=done)
        )
        for type_ in types:
            await self._answer(lambda done: channel.queue_bind(queue, EVENTS_EXCHANGE, type_, callback=done))
        await self._answer(
            lambda done: setattr(self, "_events_tag", channel.basic_consume(queue, on_message, callback=done))
        )

    async def _ack(self, delivery_tag: int) -> None:
        if not self.lost.done():
            self._channel.basic_ack(delivery_tag)

    async def check_events(self) -> None:
        await self._answer(lambda done: self._channel.queue_declare(self._events_queue, passive=True, callback=done))

    async def stop_events(self) -> None:
        if self._events_tag is not None and not self.lost.done():
            await self._answer(lambda done: self._channel.basic_cancel(self._events_tag, callback=done))

    async def close(self) -> None:
        self._lose(LinkError("the client closed the connection"))
        if self._connection is None or self._connection.is_closed:
            return
        try:
            if not self._connection.is_closing:
                self._connection.close()
            async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
                await self._closed
        except Exception:
            pass  # It is gone already, or nobody answers: there is nothing left to do.

    async def _answer(self, ask: Callable[[Callable[..., None]], Any]) -> None:
        """Asks the broker for something and waits for its answer, or for the loss of the link."""
        answered: asyncio.Future[None] = self._loop.create_future()

        def done(*_answer: object) -> None:
            if not answered.done():
                answered.set_result(None)

        try:
            ask(done)
        except Exception as error:
            raise to_link_error(error) from error
        try:
            async with asyncio.timeout(OPEN_TIMEOUT_SECONDS):
                await self._wait(answered)
        except TimeoutError:
            raise LinkError("the broker did not answer in time") from None

    async def _wait(self, answered: asyncio.Future[None]) -> None:
        first: set[asyncio.Future[Any]] = {answered, self.lost}
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        if not answered.done():
            raise self.lost.result()
        answered.result()

    def _on_connection_close(self, _connection: object, reason: BaseException | None) -> None:
        if not self._closed.done():
            self._closed.set_result(None)
        self._lose(to_link_error(reason))

    def _lose(self, reason: LinkError) -> None:
        if not self.lost.done():
            self.lost.set_result(reason)
