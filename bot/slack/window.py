"""Asking about a message from its menu: a window for the question, and what comes back from it."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.attached import MOST_ASKED, Sent, sent
from bot.slack.blocks import Block
from bot.slack.calls import called
from bot.slack.spot import Spot
from bot.slack.text import typed
from bot.words import say
from engine.errors import OutsideError

log = logging.getLogger("bot.slack")

ABOUT = "ask-about"
"""`callback_id` of the shortcut and of its window."""
TITLE_LIMIT, OPTION_LIMIT, MOST_OPTIONS = 24, 75, 100
QUOTE_PART, QUOTE_PARTS = 3_000, 4
"""The message is shown in the window, in blocks as long as Slack takes them, and read from there again."""
QUOTE, QUESTION, MODEL, PRIVATE = "quote:", "question", "model", "private"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A message that a member wants to ask about; `trigger` opens a window within three seconds."""

    spot: Spot
    trigger: str
    author: str
    text: str
    key: str
    files: tuple[Sent, ...] = ()


@dataclass(frozen=True, slots=True)
class Submitted:
    """A question about a message, as it came back with its window."""

    spot: Spot
    author: str
    text: str
    question: str
    model: str | None
    private: bool
    key: str
    files: tuple[Sent, ...] = ()


async def author_name(web: AsyncWebClient, author: str) -> str:
    """How the author of a message is called."""
    try:
        user = (await called(web.users_info(user=author))).get("user") or {}
    except OutsideError as error:
        log.info("no name", extra={"why": str(error)})
        return say("slack-somebody")
    profile = user.get("profile") or {}
    return str(profile.get("display_name") or user.get("real_name") or user.get("name") or author)


def window(chosen: Chosen, models: Sequence[str]) -> Block:
    """The window for the question about a message."""
    spot = chosen.spot
    files = [each.id for each in chosen.files[:MOST_ASKED]]
    place = [spot.channel, spot.thread_ts, spot.unthreaded, spot.response_url, spot.home, chosen.author]
    parts = [
        chosen.text[at : at + QUOTE_PART]
        for at in range(0, min(len(chosen.text), QUOTE_PART * QUOTE_PARTS), QUOTE_PART)
    ]
    quote = [
        {"type": "section", "block_id": f"{QUOTE}{number}", "text": plain(part)}
        for number, part in enumerate(parts)
    ]
    return {
        "type": "modal",
        "callback_id": ABOUT,
        "title": plain(say("about-title")[:TITLE_LIMIT]),
        "submit": plain(say("slack-ask")[:TITLE_LIMIT]),
        "close": plain(say("slack-cancel")[:TITLE_LIMIT]),
        "private_metadata": json.dumps([*place, *files]),
        "blocks": [
            *quote,
            *file_names(chosen.files),
            question_field(),
            *model_field(models),
            private_field(),
        ],
    }


def file_names(files: Sequence[Sent]) -> list[Block]:
    """Which files come with the message."""
    names = ", ".join(" ".join((each.source.name if each.source else each.id).split()) for each in files)
    return [{"type": "section", "text": plain(f"📎 {names}"[:QUOTE_PART])}] if names else []


def plain(text: str) -> Block:
    """Text in which nothing is markup."""
    return {"type": "plain_text", "text": text, "emoji": False}


def question_field() -> Block:
    """Where the question is typed; empty asks to explain the message."""
    field = {
        "type": "plain_text_input",
        "action_id": QUESTION,
        "multiline": True,
        "max_length": QUOTE_PART,
        "placeholder": plain(say("about-hint")),
    }
    return optional(QUESTION, say("about-question"), field)


def model_field(models: Sequence[str]) -> list[Block]:
    """Which model is to answer; left empty, the member's."""
    options = [{"text": plain(name), "value": name} for name in models if len(name) <= OPTION_LIMIT]
    if not options:
        return []
    field = {"type": "static_select", "action_id": MODEL, "options": options[:MOST_OPTIONS]}
    return [optional(MODEL, say("slack-model"), field)]


def private_field() -> Block:
    """Whether the answer is for the asker alone."""
    option = {"text": plain(say("slack-only-me")), "value": PRIVATE}
    return optional(
        PRIVATE,
        say("slack-who-sees"),
        {"type": "checkboxes", "action_id": PRIVATE, "options": [option]},
    )


def optional(block_id: str, label: str, element: Block) -> Block:
    """A field that may be left empty."""
    return {
        "type": "input",
        "block_id": block_id,
        "label": plain(label),
        "element": element,
        "optional": True,
    }


def chosen(body: Mapping[str, Any], home: str) -> Chosen:
    """A message from the shortcut's payload."""
    message, channel = body["message"], body["channel"]["id"]
    thread = message.get("thread_ts")
    spot = Spot(
        channel,
        body["user"]["id"],
        thread or body["message_ts"],
        body.get("response_url"),
        unthreaded=thread is None,
        home=home,
    )
    author = str(message.get("user") or message.get("username") or "")
    text = typed(str(message.get("text") or ""), "")
    return Chosen(spot, body["trigger_id"], author, text, f"slack:about:{body['trigger_id']}", sent(message))


def submitted(body: Mapping[str, Any]) -> Submitted:
    """A question from its window."""
    view = body["view"]
    channel, thread, unthreaded, url, home, author, *files = json.loads(view["private_metadata"])
    values = {block: next(iter(fields.values())) for block, fields in view["state"]["values"].items()}
    quote = [
        block["text"]["text"] for block in view["blocks"] if str(block.get("block_id", "")).startswith(QUOTE)
    ]
    picked = (values.get(MODEL) or {}).get("selected_option") or {}
    return Submitted(
        Spot(channel, body["user"]["id"], thread, url, unthreaded=unthreaded, home=home),
        author,
        "".join(quote),
        str((values.get(QUESTION) or {}).get("value") or ""),
        picked.get("value"),
        bool((values.get(PRIVATE) or {}).get("selected_options")),
        f"slack:view:{view['id']}",
        tuple(map(Sent, files)),
    )
