"""The facts about an account while it is held; the same for both clients."""

from __future__ import annotations

from typing import Any

from .errors import AccountManagerError
from .lease import Lease, Usage
from .operations import AccountAllocateReplyAllocation


class AccountFacts:
    """An account while it is held, without what can be done with it."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease

    @property
    def allocation(self) -> AccountAllocateReplyAllocation:
        """Everything that the account manager has said of it."""
        return self._lease.allocation

    @property
    def account_id(self) -> str:
        """The account."""
        return self.allocation["account_id"]

    @property
    def phone(self) -> str:
        """Its phone number."""
        return self.allocation["phone"]

    @property
    def session_data(self) -> str:
        """Its session string, as it was registered. Never log it."""
        return self.allocation["session_data"] or ""

    @property
    def metadata(self) -> dict[str, Any]:
        """The data registered with the account, such as its proxy."""
        return self.allocation["metadata"]

    @property
    def expires_at(self) -> str:
        """When the lease ends unless it is renewed: ISO 8601, UTC."""
        return self.allocation["expires_at"]

    @property
    def lease_id(self) -> str:
        """The lease."""
        return self.allocation["lease_id"]

    @property
    def fence(self) -> int:
        """Rises by one with every grant of the account."""
        return self.allocation["fence"]

    @property
    def usage(self) -> Usage:
        """The actions done under the lease. `act` counts by itself; add what was done without it."""
        return self._lease.usage

    @property
    def lost(self) -> AccountManagerError | None:
        """Why the account must not be used any more: LeaseLost, or Closed. None: it is held."""
        return self._lease.lost.result() if self._lease.lost.done() else None
