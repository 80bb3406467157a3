"""The page of webhooks: what became of Stripe's events, beside the targets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from engine.gauges import GENUINE, Handling, HandlingOfHour, Targets, WebhooksPanel
from engine.panels import Panels
from engine.tallies import Delivery
from webhooks.admin.asked import Asked
from webhooks.admin.parts import Chart, Figure, Figures, Goal, Mood, Notice, Part, Series, Shape
from webhooks.admin.series import day_words, hour_words, hours_between, millis
from webhooks.admin.tables import Column, Listed, Row, Table
from webhooks.admin.units import Unit, as_share, as_time, written

HOURLY_DAYS = 7
"""Spans of so many days are drawn by the hour, longer ones by the day."""
DELIVERIES = {
    Delivery.TAKEN: "Taken: something follows from it",
    Delivery.IGNORED: "Taken: nothing follows from it",
    Delivery.DUPLICATE: "Came again, and was known",
    Delivery.AWAY: "Turned away by a fault of ours",
    Delivery.SIGNATURE: "Refused: not signed by Stripe, or too old",
    Delivery.PAYLOAD: "Refused: signed, and no event",
    Delivery.FETCHED: "Never came; found at Stripe later",
}
EMPTY = "No event came in these days."


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a target was met, in words; None: there was nothing to measure."""

    words: str
    met: bool | None

    @property
    def mood(self) -> Mood:
        """Good if it was met."""
        return Mood.LEVEL if self.met is None else Mood.GOOD if self.met else Mood.BAD


def success_verdict(whole: Handling, targets: Targets) -> Verdict:
    """Whether enough events were taken."""
    target = as_share(targets.success)
    if whole.success is None:
        return Verdict(f"{EMPTY} The target is {target}.", None)
    met = whole.success >= targets.success
    return Verdict(f"{said(met)}: {as_share(whole.success)} succeeded, the target is {target}.", met)


def took_verdict(whole: Handling, targets: Targets) -> Verdict:
    """Whether 95 of 100 were handled fast enough."""
    target = as_time(millis(targets.took))
    if whole.took.p95 is None or whole.in_time is None:
        return Verdict(f"No event had anything to be done. The target is {target}.", None)
    met, p95 = whole.took.p95 <= targets.took, as_time(millis(whole.took.p95))
    part = as_share(whole.in_time)
    return Verdict(
        f"{said(met)}: 95 of 100 took at most {p95}, the target is {target} ({part} were within it).", met
    )


def retries_verdict(whole: Handling, targets: Targets) -> Verdict:
    """Whether few enough had to be tried again."""
    target = as_share(targets.retries)
    if whole.retries is None:
        return Verdict(f"No customer had to be read. The target is at most {target}.", None)
    met = whole.retries <= targets.retries
    return Verdict(
        f"{said(met)}: {as_share(whole.retries)} were tried again, the target is at most {target}.",
        met,
    )


def verdicts(panel: WebhooksPanel) -> tuple[Verdict, Verdict, Verdict]:
    """Success, processing time, retries."""
    whole, targets = panel.whole, panel.targets
    return success_verdict(whole, targets), took_verdict(whole, targets), retries_verdict(whole, targets)


def said(met: bool) -> str:  # noqa: FBT001 - a word for each
    """Met or missed."""
    return "Met" if met else "Missed"


class Webhooks:
    """Builds the page."""

    def __init__(self, panels: Panels) -> None:
        self._panels = panels

    async def build(self, asked: Asked) -> Sequence[Part]:
        """The three targets as numbers and charts, and what became of the events."""
        days = asked.days
        panel = await self._panels.webhooks(days)
        points = by_hour(panel) if len(days.all) <= HOURLY_DAYS else by_day(panel, days.all)
        head = "Hour" if len(days.all) <= HOURLY_DAYS else "Day"
        return [numbers(panel), *charts(panel, points, head), deliveries(panel)]


@dataclass(frozen=True, slots=True)
class Point:
    """What is drawn of an hour or a day."""

    label: str
    events: int
    success: Fraction | None
    retries: Fraction | None
    p50: timedelta | None
    """Of a day: that of its slowest hour, as p95."""
    p95: timedelta | None


def by_hour(panel: WebhooksPanel) -> list[Point]:
    """Each hour from the first in which anything came to the last."""
    found = {each.at: [each] for each in panel.hours}
    return [point(hour_words(at), found.get(at, [])) for at in hours_between(found)]


def by_day(panel: WebhooksPanel, all_days: Sequence[date]) -> list[Point]:
    """Hours of a day together."""
    days: defaultdict[date, list[HandlingOfHour]] = defaultdict(list)
    for each in panel.hours:
        days[each.at.date()].append(each)
    return [point(day_words(day), days.get(day, [])) for day in all_days if day >= min(days, default=day)]


def point(label: str, hours: Sequence[HandlingOfHour]) -> Point:
    """Shares are of the sums; durations those of the slowest hour."""
    each = [hour.handling for hour in hours]
    events = sum(one.events for one in each)
    bad = sum(one.deliveries.get(Delivery.AWAY, 0) + one.given_up for one in each)
    readings, failed = sum(one.readings for one in each), sum(one.failed for one in each)
    return Point(
        label,
        events,
        max(Fraction(0), 1 - Fraction(bad, events)) if events else None,
        Fraction(failed, readings) if readings else None,
        max((one.took.p50 for one in each if one.took.p50), default=None),
        max((one.took.p95 for one in each if one.took.p95), default=None),
    )


