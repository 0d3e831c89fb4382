"""Allocates an account, asks for one action, and gives the account back: the account manager from Python.

    apt-get install python3-pika        (or: pip install pika)
    RABBITMQ_URL=amqp://… python3 examples/python/allocate.py 101
"""

import json
import os
import sys
import time
import uuid

import pika

SERVICE = "python-example"  # where callers are told apart: the user of RABBITMQ_URL
REPLY_TO = "amq.rabbitmq.reply-to"  # the broker hands replies to this channel, without a queue
RESEND_SECONDS = 5
GIVE_UP_SECONDS = 30


class AccountManager:
    """Sends requests over RabbitMQ and waits for their replies, one at a time."""

    def __init__(self, url):
        parameters = pika.URLParameters(url)
        self.user = parameters.credentials.username
        self.connection = pika.BlockingConnection(parameters)
        self.channel = self.connection.channel()
        self.replies = {}
        self.channel.basic_consume(REPLY_TO, self._on_reply, auto_ack=True)
        self.channel.add_on_return_callback(self._on_return)

    def request(self, operation, body):
        """The reply as a dict; a refusal is a reply, too: look at reply["success"].

        The same message_id goes with every copy, so the request has one effect however often it arrives.
        """
        message_id = str(uuid.uuid4())
        give_up_at = time.time() + GIVE_UP_SECONDS
        properties = pika.BasicProperties(
            content_type="application/json",
            delivery_mode=2,
            message_id=message_id,
            correlation_id=message_id,
            reply_to=REPLY_TO,
            user_id=self.user,
            headers={"x-deadline": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(give_up_at))},
        )
        while time.time() < give_up_at:
            self.channel.basic_publish(
                "account-manager.requests", operation, json.dumps(body), properties, mandatory=True
            )
            resend_at = time.time() + RESEND_SECONDS
            while message_id not in self.replies and time.time() < resend_at:
                self.connection.process_data_events(time_limit=0.1)
            reply = self.replies.pop(message_id, None)
            if reply is not None:
                return reply
        raise TimeoutError(f"{operation}: no reply within {GIVE_UP_SECONDS} s")

    def close(self):
        self.connection.close()

    def _on_reply(self, _channel, _method, properties, body):
        self.replies[properties.correlation_id] = json.loads(body)

    def _on_return(self, _channel, method, _properties, _body):
        raise RuntimeError(f"no queue takes {method.routing_key}: is the account manager set up?")


def main(user_id):
    manager = AccountManager(os.environ["RABBITMQ_URL"])
    try:
        reply = manager.request(
            "account.allocate", {"user_id": user_id, "purpose": "message_campaign", "service_name": SERVICE}
        )
        if not reply["success"]:
            sys.exit(f'{reply["error"]["code"]}: {reply["error"]["message"]}')
        account = reply["allocation"]
        holder = {
            "account_id": account["account_id"],
            "service_name": SERVICE,
            "lease_id": account["lease_id"],
            "fence": account["fence"],
        }
        print("allocated", account["account_id"], "until", account["expires_at"])

        sent = 0
        try:
            permit = manager.request("action.acquire", {**holder, "action_type": "message"})
            if permit["success"] and permit["allowed"]:
                # Here the message would be sent, with account["session_data"]; then say how it went.
                sent = 1
                manager.request(
                    "action.record",
                    {
                        "account_id": account["account_id"],
                        "action_type": "message",
                        "permit_id": permit["permit_id"],
                        "success": True,
                    },
                )
                print("acted; left today:", permit["checks"]["daily"]["remaining"])
            else:
                print("not allowed:", permit)
        finally:
            released = manager.request("account.release", {**holder, "usage_stats": {"messages_sent": sent}})
            print("released", released)
    finally:
        manager.close()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: allocate.py USER_ID")
    main(int(sys.argv[1]))
