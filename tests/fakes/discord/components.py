"""Message components: what Discord refuses in them, what it adds to them, and what can be read of them."""

import re
from collections.abc import Iterator
from typing import Any

from tests.fakes.discord.errors import ApiError, Json, invalid_form

COMPONENTS_V2 = 1 << 15
ACTION_ROW, BUTTON, SECTION, TEXT, THUMBNAIL, GALLERY, FILE, SEPARATOR, CONTAINER = (
    1,
    2,
    9,
    10,
    11,
    12,
    13,
    14,
    17,
)
INSIDE = {ACTION_ROW, TEXT, SECTION, GALLERY, SEPARATOR, FILE}
"""What a container may hold."""
COUNT_LIMIT = 40
TEXT_LIMIT = 4000
ROW_LIMIT = 5
LABEL_LIMIT = 80
CUSTOM_ID_LIMIT = 100
URL_LIMIT = 512
LINK_STYLE, PREMIUM_STYLE = 5, 6
BAD_LENGTH = "BASE_TYPE_BAD_LENGTH"


def walk(nodes: list[Json]) -> Iterator[Json]:
    """Yield every component, accessories included, in reading order."""
    for node in nodes:
        yield node
        yield from walk(node.get("components") or [])
        if node.get("accessory"):
            yield from walk([node["accessory"]])


def texts(nodes: list[Json]) -> list[str]:
    """Return the contents of all text displays, in reading order."""
    return [str(node["content"]) for node in walk(nodes) if node["type"] == TEXT]


def buttons(nodes: list[Json]) -> list[Json]:
    """Return all buttons, in reading order."""
    return [node for node in walk(nodes) if node["type"] == BUTTON]


def numbered(nodes: list[Any]) -> list[Any]:
    """Return components with the ids and defaults that Discord adds to each of them, in reading order."""
    count = 0

    def named(node: Json) -> Json:
        nonlocal count
        count += 1
        defaults: dict[int, Json] = {
            SEPARATOR: {"spacing": 1, "divider": True},
            CONTAINER: {"spoiler": False, "accent_color": None},
        }
        found = {**defaults.get(node["type"], {}), **node, "id": count}
        if "components" in node:
            found["components"] = [named(child) for child in node["components"]]
        if node.get("accessory"):
            found["accessory"] = named(node["accessory"])
        return found

    return [named(node) for node in nodes]


def filed(nodes: list[Json], attachments: list[Json]) -> None:
    """Let file components show what they name among a message's attachments, as Discord resolves it."""
    by_name = {f"attachment://{entry['filename']}": entry for entry in attachments}
    for node in walk(nodes):
        if node["type"] == FILE and (entry := by_name.get(node["file"]["url"])):
            media = {name: entry[name] for name in ("id", "url", "proxy_url")}
            node |= {"file": media, "name": entry["filename"], "size": entry["size"], "spoiler": False}


def problems(nodes: list[Json], *, v2: bool, files: set[str]) -> Iterator[ApiError]:
    """Yield what Discord would refuse; `files` are the names of the attachments that come or stay."""
    if v2:
        yield from _v2_problems(nodes, files)
    else:
        yield from _plain_problems(nodes)
    seen: set[str] = set()
    for node in walk(nodes):
        if node["type"] == ACTION_ROW and not 1 <= len(node.get("components") or []) <= ROW_LIMIT:
            yield invalid_form("components", BAD_LENGTH, "Must be between 1 and 5 in length.")
        if node["type"] == BUTTON:
            yield from _button_problems(node, seen)


def _plain_problems(rows: list[Json]) -> Iterator[ApiError]:
    if len(rows) > ROW_LIMIT:
        yield invalid_form("components", BAD_LENGTH, "Must be between 1 and 5 in length.")
    for at, row in enumerate(rows):
        if row["type"] != ACTION_ROW:
            yield invalid_form(
                f"components.{at}.type", "UNION_TYPE_CHOICES", "Value of field must be one of (1,)."
            )


def _v2_problems(nodes: list[Json], files: set[str]) -> Iterator[ApiError]:
    every = list(walk(nodes))
    if len(every) > COUNT_LIMIT:
        yield invalid_form(
            "components", "COMPONENT_MAX_TOTAL_COMPONENTS", f"At most {COUNT_LIMIT} components."
        )
    if sum(len(text) for text in texts(nodes)) > TEXT_LIMIT:
        yield invalid_form("components", "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", f"At most {TEXT_LIMIT}.")
    for node in nodes:
        if node["type"] not in INSIDE | {CONTAINER}:
            yield invalid_form("components", "UNION_TYPE_CHOICES", f"{node['type']} cannot stand there.")
    for node in every:
        yield from _node_problems(node, files)


def _node_problems(node: Json, files: set[str]) -> Iterator[ApiError]:
    kind, inside = node["type"], [child["type"] for child in node.get("components") or []]
    if kind == TEXT and not 1 <= len(node["content"].strip()) <= TEXT_LIMIT:
        yield invalid_form("content", BAD_LENGTH, f"Must be between 1 and {TEXT_LIMIT} in length.")
    if kind == CONTAINER and not (inside and set(inside) <= INSIDE):
        yield invalid_form("components", "UNION_TYPE_CHOICES", "Not everything can be in a container.")
    if kind == SECTION and not (1 <= len(inside) <= 3 and set(inside) == {TEXT} and node.get("accessory")):
        yield invalid_form("components", BAD_LENGTH, "A section has 1 to 3 texts and an accessory.")
    if kind == FILE and node["file"]["url"].removeprefix("attachment://") not in files:
        yield invalid_form(
            "file.url", "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND", "No such attachment."
        )


def _button_problems(button: Json, seen: set[str]) -> Iterator[ApiError]:
    style, custom_id, url = button.get("style"), button.get("custom_id"), button.get("url")
    if len(button.get("label") or "") > LABEL_LIMIT:
        yield invalid_form("label", "BASE_TYPE_MAX_LENGTH", "Must be 80 or fewer in length.")
    if style == LINK_STYLE:
        if not url or custom_id or len(url) > URL_LIMIT:
            yield invalid_form("url", "BUTTON_COMPONENT_INVALID_URL", "A link button needs a url only.")
        elif not re.match(r"(https?|discord)://([^/]+\.[a-z]|-/)", url):
            yield invalid_form("url", "URL_TYPE_INVALID_SCHEME", "Scheme must be http, https or discord.")
    elif style != PREMIUM_STYLE:
        if not custom_id or url or not 1 <= len(custom_id) <= CUSTOM_ID_LIMIT:
            yield invalid_form("custom_id", "BUTTON_COMPONENT_CUSTOM_ID_REQUIRED", "1 to 100 characters.")
        elif custom_id in seen:
            yield invalid_form("custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED", "Must be unique.")
        seen.add(custom_id or "")