def numbers(panel: WebhooksPanel) -> Figures:
    """The whole span in four numbers."""
    whole = panel.whole
    success, took, retries = verdicts(panel)
    refused = sum(whole.deliveries.get(each, 0) for each in (Delivery.SIGNATURE, Delivery.PAYLOAD))
    return Figures(
        "numbers",
        "Webhooks in short",
        [
            Figure("Events", written(whole.events, Unit.COUNT), f"{refused:,} more were refused"),
            Figure("Succeeded", as_share(whole.success), change=kept(success), mood=success.mood),
            Figure(
                "95 of 100 within",
                as_time(millis(whole.took.p95)),
                change=kept(took),
                mood=took.mood,
            ),
            Figure("Tried again", as_share(whole.retries), change=kept(retries), mood=retries.mood),
        ],
    )


def kept(verdict: Verdict) -> str:
    """Whether a target was kept, in two words."""
    return "" if verdict.met is None else f"Target {said(verdict.met).lower()}"


def charts(panel: WebhooksPanel, points: Sequence[Point], head: str) -> list[Chart]:
    """One for each target, which is drawn across."""
    labels = [each.label for each in points]
    success, took, retries = verdicts(panel)
    return [
        success_chart(success, panel.targets, Axis(head, labels), points),
        took_chart(took, panel.targets, Axis(head, labels), points),
        retries_chart(retries, panel.targets, Axis(head, labels), points),
        Chart(
            "events",
            "Events",
            f"{panel.whole.events:,} events came.",
            head,
            labels,
            [Series("Events", [each.events for each in points], "soft")],
            Unit.COUNT,
            empty=EMPTY,
        ),
    ]


@dataclass(frozen=True, slots=True)
class Axis:
    """What the points of a chart are called."""

    head: str
    labels: Sequence[str]


def success_chart(verdict: Verdict, targets: Targets, axis: Axis, points: Sequence[Point]) -> Chart:
    """The part that was taken."""
    return Chart(
        "success",
        "Success",
        verdict.words,
        axis.head,
        axis.labels,
        [Series("Succeeded", [each.success for each in points], "one")],
        Unit.SHARE,
        Shape.LINES,
        goals=[Goal(f"Target {as_share(targets.success)}", targets.success)],
        note=verdict.words,
        mood=verdict.mood,
        empty=EMPTY,
        wide=True,
    )


def took_chart(verdict: Verdict, targets: Targets, axis: Axis, points: Sequence[Point]) -> Chart:
    """How long it took until all that follows was done."""
    slowest = "" if axis.head == "Hour" else " (the slowest hour of each day)"
    return Chart(
        "took",
        f"Processing time{slowest}",
        verdict.words,
        axis.head,
        axis.labels,
        [
            Series("Half within (p50)", [millis(each.p50) for each in points], "three"),
            Series("95 of 100 within (p95)", [millis(each.p95) for each in points], "one"),
        ],
        Unit.MILLIS,
        Shape.LINES,
        goals=[Goal(f"Target {as_time(millis(targets.took))}", millis(targets.took))],
        note=verdict.words,
        mood=verdict.mood,
        empty=EMPTY,
        wide=True,
    )


def retries_chart(verdict: Verdict, targets: Targets, axis: Axis, points: Sequence[Point]) -> Chart:
    """The part that had to be tried again."""
    return Chart(
        "retries",
        "Tried again",
        verdict.words,
        axis.head,
        axis.labels,
        [Series("Tried again", [each.retries for each in points], "two")],
        Unit.SHARE,
        goals=[Goal(f"Target {as_share(targets.retries)}", targets.retries)],
        note=verdict.words,
        mood=verdict.mood,
        empty="Nothing had to be tried again.",
    )


def deliveries(panel: WebhooksPanel) -> Table:
    """What became of the events."""
    events = panel.whole.deliveries
    whole = sum(events.values())
    rows = [
        Row(
            each.value,
            {"what": words, "events": events[each], "share": Fraction(events[each], whole)},
            mood(each),
        )
        for each, words in DELIVERIES.items()
        if events.get(each)
    ]
    columns = (
        Column("what", "What became of them"),
        Column("events", "Events", Unit.COUNT),
        Column("share", "Share", Unit.SHARE),
    )
    return Table(
        "deliveries", "What became of the events", columns, Listed(rows), sort="-events", empty=EMPTY
    )


def mood(delivery: Delivery) -> str:
    """What wants to be seen."""
    return "" if delivery in GENUINE and delivery is not Delivery.AWAY else "bad"


def notices(panel: WebhooksPanel, span: str, link: str) -> list[Notice]:
    """Targets that were missed, and events that were not Stripe's."""
    names = ("success", "processing time", "retries")
    missed = [
        Notice(f"Webhook {name} in {span}. {each.words}", Mood.BAD, link, "Look")
        for name, each in zip(names, verdicts(panel), strict=True)
        if each.met is False
    ]
    forged = panel.whole.deliveries.get(Delivery.SIGNATURE, 0)
    if forged:
        words = (
            f"{forged:,} webhook calls were not signed with a secret of ours: is STRIPE_WEBHOOK_SECRET right?"
        )
        missed.append(Notice(words, Mood.BAD, link, "Look"))
    return missed
