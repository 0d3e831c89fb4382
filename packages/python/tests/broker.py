"""The broker of the tests: vhosts and users of their own."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import urllib.request
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit


@dataclass(frozen=True)
class Servers:
    """Servers that the tests run against, named by whoever starts them."""

    rabbitmq_url: str
    management_url: str
    #: AMQP URL of the vhost in which a service runs.
    service_url: str


def servers() -> Servers:
    given = os.environ.get("ACCOUNT_MANAGER_TEST")
    if given is None:
        raise RuntimeError("ACCOUNT_MANAGER_TEST is not set: these tests are started by test/clients/python.test.ts")
    return Servers(**json.loads(given))


def _manage(method: str, path: str, body: object = None) -> None:
    parts = urlsplit(servers().management_url)
    credentials = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}".encode()
    request = urllib.request.Request(
        f"{parts.scheme}://{parts.hostname}:{parts.port}{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "authorization": f"Basic {base64.b64encode(credentials).decode()}",
            "content-type": "application/json",
        },
    )
    with urllib.request.urlopen(request, timeout=30):
        pass


async def manage(method: str, path: str, body: object = None) -> None:
    await asyncio.to_thread(_manage, method, path, body)


def with_parts(
    url: str,
    *,
    vhost: str | None = None,
    user: str | None = None,
    password: str | None = None,
    port: int | None = None,
) -> str:
    """The URL with another vhost, user, password or port."""
    parts = urlsplit(url)
    user = parts.username or "guest" if user is None else quote(user)
    password = parts.password or "guest" if password is None else quote(password)
    netloc = f"{user}:{password}@{parts.hostname}:{port or parts.port or 5672}"
    return urlunsplit(parts._replace(netloc=netloc, path=parts.path if vhost is None else f"/{quote(vhost, safe='')}"))


class Vhost:
    """A vhost, and the users that were made for it."""

    def __init__(self) -> None:
        self.name = f"test-{uuid.uuid4()}"
        self.url = with_parts(servers().rabbitmq_url, vhost=self.name)
        self._users: list[str] = []

    async def create(self) -> None:
        await manage("PUT", f"/api/vhosts/{self.name}")
        user = unquote(urlsplit(self.url).username or "guest")
        await manage("PUT", f"/api/permissions/{self.name}/{user}", {"configure": ".*", "write": ".*", "read": ".*"})

    async def add_user(self, rights: dict[str, Any]) -> tuple[str, str]:
        """A user with these rights in the vhost: its name and password."""
        name, password = f"client-{uuid.uuid4().hex[:12]}", uuid.uuid4().hex
        await manage("PUT", f"/api/users/{name}", {"password": password, "tags": ""})
        self._users.append(name)
        await manage("PUT", f"/api/permissions/{self.name}/{name}", rights)
        return name, password

    async def drop(self) -> None:
        await manage("DELETE", f"/api/vhosts/{self.name}")
        for user in self._users:
            await manage("DELETE", f"/api/users/{user}")
