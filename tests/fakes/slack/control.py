"""The same people and views over HTTP, under /_control/, for when the fake runs in a process of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from tests.fakes.slack.fake import FakeSlack, Said
    from tests.fakes.slack.log import Delivery
    from tests.fakes.slack.state import Json, Message

GENERAL = "C0GENERAL"
Action = Callable[["Json"], Awaitable[object]]
View = Callable[[Any], object]


def install(application: web.Application, slack: FakeSlack) -> None:
    """Add the control routes; actions are POSTs of JSON, views are GETs with a query."""
    for name, action in _actions(slack).items():
        application.router.add_post(f"/_control/{name}", _post(action))
    for name, view in _views(slack).items():
        application.router.add_get(f"/_control/{name}", _get(view))


def _actions(slack: FakeSlack) -> dict[str, Action]:
    async def slash(a: Json) -> object:
        return _delivery(
            await slack.slash(a["user"], a["command"], a.get("text", ""), a.get("channel", GENERAL))
        )

    async def mention(a: Json) -> object:
        return _said(await slack.mention(a["user"], a.get("channel", GENERAL), a["text"], a.get("thread_ts")))

    async def say(a: Json) -> object:
        return _said(await slack.say(a["user"], a.get("channel", GENERAL), a["text"], a.get("thread_ts")))

    async def dm(a: Json) -> object:
        return _said(await slack.dm(a["user"], a["text"], a.get("thread_ts")))

    async def press(a: Json) -> object:
        message = slack.workspace.channels[a["channel"]].messages[a["ts"]]
        return _delivery(await slack.press(a["user"], message, a["action_id"]))

    return {"slash": slash, "mention": mention, "say": say, "dm": dm, "press": press, **_troubles(slack)}


def _troubles(slack: FakeSlack) -> dict[str, Action]:
    async def fail(a: Json) -> None:
        slack.faults.fail(a["method"], a["error"], times=a.get("times", 1))

    async def rate_limit(a: Json) -> None:
        slack.faults.rate_limit(a["method"], times=a.get("times", 1), retry_after=a.get("retry_after", 1))

    async def close_dms(a: Json) -> None:
        slack.close_dms(a["user"], a.get("error", "user_disabled"))

    async def disconnect(_: Json) -> None:
        await slack.sockets.disconnect()

    async def redeliver_last(_: Json) -> object:
        return _delivery(await slack.redeliver(slack.log.deliveries[-1]))

    return {
        "fail": fail,
        "rate_limit": rate_limit,
        "close_dms": close_dms,
        "disconnect": disconnect,
        "redeliver_last": redeliver_last,
    }


def _views(slack: FakeSlack) -> dict[str, View]:
    return {
        "transcript": lambda query: [_message(m) for m in slack.transcript(query.get("channel", GENERAL))],
        "dms": lambda query: [_message(m) for m in slack.dms(query["user"])],
        "ephemerals": lambda query: [_message(m) for m in slack.ephemerals(query["user"])],
        "findings": lambda _: slack.findings,
        "calls": lambda _: [
            {"at": c.at, "method": c.method, "args": c.args, "ok": c.ok, "status": c.status}
            for c in slack.log.calls
        ],
        "deliveries": lambda _: [_delivery(d) for d in slack.log.deliveries],
    }


def _post(action: Action) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return web.json_response(await action(await request.json()))
        except (KeyError, ValueError) as error:
            return web.json_response({"error": repr(error)}, status=400)

    return handle


def _get(view: View) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        return web.json_response(view(request.query))

    return handle


def _message(message: Message) -> Json:
    return {
        "ts": message.ts,
        "channel": message.channel,
        "user": message.user,
        "thread_ts": message.thread_ts,
        "shown": message.shown,
        "buttons": message.buttons,
        "only_for": message.only_for,
        "metadata": message.metadata,
        "edits": len(message.versions) - 1,
    }


def _delivery(delivery: Delivery) -> Json:
    acked = delivery.acked_at is not None
    return {
        "kind": delivery.kind,
        "retry": delivery.retry,
        "status": delivery.status,
        "seconds_to_ack": delivery.took if acked else None,
        "answer": delivery.answer,
    }


def _said(said: Said) -> Json:
    return {"ts": said.ts, "deliveries": [_delivery(delivery) for delivery in said.deliveries]}
