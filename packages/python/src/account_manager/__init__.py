"""The client of the account manager.

    async with account_manager.connect(url, service_name="inviting") as manager:
        async with manager.account(user_id=1, purpose="invite_campaign") as account:
            outcome = await account.act("invite", "@channel", lambda: telegram(InviteToChannelRequest(...)))

`account_manager.blocking` has the same for programs without asyncio.
"""

from . import blocking
from .errors import AccountManagerError, Closed, NoReply
from .events import Event
from .failures import *  # noqa: F403 - a class for every code of the contract
from .failures import __all__ as _failures
from .lease import Usage
from .manager import Account, AccountManager, Subscription, connect
from .operations import *  # noqa: F403 - the shapes of requests and replies
from .operations import __all__ as _operations
from .outcomes import Done, Failed, Outcome, Refused
from .telegram import is_telegram_error

__all__ = [
    "Account",
    "AccountManager",
    "AccountManagerError",
    "Closed",
    "Done",
    "Event",
    "Failed",
    "NoReply",
    "Outcome",
    "Refused",
    "Subscription",
    "Usage",
    "blocking",
    "connect",
    "is_telegram_error",
    *_failures,
    *_operations,
]
