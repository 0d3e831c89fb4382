"""The requests of the services that called the predecessor, in their order, and what they read of the replies.

    python3 callers.py BASE_URL SCENARIO '{"user_id": 1, …}'

Each scenario prints one JSON document: every call with its status, and what the service made of it.
"""

import asyncio
import base64
import json
import sys

import httpx

calls = []


class Client:
    """As both services call: a client of its own for each call, no header but the content type, no second try."""

    def __init__(self, base_url, service):
        self.base_url = base_url
        self.service = service

    async def call(self, method, path, **more):
        async with httpx.AsyncClient(timeout=30.0) as client:
            headers = {"Content-Type": "application/json"}
            response = await client.request(method, self.base_url + path, headers=headers, **more)
        body = response.json()
        error = {} if body["success"] else {"code": body["error"]["code"], "message": body["error"]["message"]}
        calls.append({"call": f"{method} {path.split('/')[1]}", "status": response.status_code, **error})
        return response.status_code, body

    async def allocate(self, user_id, purpose, minutes, preferred=None, channel=None):
        body = {
            "user_id": user_id,
            "purpose": purpose,
            "service_name": self.service,
            "preferred_account_id": preferred,
            "timeout_minutes": minutes,
        }
        if channel is not None:
            body["target_channel_id"] = channel
        status, reply = await self.call("POST", "/allocate", json=body)
        return reply["allocation"] if status == 200 else None

    async def release(self, account_id, usage_stats):
        body = {"service_name": self.service, "usage_stats": usage_stats}
        status, _ = await self.call("POST", f"/release/{account_id}", json=body)
        return status == 200

    async def handle_error(self, account_id, error_type, message, context=None):
        body = {"error_type": error_type, "error_message": message, "context": context}
        status, reply = await self.call("POST", f"/handle-error/{account_id}", json=body)
        return reply["result"]["action_taken"] if status == 200 else None

    async def check(self, account_id, body):
        status, reply = await self.call("POST", f"/rate-limit/check/{account_id}", json=body)
        return reply if status == 200 else {"allowed": False, "reason": "Rate limit check failed"}

    async def record(self, account_id, action_type, channel, success):
        body = {"action_type": action_type, "target_channel_id": channel, "success": success}
        status, _ = await self.call("POST", f"/rate-limit/record/{account_id}", json=body)
        return status == 200

    async def summary(self, user_id, limit, include_unavailable, **filters):
        params = {"user_id": user_id, "limit": limit, "include_unavailable": include_unavailable, **filters}
        status, reply = await self.call("GET", "/accounts/summary", params=params)
        return reply if status == 200 else None

    async def release_all(self):
        body = {"service_name": self.service, "force": True}
        status, reply = await self.call("POST", "/release-all", json=body)
        return reply["released_count"] if status == 200 else None

    async def get(self, path, **params):
        status, reply = await self.call("GET", path, params=params or None)
        return reply if status == 200 else None


def full_stats(**given):
    stats = {
        "invites_sent": 0,
        "messages_sent": 0,
        "contacts_added": 0,
        "channels_used": [],
        "success": True,
        "error_type": None,
        "error_message": None,
    }
    return {**stats, **given}


async def invite_batch(base_url, user_id, group, allowed=None):
    """invite-service, one batch: the accounts that can act, one of them, one invitation, and the account back."""
    manager = Client(base_url, "invite-service")
    if allowed is None:
        summary = await manager.summary(user_id, 1000, False, purpose="invite_campaign", target_channel_id=group)
        counts = [summary[name] for name in ("total_accounts", "active_accounts", "available_now")]
        candidates = [entry["account_id"] for entry in summary["accounts"] if entry["status"] == "active"]
    else:
        counts, candidates = None, allowed
    allocation = None
    for candidate in candidates:
        allocation = await manager.allocate(user_id, "invite_campaign", 60, preferred=candidate, channel=group)
        if allocation is not None:
            break
    if allocation is None:
        return {"counts": counts, "account_id": None}
    account_id = allocation["account_id"]
    check = await manager.check(
        account_id, {"action_type": "invite", "target_channel_id": group, "allow_locked": True}
    )
    if not check["allowed"]:
        block = {"invites_sent": 0, "success": False, "rate_limit_block": check["reason"]}
        released = await manager.release(account_id, block)
        wait = (check.get("details") or {}).get("cooldown_remaining", 900)
        return {"counts": counts, "account_id": account_id, "released": released, "wait": wait}
    recorded = await manager.record(account_id, "invite", group, True)
    done = {"invites_sent": 1, "success": True, "batch_completed": True}
    released = await manager.release(account_id, done)
    return {"counts": counts, "account_id": account_id, "recorded": recorded, "released": released}


async def invite_fallback(base_url, user_id, group):
    """invite-service, where no candidate can be had: without a preference, then for any purpose; the check decides."""
    manager = Client(base_url, "invite-service")
    summary = await manager.summary(user_id, 1000, False, purpose="invite_campaign", target_channel_id=group)
    allocation = None
    for entry in summary["accounts"]:
        allocation = await manager.allocate(
            user_id, "invite_campaign", 60, preferred=entry["account_id"], channel=group
        )
        if allocation is not None:
            break
    if allocation is None:
        allocation = await manager.allocate(user_id, "invite_campaign", 60, channel=group)
    if allocation is None:
        allocation = await manager.allocate(user_id, "general", 60, channel=group)
    account_id = allocation["account_id"]
    check = await manager.check(
        account_id, {"action_type": "invite", "target_channel_id": group, "allow_locked": True}
    )
    block = {"invites_sent": 0, "success": False, "rate_limit_block": check["reason"]}
    released = await manager.release(account_id, block)
    return {"account_id": account_id, "check": check, "released": released}


