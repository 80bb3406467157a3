"""Moments as operators write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

SPAN = re.compile(r"(\d{1,4})([mhdw])")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:t\d\d:\d\d)?")
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment_named(text: str, now: datetime) -> datetime:
    """`90m`, `36h`, `15d`, `2w` from now, or `2026-12-24` and `2026-12-24T18:00` in UTC.

    ValueError, in words, for anything else.
    """
    folded = text.strip().casefold().removesuffix("z")
    if span := SPAN.fullmatch(folded):
        return now + timedelta(**{UNITS[span[2]]: int(span[1])})
    try:
        if MOMENT.fullmatch(folded):
            return datetime.fromisoformat(folded.upper()).replace(tzinfo=UTC)
    except ValueError:
        pass
    message = f"{text!r} is no time: write 90m, 36h, 15d, 2w, 2026-12-24 or 2026-12-24T18:00 (UTC)"
    raise ValueError(message)
