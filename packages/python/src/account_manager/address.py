"""Where a broker is, read from an AMQP URL."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

DEFAULT_PORTS = {"amqp": 5672, "amqps": 5671}


@dataclass(frozen=True, slots=True)
class Address:
    """One node of a broker, and whom to log in as. `ssl_context`: None where the connection is not encrypted."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    vhost: str
    ssl_context: ssl.SSLContext | None = field(repr=False)


def read_addresses(urls: str, ssl_context: ssl.SSLContext | None = None) -> list[Address]:
    """The addresses in a URL, or in several URLs of one cluster separated by commas."""
    return [_read_address(url, ssl_context) for url in re.split(r"\s*,\s*(?=[a-z]+://)", urls.strip())]


def _read_address(url: str, ssl_context: ssl.SSLContext | None) -> Address:
    parts = urlsplit(url)
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        # The URL itself may hold a password.
        raise ValueError("url: must be an AMQP URL such as amqp://user:password@host:5672/vhost")
    return Address(
        host=parts.hostname,
        port=parts.port or DEFAULT_PORTS[parts.scheme],
        user=unquote(parts.username) if parts.username else "guest",
        password=unquote(parts.password) if parts.password is not None else "guest",
        vhost=unquote(parts.path[1:]) or "/",
        ssl_context=(ssl_context or ssl.create_default_context()) if parts.scheme == "amqps" else None,
    )
