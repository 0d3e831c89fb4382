"""Behaviour that is Python's own: tasks that are cancelled, threads, exceptions."""

from __future__ import annotations

import asyncio
import ssl
import threading
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import account_manager
import pytest
from account_manager import blocking
from account_manager.address import read_addresses
from account_manager.events import _matches
from account_manager.telegram import describe_error, find_telegram_error, is_telegram_error
from broker import Vhost, servers, with_parts
from peer import Peer, Script
from player import RPCError
from test_scenarios import FILE

WISH: dict[str, Any] = {"user_id": 101, "purpose": "invite_campaign"}
LEASE_LOST = {"refuse": {"code": "LEASE_LOST", "retryable": False}}


def short_lease(milliseconds: int) -> list[dict[str, Any]]:
    return [{"merge": {"allocation": {"expires_at": {"$after_ms": milliseconds}}}}]


@asynccontextmanager
async def a_peer(**answers: list[dict[str, Any]]) -> AsyncIterator[Peer]:
    """A peer that answers so; an operation is named with `_` in the place of `.`."""
    vhost = Vhost()
    await vhost.create()
    peer = Peer(vhost.url)
    await peer.start()
    peer.script = Script(FILE["defaults"], {name.replace("_", ".", 1): given for name, given in answers.items()})
    try:
        yield peer
    finally:
        await peer.close()
        await vhost.drop()


def asked(peer: Peer) -> list[str]:
    return [one.operation for one in peer.script.asked.values()]


def play(work: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(30):
            await work()

    asyncio.run(bounded())


def test_a_lost_lease_cancels_the_block_and_nothing_else() -> None:
    async def work() -> None:
        async with a_peer(account_allocate=short_lease(900), account_renew=[LEASE_LOST]) as peer:
            async with account_manager.connect(peer.url, service_name="test") as manager:
                cleaned = False
                with pytest.raises(account_manager.LeaseLost):
                    async with manager.account(**WISH):
                        try:
                            await asyncio.sleep(20)
                        finally:
                            cleaned = True
                assert cleaned
                task = asyncio.current_task()
                assert task is not None and task.cancelling() == 0
                await manager.query_recovery_stats()

    play(work)


def test_a_lease_that_is_lost_while_an_action_runs_is_told_by_act() -> None:
    async def work() -> None:
        async with a_peer(account_allocate=short_lease(900), account_renew=[LEASE_LOST]) as peer:
            async with account_manager.connect(peer.url, service_name="test") as manager:
                with pytest.raises(account_manager.LeaseLost):
                    async with manager.account(**WISH) as account:
                        await account.act("message", None, lambda: asyncio.sleep(20))
            assert "action.record" in asked(peer) and "account.release" not in asked(peer)

    play(work)


def test_a_cancelled_block_gives_its_account_back_and_stays_cancelled() -> None:
    async def work() -> None:
        async with a_peer() as peer:
            async with account_manager.connect(peer.url, service_name="test") as manager:
                entered = asyncio.Event()

                async def campaign() -> None:
                    async with manager.account(**WISH):
                        entered.set()
                        await asyncio.sleep(20)

                task = asyncio.create_task(campaign())
                await entered.wait()
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            assert asked(peer) == ["account.allocate", "account.release"]

    play(work)


def test_a_caller_that_is_cancelled_while_it_waits_for_an_account_leaves_none_leased() -> None:
    async def work() -> None:
        async with a_peer(account_allocate=[{"merge": {}, "delay_ms": 400}]) as peer:
            async with account_manager.connect(peer.url, service_name="test") as manager:
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.1):
                        async with manager.account(**WISH):
                            pass
            assert asked(peer) == ["account.allocate", "account.release"]

    play(work)


def test_closing_ends_the_blocks_and_gives_their_accounts_back() -> None:
    async def work() -> None:
        async with a_peer() as peer:
            manager = await account_manager.connect(peer.url, service_name="test")
            entered = asyncio.Event()

            async def campaign() -> None:
                async with manager.account(**WISH):
                    entered.set()
                    await asyncio.sleep(20)

            task = asyncio.create_task(campaign())
            await entered.wait()
            await manager.close()
            with pytest.raises(account_manager.Closed):
                await task
            await peer.catch_up()
            assert asked(peer) == ["account.allocate", "account.release"]

    play(work)


def test_telegrams_error_behind_another_is_reported_and_the_other_goes_on() -> None:
    async def work() -> None:
        async with a_peer() as peer:
            async with account_manager.connect(peer.url, service_name="test") as manager:
                with pytest.raises(LookupError):
                    async with manager.account(**WISH):
                        try:
                            raise RPCError("RPCError 420: FLOOD_WAIT_7 (caused by SendMessageRequest)")
                        except RPCError as error:
                            raise LookupError("the campaign stops") from error
            reported = [one.body for one in peer.script.asked.values() if one.operation == "account.error"]
            texts = [body["error_message"] for body in reported]
            assert texts == ["RPCError 420: FLOOD_WAIT_7 (caused by SendMessageRequest)"]

    play(work)


