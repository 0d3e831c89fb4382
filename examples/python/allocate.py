"""Sends three messages with one account, and waits out every pause: the account manager from a plain Python program.

    pip install ./packages/python
    RABBITMQ_URL=amqp://… python3 examples/python/allocate.py 101

A pause of some minutes between two messages does not lose the connection: a thread of the client's keeps it.
"""

import os
import sys

from account_manager import Done, Failed, blocking

#: Longer pauses than this are left to another account, seconds.
WORTH_WAITING = 600


def main(user_id: int) -> None:
    with blocking.connect(os.environ["RABBITMQ_URL"], service_name="python-example") as manager:
        with manager.account(user_id=user_id, purpose="message_campaign") as account:
            print("allocated", account.account_id, "until", account.expires_at)
            for number in range(3):
                # Here the message would be sent, with account.session_data, through the proxy in account.metadata.
                outcome = account.act("message", None, lambda: f"message {number}", wait=WORTH_WAITING)
                if isinstance(outcome, Done):
                    print("sent", outcome.value)
                elif isinstance(outcome, Failed):
                    print("Telegram refuses it:", outcome.classified_as, "until", outcome.recovery_time)
                    if outcome.new_status != "active":
                        break
                else:
                    print("not before", outcome.next_allowed_at, "because of the limit", outcome.reason)
                    break
        print("given back after", account.usage.messages_sent, "messages")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: allocate.py USER_ID")
    main(int(sys.argv[1]))
