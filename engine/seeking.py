"""What operators look for members by."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from engine.domain import Person, TierName
from engine.facts import Mode


class SoughtKind(StrEnum):
    """By what somebody is looked for."""

    PERSON = "person"
    """`discord:ID`, `slack:TEAM/ID`, `local:NAME`."""
    MEMBER = "member"
    """Their id on a platform, whichever that is."""
    ACCOUNT = "account"
    CUSTOMER = "customer"
    SUBSCRIPTION = "subscription"
    TIER = "tier"
    """The one told last; the newest of those who have it."""
    STATUS = "status"
    """Stripe's, of a subscription; the newest ones."""


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for."""

    kind: SoughtKind
    value: str

    @classmethod
    def parse(cls, text: str) -> Sought:
        """Read what an operator typed; ValueError, in words, for what nobody can be found by."""
        kind, _, value = text.strip().partition(":")
        if kind.casefold() == SoughtKind.TIER:
            return cls(SoughtKind.TIER, tier_named(value))
        if kind.casefold() == SoughtKind.STATUS:
            return cls(SoughtKind.STATUS, status_named(value))
        if value:
            return cls(SoughtKind.PERSON, str(Person.parse(text.strip())))
        found = next((each for shape, each in SHAPES if shape.fullmatch(kind)), None)
        if found is None:
            raise ValueError(
                f"nobody can be found by {text[:64]!r}: write a person, their id, an account, cus_..., "
                "sub_..., tier:NAME or status:NAME"
            )
        return cls(found, kind)


SHAPES = (
    (re.compile(r"cus_\w{1,64}"), SoughtKind.CUSTOMER),
    (re.compile(r"sub_\w{1,64}"), SoughtKind.SUBSCRIPTION),
    (re.compile(r"[0-9a-f]{32}"), SoughtKind.ACCOUNT),
    (re.compile(r"[\w.-]{1,64}"), SoughtKind.MEMBER),
)


def tier_named(text: str) -> TierName:
    """A tier; ValueError, in words, if there is none of that name."""
    try:
        return TierName(text.strip().casefold())
    except ValueError:
        raise ValueError(f"{text!r} is no tier: write one of {', '.join(TierName)}") from None


def status_named(text: str) -> str:
    """A status as Stripe writes it."""
    if re.fullmatch(r"[a-z_]{1,32}", text.strip()):
        return text.strip()
    raise ValueError(f"{text!r} is no status: write one such as active, past_due, unpaid or canceled")


class SeekingTx(Protocol):
    """Finds people."""

    def people_by(self, sought: Sought, mode: Mode, limit: int) -> Sequence[Person]:
        """Whom that fits, at most so many; quick however many members there are."""
        ...
