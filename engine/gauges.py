"""How vendors and webhooks do and what has to be done, as the operator's dashboard shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction

from engine.circuit import Circuit
from engine.domain import RefusalReason, TierName
from engine.tallies import Delivery, Waiting
from engine.terms import DeadLetter
from engine.turns import FAILED, CallEnd


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Of durations that were counted up to bounds: the bound that so many lie within; None: no durations."""

    p50: timedelta | None
    p95: timedelta | None
    count: int


@dataclass(frozen=True, slots=True)
class VendorLine:
    """How the requests to one model went."""

    provider: str
    model: str
    ends: Mapping[CallEnd, int]
    first: Quantiles
    """Until the first words."""
    total: Quantiles
    """Until the end, of those that were answered."""

    @property
    def requests(self) -> int:
        """All of them."""
        return sum(self.ends.values())

    @property
    def failures(self) -> int:
        """Those that the vendor or the operator has to answer for."""
        return sum(count for end, count in self.ends.items() if end in FAILED)

    @property
    def share(self) -> Fraction | None:
        """The part that failed."""
        return Fraction(self.failures, self.requests) if self.requests else None


@dataclass(frozen=True, slots=True)
class VendorPoint:
    """The same in the time from a moment on, an hour or several."""

    at: datetime
    line: VendorLine


@dataclass(frozen=True, slots=True)
class VendorsPanel:
    """Vendors' health."""

    lines: tuple[VendorLine, ...]
    points: tuple[VendorPoint, ...]
    hours: int
    """In a point."""
    circuits: tuple[Circuit, ...]
    """Models that are left alone now."""


@dataclass(frozen=True, slots=True)
class Handling:
    """Webhook events and what followed from them."""

    deliveries: Mapping[Delivery, int]
    took: Quantiles
    """From their arrival until their customer was read and all that follows was written."""
    prompt: int
    """Those of them that took no longer than the target."""
    readings: int
    """Tries to read a customer from Stripe."""
    failed: int
    """Those that had to be repeated."""
    given_up: int

    @property
    def events(self) -> int:
        """Signed events that were delivered, those that were turned away too."""
        return sum(self.deliveries.get(each, 0) for each in GENUINE)

    @property
    def success(self) -> Fraction | None:
        """The part of them that were taken and whose customers were read in the end."""
        bad = self.deliveries.get(Delivery.AWAY, 0) + self.given_up
        return max(Fraction(0), 1 - Fraction(bad, self.events)) if self.events else None

    @property
    def retries(self) -> Fraction | None:
        """The part of readings that had to be repeated."""
        return Fraction(self.failed, self.readings) if self.readings else None

    @property
    def in_time(self) -> Fraction | None:
        """The part that took no longer than the target."""
        return Fraction(self.prompt, self.took.count) if self.took.count else None


GENUINE = (Delivery.TAKEN, Delivery.IGNORED, Delivery.DUPLICATE, Delivery.AWAY)


@dataclass(frozen=True, slots=True)
class HandlingOfHour:
    """That of the hour, or the day, that begins at a moment."""

    at: datetime
    handling: Handling


@dataclass(frozen=True, slots=True)
class Targets:
    """What the operator wants of webhooks."""

    success: Fraction = Fraction(999, 1000)
    took: timedelta = timedelta(seconds=2)
    retries: Fraction = Fraction(1, 100)


TARGETS = Targets()


@dataclass(frozen=True, slots=True)
class WebhooksPanel:
    """How the days' events were handled, beside the targets."""

    whole: Handling
    hours: tuple[HandlingOfHour, ...]
    step: int
    """Hours in each of them: 1, or 24 where there are many."""
    targets: Targets = TARGETS


@dataclass(frozen=True, slots=True)
class LimitLine:
    """Questions that a limit stopped."""

    day: date
    tier: TierName
    reason: RefusalReason
    times: int


@dataclass(frozen=True, slots=True)
class BacklogSize:
    """What has to be done, and how much was given up."""

    waiting: tuple[Waiting, ...]
    given_up: int


@dataclass(frozen=True, slots=True)
class BacklogPanel:
    """What has to be done, and what was given up."""

    waiting: tuple[Waiting, ...]
    letters: tuple[DeadLetter, ...]
