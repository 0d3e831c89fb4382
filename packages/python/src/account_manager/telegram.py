"""Errors of Telegram libraries: which are Telegram's word on an account, and how they are reported."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

#: Decides whether an exception is Telegram's word, so that the account manager should know of it.
IsTelegramError = Callable[[BaseException], bool]

LIBRARIES = frozenset({"telethon", "pyrogram", "hydrogram"})


def is_telegram_error(error: BaseException) -> bool:
    """Whether Telethon, Pyrogram or one of its descendants defines the exception, or a class called `RPCError`.

    Give `connect` a function of your own where you use another library.
    """
    return isinstance(error, Exception) and any(
        base.__module__.split(".")[0] in LIBRARIES or base.__name__ == "RPCError" for base in type(error).__mro__
    )


def find_telegram_error(error: BaseException, is_telegram: IsTelegramError) -> BaseException | None:
    """Telegram's error behind an exception: itself, what it was raised from, or a part of a group."""
    return next((one for one in _chain(error, set()) if is_telegram(one)), None)


def _chain(error: BaseException, seen: set[int]) -> Iterator[BaseException]:
    if id(error) in seen:
        return
    seen.add(id(error))
    yield error
    parts = list(error.exceptions) if isinstance(error, BaseExceptionGroup) else []
    behind = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    for other in [*parts, *([behind] if behind is not None else [])]:
        yield from _chain(other, seen)


def describe_error(error: BaseException) -> dict[str, Any]:
    """The fields of `account.error` that tell of an exception: its class, its text whole, and the wait it names.

    Telethon has the wait in `seconds`, Pyrogram in the `value` of classes such as `FloodWait`.
    """
    described: dict[str, Any] = {"error_type": type(error).__name__, "error_message": str(error) or repr(error)}
    seconds = getattr(error, "seconds", None)
    if seconds is None and "wait" in type(error).__name__.lower():
        seconds = getattr(error, "value", None)
    if isinstance(seconds, (int, float)) and not isinstance(seconds, bool) and seconds >= 0:
        described["seconds"] = seconds
    return described
