"""How vendors and webhooks do, which limits are met, and how much is talked: from counts; pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from engine.charts import ConversationsOfDay, Days, TierKey
from engine.circuit import Circuit
from engine.domain import RefusalReason, TierName
from engine.gauges import (
    TARGETS,
    Handling,
    HandlingOfHour,
    LimitLine,
    Quantiles,
    VendorLine,
    VendorPoint,
    VendorsPanel,
    WebhooksPanel,
)
from engine.happenings import LIMITS
from engine.tallies import BEYOND, BOUNDS, HOUR, Counted, Delivery, Kind, Reading, day_of
from engine.turns import CallEnd

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NO_QUANTILES = Quantiles(None, None, 0)
Bounds = Mapping[str, int]
"""How many durations were counted up to each bound, but not up to the one before it."""


def duration(bound: str) -> timedelta:
    """A bound; what lies beyond all of them is told as the last one."""
    return timedelta(milliseconds=BOUNDS[-1] if bound == BEYOND else int(bound))


def quantiles(bounds: Bounds) -> Quantiles:
    """The bounds within which half and 95 of 100 lie."""
    count = sum(bounds.values())
    ordered = sorted((duration(bound), bound == BEYOND, times) for bound, times in bounds.items())

    def within(percent: int) -> timedelta | None:
        passed = 0
        for took, _, times in ordered:
            passed += times
            if passed * 100 >= count * percent:
                return took
        return None

    return Quantiles(within(50), within(95), count) if count > 0 else NO_QUANTILES


class Gathered:
    """Counts of one thing: its ends, and its durations by bound."""

    def __init__(self) -> None:
        self.of: defaultdict[Kind, Counter[str]] = defaultdict(Counter)

    def add(self, counted: Counted) -> None:
        """One count more."""
        key, amounts = counted
        self.of[key.kind][key.detail] += amounts.times

    def line(self, provider: str, model: str) -> VendorLine:
        """As the requests to a model."""
        ends = {end: self.of[Kind.CALL][end] for end in CallEnd if self.of[Kind.CALL][end]}
        first, total = quantiles(self.of[Kind.FIRST]), quantiles(self.of[Kind.TOTAL])
        return VendorLine(provider, model, ends, first, total)

    def handling(self) -> Handling:
        """As events and what followed from them."""
        deliveries, took, readings = (self.of[each] for each in (Kind.DELIVERY, Kind.APPLIED, Kind.READING))
        return Handling(
            {each: deliveries[each] for each in Delivery if deliveries[each]},
            quantiles(took),
            sum(
                times for bound, times in took.items() if bound != BEYOND and duration(bound) <= TARGETS.took
            ),
            sum(readings.values()),
            readings[Reading.FAILED],
            readings[Reading.GIVEN_UP],
        )


def vendors_panel(counts: Iterable[Counted], circuits: Sequence[Circuit], hours: int) -> VendorsPanel:
    """The requests of a time, of which so many hours were counted together."""
    lines: defaultdict[tuple[str, str], Gathered] = defaultdict(Gathered)
    points: defaultdict[tuple[int, str, str], Gathered] = defaultdict(Gathered)
    for each in counts:
        key = each[0]
        lines[key.provider, key.model].add(each)
        points[key.period, key.provider, key.model].add(each)
    return VendorsPanel(
        tuple(gathered.line(*names) for names, gathered in sorted(lines.items())),
        tuple(
            VendorPoint(EPOCH + HOUR * period, gathered.line(*names))
            for (period, *names), gathered in sorted(points.items())
        ),
        hours,
        tuple(circuits),
    )


def webhooks_panel(counts: Iterable[Counted], step: int) -> WebhooksPanel:
    """Events by when they came, of which so many hours were counted together."""
    whole, hours = Gathered(), defaultdict[int, Gathered](Gathered)
    for each in counts:
        whole.add(each)
        hours[each[0].period].add(each)
    return WebhooksPanel(
        whole.handling(),
        tuple(
            HandlingOfHour(EPOCH + HOUR * period, gathered.handling())
            for period, gathered in sorted(hours.items())
        ),
        step,
    )


def conversations(days: Days, counts: Iterable[Counted]) -> tuple[ConversationsOfDay, ...]:
    """Those of each day, none left out."""
    found: defaultdict[date, dict[TierKey, int]] = defaultdict(dict)
    for key, amounts in counts:
        if amounts.times:
            found[day_of(key.period)][TierName(key.tier) if key.tier else None] = amounts.times
    return tuple(ConversationsOfDay(day, found.get(day, {})) for day in days.all)


def limits(counts: Iterable[Counted]) -> tuple[LimitLine, ...]:
    """Which limits were met."""
    return tuple(
        LimitLine(day_of(key.period), TierName(key.tier), RefusalReason(key.detail), amounts.times)
        for key, amounts in counts
        if key.detail in LIMITS and amounts.times
    )
