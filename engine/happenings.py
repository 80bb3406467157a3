"""What members came to on their way to paying and on: each occurrence a row, in codes, without content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from engine.domain import AccountId, Platform, RefusalReason, TierName
from engine.facts import Mode


class HappeningKind(StrEnum):
    """What happened to an account."""

    LIMIT_HIT = "limit_hit"
    """A question was refused by a limit: `reason` says by which."""
    PAYWALL_SHOWN = "paywall_shown"
    """A tier to buy was shown: beside a refusal (`reason` as above) or because it was asked for (`asked`)."""
    UPGRADE_CLICK = "upgrade_click"
    """A tier to buy was chosen."""
    CHECKOUT_OPENED = "checkout_opened"
    CHECKOUT_COMPLETED = "checkout_completed"
    ACTIVATED = "activated"
    """A free account got a tier."""
    CHANGED = "changed"
    """A paid tier became another one."""
    RENEWED = "renewed"
    CANCELLED = "cancelled"
    """The end of a subscription was scheduled."""
    RESUMED = "resumed"
    """That was taken back."""
    ENDED = "ended"
    """A paid tier became the free one: `reason` says why."""


AT_WILL = frozenset({HappeningKind.LIMIT_HIT, HappeningKind.PAYWALL_SHOWN, HappeningKind.UPGRADE_CLICK})
"""What a member can bring about as often as they press a button."""
MOST_AN_HOUR, AN_HOUR = 60, timedelta(hours=1)
"""Of each of these kinds and for an account: nobody can fill the disk by pressing on and on."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One occurrence; `tier` is what the account has (at a limit), wants, got, keeps or lost."""

    kind: HappeningKind
    account: AccountId
    mode: Mode
    at: datetime
    platform: Platform
    tier: TierName | None = None
    reason: str = ""
    model: str = ""
    number: int = 0
    """Given when it is written down; rises."""


LIMITS = frozenset(
    {
        RefusalReason.COMPARE,
        RefusalReason.MODEL_LOCKED,
        RefusalReason.CONVERSATIONS,
        RefusalReason.TURNS,
        RefusalReason.RATE,
        RefusalReason.CONCURRENT,
        RefusalReason.COST,
        RefusalReason.TEAM_COST,
        RefusalReason.BUDGET,
        RefusalReason.FREE_BUDGET,
        RefusalReason.BUDGET_HELD,
        RefusalReason.POOL,
    }
)
"""Refusals by a limit; all others are about the question itself, or the place that it is asked in."""


class HappeningsTx(Protocol):
    """The occurrences, to which is only ever added until they are too old."""

    def happened(self, happening: Happening) -> None:
        """Write it down, in the unit of work that brings it about; of those at will, the first of an hour."""
        ...

    def happenings(self, since: datetime, until: datetime, after: int, limit: int) -> Sequence[Happening]:
        """Those of `since <= at < until` with a number above `after`, by number."""
        ...

    def count_happenings(
        self, mode: Mode, since: datetime, until: datetime
    ) -> Sequence[tuple[HappeningKind, str, int]]:
        """How many of each kind and reason of a mode there were in that span."""
        ...

    def forget_events(self, before: datetime, limit: int) -> int:
        """Delete some of what happened before then, the oldest first; how much."""
        ...
