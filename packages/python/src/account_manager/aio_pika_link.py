"""A link over aio-pika."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange, AbstractIncomingMessage, AbstractQueue
from aio_pika.exceptions import DeliveryError
from yarl import URL

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


class AioPikaLink:
    """One connection and one channel of aio-pika."""

    def __init__(self, user: str, connection: AbstractConnection, channel: AbstractChannel) -> None:
        self.lost: asyncio.Future[LinkError] = asyncio.get_running_loop().create_future()
        self._user = user
        self._connection = connection
        self._channel = channel
        self._exchanges: dict[str, AbstractExchange] = {}
        self._events: tuple[AbstractQueue, str] | None = None
        channel.close_callbacks.add(self._on_close)
        connection.close_callbacks.add(self._on_close)

    @classmethod
    async def open(cls, address: Address, name: str, heartbeat: int) -> AioPikaLink:
        """Opens a connection."""
        url = URL.build(
            scheme="amqp" if address.ssl_context is None else "amqps",
            host=address.host,
            port=address.port,
            user=address.user,
            password=address.password,
            path=f"/{address.vhost}",
            # A connection on which nothing came for three times `timeout` is taken for lost.
            query={"name": name, "heartbeat": str(heartbeat), "timeout": str(max(1, heartbeat // 2))},
        )
        connection: AbstractConnection | None = None
        try:
            async with asyncio.timeout(OPEN_TIMEOUT_SECONDS):
                connection = await aio_pika.connect(url, ssl_context=address.ssl_context)
                # Without confirms aiormq does not tell of messages that were returned.
                channel = connection.channel(publisher_confirms=True, on_return_raises=True)
                await channel.initialize()
            return cls(address.user, connection, channel)
        except (Exception, asyncio.CancelledError) as error:
            if connection is not None:
                await _close(connection)
            if isinstance(error, asyncio.CancelledError):
                raise
            if isinstance(error, TimeoutError):
                raise LinkError(f"{address.host}:{address.port} did not answer in time") from error
            raise to_link_error(error) from error

    async def take_replies(self, on_reply: Callable[[str, bytes], None]) -> None:
        def on_message(message: AbstractIncomingMessage) -> None:
            on_reply(message.correlation_id or "", message.body)

        await self._guard(self._consume(REPLY_TO, on_message))

    async def _consume(self, name: str, on_message: Callable[[AbstractIncomingMessage], None]) -> None:
        queue = await self._channel.get_queue(name, ensure=False)
        await queue.consume(on_message, no_ack=True)

    async def publish(self, request: Request) -> None:
        message = aio_pika.Message(
            request.body,
            content_type=CONTENT_TYPE,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            message_id=request.message_id,
            correlation_id=request.message_id,
            reply_to=REPLY_TO,
            user_id=self._user,
            headers={"x-deadline": request.deadline},
        )
        try:
            exchange = self._exchanges.get(request.exchange)
            if exchange is None:
                exchange = await self._channel.get_exchange(request.exchange, ensure=False)
                self._exchanges[request.exchange] = exchange
            await exchange.publish(message, request.operation, mandatory=True)
        except DeliveryError as error:
            if error.message is None:
                raise LinkError("the broker refuses the message: its queue is full") from error
            raise Unroutable("no queue takes it: is the account manager set up?") from error
        except Exception as error:
            raise to_link_error(error) from error

    async def take_events(self, queue: str, types: Sequence[str], on_event: Callable[[Delivery], None]) -> None:
        def on_message(message: AbstractIncomingMessage) -> None:
            on_event(Delivery(message.body, lambda: self._ack(message)))

        async def subscribe() -> None:
            await self._channel.set_qos(prefetch_count=EVENTS_PREFETCH)
            declared = await self._channel.declare_queue(queue, durable=True, arguments=EVENTS_QUEUE_ARGUMENTS)
            for type_ in types:
                await declared.bind(EVENTS_EXCHANGE, type_)
            self._events = (declared, await declared.consume(on_message))

        await self._guard(subscribe())

    async def _ack(self, message: AbstractIncomingMessage) -> None:
        if self.lost.done():
            return
        try:
            await message.ack()
        except Exception as error:
            self._lose(to_link_error(error))

    async def check_events(self) -> None:
        if self._events is not None:
            await self._guard(self._channel.declare_queue(self._events[0].name, passive=True))

    async def stop_events(self) -> None:
        if self._events is not None and not self.lost.done():
            queue, tag = self._events
            await self._guard(queue.cancel(tag, timeout=CLOSE_TIMEOUT_SECONDS))

    async def close(self) -> None:
        self._lose(LinkError("the client closed the connection"))
        await _close(self._connection)

    async def _guard(self, work: Any) -> None:
        """Waits for an answer of the broker. The error of aiormq for a closed channel has lost the reason."""
        try:
            async with asyncio.timeout(OPEN_TIMEOUT_SECONDS):
                await work
        except Exception as error:
            if not self.lost.done() and not isinstance(error, TimeoutError):
                self._lose(to_link_error(error))
            raise (self.lost.result() if self.lost.done() else to_link_error(error)) from error

    def _on_close(self, _sender: object, error: BaseException | None = None) -> None:
        self._lose(to_link_error(error))

    def _lose(self, reason: LinkError) -> None:
        if not self.lost.done():
            self.lost.set_result(reason)


async def _close(connection: AbstractConnection) -> None:
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
            await connection.close()
    except Exception:
        pass  # It is gone already, or nobody answers: there is nothing left to do.
