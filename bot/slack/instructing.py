"""The window in which a member says how models are to answer them, and what comes back from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.slack.blocks import Block
from bot.slack.spot import Spot
from bot.slack.window import TITLE_LIMIT, optional, plain
from bot.words import say
from engine.preferences import LONGEST_INSTRUCTIONS

INSTRUCTIONS = "instructions"
"""`callback_id` of the window, and the block_id of its field."""


@dataclass(frozen=True, slots=True)
class Instructed:
    """How a member wants to be answered; `problem` is what to say in the window if that cannot be kept."""

    spot: Spot
    text: str
    key: str
    problem: str = ""


def instructions_window(text: str) -> Block:
    """The window, with what the member has said before.

    It carries the words for what is too long, in the member's language: when it is sent off there is no time
    to ask for that, and not every app of Slack's keeps to the longest text.
    """
    field: Block = {
        "type": "plain_text_input",
        "action_id": INSTRUCTIONS,
        "multiline": True,
        "max_length": LONGEST_INSTRUCTIONS,
    }
    if text:
        field["initial_value"] = text
    return {
        "type": "modal",
        "callback_id": INSTRUCTIONS,
        "title": plain(say("slack-instructions-title")[:TITLE_LIMIT]),
        "submit": plain(say("slack-save")[:TITLE_LIMIT]),
        "close": plain(say("slack-cancel")[:TITLE_LIMIT]),
        "private_metadata": say("instructions-long", limit=LONGEST_INSTRUCTIONS),
        "blocks": [optional(INSTRUCTIONS, say("slack-instructions-label"), field)],
    }


def instructed(body: Mapping[str, Any]) -> Instructed:
    """What was typed in the window."""
    view = body["view"]
    value = view["state"]["values"][INSTRUCTIONS][INSTRUCTIONS].get("value") or ""
    text = str(value).strip()
    problem = str(view["private_metadata"]) if len(text) > LONGEST_INSTRUCTIONS else ""
    return Instructed(Spot("", body["user"]["id"]), text, f"slack:view:{view['id']}", problem)
