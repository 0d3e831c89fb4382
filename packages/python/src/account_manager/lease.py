"""A lease on an account: kept by renewals until it is given back or lost. It knows nothing of the code that uses it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from .errors import AccountManagerError, Closed
from .failures import AccountNotFound, LeaseLost, NotHeld
from .message import read_instant
from .operations import AccountAllocateReplyAllocation, AccountErrorReplyResult
from .outcomes import Failed, Refused
from .requester import Requester
from .telegram import IsTelegramError, describe_error, find_telegram_error

log = logging.getLogger("account_manager")

#: The lease counts as lost this long before it ends, so that work can stop in time: a tenth of it, at most so much.
MARGIN_SECONDS = 5.0
#: A renewal that was refused for another reason than the lease is tried again after this.
RENEW_AGAIN_SECONDS = 1.0
#: A wait that this clock makes shorter than this is one of a clock that is ahead.
LEAST_WAIT_SECONDS = 0.05
LOSSES = (LeaseLost, NotHeld, AccountNotFound)


@dataclass(slots=True)
class Usage:
    """The actions done with an account under a lease. `act` counts by itself; add what you did without it."""

    invites_sent: int = 0
    messages_sent: int = 0
    contacts_added: int = 0
    #: Invites by channel.
    channel_usage: dict[str, int] = field(default_factory=dict)

    def count(self, action: str, channel: str | int | None) -> None:
        """Counts one action."""
        if action == "invite":
            self.invites_sent += 1
            if channel is not None:
                self.channel_usage[str(channel)] = self.channel_usage.get(str(channel), 0) + 1
        elif action == "message":
            self.messages_sent += 1
        elif action == "add_contact":
            self.contacts_added += 1


@dataclass(frozen=True, slots=True)
class Wish:
    """Needs of a request for an account."""

    service_name: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Permit:
    """One action that is allowed, and counted."""

    permit_id: str
    action: str
    channel: str | int | None


class Lease:
    """An account that is held. `lost` resolves with the error when it must not be used any more: LeaseLost, or Closed
    when the client is being closed.
    """

    def __init__(
        self, requester: Requester, wish: Wish, grant: dict[str, Any], sent_at: float, is_telegram: IsTelegramError
    ) -> None:
        self.allocation = cast(AccountAllocateReplyAllocation, grant)
        self.usage = Usage()
        self.lost: asyncio.Future[AccountManagerError] = asyncio.get_running_loop().create_future()
        self._requester = requester
        self._wish = wish
        self._is_telegram = is_telegram
        self._reported: list[BaseException] = []
        self._length = (read_instant(grant["expires_at"]) - read_instant(grant["allocated_at"])).total_seconds()
        #: By the rising clock of this process, so that no change of the clock moves them. The lease began after `sent_at`.
        self._renew_at = self._lost_at = 0.0
        self._begin(sent_at)
        self._keeper: asyncio.Task[None] | None = None
        self._settling: set[asyncio.Task[None]] = set()
        requester.on_closing.add(self._stop)

    def _begin(self, at: float) -> None:
        self._renew_at = at + self._length / 3
        self._lost_at = at + self._length - min(MARGIN_SECONDS, self._length / 10)

    async def start(self) -> None:
        """Renews from now on. A grant that was long under way is renewed before anybody uses it."""
        if time.monotonic() >= self._renew_at:
            # Whether it has ended nobody knows here; the answer tells.
            self._lost_at = max(self._lost_at, time.monotonic() + self._requester.patience.timeout)
            await self._renew()
            self.check()
        self._keeper = asyncio.ensure_future(self._keep())

    def check(self) -> None:
        """Raises LeaseLost when the lease is lost, or Closed."""
        if not self.lost.done() and time.monotonic() >= self._lost_at:
            self._lose_by_clock()
        if self.lost.done():
            raise self.lost.result()

    async def call(self, operation: str, body: Mapping[str, Any], **holder: Any) -> dict[str, Any]:
        """Asks something under the lease; a refusal that says that the lease is over ends it here, too."""
        self.check()
        try:
            answer = await self._requester.request(
                operation, {"account_id": self.allocation["account_id"], **holder, **body}
            )
        except LOSSES as error:
            raise self._lose(error.message, "reply") from error
        return answer.reply

    @property
    def holder(self) -> dict[str, Any]:
        """Fields that prove that the caller holds the account."""
        lease_id, fence = self.allocation["lease_id"], self.allocation["fence"]
        return {"service_name": self._wish.service_name, "lease_id": lease_id, "fence": fence}

    async def begin_action(self, action: str, channel: str | int | None, wait: float) -> Permit | Refused:
        """Asks for one action; waits for its time to come where that is within `wait` seconds."""
        give_up_at = time.monotonic() + wait
        body = {"action_type": action, "target_channel_id": channel}
        while True:
            reply = await self.call("action.acquire", body, **self.holder)
            if reply["allowed"]:
                self.usage.count(action, channel)
                return Permit(reply["permit_id"], action, channel)
            refused = Refused.read(reply)
            pause = _pause_before(refused)
            if pause is None or time.monotonic() + pause > give_up_at:
                return refused
            await asyncio.wait({self.lost}, timeout=pause)

    def settle(self, permit: Permit, *, is_success: bool) -> None:
        """Settles a permit. Nobody waits for it but the release: the action is counted since it was acquired."""
        body = {
            "account_id": self.allocation["account_id"],
            "action_type": permit.action,
            "target_channel_id": permit.channel,
            "permit_id": permit.permit_id,
            "success": is_success,
            "service_name": self._wish.service_name,
            "lease_id": self.allocation["lease_id"],
        }
        task = self._requester.in_background(self._record(body))
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)

    async def _record(self, body: Mapping[str, Any]) -> None:
        try:
            await self._requester.request("action.record", body, ends_work=True)
        except AccountManagerError as failure:
            log.warning("the permit %s was not settled: %s", body["permit_id"], failure)

    async def explain(self, error: BaseException) -> Failed | None:
        """Explains Telegram's error. None: it is none of Telegram's, or the report has failed."""
        if not self._is_telegram(error):
            return None
        result = await self.report(error)
        return None if result is None else Failed.read(error, result)

    async def report(self, error: BaseException) -> AccountErrorReplyResult | None:
        """Reports Telegram's error, once. None: it was reported before, or the report has failed."""
        if any(error is one for one in self._reported):
            return None
        self._reported.append(error)
        try:
            body = {"account_id": self.allocation["account_id"], **describe_error(error), **self.holder}
            reply = (await self._requester.request("account.error", body, ends_work=True)).reply
        except AccountManagerError as failure:
            log.warning("Telegram's error on %s was not reported: %s", self.allocation["account_id"], failure)
            if isinstance(failure, LOSSES):
                self._lose(failure.message, "reply")
            return None
        return cast(AccountErrorReplyResult, reply["result"])

    async def end(self, error: BaseException | None) -> None:
        """Stops renewing, reports Telegram's error behind `error`, and gives the account back.

        Raises nothing where there is an error of the caller's own: that one comes first.
        """
        self._requester.on_closing.discard(self._stop)
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        telegrams = None if error is None else find_telegram_error(error, self._is_telegram)
        if telegrams is not None:
            await self.report(telegrams)
        noticed_by = self.lost.result().details.get("noticed_by") if self.lost.done() else None
        if noticed_by == "clock":
            # It may be held still, but nobody must wait for a broker that is silent.
            self._requester.in_background(self._release(is_success=error is None))
        if noticed_by is not None:
            return
        try:
            await self._release(is_success=error is None)
        except AccountManagerError as failure:
            if error is None:
                raise
            log.warning("the account %s was not released: %s", self.allocation["account_id"], failure)

    async def _release(self, *, is_success: bool) -> None:
        await asyncio.gather(*self._settling)
        usage = self.usage
        stats: dict[str, Any] = {
            "invites_sent": usage.invites_sent,
            "messages_sent": usage.messages_sent,
            "contacts_added": usage.contacts_added,
            "success": is_success,
            **({"channel_usage": usage.channel_usage} if usage.channel_usage else {}),
        }
        body = {"account_id": self.allocation["account_id"], **self.holder, "usage_stats": stats}
        await self._requester.request("account.release", body, ends_work=True)

    async def _keep(self) -> None:
        """Renews in time, until the lease is lost."""
        while not self.lost.done():
            await asyncio.sleep(self._renew_at - time.monotonic())
            await self._renew()

    async def _renew(self) -> None:
        """Asks for a renewal until there is one, the lease is lost, or the clock says that it must be taken for lost."""
        body = {
            "account_id": self.allocation["account_id"],
            **self.holder,
            "timeout_minutes": self._wish.body.get("timeout_minutes"),
        }
        while (left := self._lost_at - time.monotonic()) > 0:
            try:
                answer = await self._requester.request(
                    "account.renew", body, timeout=left, resend_after=self._length / 10
                )
            except LOSSES as error:
                self._lose(error.message, "reply")
                return
            except Closed:
                return
            except AccountManagerError as error:
                log.warning("the lease on %s was not renewed: %s", self.allocation["account_id"], error)
                await asyncio.sleep(min(RENEW_AGAIN_SECONDS, max(0.0, self._lost_at - time.monotonic())))
            else:
                self.allocation["expires_at"] = answer.reply["expires_at"]
                self._begin(answer.sent_at)
                return
        self._lose_by_clock()

    def _stop(self) -> None:
        if not self.lost.done():
            self.lost.set_result(Closed("the client is being closed"))

    def _lose_by_clock(self) -> None:
        self._lose("the lease is about to end, and no renewal was answered", "clock")

    def _lose(self, message: str, noticed_by: str) -> AccountManagerError:
        if not self.lost.done():
            self.lost.set_result(LeaseLost(message, details={"noticed_by": noticed_by}))
        return self.lost.result()


