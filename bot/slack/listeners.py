"""What Bolt hears, handed on as plain values: each listener acknowledges and leaves the work to others."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from bot.commands import COMMANDS
from bot.slack.attached import Sent, sent
from bot.slack.blocks import ALONE, PRESS
from bot.slack.instructing import INSTRUCTIONS, Instructed, instructed
from bot.slack.spot import Spot
from bot.slack.window import ABOUT, Chosen, Submitted, chosen, submitted
from bot.slack.workspace import Identity

Body = Mapping[str, Any]
Ack = Callable[..., Awaitable[object]]

HALT = "halt"
OWN_WORDS = frozenset({None, "file_share", "thread_broadcast"})
"""Subtypes of messages that a person wrote; the others are edits, joins and the like."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A message to us; `key` names it for good, however often and as whatever event it comes.

    One that is only `overheard` was said in a thread to nobody in particular.
    """

    spot: Spot
    ts: str
    text: str
    key: str
    files: tuple[Sent, ...] = ()
    overheard: bool = False


@dataclass(frozen=True, slots=True)
class Commanded:
    """A slash command: its name without the slash, and all words behind it."""

    spot: Spot
    name: str
    text: str
    key: str


@dataclass(frozen=True, slots=True)
class Pressed:
    """One of our buttons, by its action, or Slack's own that stops an answer (`HALT`).

    On the Home or in a window there is no channel; `window` is then the id of that window, and `trigger`
    opens another one within three seconds.
    """

    spot: Spot
    action: str
    key: str
    trigger: str = ""
    window: str = ""
    message: str = ""
    """The ts of the message that has the button, if others see it too."""


@dataclass(frozen=True, slots=True)
class Visited:
    """A member looks at the app: its `home` or its `messages`."""

    spot: Spot
    tab: str
    key: str


@dataclass(frozen=True, slots=True)
class Removal:
    """The app is no longer in a workspace, or a whole organisation, since `at` (unix seconds)."""

    place: str
    at: float


class Ears(Protocol):
    """Takes what was heard in one workspace; must return at once."""

    def heard(self, heard: Heard) -> None:
        """A member mentioned us or wrote to us."""
        ...

    def commanded(self, commanded: Commanded) -> None:
        """A member typed a slash command."""
        ...

    def pressed(self, pressed: Pressed) -> None:
        """A member pressed a button."""
        ...

    def chosen(self, chosen: Chosen) -> None:
        """A member wants to ask about a message."""
        ...

    def submitted(self, submitted: Submitted) -> None:
        """A member asked about a message."""
        ...

    def instructed(self, instructed: Instructed) -> None:
        """A member said how they want to be answered."""
        ...

    def visited(self, visited: Visited) -> None:
        """A member opened the app."""
        ...


EARS = "ears"
"""The key in Bolt's context under which listeners find the ears of the workspace that it is about."""


class Doors(Protocol):
    """Knows the workspaces that the app is in, and hears when it is put out of one."""

    async def ears(self, team: str, organisation: str) -> tuple[Identity, Ears]:
        """Who we are in a workspace of perhaps an organisation, and who listens there."""
        ...

    def removed(self, removal: Removal) -> None:
        """The app was uninstalled, or its bot's token revoked."""
        ...


def bolt_app(client: AsyncWebClient, doors: Doors) -> AsyncApp:
    """The Bolt app for every workspace; `client` has no token. `endpoint` has checked signatures before."""

    async def authorize(context: AsyncBoltContext) -> AuthorizeResult:
        """Who we are there, without asking Slack; Bolt's own way asks, and reads OAuth variables."""
        team, organisation = context.team_id or "", context.enterprise_id or ""
        identity, context[EARS] = await doors.ears(team, organisation)
        return AuthorizeResult(
            enterprise_id=context.enterprise_id,
            team_id=context.team_id,
            bot_user_id=identity.bot_user,
            bot_id=identity.bot,
        )

    log = logging.getLogger("bot.slack.bolt")
    log.setLevel(logging.ERROR)  # its warnings quote what members wrote
    app = AsyncApp(
        name="multi-llm-chat",  # else Bolt reads its caller's source to name itself, which takes 50 ms
        logger=log,
        client=client,
        authorize=authorize,
        signing_secret="",
        request_verification_enabled=False,
    )
    listen(app)
    listen_for_removal(app, doors)
    app.event(re.compile(""))(drop)
    return app


def listen(app: AsyncApp) -> None:
    """Register a listener for what the manifest subscribes to; anything else is acknowledged and dropped."""

    async def command(ack: Ack, body: Body, context: AsyncBoltContext) -> None:
        await ack()
        context[EARS].commanded(commanded(body))

    async def press(ack: Ack, body: Body, context: AsyncBoltContext) -> None:
        await ack()
        context[EARS].pressed(pressed(body))

    for each in COMMANDS:
        app.command(f"/{each.name}")(command)
    app.action(re.compile(f"^{re.escape(PRESS)}"))(press)
    app.action(re.compile(""))(drop)
    listen_to_speech(app)
    listen_to_looks(app)


def listen_to_looks(app: AsyncApp) -> None:
    """Register the listeners for the Home, the menu of a message, and the windows."""

    async def choose(ack: Ack, body: Body, context: AsyncBoltContext) -> None:
        await ack()
        context[EARS].chosen(chosen(body, home_of_presser(body)))

    async def submit(ack: Ack, body: Body, context: AsyncBoltContext) -> None:
        await ack()
        context[EARS].submitted(submitted(body))

    async def instruct(ack: Ack, body: Body, context: AsyncBoltContext) -> None:
        wish = instructed(body)
        if wish.problem:
            await ack(response_action="errors", errors={INSTRUCTIONS: wish.problem})
        else:
            await ack()
            context[EARS].instructed(wish)

    async def visit(body: Body, context: AsyncBoltContext) -> None:
        context[EARS].visited(visited(body))

    app.event("app_home_opened")(visit)
    app.message_shortcut(ABOUT)(choose)
    app.view(ABOUT)(submit)
    app.view(INSTRUCTIONS)(instruct)


