"""The page of webhooks: what became of Stripe's events, beside the targets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from engine.gauges import GENUINE, Handling, Targets, WebhooksPanel
from engine.panels import Panels
from engine.tallies import Delivery
from webhooks.admin.asked import Asked
from webhooks.admin.parts import Chart, Figure, Figures, Goal, Mood, Notice, Part, Series, Shape
from webhooks.admin.series import day_words, hour_words, hours_between, millis
from webhooks.admin.tables import Column, Listed, Row, Table, narrowing
from webhooks.admin.units import Unit, Value, as_share, as_time, written

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
        return [numbers(panel), *charts(panel, timed(panel)), deliveries(panel)]


@dataclass(frozen=True, slots=True)
class Timed:
    """What is drawn, in the order of time: hours or days, each with its events, if any came."""

    head: str
    labels: Sequence[str]
    handled: Sequence[Handling | None]

    def of(self, value: Callable[[Handling], Value]) -> list[Value]:
        """A value of each, where there is one."""
        return [value(each) if each else None for each in self.handled]


def timed(panel: WebhooksPanel) -> Timed:
    """As the panel counts: by the hour or by the day; none between the first and the last is left out."""
    found = {each.at: each.handling for each in panel.hours}
    hourly = panel.step == 1
    moments = hours_between(found)[:: panel.step]
    labels = [hour_words(at) if hourly else day_words(at.date()) for at in moments]
    return Timed("Hour" if hourly else "Day", labels, [found.get(at) for at in moments])


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


def charts(panel: WebhooksPanel, points: Timed) -> list[Chart]:
    """One for each target, which is drawn across."""
    success, took, retries = verdicts(panel)
    return [
        success_chart(success, panel.targets, points),
        took_chart(took, panel.targets, points),
        retries_chart(retries, panel.targets, points),
        Chart(
            "events",
            "Events",
            f"{panel.whole.events:,} events came.",
            points.head,
            points.labels,
            [Series("Events", [each.events if each else 0 for each in points.handled], "soft")],
            Unit.COUNT,
            empty=EMPTY,
        ),
    ]


def success_chart(verdict: Verdict, targets: Targets, points: Timed) -> Chart:
    """The part that was taken."""
    return Chart(
        "success",
        "Success",
        verdict.words,
        points.head,
        points.labels,
        [Series("Succeeded", points.of(lambda each: each.success), "one")],
        Unit.SHARE,
        Shape.LINES,
        goals=[Goal(f"Target {as_share(targets.success)}", targets.success)],
        note=verdict.words,
        mood=verdict.mood,
        empty=EMPTY,
        wide=True,
    )


def took_chart(verdict: Verdict, targets: Targets, points: Timed) -> Chart:
    """How long it took until all that follows was done."""
    return Chart(
        "took",
        "Processing time",
        verdict.words,
        points.head,
        points.labels,
        [
            Series("Half within (p50)", points.of(lambda each: millis(each.took.p50)), "three"),
            Series("95 of 100 within (p95)", points.of(lambda each: millis(each.took.p95)), "one"),
        ],
        Unit.MILLIS,
        Shape.LINES,
        goals=[Goal(f"Target {as_time(millis(targets.took))}", millis(targets.took))],
        note=verdict.words,
        mood=verdict.mood,
        empty=EMPTY,
        wide=True,
    )


def retries_chart(verdict: Verdict, targets: Targets, points: Timed) -> Chart:
    """The part that had to be tried again."""
    return Chart(
        "retries",
        "Tried again",
        verdict.words,
        points.head,
        points.labels,
        [Series("Tried again", points.of(lambda each: each.retries), "two")],
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
        "deliveries",
        "What became of the events",
        columns,
        Listed(rows, ("what",)),
        sort="-events",
        search=narrowing("Find what became of them", rows),
        empty=EMPTY,
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
