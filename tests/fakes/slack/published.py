"""Holds calls against Slack's published description of the Web API, where a copy of it is at hand."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

DESCRIPTION = Path(__file__).parents[4] / "shared" / "data" / "slack" / "slack_web_openapi_v2.json"
SAMPLES = DESCRIPTION.parent / "samples"
TIERS = DESCRIPTION.parent / "rate_limit_tiers.json"
NEWER = frozenset(
    {
        "markdown_text",
        "metadata",
        "include_all_metadata",
        "reply_broadcast",
        "team_id",
        "thread_ts",
        "prevent_creation",
        "loading_messages",
        "chunks",
    }
)
"""Arguments that Slack added after that description was written."""
TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str, list, dict),
    "boolean": (bool, str),
    "integer": (int, str),
    "number": (int, float, str),
}
"""What may stand for a described type: forms carry text, and JSON bodies carry structures as they are."""


@functools.cache
def parameters() -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    """Method -> parameter -> its description; empty where there is no copy."""
    if not DESCRIPTION.exists():
        return {}
    paths = json.loads(DESCRIPTION.read_text())["paths"]
    return {
        path.removeprefix("/"): {
            p["name"]: p for operation in verbs.values() for p in operation["parameters"]
        }
        for path, verbs in paths.items()
    }


@functools.cache
def tiers() -> Mapping[str, int]:
    """Method -> the tier of its rate limit, but for those with one of their own; empty without a copy."""
    if not TIERS.exists():
        return {}
    named = json.loads(TIERS.read_text())
    numbered = {method: str(tier).removeprefix("Tier") for method, tier in named.items()}
    return {method: int(tier) for method, tier in numbered.items() if tier.isdecimal()}


def problems(method: str, args: Mapping[str, Any]) -> list[str]:
    """What the description does not allow in a call; nothing for methods newer than it."""
    known = parameters().get(method)
    if known is None:
        return []
    unknown = sorted(set(args) - set(known) - NEWER)
    missing = sorted(n for n, p in known.items() if p.get("required") and n not in args and n != "token")
    wrong = sorted(
        name
        for name, value in args.items()
        if name in known and not isinstance(value, TYPES.get(known[name].get("type", ""), (object,)))
    )
    return [
        *(f"{method}: {name} is not described" for name in unknown),
        *(f"{method}: {name} is missing" for name in missing),
        *(f"{method}: {name} is no {known[name]['type']}" for name in wrong),
    ]
