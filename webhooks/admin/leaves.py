"""The dashboard's pages, each put together from parts, and the way from one to another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from webhooks.admin.asked import DAYS, Asked
from webhooks.admin.parts import Part
from webhooks.boundary import ADMIN_PATH

Build = Callable[[Asked], Awaitable[Sequence[Part]]]


class Spans(StrEnum):
    """Which spans of time can be chosen on a page."""

    ALL = "all"
    MONTHS = "months"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A page: its name in the address (the first page has none), what it is, and how it is made."""

    slug: str
    title: str
    about: str
    build: Build
    spans: Spans = Spans.ALL

    @property
    def path(self) -> str:
        """Where it is."""
        return f"{ADMIN_PATH}/{self.slug}" if self.slug else ADMIN_PATH


@dataclass(frozen=True, slots=True)
class Way:
    """A link of the navigation."""

    title: str
    address: str
    current: bool
    badge: str = ""


def ways(leaves: Sequence[Leaf], here: Leaf, asked: Asked, badges: dict[str, int]) -> list[Way]:
    """All pages; those with a span keep the one that was chosen."""
    span = asked.query.get("span", "")
    return [
        Way(
            each.title,
            f"{each.path}?span={span}" if span and each.spans is not Spans.NONE else each.path,
            each is here,
            str(badges.get(each.slug) or ""),
        )
        for each in leaves
    ]


def spans(asked: Asked) -> list[Way]:
    """The spans of days that can be chosen."""
    return [
        Way(f"{days} days", asked.address(span=f"{days}d"), asked.span_name == f"{days}d") for days in DAYS
    ]


def months(asked: Asked) -> list[tuple[str, str, bool]]:
    """The months that can be chosen, with their words."""
    return [
        (each, f"{MONTHS[int(each[5:]) - 1][:3]} {each[:4]}", each == asked.span_name)
        for each in asked.months()
    ]


MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
