"""Facts by name as lines for reading; scripts have them as JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime

GAUGE = {"used", "limit", "left"}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00")
MICROS = "_micros"
WIDTH = 23


def fact_lines(facts: Mapping[str, object], indent: str = "") -> Iterator[str]:
    """Facts a line each; those that consist of others have these below."""
    for name, value in facts.items():
        if isinstance(value, Mapping) and set(value) != GAUGE:
            yield f"{indent}{name}"
            yield from fact_lines(value, f"{indent}  ")
        elif isinstance(value, list) and value:
            yield f"{indent}{name}"
            yield from (f"{indent}  {in_one_line(each)}" for each in value)
        else:
            yield f"{indent + name.removesuffix(MICROS):<{WIDTH}} {in_words(name, value)}"


def in_one_line(value: object) -> str:
    """A thing of a list: what is known of it, by name."""
    if not isinstance(value, Mapping):
        return in_words("", value)
    known = {name: each for name, each in value.items() if each not in (None, "")}
    return ", ".join(f"{name} {in_words(name, each)}" for name, each in known.items())


def in_words(name: str, value: object) -> str:
    """A value: moments to the minute, money in dollars, what there is none of as a dash."""
    if isinstance(value, Mapping):
        used, limit, left = (in_words(name, value[each]) for each in ("used", "limit", "left"))
        return f"{used}, without limit" if value["limit"] is None else f"{used} of {limit}, {left} left"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and name.endswith(MICROS):
        return f"${value / 1_000_000:.2f}"
    if isinstance(value, str) and MOMENT.fullmatch(value):
        return f"{datetime.fromisoformat(value):%Y-%m-%d %H:%M} UTC"
    return "-" if value in (None, "") or value == [] else str(value)
