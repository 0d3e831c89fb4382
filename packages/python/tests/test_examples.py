"""The examples do what they say, against a real service."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from pathlib import Path

import account_manager
from broker import servers
from player import telethon_session

EXAMPLES = Path(__file__).parents[3] / "examples/python"


async def register(url: str) -> int:
    """A user with one account."""
    user_id = random.randrange(1_000_000, 2_000_000_000)
    async with account_manager.connect(url, service_name="registrar") as manager:
        account: account_manager.AdminRegisterAccounts = {
            "user_id": user_id,
            "phone": f"+{user_id}000",
            "session_data": telethon_session(),
        }
        reply = await manager.admin_register(accounts=[account])
    assert [one["outcome"] for one in reply["accounts"]] == ["created"]
    return user_id


def test_the_plain_example_sends_its_messages_and_gives_the_account_back() -> None:
    url = servers().service_url
    user_id = asyncio.run(register(url))
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "allocate.py"), str(user_id)],
        env={**os.environ, "RABBITMQ_URL": url},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("allocated ")
    assert lines[1:] == ["sent message 0", "sent message 1", "sent message 2", "given back after 3 messages"]
