"""What Discord refuses in a message, and whom a message pings."""

import re
from collections.abc import Iterator

from tests.fakes.discord.errors import ApiError, Json, empty_message, invalid_form

CONTENT_LIMIT = 2000
NONCE_LIMIT = 25
LABEL_LIMIT = 80
CUSTOM_ID_LIMIT = 100
URL_LIMIT = 512
ROW_LIMIT = 5
LINK_STYLE, PREMIUM_STYLE = 5, 6
ACTION_ROW, BUTTON, TEXT_INPUT, LABEL = 1, 2, 4, 18
TITLE_LIMIT = 45
EPHEMERAL, LOADING, COMPONENTS_V2 = 1 << 6, 1 << 7, 1 << 15
SUBSTANCE = ("content", "embeds", "components", "sticker_ids", "poll", "attachments")


def check_message(body: Json, *, files: int = 0, edit: bool = False) -> None:
    """Raise ApiError if Discord would refuse to create (or edit into) this message."""
    problem = next(_problems(body), None)
    if problem is not None:
        raise problem
    substance = {**body, "content": (body.get("content") or "").strip()}
    emptied = edit and body.get("content") is not None and not body.get("embeds")
    if (emptied or not edit) and not files and not any(substance.get(name) for name in SUBSTANCE):
        raise empty_message()


def check_modal(data: Json, *, answering_modal: bool) -> None:
    """Raise ApiError if Discord would refuse to open this window."""
    inside = data.get("components") or []
    if answering_modal:
        raise invalid_form("type", "INTERACTION_RESPONSE_MODAL", "A window cannot open a window")
    if not 1 <= len(data.get("title") or "") <= TITLE_LIMIT:
        raise invalid_form("data.title", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 45 in length.")
    if not 1 <= len(data.get("custom_id") or "") <= CUSTOM_ID_LIMIT or not 1 <= len(inside) <= ROW_LIMIT:
        raise invalid_form("data", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
    for label in inside:
        field = label.get("component") or {}
        if label.get("type") != LABEL or field.get("type") != TEXT_INPUT or field.get("label"):
            raise invalid_form("data.components", "UNION_TYPE_CHOICES", "Text inputs come in labels.")
        if not 1 <= len(label.get("label") or "") <= TITLE_LIMIT or len(field.get("placeholder") or "") > 100:
            raise invalid_form("data.components", "BASE_TYPE_BAD_LENGTH", "Must be 45 or fewer in length.")


def _problems(body: Json) -> Iterator[ApiError]:
    content = body.get("content") or ""
    if len(content) > CONTENT_LIMIT:
        yield invalid_form("content", "BASE_TYPE_MAX_LENGTH", f"Must be {CONTENT_LIMIT} or fewer in length.")
    if len(str(body.get("nonce") or "")) > NONCE_LIMIT:
        yield invalid_form("nonce", "NONCE_TYPE_TOO_LONG", "Nonce too long")
    if (body.get("flags") or 0) & COMPONENTS_V2:
        if content or body.get("embeds"):
            yield invalid_form(
                "content", "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", "Components V2"
            )
        return
    yield from _row_problems(body.get("components") or [])


def _row_problems(rows: list[Json]) -> Iterator[ApiError]:
    if len(rows) > ROW_LIMIT:
        yield invalid_form("components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
    seen: set[str] = set()
    for at, row in enumerate(rows):
        where = f"components.{at}"
        inside = row.get("components") or []
        if row.get("type") != ACTION_ROW or not 1 <= len(inside) <= ROW_LIMIT:
            yield invalid_form(where, "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
        for number, node in enumerate(inside):
            if node.get("type") == BUTTON:
                yield from _button_problems(node, f"{where}.components.{number}", seen)


def _button_problems(button: Json, where: str, seen: set[str]) -> Iterator[ApiError]:
    style, custom_id, url = button.get("style"), button.get("custom_id"), button.get("url")
    if len(button.get("label") or "") > LABEL_LIMIT:
        yield invalid_form(f"{where}.label", "BASE_TYPE_MAX_LENGTH", "Must be 80 or fewer in length.")
    if style == LINK_STYLE:
        if not url or custom_id or len(url) > URL_LIMIT:
            yield invalid_form(
                f"{where}.url", "BUTTON_COMPONENT_INVALID_URL", "A link button needs a url only."
            )
        elif not re.match(r"(https?|discord)://([^/]+\.[a-z]|-/)", url):
            yield invalid_form(
                f"{where}.url", "URL_TYPE_INVALID_SCHEME", "Scheme must be http, https or discord."
            )
    elif style != PREMIUM_STYLE:
        if not custom_id or url or not 1 <= len(custom_id) <= CUSTOM_ID_LIMIT:
            yield invalid_form(
                f"{where}.custom_id", "BUTTON_COMPONENT_CUSTOM_ID_REQUIRED", "1 to 100 characters."
            )
        elif custom_id in seen:
            yield invalid_form(f"{where}.custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED", "Must be unique.")
        seen.add(custom_id or "")


def pinged(content: str, allowed: Json | None, replied_to: str | None) -> list[str]:
    """Return whom a message notifies: user ids, role ids as `role:ID`, and `everyone`.

    `allowed` is the message's allowed_mentions; without it Discord notifies all that the text names.
    """
    kinds = {"everyone", "users", "roles"} if allowed is None else set(allowed.get("parse") or [])
    rule = allowed or {}
    users = set(re.findall(r"<@!?(\d+)>", content))
    roles = set(re.findall(r"<@&(\d+)>", content))
    hit = sorted(users if "users" in kinds else users & set(rule.get("users") or []))
    hit += [
        f"role:{role}" for role in sorted(roles if "roles" in kinds else roles & set(rule.get("roles") or []))
    ]
    if "everyone" in kinds and re.search(r"@(everyone|here)\b", content):
        hit.append("everyone")
    if replied_to and (allowed is None or rule.get("replied_user")):
        hit.append(replied_to)
    return hit
