"""Plays a scenario of packages/scenarios.json with a client: see packages/README.md for what each word means."""

from __future__ import annotations

import asyncio
import base64
import copy
import dataclasses
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

import aio_pika
from account_manager import AccountManagerError
from broker import Vhost, with_parts
from clients import AsyncClient, BlockingClient, Client
from peer import Peer, Script, fill_instants
from proxy import Proxy

CLIENTS: dict[str, Any] = {"asyncio": AsyncClient, "blocking": BlockingClient}
#: Options of the file, and what they are called in Python, in seconds.
OPTIONS = {"timeout_ms": "timeout", "resend_after_ms": "resend_after", "close_timeout_ms": "close_timeout"}


class RPCError(Exception):
    """As Telethon raises an error that it has no class for."""


class OwnError(Exception):
    """An error of the program's own."""


class Returned(Exception):
    """Ends the steps of a body or of a function."""

    def __init__(self, value: Any) -> None:
        self.value = value


def mismatch(expected: Any, found: Any, path: str = "") -> str | None:
    """The part of the expectation that does not hold. None: all of it holds."""
    if expected == {"$any": True}:
        return None
    if isinstance(expected, dict):
        if not isinstance(found, dict):
            return f"{path}: expected an object, found {found!r}"
        for key, one in expected.items():
            if key not in found:
                return f"{path}.{key}: is not there"
            if (told := mismatch(one, found[key], f"{path}.{key}")) is not None:
                return told
        return None
    if isinstance(expected, list):
        if not isinstance(found, list) or len(found) != len(expected):
            return f"{path}: expected {expected!r}, found {found!r}"
        return next((t for i, e in enumerate(expected) if (t := mismatch(e, found[i], f"{path}[{i}]"))), None)
    return None if expected == found else f"{path}: expected {expected!r}, found {found!r}"


def telethon_session() -> str:
    key = bytes(random.sample(range(256), 256))
    data = bytes([2, 149, 154, 167, 50]) + (443).to_bytes(2, "big") + key
    return "1" + base64.urlsafe_b64encode(data).decode()


