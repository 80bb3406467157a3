"""views.*: App Homes and windows, held to Block Kit's limits, opened by triggers that last three seconds."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.views import View

from tests.fakes.slack import blocks as block_kit
from tests.fakes.slack.errors import SlackError
from tests.fakes.slack.methods import method
from tests.fakes.slack.state import Json, Window

if TYPE_CHECKING:
    from tests.fakes.slack.server import SlackServer

TRIGGER_SECONDS = 3.0
MOST_BLOCKS = 100
SECTION_LIMIT = 3_000
INPUT_LIMIT = 3_000
MOST_BOXES = 10
VIEW_BLOCKS = block_kit.MESSAGE_BLOCKS - {"markdown", "context_actions"} | {"input"}
"""Markdown blocks are for messages alone (docs.slack.dev/reference/block-kit/blocks/markdown-block)."""
KEYS = {
    "home": {"type", "blocks", "private_metadata", "callback_id", "external_id"},
    "modal": {
        "type",
        "blocks",
        "title",
        "close",
        "submit",
        "private_metadata",
        "callback_id",
        "external_id",
        "clear_on_close",
        "notify_on_close",
        "submit_disabled",
    },
}


@method("views.publish", required="user_id view", optional="hash", tier=4)
def publish(slack: SlackServer, args: Json) -> Json:
    """Show a user their App Home."""
    view = checked(args["view"], "home")
    slack.workspace.homes[str(args["user_id"])] = view
    slack.workspace.pulse.beat()
    return {"view": {"id": f"V{slack.workspace.number()}", **view}}


@method("views.open", required="trigger_id view", tier=4)
def open_view(slack: SlackServer, args: Json) -> Json:
    """Open a window for the one who has just done something."""
    user, until = slack.workspace.triggers.pop(str(args["trigger_id"]), ("", 0.0))
    if not user:
        raise SlackError("exchanged_trigger_id")
    if asyncio.get_running_loop().time() > until:
        raise SlackError("expired_trigger_id")
    window = Window(f"V{slack.workspace.number()}", user, checked(args["view"], "modal"))
    slack.workspace.windows[window.id] = window
    slack.workspace.pulse.beat()
    return {"view": {"id": window.id, **window.view}}


@method("views.update", required="view", optional="view_id external_id hash", tier=4)
def update(slack: SlackServer, args: Json) -> Json:
    """Change an open window."""
    window = slack.workspace.windows.get(str(args.get("view_id")))
    if window is None:
        raise SlackError("not_found")
    window.view = checked(args["view"], "modal")
    slack.workspace.pulse.beat()
    return {"view": {"id": window.id, **window.view}}


def checked(view: Mapping[str, Any], kind: str) -> Json:
    """A view that Slack takes."""
    if problems := [*_problems(view, kind)]:
        raise SlackError("invalid_arguments", *(f"[ERROR] {problem}" for problem in problems))
    return dict(view)


def _problems(view: Mapping[str, Any], kind: str) -> Iterator[str]:
    if view.get("type") != kind:
        yield f"view must be of type {kind}"
        return
    yield from (f"unknown key {name!r}" for name in sorted(set(view) - KEYS[kind]))
    blocks = view.get("blocks", [])
    if not 0 < len(blocks) <= MOST_BLOCKS:
        yield f"{len(blocks)} blocks"
    if any(block["type"] == "input" for block in blocks) and "submit" not in view:
        yield "a window with fields needs submit"
    yield from _block_problems(blocks)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            View(**view).to_dict()
        except (SlackObjectFormationError, TypeError) as error:
            yield str(error)


def _block_problems(blocks: list[Json]) -> Iterator[str]:
    names: list[object] = []
    for block in blocks:
        if block.get("type") not in VIEW_BLOCKS:
            yield f"unsupported type {block.get('type')!r}"
        text = (block.get("text") or {}).get("text", "-")
        if not 0 < len(text) <= SECTION_LIMIT:
            yield f"a text of {len(text)} characters"
        for each in elements(block):
            names.append(each.get("action_id"))
            yield from _element_problems(each)
    yield from (f"action_id {name!r} is used twice" for name in {*names} if name and names.count(name) > 1)


def _element_problems(element: Json) -> Iterator[str]:
    if element.get("type") == "button":
        yield from block_kit.button_problems(element)
    options = element.get("options", ())
    if "options" in element and not 0 < len(options) <= MOST_BLOCKS:
        yield f"{len(options)} options"
    if element.get("initial_option") and element["initial_option"] not in options:
        yield "initial_option is none of the options"
    if any(each not in options for each in element.get("initial_options", ())):
        yield "initial_options are none of the options"
    if element.get("type") == "checkboxes" and not 0 < len(options) <= MOST_BOXES:
        yield f"{len(options)} boxes"
    if len(element.get("initial_value", "")) > element.get("max_length", INPUT_LIMIT):
        yield "initial_value is longer than max_length"
    if not 0 < element.get("max_length", 1) <= INPUT_LIMIT:
        yield "max_length is above 3000"


def elements(block: Mapping[str, Any]) -> list[Json]:
    """What can be used in a block."""
    single = [block[name] for name in ("accessory", "element") if name in block]
    return [each for each in (*block.get("elements", ()), *single) if "action_id" in each]


def element(view: Mapping[str, Any], action_id: str) -> tuple[Json, str]:
    """An element of a view by its action_id, and the id of its block; ValueError if there is none."""
    for number, block in enumerate(view["blocks"]):
        for each in elements(block):
            if each["action_id"] == action_id:
                return each, block.get("block_id", f"b{number}")
    error = f"there is no {action_id!r}"
    raise ValueError(error)
