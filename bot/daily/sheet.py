"""What stands in the daily report, whatever it is written as: figures by name, in sections."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction

from bot.console.report import WORLDS, in_currency, percent
from engine.alerts import NEWS, AlertKind
from engine.charts import CurrencyRevenue, Use
from engine.daily import Daily
from engine.tallies import Waiting, WaitingKind

TOP = 5
"""Models and limits that are named."""
CALM = NEWS | {AlertKind.VENDOR_BACK, AlertKind.BACKLOG_OVER}
"""Alerts that are no trouble."""
LONG = 600.0
"""Seconds after which what waits is trouble."""
SLOW = frozenset({WaitingKind.SUMMARIES, WaitingKind.ANSWERS, WaitingKind.ALERTS})
"""What may wait without anybody being worse off."""


class Tone(StrEnum):
    """How a figure is to be taken."""

    PLAIN = "plain"
    GOOD = "good"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Line:
    """A figure; `part` is how long its bar is, from 0 to 1."""

    name: str
    value: str
    note: str = ""
    tone: Tone = Tone.PLAIN
    part: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """Figures of one sort, or the words that there are none."""

    title: str
    lines: tuple[Line, ...]
    empty: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """All of it; `mark` says in capitals that no real money is meant."""

    title: str
    day: str
    mark: str
    tiles: tuple[Line, ...]
    sections: tuple[Section, ...]
    link: str


def sheet(daily: Daily, link: str) -> Sheet:
    """The report of a day, and where more is seen."""
    day = f"{daily.day:%a} {daily.day.day} {daily.day:%b %Y}"
    return Sheet(
        title=f"Daily report, {day}",
        day=day,
        mark=WORLDS[daily.overview.mode].strip(),
        tiles=tuple(tiles(daily)),
        sections=(
            Section("What needs you", tuple(troubles(daily)), "Nothing."),
            Section("What moved the MRR", tuple(moves(daily)), "Nothing did."),
            Section("Cost by model", tuple(models(daily)), "No model was asked."),
            Section("Limits reached", tuple(limits(daily)), "None."),
            Section("Members", tuple(members(daily))),
        ),
        link=link,
    )


def tiles(daily: Daily) -> Iterator[Line]:
    """The four figures that one looks at first."""
    usd, total = daily.overview.revenue.usd, daily.overview.margin.total
    today = usd.days[-1]
    change = today.mrr - usd.opening
    yield Line(
        "MRR", dollars(today.mrr), f"{signed(change)} in the day" if change else "unchanged", tone(change)
    )
    yield Line("Earned", dollars(total.revenue), f"{today.paying} paying")
    yield Line("Cost", dollars(Fraction(total.use.cost)), cost_note(total.use))
    rate = f"{percent(total.share)} of what was earned" if total.share is not None else "nothing was earned"
    yield Line("Margin", dollars(total.margin), rate, tone(total.margin))


def cost_note(use: Use) -> str:
    """What came of the cost, and how much of it is not known."""
    answers = counted(use.turns, "answer")
    return f"{answers}, {use.unpriced} at unknown prices" if use.unpriced else answers


def troubles(daily: Daily) -> Iterator[Line]:
    """Everything that is wrong by now, or was since the day began."""
    look = daily.overview
    for circuit in look.vendors.circuits:
        yield Line(circuit.name, "left alone", f"since {clock(circuit.opened_at)}", Tone.BAD)
    if look.backlog.given_up:
        yield Line("Given up", str(look.backlog.given_up), "main.py reconcile --dead", Tone.BAD)
    for waiting in look.backlog.waiting:
        if late(waiting, look.now):
            since = f"the oldest since {clock(waiting.oldest)}" if waiting.oldest else ""
            name = f"Waiting {waiting.kind.value.replace('_', ' ')}"
            yield Line(name, str(waiting.count), since, Tone.BAD)
    success, target = look.webhooks.whole.success, look.webhooks.targets.success
    if success is not None and success < target:
        yield Line("Webhooks taken", percent(success), f"wanted: {percent(target)}", Tone.BAD)
    for kind, times in daily.alerts:
        if kind not in CALM:
            name = f"Alert: {kind.value.replace('_', ' ')}"
            yield Line(name, str(times), "", Tone.BAD)


def late(waiting: Waiting, now: datetime) -> bool:
    """Whether something waits for longer than it should."""
    if waiting.kind in SLOW or waiting.oldest is None:
        return False
    return (now - waiting.oldest).total_seconds() > LONG


def moves(daily: Daily) -> Iterator[Line]:
    """Movements by kind, of every currency."""
    for each in daily.overview.revenue.currencies:
        yield from moves_of(each)


def moves_of(revenue: CurrencyRevenue) -> Iterator[Line]:
    """Those of one currency."""
    for moved in revenue.moved:
        if moved.count:
            name = moved.kind.value.capitalize()
            sign = "+" if moved.total > 0 else ""
            value = f"{sign}{in_currency(moved.total, revenue.currency)}"
            yield Line(name, value, counted(moved.count, "account"), tone(moved.total))


def models(daily: Daily) -> Iterator[Line]:
    """The dearest ones, with their part of the cost, and all others together."""
    panel = daily.overview.margin
    whole = Fraction(panel.total.use.cost) or Fraction(1)
    for each in panel.models[:TOP]:
        cost = Fraction(each.use.cost)
        yield Line(each.model, dollars(cost), counted(each.use.turns, "answer"), part=cost / whole)
    rest = panel.models[TOP:]
    if rest:
        cost = sum((Fraction(each.use.cost) for each in rest), Fraction(0))
        yield Line(f"{len(rest)} more", dollars(cost), "", part=cost / whole)


def limits(daily: Daily) -> Iterator[Line]:
    """Which limits stopped most questions."""
    found = sorted(daily.overview.limits, key=lambda each: -each.times)
    for each in found[:TOP]:
        yield Line(f"{each.reason.value.replace('_', ' ')}", str(each.times), each.tier.value)
    rest = sum(each.times for each in found[TOP:])
    if rest:
        yield Line("others", str(rest))


def members(daily: Daily) -> Iterator[Line]:
    """How much is talked, and who came how far."""
    look = daily.overview
    yield Line("Conversations", str(sum(each.total for each in look.conversations)))
    for row in look.funnel:
        if row.accounts:
            yield Line(row.step.value.replace("_", " ").capitalize(), str(row.accounts), "first time")
    for tier, count in look.tiers.days[-1].paying.items():
        yield Line(f"Paying {tier.value}", str(count))


def dollars(micros: Fraction) -> str:
    """US dollars."""
    return in_currency(micros, "usd")


def signed(micros: Fraction) -> str:
    """The same with its sign, also where it is positive."""
    return f"{'+' if micros > 0 else ''}{dollars(micros)}"


def tone(value: Fraction) -> Tone:
    """More is better."""
    return Tone.GOOD if value > 0 else Tone.BAD if value < 0 else Tone.PLAIN


def counted(number: int, noun: str) -> str:
    """So many of something."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def clock(at: datetime) -> str:
    """A moment."""
    return f"{at:%d %b %H:%M} UTC"
