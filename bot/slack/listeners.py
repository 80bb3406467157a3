"""What Bolt hears, handed on as plain values: each listener acknowledges and leaves the work to others."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bot.commands import COMMANDS
from bot.slack.blocks import PRESS
from bot.slack.spot import Spot
from bot.slack.workspace import Identity

Body = Mapping[str, Any]
Ack = Callable[[], Awaitable[object]]

OWN_WORDS = frozenset({None, "file_share", "thread_broadcast"})
"""Subtypes of messages that a person wrote; the others are edits, joins and the like."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A message to us; `key` names it for good, however often and as whatever event it comes."""

    spot: Spot
    ts: str
    text: str
    key: str


@dataclass(frozen=True, slots=True)
class Commanded:
    """A slash command: its name without the slash, and all words behind it."""

    spot: Spot
    name: str
    text: str
    key: str


@dataclass(frozen=True, slots=True)
class Pressed:
    """One of our buttons, by its action."""

    spot: Spot
    action: str
    key: str


class Ears(Protocol):
    """Takes what was heard; must return at once."""

    def heard(self, heard: Heard) -> None:
        """A member mentioned us or wrote to us."""
        ...

    def commanded(self, commanded: Commanded) -> None:
        """A member typed a slash command."""
        ...

    def pressed(self, pressed: Pressed) -> None:
        """A member pressed a button."""
        ...


def bolt_app(client: AsyncWebClient, identity: Identity, ears: Ears) -> AsyncApp:
    """The Bolt app for one workspace. Signatures are checked before it, in `endpoint`."""

    async def authorize() -> AuthorizeResult:
        """Who we are, known since the start; Bolt's own way reads OAuth variables and asks Slack again."""
        return AuthorizeResult(
            enterprise_id=None,
            team_id=identity.team,
            bot_user_id=identity.bot_user,
            bot_id=identity.bot,
            bot_token=client.token,
        )

    tokenless = AsyncWebClient(base_url=client.base_url, session=client.session)
    log = logging.getLogger("bot.slack.bolt")
    log.setLevel(logging.ERROR)  # its warnings quote what members wrote
    app = AsyncApp(
        logger=log,
        client=tokenless,
        authorize=authorize,
        signing_secret="",
        request_verification_enabled=False,
    )
    listen(app, ears)
    return app


def listen(app: AsyncApp, ears: Ears) -> None:
    """Register a listener for what the manifest subscribes to; anything else is acknowledged and dropped."""

    async def command(ack: Ack, body: Body) -> None:
        await ack()
        ears.commanded(commanded(body))

    async def press(ack: Ack, body: Body) -> None:
        await ack()
        ears.pressed(pressed(body))

    async def speech(body: Body) -> None:
        if (message := heard(body["event"])) is not None:
            ears.heard(message)

    async def drop(ack: Ack) -> None:
        await ack()

    for each in COMMANDS:
        app.command(f"/{each.name}")(command)
    app.action(re.compile(f"^{re.escape(PRESS)}"))(press)
    app.action(re.compile(""))(drop)
    app.event("app_mention")(speech)
    app.event("message")(speech)
    app.event(re.compile(""))(drop)


def commanded(body: Body) -> Commanded:
    """A slash command from its form; Slack makes a `trigger_id` for each time it is typed."""
    spot = Spot(body["channel_id"], body["user_id"], response_url=body.get("response_url"))
    key = f"slack:command:{body['trigger_id']}"
    return Commanded(spot, body["command"].removeprefix("/"), body.get("text") or "", key)


def pressed(body: Body) -> Pressed:
    """A pressed button from its interaction."""
    container, action = body["container"], body["actions"][0]
    spot = Spot(
        container["channel_id"], body["user"]["id"], container.get("thread_ts"), body.get("response_url")
    )
    return Pressed(spot, action["action_id"].removeprefix(PRESS), f"slack:press:{body['trigger_id']}")


def heard(event: Body) -> Heard | None:
    """A message from its event; None for what is not meant for us or was not written by a person.

    Of messages only those in DMs count: in channels the mention tells us the same once more.
    """
    unasked = event["type"] == "message" and event.get("channel_type") != "im"
    if unasked or event.get("subtype") not in OWN_WORDS or event.get("bot_id") or not event.get("user"):
        return None
    channel, ts = event["channel"], event["ts"]
    thread = event.get("thread_ts")
    if thread is None and not channel.startswith("D"):
        spot = Spot(channel, event["user"], ts, unthreaded=True)
    else:
        spot = Spot(channel, event["user"], thread)
    return Heard(spot, ts, event.get("text") or "", f"slack:message:{channel}:{ts}")
