"""Sends one message with Pyrogram and an account of the account manager's.

    pip install ./packages/python pyrogram tgcrypto
    RABBITMQ_URL=amqp://… TELEGRAM_API_ID=… TELEGRAM_API_HASH=… python3 examples/python/pyrogram_message.py 101 @somebody Hello

The account's session must be one of Pyrogram's.
"""

import asyncio
import os
import sys

import account_manager
from account_manager import Done, Failed, Refused
from proxies import pyrogram_proxy
from pyrogram import Client


async def main(user_id: int, chat: str, text: str) -> None:
    api_id, api_hash = int(os.environ["TELEGRAM_API_ID"]), os.environ["TELEGRAM_API_HASH"]
    async with account_manager.connect(os.environ["RABBITMQ_URL"], service_name="pyrogram-example") as manager:
        async with manager.account(user_id=user_id, purpose="message_campaign") as account:
            telegram = Client(
                name=account.account_id,
                session_string=account.session_data,
                in_memory=True,
                api_id=api_id,
                api_hash=api_hash,
                proxy=pyrogram_proxy(account.metadata),
                no_updates=True,
                # The account manager is told of every wait and decides: Pyrogram must not sleep through one by itself.
                sleep_threshold=0,
            )
            # An error of Telegram's that ends the block, here or later, is reported as well.
            async with telegram:
                outcome = await account.act("message", None, lambda: telegram.send_message(chat, text), wait=120)
    match outcome:
        case Done():
            print("sent")
        case Refused(reason=reason, next_allowed_at=at):
            print(f"not now: {reason}; next allowed at {at}")
        case Failed(error=error, classified_as=kind, new_status=status, should_retry=again):
            print(f"{type(error).__name__}: {kind}; the account is {status}; " + ("try later" if again else "do not retry"))


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("usage: pyrogram_message.py USER_ID CHAT TEXT")
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