async def invite_cancelled(base_url, user_id):
    manager = Client(base_url, "invite-service")
    allocation = await manager.allocate(user_id, "invite_campaign", 60)
    return {"released": await manager.release(allocation["account_id"], {"invites_sent": 3, "success": True})}


async def invite_errors(base_url, user_id):
    """Every error type that the worker's table makes of a text."""
    manager = Client(base_url, "invite-service")
    errors = {
        "flood_wait": "FloodWaitError: A wait of 300 seconds is required",
        "peer_flood": "PeerFloodError: Too many requests",
        "deactivated": "The user has been deleted/deactivated (caused by InviteToChannelRequest)",
        "auth_key": "The key is not registered in the system (caused by GetUsersRequest)",
        "blocked": "connection reset by peer",
    }
    taken = {}
    for error_type, message in errors.items():
        allocation = await manager.allocate(user_id, "invite_campaign", 60)
        account_id = allocation["account_id"]
        taken[error_type] = await manager.handle_error(account_id, error_type, message, {"task_id": 7})
        await manager.release(account_id, {"invites_sent": 0, "success": False})
    return taken


async def admin_rights(base_url, user_id, group):
    """invite-service: every account is looked at in turn, then whichever can be had."""
    manager = Client(base_url, "invite-service")
    summary = await manager.summary(user_id, 2000, True, purpose="general", target_channel_id=group)
    released = []
    for entry in summary["accounts"]:
        allocation = await manager.allocate(user_id, "general", 5, preferred=entry["account_id"])
        if allocation is not None:
            stats = full_stats(channels_used=[group])
            released.append(await manager.release(allocation["account_id"], stats))
    fallback = await manager.allocate(user_id, "general", 5)
    released.append(await manager.release(fallback["account_id"], full_stats(channels_used=[group])))
    return {"accounts": summary["accounts"], "aggregates": summary["aggregates"], "released": released}


async def parse_task(base_url, user_id, link):
    """parsing-service: an account, a check before the work, and the account back with the link as it was typed."""
    manager = Client(base_url, "parsing-service")
    allocation = await manager.allocate(user_id, "parsing", 120)
    session = allocation["session_data"]
    if isinstance(session, dict):
        session = base64.b64decode(session["encrypted_session"]).decode()
    target = link.strip().replace("https://t.me/", "")
    body = {"action_type": "parse", "service_name": "parsing-service", "target_channel_id": target}
    check = await manager.check(allocation["account_id"], body)
    released = await manager.release(allocation["account_id"], full_stats(channels_used=[link]))
    return {"phone": allocation["phone"], "session": session, "check": check, "released": released}


async def parse_failures(base_url, user_id):
    """parsing-service: an error is reported and the account not released; the next worker clears up."""
    manager = Client(base_url, "parsing-service")
    taken = {}
    errors = {
        "unknown_error": "channel not found",
        "flood_wait": "FloodWaitError: 300",
        "peer_flood": "peer flood",
        "auth_key_error": "AuthKeyError",
    }
    for error_type, message in errors.items():
        allocation = await manager.allocate(user_id, "parsing", 120)
        taken[error_type] = await manager.handle_error(allocation["account_id"], error_type, message, {})
    return {"taken": taken, "released_count": await manager.release_all()}


async def refused_purposes(base_url, user_id):
    """Purposes that never were any are refused, as before."""
    manager = Client(base_url, "parsing-service")
    for purpose in ("health_check", "testing", "single_invite"):
        assert await manager.allocate(user_id, purpose, 1) is None
    return {}


async def scripts(base_url, user_id):
    """quick_test_account_manager.py, clear_all_tasks.py, and the queries of both clients."""
    manager = Client(base_url, "test-service")
    stats = await manager.get("/stats/recovery")
    allocation = await manager.allocate(user_id, "general", 30)
    account_id = allocation["account_id"]
    health = await manager.get(f"/health/{account_id}")
    check = await manager.check(account_id, {"action_type": "invite", "target_channel_id": "@testchannel"})
    await manager.record(account_id, "invite", "@testchannel", True)
    limits = await manager.get(f"/rate-limit/status/{account_id}")
    flood = await manager.get(f"/flood-wait/{account_id}")
    stats_given = full_stats(invites_sent=1, channels_used=["@testchannel"])
    released = await manager.release(account_id, stats_given)
    status = await manager.get("/status")
    return {
        "stats": stats,
        "health": health,
        "check": check,
        "limits": limits,
        "flood": flood,
        "released": released,
        "status": status,
    }


async def missing(base_url, user_id):
    """Addresses that one client and one document name, and that no version has served."""
    manager = Client(base_url, "invite-service")
    available = await manager.get(f"/available-accounts/{user_id}", purpose="invite_campaign")
    return {"available": available, "health": await manager.get("/accounts/health")}


async def maintenance(base_url, account_id):
    """Sends requests that the predecessor served to operators: fields in the query string, no body, no header."""
    async with httpx.AsyncClient(timeout=90.0) as client:
        answers = {}
        for name, path, params in (
            ("schedule", f"/schedule-recovery/{account_id}", {"recovery_time": "2030-01-01T00:00:00Z", "reason": "rest"}),
            ("recoveries", "/maintenance/process-recoveries", {"limit": 50}),
            ("reset", "/maintenance/reset-daily-limits", None),
            ("cleanup", "/maintenance/cleanup-rate-limits", None),
        ):
            response = await client.post(base_url + path, params=params)
            calls.append({"call": f"POST {path.split('/')[1]}", "status": response.status_code})
            answers[name] = response.json()
        return answers


async def main(base_url, scenario, given):
    result = await globals()[scenario](base_url, **given)
    print(json.dumps({"calls": calls, "result": result}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3])))
