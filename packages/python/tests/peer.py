"""A scripted peer that takes the service's place on the real broker: see packages/README.md."""

from __future__ import annotations

import asyncio
import copy
import json
import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import aio_pika
from aio_pika.abc import AbstractIncomingMessage

REQUESTS, ADMIN, EVENTS = "account-manager.requests", "account-manager.admin", "account-manager.events"
MARKER = "marker"


def after_ms(milliseconds: float) -> str:
    at = datetime.fromtimestamp(time.time() + milliseconds / 1000, timezone.utc)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def fill_instants(value: Any) -> Any:
    """`{"$after_ms": n}` becomes the instant that much later."""
    if isinstance(value, dict):
        if set(value) == {"$after_ms"}:
            return after_ms(value["$after_ms"])
        return {key: fill_instants(one) for key, one in value.items()}
    return [fill_instants(one) for one in value] if isinstance(value, list) else value


def merge(whole: Any, part: Any) -> Any:
    if not isinstance(whole, dict) or not isinstance(part, dict) or set(part) == {"$after_ms"}:
        return part
    return {**whole, **{key: merge(whole.get(key), one) for key, one in part.items()}}


@dataclass
class Asked:
    """One request, and its copies."""

    operation: str
    body: dict[str, Any]
    envelope: tuple[object, ...]
    copies: int = 1
    #: The answer; None: nothing that is remembered.
    reply: asyncio.Future[dict[str, Any]] | None = None


@dataclass
class Script:
    """Answers of the peer in a scenario, and the requests that it got."""

    defaults: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    user: str = "guest"
    asked: dict[str, Asked] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    #: The end of the lease that was granted last, seconds since 1970.
    lease_ends_at: float = 0.0

    def next_answer(self, operation: str) -> dict[str, Any]:
        left = self.answers.get(operation, [])
        if not left:
            return {"merge": {}}
        return left[0] if left[0].get("always") else left.pop(0)

    def write(self, operation: str, answer: dict[str, Any]) -> dict[str, Any]:
        """The reply that an answer stands for."""
        if "refuse" in answer:
            return {"success": False, "error": {"message": "refused", **answer["refuse"]}}
        if "reply" in answer:
            return dict(fill_instants(answer["reply"]))
        return dict(fill_instants(merge(copy.deepcopy(self.defaults.get(operation, {"success": True})), answer["merge"])))


class Peer:
    """Serves a vhost, one scenario after the other."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.script = Script()
        self._marked: dict[str, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._connection = await aio_pika.connect(self.url)
        self._channel = await self._connection.channel(publisher_confirms=False)
        requests = await self._channel.declare_exchange(REQUESTS, "topic", durable=True)
        admin = await self._channel.declare_exchange(ADMIN, "direct", durable=True)
        self._events = await self._channel.declare_exchange(EVENTS, "topic", durable=True)
        self._requests = requests
        queue = await self._channel.declare_queue("peer", durable=True)
        await queue.bind(requests, "#")
        await queue.bind(admin, "admin.run-job")
        await queue.consume(self._on_request, no_ack=True)

    async def begin(self, script: Script, queues: set[str]) -> None:
        """Serves a scenario from now on; the queues are of the one before."""
        await self.catch_up()
        for task in list(self._tasks):
            task.cancel()
        for queue in queues:
            await self._channel.queue_delete(queue)
        self.script = script

    async def catch_up(self) -> None:
        """Waits until everything that was sent before now has been taken."""
        marker = str(uuid.uuid4())
        self._marked[marker] = asyncio.Event()
        await self._requests.publish(aio_pika.Message(b"{}", message_id=marker), MARKER)
        async with asyncio.timeout(10):
            await self._marked[marker].wait()
        del self._marked[marker]

    async def publish_events(self, events: list[dict[str, Any]]) -> None:
        for event in events:
            body = {
                "specversion": "1.0",
                "id": event["id"],
                "source": "account-manager",
                "type": event["type"],
                "time": after_ms(0),
                "datacontenttype": "application/json",
                "data": {"sequence": event["sequence"]} if "sequence" in event else {},
                **({"subject": event["subject"]} if "subject" in event else {}),
            }
            message = aio_pika.Message(
                json.dumps(body).encode(),
                message_id=event["id"],
                content_type="application/cloudevents+json",
                delivery_mode=2,
            )
            await self._events.publish(message, event["type"])

    async def delete_queue(self, name: str) -> None:
        await self._channel.queue_delete(name)

    async def close(self) -> None:
        await self._connection.close()

    def _on_request(self, message: AbstractIncomingMessage) -> None:
        operation = message.routing_key or ""
        if operation == MARKER:
            if (marked := self._marked.get(message.message_id or "")) is not None:
                marked.set()
            return
        script = self.script
        envelope = (
            operation,
            message.body,
            message.content_type,
            message.correlation_id,
            message.user_id,
            dict(message.headers or {}).get("x-deadline"),
            int(message.delivery_mode or 0),
        )
        known = script.asked.get(message.message_id or "")
        if known is None:
            self._check(message)
            known = Asked(operation, json.loads(message.body), envelope)
            script.asked[message.message_id or ""] = known
        else:
            known.copies += 1
            if known.envelope != envelope:
                script.faults.append(f"a copy of {operation} differs: {known.envelope} and {envelope}")
        task = asyncio.ensure_future(self._answer(script, known, message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, script: Script, asked: Asked, message: AbstractIncomingMessage) -> None:
        if asked.reply is None:
            answer = script.next_answer(asked.operation)
            if answer.get("silence"):
                return
            done = answer.get("lose", answer)
            reply = script.write(asked.operation, done)
            if reply.get("error", {}).get("code") not in ("UNAVAILABLE", "INTERNAL"):
                asked.reply = asyncio.get_running_loop().create_future()
            await asyncio.sleep(answer.get("delay_ms", 0) / 1000)
            if asked.reply is not None:
                asked.reply.set_result(reply)
            if "lose" in answer:
                return
        else:
            reply = await asyncio.shield(asked.reply)
        expires_at = reply.get("allocation", reply).get("expires_at")
        if expires_at is not None:
            script.lease_ends_at = datetime.fromisoformat(expires_at).timestamp()
        headers = {"x-error-code": reply["error"]["code"]} if "error" in reply else {}
        answer_message = aio_pika.Message(
            json.dumps(reply).encode(), correlation_id=message.correlation_id, headers=headers, type=asked.operation
        )
        await self._channel.default_exchange.publish(answer_message, message.reply_to or "", mandatory=False)

    def _check(self, message: AbstractIncomingMessage) -> None:
        deadline = dict(message.headers or {}).get("x-deadline")
        rules = {
            "persistent": int(message.delivery_mode or 0) == 2,
            "content_type": message.content_type == "application/json",
            "message_id": _is_uuid(message.message_id),
            "correlation_id": message.correlation_id == message.message_id,
            "reply_to": (message.reply_to or "").startswith("amq.rabbitmq.reply-to"),
            "user_id": message.user_id == self.script.user,
            "x-deadline": isinstance(deadline, str) and bool(datetime.fromisoformat(deadline)),
        }
        self.script.faults += [f"{message.routing_key}: wrong {name}" for name, holds in rules.items() if not holds]


def _is_uuid(text: str | None) -> bool:
    try:
        return text is not None and str(uuid.UUID(text)) == text
    except ValueError:
        return False
