"""The proxy of an account, as each library takes it.

It stands in the account's `metadata` under `proxy`: a URL such as `socks5://user:password@host:1080`, or an object with
`url`, or with `ip`, `port`, `socksType`, `username` and `password`.
"""

from typing import Any
from urllib.parse import unquote, urlsplit


def read_proxy(metadata: dict[str, Any]) -> dict[str, Any] | None:
    """Scheme, host, port, user name and password; None: the account connects straight."""
    stored = metadata.get("proxy")
    if not stored:
        return None
    if isinstance(stored, dict) and "url" not in stored:
        return {
            "scheme": f"socks{stored.get('socksType', 5)}",
            "host": stored["ip"],
            "port": int(stored["port"]),
            "username": stored.get("username"),
            "password": stored.get("password"),
        }
    parts = urlsplit(stored if isinstance(stored, str) else stored["url"])
    if parts.scheme not in ("socks4", "socks5", "http") or parts.hostname is None:
        # To connect without its proxy would show the account's traffic from another place.
        raise ValueError("the proxy stored with the account is none that this library can use")
    return {
        "scheme": parts.scheme,
        "host": parts.hostname,
        "port": parts.port or 1080,
        "username": unquote(parts.username) if parts.username else None,
        "password": unquote(parts.password) if parts.password else None,
    }


def telethon_proxy(metadata: dict[str, Any]) -> dict[str, Any] | None:
    """For `TelegramClient(proxy=…)`; needs python-socks."""
    proxy = read_proxy(metadata)
    if proxy is None:
        return None
    return {
        "proxy_type": proxy["scheme"],
        "addr": proxy["host"],
        "port": proxy["port"],
        "username": proxy["username"],
        "password": proxy["password"],
        "rdns": True,
    }


def pyrogram_proxy(metadata: dict[str, Any]) -> dict[str, Any] | None:
    """For `Client(proxy=…)`."""
    proxy = read_proxy(metadata)
    if proxy is None:
        return None
    known = {"scheme": proxy["scheme"], "hostname": proxy["host"], "port": proxy["port"]}
    return {**known, "username": proxy["username"], "password": proxy["password"]}