def listen_to_speech(app: AsyncApp) -> None:
    """Register the listeners for what people say, and for Slack's button that ends an answer."""

    async def halt(body: Body, context: AsyncBoltContext) -> None:
        context[EARS].pressed(halted(body))

    async def speech(body: Body, context: AsyncBoltContext) -> None:
        if (message := heard(body["event"], home_of(body))) is not None:
            context[EARS].heard(message)

    app.event("app_mention")(speech)
    app.event("message")(speech)
    app.event("agent_session_stopped")(halt)


def listen_for_removal(app: AsyncApp, doors: Doors) -> None:
    """Register the listeners for the end of an installation."""

    async def uninstalled(body: Body, context: AsyncBoltContext) -> None:
        doors.removed(removal(body, context))

    async def revoked(body: Body, context: AsyncBoltContext) -> None:
        if body["event"].get("tokens", {}).get("bot"):
            doors.removed(removal(body, context))

    app.event("app_uninstalled")(uninstalled)
    app.event("tokens_revoked")(revoked)


async def drop(ack: Ack) -> None:
    """Acknowledge, and nothing else."""
    await ack()


def removal(body: Body, context: AsyncBoltContext) -> Removal:
    """Where the app is no more; org-wide installations have no team."""
    team, organisation = context.team_id or "", context.enterprise_id or ""
    org_wide = bool(context.is_enterprise_install) or not team
    return Removal(organisation if org_wide else team, float(body["event_time"]))


def home_of(body: Body) -> str:
    """The workspace (or organisation) that the author of an event comes from, empty if it is the app's own.

    Only in channels that organisations share do events name it for people from outside (`user_team`). There
    the envelope's own `team_id` may be theirs; `authorizations` tells whose app hears it.
    """
    event = body["event"]
    outside = event.get("user_team") or event.get("source_team") or ""
    ours = body.get("authorizations") or (body,)
    known = {each.get(key) for each in ours for key in ("team_id", "enterprise_id")}
    return outside if body.get("is_ext_shared_channel") and outside not in known else ""


def home_of_presser(body: Body) -> str:
    """The same for an interaction. Who has several workspaces in an organisation is at home."""
    team, home = (body.get("team") or {}).get("id"), body["user"].get("team_id")
    at_home = body.get("enterprise") or not (team and home) or team == home
    return "" if at_home else str(home)


def commanded(body: Body) -> Commanded:
    """A slash command from its form; Slack makes a `trigger_id` for each time it is typed."""
    spot = Spot(body["channel_id"], body["user_id"], response_url=body.get("response_url"))
    key = f"slack:command:{body['trigger_id']}"
    return Commanded(spot, body["command"].removeprefix("/"), body.get("text") or "", key)


def pressed(body: Body) -> Pressed:
    """A pressed button from its interaction."""
    container, view = body["container"], body.get("view") or {}
    spot = Spot(
        container.get("channel_id", ""),
        body["user"]["id"],
        container.get("thread_ts"),
        body.get("response_url"),
        home=home_of_presser(body),
        team=body["user"].get("team_id") or "",
        alone=body["actions"][0].get("block_id") == ALONE,
    )
    trigger = body["trigger_id"]
    window = view["id"] if view.get("type") == "modal" else ""
    message = "" if container.get("is_ephemeral") else container.get("message_ts", "")
    action = action_of(body["actions"][0])
    return Pressed(spot, action, f"slack:press:{trigger}", trigger, window, message)


def action_of(action: Body) -> str:
    """What a button or thumb says, a list with what is chosen, or a box with whether it is ticked."""
    name = str(action["action_id"]).removeprefix(PRESS)
    if (ticked := action.get("selected_options")) is not None:
        return f"{name}:{'on' if ticked else 'off'}"
    value = (action.get("selected_option") or {}).get("value") or action.get("value")
    return f"{name}:{value}" if value else name


def visited(body: Body) -> Visited:
    """A look at the app from its event."""
    event = body["event"]
    spot = Spot(event["channel"], event["user"])
    return Visited(spot, event.get("tab", ""), f"slack:event:{body['event_id']}")


def halted(body: Body) -> Pressed:
    """Slack's own button in a thread (docs.slack.dev/reference/events/agent_session_stopped)."""
    event = body["event"]
    spot = Spot(event["channel"], event["user"], event["thread_ts"], home=home_of(body))
    return Pressed(spot, HALT, f"slack:event:{body['event_id']}")


def heard(event: Body, home: str = "") -> Heard | None:
    """A message from its event; None for what cannot be meant for us or was not written by a person.

    In channels only what is said in threads counts, and what mentions us, which a second event tells.
    """
    channel, ts = event["channel"], event["ts"]
    thread = event.get("thread_ts")
    overheard = event["type"] == "message" and event.get("channel_type") != "im"
    if event.get("subtype") not in OWN_WORDS or event.get("bot_id") or not event.get("user"):
        return None
    if overheard and thread in {None, ts}:
        return None
    spot = Spot(
        channel,
        event["user"],
        thread or ts,
        unthreaded=thread is None,
        home=home,
        team=event.get("user_team") or event.get("team") or "",
    )
    key = f"slack:message:{channel}:{ts}"
    return Heard(spot, ts, event.get("text") or "", key, sent(event), overheard)
