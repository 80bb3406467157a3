"""Block Kit: what is allowed, what a reader sees, which buttons there are."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block

MOST_BLOCKS = 50
MARKDOWN_LIMIT = 12_000
ALL_BLOCKS_LIMIT = 13_200
VALUE_LIMIT = 2_000
ACTION_ID_LIMIT = 255
LABEL_LIMIT = 75
URL_LIMIT = 3_000
PRESSED = ("button", "feedback_buttons")
STYLES = (None, "primary", "danger")
MESSAGE_BLOCKS = frozenset(
    {
        "actions",
        "context",
        "context_actions",
        "divider",
        "header",
        "image",
        "markdown",
        "rich_text",
        "section",
    }
)
KEYS = {
    "actions": {"elements"},
    "context": {"elements"},
    "context_actions": {"elements"},
    "divider": set(),
    "header": {"text"},
    "markdown": {"text"},
    "section": {"text", "fields", "accessory", "expand"},
}
"""The keys of the blocks that are checked to the letter, beside `type` and `block_id`."""
THUMB_KEYS = {"type", "action_id", "positive_button", "negative_button", "block_id"}
MOST_CONTEXT_ACTIONS = 5
BUTTON_KEYS = {"type", "text", "action_id", "url", "value", "style", "confirm", "accessibility_label"}


def problems(blocks: Sequence[Mapping[str, Any]]) -> list[str]:
    """Everything Slack would refuse in a message's blocks, in words."""
    found = [] if len(blocks) <= MOST_BLOCKS else [f"{len(blocks)} blocks are more than {MOST_BLOCKS}"]
    for index, block in enumerate(blocks):
        found += [f"blocks[{index}]: {problem}" for problem in _of_block(block)]
    markdown = sum(len(block.get("text", "")) for block in blocks if block.get("type") == "markdown")
    if markdown > MARKDOWN_LIMIT:
        found.append(f"markdown blocks have {markdown} characters, more than {MARKDOWN_LIMIT}")
    ids = [each.get("action_id") for each in (*buttons(blocks), *thumbs(blocks))]
    found += [
        f"action_id {name!r} is used twice" for name in sorted({str(i) for i in ids if ids.count(i) > 1})
    ]
    return found


def too_long(blocks: Sequence[Mapping[str, Any]]) -> bool:
    """Whether all blocks together are past the size at which Slack gives up (seen at about 13,200)."""
    return len(shown(blocks)) > ALL_BLOCKS_LIMIT


def shown(blocks: Sequence[Mapping[str, Any]]) -> str:
    """The text of the blocks as a reader meets it, a line or more for each block."""
    return "\n".join(part for block in blocks for part in _texts(block))


def buttons(blocks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Every button, in order, each with the id of the block it stands in."""
    return [
        {**element, "block_id": block.get("block_id", f"b{index}")}
        for index, block in enumerate(blocks)
        for element in [*block.get("elements", ()), *([block["accessory"]] if "accessory" in block else [])]
        if isinstance(element, Mapping) and element.get("type") == "button"
    ]


def thumbs(blocks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Every pair of feedback buttons, each with the id of the block it stands in."""
    return [
        {**element, "block_id": block.get("block_id", f"b{index}")}
        for index, block in enumerate(blocks)
        if block.get("type") == "context_actions"
        for element in block.get("elements", ())
        if element.get("type") == "feedback_buttons"
    ]


def _texts(block: Mapping[str, Any]) -> Iterator[str]:
    if block.get("type") == "divider":
        yield "---"
    for source in (block.get("text"), *block.get("fields", ()), *block.get("elements", ())):
        if isinstance(source, str):
            yield source
        elif isinstance(source, Mapping) and source.get("type") not in PRESSED:
            yield str(source.get("text", ""))


def _of_block(block: Mapping[str, Any]) -> list[str]:
    kind = str(block.get("type"))
    if kind not in MESSAGE_BLOCKS:
        return [f"unsupported type {kind!r}"]
    unknown = set(block) - KEYS.get(kind, set(block)) - {"type", "block_id"}
    found = [f"unknown key {name!r} in {kind}" for name in sorted(unknown)]
    for button in buttons([block]):
        found += button_problems(button)
    for pair in thumbs([block]):
        found += _thumb_problems(pair)
    if kind == "context_actions" and not 0 < len(block.get("elements", ())) <= MOST_CONTEXT_ACTIONS:
        found.append("context_actions have one to five elements")
    return found + _by_sdk(block)


def button_problems(button: Mapping[str, Any]) -> list[str]:
    """Everything Slack would refuse in a button."""
    label = button.get("text", {})
    wrong = {
        f"unknown key in button: {sorted(set(button) - BUTTON_KEYS)}": set(button)
        - BUTTON_KEYS
        - {"block_id"},
        "a button's text must be plain_text": label.get("type") != "plain_text",
        "a button's text is empty or above 75": not 0 < len(label.get("text", "")) <= LABEL_LIMIT,
        "a button's value is empty or above 2000": not 0 < len(button.get("value", "-")) <= VALUE_LIMIT,
        "a button's action_id is empty or above 255": not 0
        < len(button.get("action_id", ""))
        <= ACTION_ID_LIMIT,
        "a button's url is above 3000": len(button.get("url", "")) > URL_LIMIT,
        f"unknown style {button.get('style')!r}": button.get("style") not in STYLES,
    }
    return [problem for problem, applies in wrong.items() if applies]


def _thumb_problems(pair: Mapping[str, Any]) -> list[str]:
    """Everything Slack would refuse in feedback buttons."""
    found = [] if set(pair) == THUMB_KEYS else [f"feedback_buttons have {sorted(pair)}"]
    for name in ("positive_button", "negative_button"):
        thumb = pair.get(name, {})
        label = thumb.get("text", {})
        if set(thumb) - {"accessibility_label"} != {"text", "value"} or label.get("type") != "plain_text":
            found.append(f"{name} needs a plain_text and a value")
        elif not (0 < len(label["text"]) <= LABEL_LIMIT and 0 < len(thumb["value"]) <= VALUE_LIMIT):
            found.append(f"{name} is empty or too long")
    if not 0 < len(pair.get("action_id", "")) <= ACTION_ID_LIMIT:
        found.append("an action_id is empty or above 255")
    return found


def _by_sdk(block: Mapping[str, Any]) -> list[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            parsed = Block.parse(dict(block))
            if parsed is not None:
                parsed.to_dict()
        except (SlackObjectFormationError, TypeError) as error:
            return [str(error)]
    return []
