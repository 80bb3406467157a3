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
    "divider": set(),
    "header": {"text"},
    "markdown": {"text"},
    "section": {"text", "fields", "accessory", "expand"},
}
"""The keys of the blocks that are checked to the letter, beside `type` and `block_id`."""
BUTTON_KEYS = {"type", "text", "action_id", "url", "value", "style", "confirm", "accessibility_label"}


def problems(blocks: Sequence[Mapping[str, Any]]) -> list[str]:
    """Everything Slack would refuse in a message's blocks, in words."""
    found = [] if len(blocks) <= MOST_BLOCKS else [f"{len(blocks)} blocks are more than {MOST_BLOCKS}"]
    for index, block in enumerate(blocks):
        found += [f"blocks[{index}]: {problem}" for problem in _of_block(block)]
    markdown = sum(len(block.get("text", "")) for block in blocks if block.get("type") == "markdown")
    if markdown > MARKDOWN_LIMIT:
        found.append(f"markdown blocks have {markdown} characters, more than {MARKDOWN_LIMIT}")
    ids = [button.get("action_id") for button in buttons(blocks)]
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


def _texts(block: Mapping[str, Any]) -> Iterator[str]:
    if block.get("type") == "divider":
        yield "---"
    for source in (block.get("text"), *block.get("fields", ()), *block.get("elements", ())):
        if isinstance(source, str):
            yield source
        elif isinstance(source, Mapping) and source.get("type") != "button":
            yield str(source.get("text", ""))


def _of_block(block: Mapping[str, Any]) -> list[str]:
    kind = str(block.get("type"))
    if kind not in MESSAGE_BLOCKS:
        return [f"unsupported type {kind!r}"]
    unknown = set(block) - KEYS.get(kind, set(block)) - {"type", "block_id"}
    found = [f"unknown key {name!r} in {kind}" for name in sorted(unknown)]
    for button in buttons([block]):
        found += button_problems(button)
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
