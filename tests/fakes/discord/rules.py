"""What Discord refuses in a message, and whom a message pings."""

import re
from collections.abc import Iterator, Mapping

from tests.fakes.discord import components
from tests.fakes.discord.errors import ApiError, Json, empty_message, invalid_form, too_large

CONTENT_LIMIT = 2000
NONCE_LIMIT = 25
CUSTOM_ID_LIMIT, ROW_LIMIT = 100, 5
TEXT_INPUT, LABEL = 4, 18
TITLE_LIMIT = 45
FILE_LIMIT = 10 * 1024 * 1024
"""Bytes of a file that may be uploaded where no boost allows more."""
EPHEMERAL, LOADING, COMPONENTS_V2 = 1 << 6, 1 << 7, components.COMPONENTS_V2
LEGACY = ("content", "embeds", "sticker_ids", "poll")
"""What a message of components V2 cannot have."""
SUBSTANCE = ("content", "embeds", "components", "sticker_ids", "poll", "attachments")


def check_message(body: Json, *, files: Mapping[str, bytes] = {}, before: Json | None = None) -> None:
    """Raise ApiError if Discord would refuse to create this message, or to edit `before` into it."""
    if any(len(data) > FILE_LIMIT for data in files.values()):
        raise too_large()
    old = before or {}
    flags = (old.get("flags") or 0) | (body.get("flags") or 0)
    legacy = {name: body.get(name, old.get(name)) for name in LEGACY}
    known = {*files, *(entry["filename"] for entry in old.get("attachments") or [])}
    problem = next(_problems({**body, **legacy}, known, v2=bool(flags & COMPONENTS_V2)), None)
    if problem is not None:
        raise problem
    substance = {**old, **body, **legacy, "content": (legacy["content"] or "").strip()}
    if not files and not old.get("flags", 0) & LOADING and not any(substance.get(name) for name in SUBSTANCE):
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


def _problems(body: Json, files: set[str], *, v2: bool) -> Iterator[ApiError]:
    content = body.get("content") or ""
    if len(content) > CONTENT_LIMIT:
        yield invalid_form("content", "BASE_TYPE_MAX_LENGTH", f"Must be {CONTENT_LIMIT} or fewer in length.")
    if len(str(body.get("nonce") or "")) > NONCE_LIMIT:
        yield invalid_form("nonce", "NONCE_TYPE_TOO_LONG", "Nonce too long")
    if v2 and any(body.get(name) for name in LEGACY):
        yield invalid_form(
            "content", "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", "Not with components V2."
        )
    yield from components.problems(body.get("components") or [], v2=v2, files=files)


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