def test_the_blocking_client_tells_a_lost_lease_at_the_next_call_and_at_the_end() -> None:
    async def work() -> None:
        async with a_peer(account_allocate=short_lease(900), account_renew=[LEASE_LOST]) as peer:

            def campaign() -> None:
                with blocking.connect(peer.url, service_name="test") as manager:
                    with pytest.raises(account_manager.LeaseLost):
                        with manager.account(**WISH) as account:
                            assert account.lost is None
                            assert isinstance(account.until_lost(timeout=10), account_manager.LeaseLost)
                            with pytest.raises(account_manager.LeaseLost):
                                account.act("message", None, lambda: None)

            await asyncio.to_thread(campaign)

    play(work)


def test_the_blocking_client_calls_in_the_callers_thread_and_ends_its_own() -> None:
    async def work() -> None:
        async with a_peer() as peer:

            def campaign() -> threading.Thread | None:
                with blocking.connect(peer.url, service_name="threads") as manager:
                    own = next((one for one in threading.enumerate() if one.name == "account-manager threads"), None)
                    with manager.account(**WISH) as account:
                        outcome = account.act("message", None, threading.current_thread)
                        assert outcome == account_manager.Done(threading.current_thread())
                with pytest.raises(account_manager.Closed):
                    manager.query_status()
                return own

            own = await asyncio.to_thread(campaign)
            assert own is not None and not own.is_alive()

    play(work)


def test_a_queue_of_events_that_somebody_deletes_is_declared_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("account_manager.events.CHECK_SECONDS", 0.2)
    event = {"id": "40000000-0000-4000-8000-000000000001", "type": "account.released"}

    async def work() -> None:
        async with a_peer() as peer, account_manager.connect(peer.url, service_name="test") as manager:

            def subscribe(handler: Callable[[Any], None]) -> Any:
                client = blocking.connect(peer.url, service_name="blocking")
                client.subscribe(["account.released"], handler)
                return client

            handled: list[str] = []
            await manager.subscribe(["account.released"], lambda event: handled.append("asyncio"))
            other = await asyncio.to_thread(subscribe, lambda event: handled.append("blocking"))
            for queue in ("events.test", "events.blocking"):
                await peer.delete_queue(queue)
            while sorted(set(handled)) != ["asyncio", "blocking"]:
                await peer.publish_events([{**event, "id": str(uuid.uuid4())}])
                await asyncio.sleep(0.1)
            await asyncio.to_thread(other.close)

    play(work)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("amqp://h", ("h", 5672, "guest", "guest", "/")),
        ("amqp://a%40b:p%2Fw@h:1/%2F", ("h", 1, "a@b", "p/w", "/")),
        ("amqps://u:@[::1]/v%20w", ("::1", 5671, "u", "", "v w")),
    ],
)
def test_an_address_is_read_from_a_url(url: str, expected: tuple[object, ...]) -> None:
    [address] = read_addresses(url)
    assert (address.host, address.port, address.user, address.password, address.vhost) == expected
    assert (address.ssl_context is None) == url.startswith("amqp:")


def test_several_nodes_and_a_wrong_url() -> None:
    context = ssl.create_default_context()
    assert [one.host for one in read_addresses("amqps://a/v, amqps://b/v", context)] == ["a", "b"]
    with pytest.raises(ValueError, match="AMQP URL") as told:
        read_addresses("http://user:secret@h")
    assert "secret" not in str(told.value)


def test_which_errors_are_telegrams() -> None:
    class FloodWait(RPCError):
        value = 12

    FloodWait.__module__ = "pyrogram.errors.exceptions.flood_420"
    error = FloodWait("Telegram says: [420 FLOOD_WAIT_X] - A wait of 12 seconds is required")
    assert is_telegram_error(error) and not is_telegram_error(ValueError("x"))
    assert find_telegram_error(ExceptionGroup("several", [ValueError("x"), error]), is_telegram_error) is error
    assert find_telegram_error(ValueError("x"), is_telegram_error) is None
    assert describe_error(error) == {"error_type": "FloodWait", "error_message": str(error), "seconds": 12}


def test_telethons_own_errors_are_reported_as_it_prints_them() -> None:
    from telethon.errors import FloodWaitError, UserPrivacyRestrictedError

    flood = FloodWaitError(request=None, capture=300)
    privacy = UserPrivacyRestrictedError(request=None)
    assert is_telegram_error(flood) and is_telegram_error(privacy)
    assert describe_error(flood) == {"error_type": "FloodWaitError", "error_message": str(flood), "seconds": 300}
    assert describe_error(privacy) == {"error_type": "UserPrivacyRestrictedError", "error_message": str(privacy)}


def test_a_vhost_that_is_not_there_is_told_at_once() -> None:
    async def work() -> None:
        url = with_parts(servers().rabbitmq_url, vhost="nowhere")
        for attempt in (
            lambda: asyncio.ensure_future(account_manager.connect(url, service_name="test").__aenter__()),
            lambda: asyncio.ensure_future(asyncio.to_thread(blocking.connect, url, service_name="test")),
        ):
            with pytest.raises(account_manager.Forbidden) as told:
                await attempt()
            assert told.value.details == {"refused_by": "broker"}

    play(work)


@pytest.mark.parametrize(
    ("pattern", "word", "matches"),
    [
        ("account.released", "account.released", True),
        ("account.*", "account.released", True),
        ("*.released", "account.allocated", False),
        ("#", "limits.reset", True),
        ("account.#", "account", True),
        ("account.*", "account", False),
    ],
)
def test_types_are_compared_as_a_topic_exchange_does(pattern: str, word: str, matches: bool) -> None:
    assert _matches(pattern.split("."), word.split(".")) is matches
