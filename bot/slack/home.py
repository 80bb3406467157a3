"""App Home: how a member stands, which model answers, and what can be bought; and what is pressed there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bot import cards, metered
from bot.front import Front
from bot.render import offer_buttons, plans_button
from bot.reply import Button, Reply
from bot.slack.blocks import LABEL_LIMIT, PRESS, Block, actions
from bot.slack.calls import called
from bot.slack.spot import Spot, after_direct
from bot.slack.text import escape
from bot.slack.window import MOST_OPTIONS, OPTION_LIMIT, TITLE_LIMIT, plain
from bot.words import say
from engine.domain import Person
from engine.members import ModelRow

if TYPE_CHECKING:
    from bot.slack.workspace import Workspace

SECTION_LIMIT = 3_000
MODEL = "model"
BOLD, NAMED = re.compile(r"\*\*(.+?)\*\*"), re.compile(r"\[([^\[\]]+)\]\((https?://[^\s()|<>]+)\)")
AT_ONCE = (f"{MODEL}:", "language:")
"""Actions that are done so quickly that a window can be opened with what comes of them."""


class Home:
    """The Home tab of one workspace's members."""

    def __init__(self, workspace: Workspace, front: Front) -> None:
        self._workspace = workspace
        self._front = front

    async def show(self, user: str, person: Person, said: str = "") -> None:
        """Publish a member's Home as it is now, with a line about what was just done."""

        async def publish() -> None:
            overview = await self._front.members.overview(person)
            status = await self._front.affairs.meter.status(person)
            rows = await self._front.members.models(person)
            view = home(cards.usage(overview, metered.lines(status)), rows, said)
            await called(self._workspace.client.views_publish(user_id=user, view=view))

        self._workspace.publishing.visitors[user] = None
        await self._workspace.publishing.once(user, publish)

    async def press(self, spot: Spot, person: Person, action: str, trigger: str, window: str) -> None:
        """Do what a button of the Home, or of a window over it, says; a reply with buttons is a window."""
        if not window and not action.startswith(AT_ONCE):
            window = await self._open(trigger, Reply(say("slack-moment")))
        replies = await self._front.press(person, action)
        said = ""
        for reply in replies:
            shown = await after_direct(self._workspace, spot, reply, reply.direct) if reply.direct else reply
            if shown is None:
                continue
            if window:
                view = modal(shown)
                await called(self._workspace.client.views_update(view_id=window, view=view))
            elif shown.buttons:
                window = await self._open(trigger, shown)
            else:
                said = shown.text
        await self.show(spot.user, person, said)

    async def _open(self, trigger: str, reply: Reply) -> str:
        call = self._workspace.hasty.views_open(trigger_id=trigger, view=modal(reply))
        return str((await called(call))["view"]["id"])


def home(usage: Reply, rows: Sequence[ModelRow], said: str) -> dict[str, Any]:
    """The Home as Slack wants it."""
    offer = next((row.offer for row in rows if row.offer), None)
    buttons = (
        *(offer_buttons(offer)[:1] if offer else ()),
        plans_button(),
        Button(say("slack-billing"), action="billing"),
    )
    blocks = (*sections(said), *sections(usage.text), *picker(rows), *actions(buttons))
    return {"type": "home", "blocks": [*blocks, *sections(say("slack-home"))]}


def modal(reply: Reply) -> dict[str, Any]:
    """A reply as a window."""
    return {
        "type": "modal",
        "title": plain(say("slack-window")[:TITLE_LIMIT]),
        "close": plain(say("slack-close")[:TITLE_LIMIT]),
        "blocks": [*sections(reply.text), *actions(reply.buttons)],
    }


def picker(rows: Sequence[ModelRow]) -> list[Block]:
    """The models to choose from; locked ones say so, and choosing them offers the tier that has them."""
    options = [(row, option(row)) for row in rows if len(row.spec.name) <= OPTION_LIMIT][:MOST_OPTIONS]
    if not options:
        return []
    select: Block = {
        "type": "static_select",
        "action_id": f"{PRESS}{MODEL}",
        "placeholder": plain(say("slack-model")),
        "options": [each for _, each in options],
    }
    picked = next((each for row, each in options if row.chosen), None)
    if picked:
        select["initial_option"] = picked
    text = {"type": "mrkdwn", "text": say("slack-model-answers")}
    return [{"type": "section", "block_id": MODEL, "text": text, "accessory": select}]


def option(row: ModelRow) -> Block:
    """One model of the list."""
    lock = "" if row.allowed else "🔒 "
    return {"text": plain(f"{lock}{row.spec.name}"[:LABEL_LIMIT]), "value": row.spec.name}


def sections(text: str) -> list[Block]:
    """Our own words in a view, which takes no Markdown but Slack's own markup."""
    shown = mrkdwn(text)
    parts = [shown[at : at + SECTION_LIMIT] for at in range(0, len(shown), SECTION_LIMIT)]
    return [{"type": "section", "text": {"type": "mrkdwn", "text": part, "verbatim": True}} for part in parts]


def mrkdwn(text: str) -> str:
    """Our own Markdown (bold words, code, links) as Slack's markup."""
    return BOLD.sub(r"*\1*", NAMED.sub(r"<\2|\1>", escape(text)))
