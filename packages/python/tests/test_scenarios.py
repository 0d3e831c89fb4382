"""The scenarios that every client is held to: packages/scenarios.json."""

from __future__ import annotations

import asyncio
import json
import os
import traceback
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from broker import servers
from player import Stage, play_with_service

FILE: dict[str, Any] = json.loads((Path(__file__).parents[2] / "scenarios.json").read_text())
SCENARIOS: list[dict[str, Any]] = FILE["scenarios"]
KINDS = ["asyncio", "blocking"]
#: So many scenarios are played beside each other: most of them wait.
STAGES = 10
#: Hundreds of repetitions leave the others no processor; a tenth must do, unless all are wanted.
MANY = 1_000
SHARE = 1 if os.environ.get("ACCOUNT_MANAGER_TEST_WHOLE") else 10

Key = tuple[str, str]


def fit(scenario: dict[str, Any]) -> dict[str, Any]:
    """The scenario as it is played here."""
    if not any(step.get("repeat", 0) >= MANY for step in scenario["client"]):
        return scenario
    steps = [{**step, "repeat": step["repeat"] // SHARE} if "repeat" in step else step for step in scenario["client"]]
    counts = {operation: count // SHARE for operation, count in scenario["asked_count"].items()}
    return {**scenario, "client": steps, "asked_count": counts}


def without_fail_point(scenario: dict[str, Any]) -> dict[str, Any]:
    """The service kills itself once, at this message: another one meets no more than its repeat would."""
    point = scenario.get("fail_point")
    if point is None:
        return scenario
    written: dict[str, Any] = json.loads(json.dumps(scenario).replace(point["message_id"], str(uuid.uuid4())))
    return written


async def attempt(work: Any) -> str | None:
    """The failure; None: there is none."""
    try:
        async with asyncio.timeout(90):
            await work
    except Exception:
        return traceback.format_exc()
    return None


async def play_all(chosen: list[Key]) -> dict[Key, str | None]:
    # Each call of the blocking client waits in a thread.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(300))
    results: dict[Key, str | None] = {}
    by_name = {one["name"]: fit(one) for one in SCENARIOS}
    against_peer = [key for key in chosen if by_name[key[1]]["against"] == "peer"]
    waiting = iter(against_peer)
    stages = [Stage() for _ in range(min(STAGES, len(against_peer)))]
    await asyncio.gather(*(stage.open() for stage in stages))

    async def play_on(stage: Stage) -> None:
        for kind, name in waiting:
            results[kind, name] = await attempt(stage.play(by_name[name], FILE, kind))

    async def play_on_service() -> None:
        for kind, name in chosen:
            if by_name[name]["against"] == "service":
                scenario = by_name[name] if kind == KINDS[0] else without_fail_point(by_name[name])
                results[kind, name] = await attempt(play_with_service(scenario, FILE, kind, servers().service_url))

    await asyncio.gather(play_on_service(), *(play_on(stage) for stage in stages))
    for kind, name in against_peer:
        # A scenario that failed in the crowd may have failed for want of a processor: alone it must not.
        if results[kind, name] is not None:
            results[kind, name] = await attempt(stages[0].play(by_name[name], FILE, kind))
    await asyncio.gather(*(stage.close() for stage in stages))
    return results


@pytest.fixture(scope="session")
def results(request: pytest.FixtureRequest) -> dict[Key, str | None]:
    chosen = [
        (item.callspec.params["kind"], item.callspec.params["scenario"]["name"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.originalname == "test_scenario"
    ]
    return asyncio.run(play_all(chosen))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=[one["name"] for one in SCENARIOS])
def test_scenario(results: dict[Key, str | None], scenario: dict[str, Any], kind: str) -> None:
    failed = results[kind, scenario["name"]]
    if failed is not None:
        pytest.fail(failed, pytrace=False)