@dataclass
class Play:
    """One scenario under way."""

    scenario: dict[str, Any]
    script: Script
    options: dict[str, Any]
    kind: str
    url: str
    vhost: Vhost | None
    peer: Peer | None
    proxy: Proxy | None
    client: Client | None = None
    user_id: int = 0
    account_ids: list[str] = field(default_factory=list)
    handled: list[dict[str, Any]] = field(default_factory=list)
    queues: set[str] = field(default_factory=set)
    last_thrown: BaseException | None = None

    async def run(self) -> None:
        steps = list(self.scenario["client"])
        try:
            if steps and "connect_as" in steps[0]:
                await self.step(steps.pop(0), None)
            else:
                await self.connect()
            await self.play(steps, None)
        finally:
            if self.client is not None:
                await self.client.close()
        if self.peer is not None:
            await self.peer.catch_up()
            self.check_asked()
        self.check_order()

    async def connect(self) -> None:
        self.client = await CLIENTS[self.kind].connect(self.url, self.options)

    async def play(self, steps: list[dict[str, Any]], account: Any) -> Any:
        try:
            for step in steps:
                await self.step(step, account)
        except Returned as returned:
            return returned.value
        return None

    async def step(self, step: dict[str, Any], account: Any) -> None:
        began = time.monotonic()
        found, raised = None, None
        try:
            found = await self.do(step, account)
        except (Returned, asyncio.CancelledError):
            raise
        except Exception as error:
            if "expect_error" not in step:
                raise
            raised = error
        took_ms = (time.monotonic() - began) * 1000
        said = {key: step[key] for key in step if key != "do"}
        if "expect_error" in step:
            self.check_error(step["expect_error"], raised, said)
        elif "expect" in step and (told := mismatch(self.fill(step["expect"], account), found)) is not None:
            raise AssertionError(f"{said}: {told}")
        bounds = step.get("took_ms", {})
        if not bounds.get("at_least", 0) <= took_ms <= bounds.get("at_most", 60_000):
            raise AssertionError(f"{said}: took {took_ms:.0f} ms")

    def check_error(self, expected: dict[str, Any], raised: Exception | None, said: Any) -> None:
        if raised is None:
            raise AssertionError(f"{said}: nothing was raised")
        if expected == {"thrown": True}:
            if raised is not self.last_thrown:
                raise AssertionError(f"{said}: {raised!r} was raised") from raised
            return
        if not isinstance(raised, AccountManagerError):
            raise AssertionError(f"{said}: {raised!r} was raised") from raised
        fields = {name: getattr(raised, name) for name in ("code", "message", "retryable", "retry_after_ms", "details")}
        if (told := mismatch(expected, fields)) is not None:
            raise AssertionError(f"{said}: {told}") from raised

    def fill(self, value: Any, account: Any) -> Any:
        """The values that are known only now."""
        if isinstance(value, dict):
            if set(value) == {"$held"}:
                return getattr(account, value["$held"])
            if set(value) == {"$user"}:
                return self.user_id
            if set(value) == {"$account"}:
                return self.account_ids[value["$account"]]
            if set(value) == {"$any"}:
                return value
            return {key: self.fill(one, account) for key, one in value.items()}
        if isinstance(value, list):
            return [self.fill(one, account) for one in value]
        return value

    async def do(self, step: dict[str, Any], account: Any) -> Any:
        verb = next((verb for verb in VERBS if verb in step), None)
        if verb is None:
            raise AssertionError(f"this player does not know the step {step}")
        return await VERBS[verb](self, step, account)

    async def do_call(self, step: dict[str, Any], account: Any) -> Any:
        given = step.get("options", {})
        options = {
            **({"timeout": given["timeout_ms"] / 1000} if "timeout_ms" in given else {}),
            **({"message_id": given["message_id"]} if "message_id" in given else {}),
        }
        body = fill_instants(self.fill(step.get("body", {}), account))
        call = self.of_client.call(step["call"], body, options)
        if "abort_after_ms" in given:
            async with asyncio.timeout(given["abort_after_ms"] / 1000):
                return await call
        return await call

    async def do_with_account(self, step: dict[str, Any], account: Any) -> Any:
        async with self.of_client.account(self.fill(step["with_account"], account)) as held:
            return await self.play(step.get("do", []), held)

    async def do_act(self, step: dict[str, Any], account: Any) -> Any:
        wait = step.get("wait_ms", 0) / 1000
        outcome = await self.of_client.act(
            account, step["act"], step.get("channel"), lambda: self.play(step.get("do", []), account), wait
        )
        return {one.name: getattr(outcome, one.name) for one in dataclasses.fields(outcome)}

    async def do_return(self, step: dict[str, Any], _account: Any) -> Any:
        raise Returned(step["return"])

    async def do_throw(self, step: dict[str, Any], _account: Any) -> Any:
        told = step["throw"]
        if "telegram" in told:
            name, code = told["telegram"]["name"], told["telegram"]["code"]
            self.last_thrown = RPCError(f"RPCError {code}: {name} (caused by SendMessageRequest)")
        else:
            self.last_thrown = OwnError(told["own"])
        raise self.last_thrown

    async def do_until_lost(self, step: dict[str, Any], account: Any) -> Any:
        waiting = asyncio.ensure_future(self.of_client.until_lost(account))
        try:
            await asyncio.shield(waiting)
        except asyncio.CancelledError:
            if account.lost is None:
                raise
        if step.get("before_lease_end") and time.time() >= self.script.lease_ends_at:
            raise AssertionError("the loss was noticed after the end of the lease")
        return account.lost.details

    async def do_sleep_ms(self, step: dict[str, Any], account: Any) -> Any:
        until = time.monotonic() + step["sleep_ms"] / 1000
        while (left := until - time.monotonic()) > 0:
            try:
                await asyncio.sleep(left)
            except asyncio.CancelledError:
                if account is None or account.lost is None:
                    raise

    async def do_network(self, step: dict[str, Any], _account: Any) -> Any:
        assert self.proxy is not None
        await self.proxy.set(step["network"])

    async def do_subscribe(self, step: dict[str, Any], _account: Any) -> Any:
        told = step.get("handler", {})
        fails = dict(told.get("fails", {}))

        async def handle(event: Any) -> None:
            if event["id"] in told.get("hangs", []):
                await asyncio.Event().wait()
            await asyncio.sleep(told.get("takes_ms", 0) / 1000)
            if fails.get(event["id"], 0) > 0:
                fails[event["id"]] -= 1
                raise OwnError("the handler fails")
            self.handled.append(event)

        self.handled.clear()
        self.queues.add(step.get("queue") or f"events.{self.options['service_name']}")
        await self.of_client.subscribe(step["subscribe"], handle, step.get("queue"))

    async def do_publish(self, step: dict[str, Any], _account: Any) -> Any:
        assert self.peer is not None
        await self.peer.publish_events(step["publish"])

    async def do_handled(self, step: dict[str, Any], _account: Any) -> Any:
        await self.wait_for_handled(step["handled"], "id", step["within_ms"])

    async def do_handled_types(self, step: dict[str, Any], _account: Any) -> Any:
        await self.wait_for_handled(step["handled_types"], "type", step["within_ms"])

    async def wait_for_handled(self, expected: list[str], name: str, within_ms: float) -> None:
        give_up_at = time.monotonic() + within_ms / 1000
        while sorted(expected) != sorted(event[name] for event in self.handled):
            if time.monotonic() > give_up_at:
                raise AssertionError(f"handled {[event[name] for event in self.handled]}, expected {expected}")
            await asyncio.sleep(0.02)

    async def do_reopen(self, _step: dict[str, Any], _account: Any) -> Any:
        await self.of_client.close()
        await self.connect()

    async def do_close(self, _step: dict[str, Any], _account: Any) -> Any:
        await self.of_client.close()

    async def do_connections(self, step: dict[str, Any], _account: Any) -> Any:
        assert self.proxy is not None
        if self.proxy.connections != step["connections"]:
            raise AssertionError(f"{self.proxy.connections} connections, expected {step['connections']}")

    async def do_parallel(self, step: dict[str, Any], account: Any) -> Any:
        await asyncio.gather(*(self.play(steps, account) for steps in step["parallel"]))

    async def do_repeat(self, step: dict[str, Any], account: Any) -> Any:
        left = iter(range(step["repeat"]))

        async def worker() -> None:
            for _ in left:
                await self.play(step["do"], account)

        await asyncio.gather(*(worker() for _ in range(step["at_once"])))

    async def do_connect_as(self, step: dict[str, Any], _account: Any) -> Any:
        assert self.vhost is not None
        name, password = await self.vhost.add_user(step["connect_as"]["rights"])
        self.script.user = name
        self.url = with_parts(self.url, user=name, password=step["connect_as"].get("password", password))
        await self.connect()

    @property
    def of_client(self) -> Client:
        assert self.client is not None
        return self.client

    def check_order(self) -> None:
        """Events of one account are handled in their order."""
        last: dict[str, int] = {}
        for event in self.handled:
            subject, sequence = event.get("subject"), event["data"].get("sequence")
            if subject is not None and sequence is not None:
                assert last.get(subject, 0) < sequence, f"events of {subject} are out of order"
                last[subject] = sequence

    def check_asked(self) -> None:
        """Compares the requests that the peer got with the expected ones."""
        assert self.script.faults == []
        by_operation: dict[str, list[Any]] = {}
        for asked in self.script.asked.values():
            by_operation.setdefault(asked.operation, []).append(asked)
        for operation, expected in self.scenario.get("asked", {}).items():
            found = by_operation.get(operation, [])
            assert len(found) == len(expected), f"{operation}: asked {len(found)} times, expected {len(expected)}"
            for entry, asked in zip(expected, found, strict=True):
                told = mismatch(entry.get("body", {}), asked.body, operation)
                assert told is None, told
                _check_count(entry.get("copies", asked.copies), asked.copies, f"{operation}: copies")
        for operation, bounds in self.scenario.get("asked_count", {}).items():
            _check_count(bounds, len(by_operation.get(operation, [])), operation)

    async def register_fleet(self) -> None:
        """Registers the accounts that the scenario needs with the service."""
        self.user_id = random.randrange(1_000_000, 2_000_000_000)
        accounts = [
            {
                "user_id": self.user_id,
                "phone": f"+{self.user_id}{n:03d}",
                "session_data": telethon_session(),
            }
            for n in range(self.scenario["fleet"])
        ]
        registrar = await AsyncClient.connect(self.url, {"service_name": "registrar"})
        reply = await registrar.call("admin.register", {"accounts": accounts}, {})
        await registrar.close()
        self.account_ids = [one["account_id"] for one in reply["accounts"]]


