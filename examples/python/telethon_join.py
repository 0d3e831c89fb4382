"""Joins a chat by its invite link with Telethon and an account of the account manager's.

    pip install ./packages/python telethon python-socks
    RABBITMQ_URL=amqp://… TELEGRAM_API_ID=… TELEGRAM_API_HASH=… python3 examples/python/telethon_join.py 101 t.me/+HASH

The account's session must be one of Telethon's.
"""

import asyncio
import os
import sys

import account_manager
from account_manager import Done, Failed, Refused
from proxies import telethon_proxy
from telethon import TelegramClient
from telethon.sessions import StringSession
from telethon.tl.functions.messages import ImportChatInviteRequest


async def main(user_id: int, link: str) -> None:
    api_id, api_hash = int(os.environ["TELEGRAM_API_ID"]), os.environ["TELEGRAM_API_HASH"]
    async with account_manager.connect(os.environ["RABBITMQ_URL"], service_name="telethon-example") as manager:
        async with manager.account(user_id=user_id, purpose="channel_management", target_channel_id=link) as account:
            telegram = TelegramClient(
                StringSession(account.session_data),
                api_id,
                api_hash,
                proxy=telethon_proxy(account.metadata),
                # The account manager is told of every wait and decides: Telethon must not sleep through one by itself.
                flood_sleep_threshold=0,
            )
            # An error of Telegram's that ends the block, here or later, is reported as well.
            await telegram.connect()
            try:
                invite = link.rsplit("+", 1)[-1]
                outcome = await account.act(
                    "join_channel", link, lambda: telegram(ImportChatInviteRequest(invite)), wait=120
                )
            finally:
                await telegram.disconnect()
    match outcome:
        case Done():
            print("joined")
        case Refused(reason=reason, next_allowed_at=at):
            print(f"not now: {reason}; next allowed at {at}")
        case Failed(error=error, classified_as=kind, new_status=status, should_retry=again):
            print(f"{type(error).__name__}: {kind}; the account is {status}; " + ("try later" if again else "do not retry"))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: telethon_join.py USER_ID INVITE_LINK")
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
