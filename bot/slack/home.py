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
from bot.slack.instructing import INSTRUCTIONS, instructions_window
from bot.slack.spot import Spot, after_direct
from bot.slack.text import escape
from bot.slack.window import MOST_OPTIONS, OPTION_LIMIT, TITLE_LIMIT, plain
from bot.words import AUTOMATIC, CHOICES, name_of, say
from engine.domain import Account, Person
from engine.members import ModelRow

if TYPE_CHECKING:
    from bot.slack.workspace import Workspace

SECTION_LIMIT = 3_000
SAID_SHOWN = 300
MODEL = "model"
PERSON = re.compile(r"&lt;(@[UW][A-Z0-9]{4,})&gt;")
BOLD, NAMED = re.compile(r"\*\*(.+?)\*\*"), re.compile(r"\[([^\[\]]+)\]\((https?://[^\s()|<>]+)\)")
AT_ONCE = (f"{MODEL}:", "language:", "private:", f"{INSTRUCTIONS}:")
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
            known = await self._front.greeter.meetings.meet(person, None)
            chosen = controls(overview.account, known.language)
            view = home(cards.usage(overview, metered.lines(status)), rows, chosen, said)
            await called(self._workspace.client.views_publish(user_id=user, view=view))

        self._workspace.publishing.visited(user)
        await self._workspace.publishing.once(user, publish)

    async def press(
        self, spot: Spot, person: Person, action: str, trigger: str = "", window: str = ""
    ) -> None:
        """Do what a button of the Home, or of a window over it, says; a reply with buttons is a window."""
        if action == INSTRUCTIONS:
            return await self._ask_for_instructions(person, trigger)
        if not window and not action.startswith(AT_ONCE):
            window = await self._open(trigger, modal(Reply(say("slack-moment"))))
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
                window = await self._open(trigger, modal(shown))
            else:
                said = shown.text
        return await self.show(spot.user, person, said)

    async def _ask_for_instructions(self, person: Person, trigger: str) -> None:
        account = await self._front.members.preferences.account(person)
        await self._open(trigger, instructions_window(account.instructions if account else ""))

    async def _open(self, trigger: str, view: Block) -> str:
        call = self._workspace.hasty.views_open(trigger_id=trigger, view=view)
        return str((await called(call))["view"]["id"])


def home(usage: Reply, rows: Sequence[ModelRow], chosen: Sequence[Block], said: str) -> dict[str, Any]:
    """The Home as Slack wants it."""
    offer = next((row.offer for row in rows if row.offer), None)
    buttons = (
        *(offer_buttons(offer)[:1] if offer else ()),
        plans_button(),
        Button(say("slack-billing"), action="billing"),
    )
    blocks = (*sections(said), *sections(usage.text), *picker(rows), *chosen, *actions(buttons))
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


def controls(account: Account | None, language: str | None) -> list[Block]:
    """What a member decides about answers: who sees them, what models are told, and in which language."""
    said = " ".join((account.instructions if account else "").split())
    shown = f"{said[:SAID_SHOWN]} …" if len(said) > SAID_SHOWN else said
    change = actions([Button(say("slack-change"), INSTRUCTIONS)])[0]["elements"][0]
    languages = [
        {"text": plain(say("button-language-auto") if each == AUTOMATIC else name_of(each)), "value": each}
        for each in CHOICES
    ]
    select: Block = {"type": "static_select", "action_id": f"{PRESS}language", "options": languages}
    select["initial_option"] = next(each for each in languages if each["value"] == (language or AUTOMATIC))
    return [
        control(say("slack-answers-seen"), private_box(ticked=account is not None and account.private)),
        control(f"{say('slack-instructions')}\n{shown or say('slack-instructions-none')}", change),
        control(say("slack-language"), select),
    ]


def control(text: str, element: Block) -> Block:
    """A line with something to decide beside it."""
    return {**sections(text)[0], "accessory": element}


def private_box(*, ticked: bool) -> Block:
    """A box to tick for private answers."""
    option = {"text": plain(say("slack-only-me")), "value": "on"}
    box: Block = {"type": "checkboxes", "action_id": f"{PRESS}private", "options": [option]}
    return box | {"initial_options": [option]} if ticked else box


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
    """Our own Markdown (bold words, code, links, people) as Slack's markup; in a view nobody is pinged."""
    return BOLD.sub(r"*\1*", NAMED.sub(r"<\2|\1>", PERSON.sub(r"<\1>", escape(text))))