def _check_count(expected: Any, found: int, what: str) -> None:
    if isinstance(expected, int):
        assert found == expected, f"{what}: {found}, expected {expected}"
    else:
        assert expected.get("at_least", 0) <= found <= expected.get("at_most", found), f"{what}: {found}"


VERBS: dict[str, Callable[[Play, dict[str, Any], Any], Any]] = {
    # The longer names first: "act" and "return" may stand beside others.
    "with_account": Play.do_with_account,
    "call": Play.do_call,
    "act": Play.do_act,
    "return": Play.do_return,
    "throw": Play.do_throw,
    "until_lost": Play.do_until_lost,
    "sleep_ms": Play.do_sleep_ms,
    "network": Play.do_network,
    "subscribe": Play.do_subscribe,
    "publish": Play.do_publish,
    "handled": Play.do_handled,
    "handled_types": Play.do_handled_types,
    "reopen": Play.do_reopen,
    "close": Play.do_close,
    "connections": Play.do_connections,
    "parallel": Play.do_parallel,
    "repeat": Play.do_repeat,
    "connect_as": Play.do_connect_as,
}


class Stage:
    """A vhost with a peer, on which one scenario is played after the other."""

    def __init__(self) -> None:
        self.vhost = Vhost()
        self.peer = Peer(self.vhost.url)
        self._queues: set[str] = set()

    async def open(self) -> None:
        await self.vhost.create()
        await self.peer.start()

    async def close(self) -> None:
        await self.peer.close()
        await self.vhost.drop()

    async def play(self, scenario: dict[str, Any], file: dict[str, Any], kind: str) -> None:
        """Plays a scenario against the peer."""
        user = unquote(urlsplit(self.vhost.url).username or "guest")
        script = Script(file["defaults"], copy.deepcopy(scenario.get("peer", {})), user)
        await self.peer.begin(script, self._queues)
        proxy = Proxy(self.vhost.url)
        url = await proxy.start()
        play = Play(scenario, script, read_options(file, scenario), kind, url, self.vhost, self.peer, proxy)
        try:
            await play.run()
        finally:
            self._queues = play.queues
            await proxy.close()


async def play_with_service(scenario: dict[str, Any], file: dict[str, Any], kind: str, url: str) -> None:
    """Plays a scenario against a service that runs in the vhost of the URL."""
    play = Play(scenario, Script(), read_options(file, scenario), kind, url, None, None, None)
    await play.register_fleet()
    try:
        await play.run()
    finally:
        # A queue of events would be in the next scenario's way.
        connection = await aio_pika.connect(url)
        channel = await connection.channel()
        for queue in play.queues:
            await channel.queue_delete(queue)
        await connection.close()


def read_options(file: dict[str, Any], scenario: dict[str, Any]) -> dict[str, Any]:
    """The scenario's options, as `connect` takes them."""
    given = {**file["options"], **scenario.get("options", {})}
    told: dict[str, Any] = {"service_name": given["service_name"]}
    for name, own_name in OPTIONS.items():
        if name in given:
            told[own_name] = given[name] / 1000
    if "heartbeat_seconds" in given:
        told["heartbeat"] = given["heartbeat_seconds"]
    return told