async def take_lease(requester: Requester, wish: Wish, is_telegram: IsTelegramError) -> Lease:
    """Leases an account. A caller that is cancelled while it waits leaves no account leased behind."""
    taking = asyncio.ensure_future(_take(requester, wish, is_telegram))
    try:
        return await asyncio.shield(taking)
    except asyncio.CancelledError:
        requester.in_background(_give_back(taking))
        raise


async def _take(requester: Requester, wish: Wish, is_telegram: IsTelegramError) -> Lease:
    answer = await requester.request("account.allocate", {"service_name": wish.service_name, **wish.body})
    grant = answer.reply["allocation"]
    if grant.get("ended_at") is not None:
        # The first reply was lost, and the lease has ended since.
        raise LeaseLost("the lease had ended when the reply arrived", details={"noticed_by": "reply"})
    lease = Lease(requester, wish, grant, answer.sent_at, is_telegram)
    try:
        await lease.start()
    except BaseException as error:
        requester.in_background(lease.end(error))
        raise
    return lease


async def _give_back(taking: asyncio.Future[Lease]) -> None:
    lease = await taking
    await lease.end(asyncio.CancelledError())


def _pause_before(refused: Refused) -> float | None:
    """How long the refused action must wait, seconds; None: for ever.

    The account manager tells whole seconds, rounded up, which hold whatever this machine's clock says; within them the
    clock tells more exactly.
    """
    if refused.next_allowed_at is None:
        return None
    by_clock = read_instant(refused.next_allowed_at).timestamp() - time.time()
    told = float(refused.details.get("cooldown_remaining") or 0)
    if told > 0:
        by_clock = min(max(by_clock, told - 1), told)
    return max(LEAST_WAIT_SECONDS, by_clock)
