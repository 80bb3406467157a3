"""The command that compares a draft of config.toml with the configuration in force."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path

from bot.console.household import Household
from engine.config import ConfigurationError
from engine.domain import TierName
from engine.what_if import (
    ASSUMED,
    NOBODY,
    SOMEBODY,
    WHY,
    Affected,
    Comparison,
    Half,
    Line,
    Progress,
    limit_words,
)

MICROS = 1_000_000
NAME, AMOUNT = 26, 13
NO_USE = (
    "No use is recorded in these days, so only prices of subscriptions are compared. Choose more with "
    "--days, or try it over made-up use: main.py demo-data."
)


async def what_if(arguments: Namespace, house: Household) -> int:
    """Compare, and print tables or JSON; 2 with every mend if the draft cannot be used."""
    try:
        told = shown(terminal=sys.stderr.isatty())
        found = await house.drafts.compare(Path(arguments.config), arguments.days, told)
    except ConfigurationError as error:
        print("The draft needs mending:", *error.problems, sep="\n  - ", file=sys.stderr)
        return 2
    print(json.dumps(as_json(found), indent=2) if arguments.json else "\n".join(lines(found)))
    return 0


def shown(*, terminal: bool) -> Progress:
    """Tells how far it is, beside what is printed: on one line of a terminal, elsewhere by the quarter."""
    quarters = 0

    def tell(part: float) -> None:
        nonlocal quarters
        words = f"{part:.0%} of the recorded use"
        if terminal:
            print(f"\r{words}", end="\n" if part == 1 else "", file=sys.stderr, flush=True)
        elif int(part * 4) > quarters:
            quarters = int(part * 4)
            print(words, file=sys.stderr, flush=True)

    return tell


def lines(found: Comparison) -> Iterator[str]:
    """Everything in words and tables."""
    yield f"Use from {found.since:%Y-%m-%d %H:%M} to {found.until:%Y-%m-%d %H:%M} UTC, in US dollars"
    if not (found.today.whole.turns or found.today.whole.cost):
        yield NO_USE
    yield ""
    yield row("", "TODAY", "DRAFT", "CHANGE")
    yield from amounts("", found.today.whole, found.draft.whole)
    for name in dict.fromkeys([*found.today.tiers, *found.draft.tiers]):
        yield ""
        before, after = (side.tiers.get(name, NOBODY) for side in (found.today, found.draft))
        yield f"{name or 'the house'}: {before.members} members, {before.paying} subscriptions"
        yield from amounts("  ", before, after)
    yield ""
    yield from models(found.today, found.draft)
    yield ""
    yield from noticed(found)
    yield ""
    yield " ".join(ASSUMED)


def amounts(indent: str, before: Line, after: Line) -> Iterator[str]:
    """Cost, revenue and margin of a tier, and the turns that were answered."""
    yield row(f"{indent}turns", f"{before.turns:,}", f"{after.turns:,}", f"{after.turns - before.turns:+,}")
    for name in ("cost", "revenue", "margin"):
        yield money(f"{indent}{name}", getattr(before, name), getattr(after, name))


def models(today: Half, draft: Half) -> Iterator[str]:
    """Requests and cost of each model."""
    yield row("MODEL (requests, cost)", "TODAY", "DRAFT", "CHANGE")
    for name in dict.fromkeys([*today.models, *draft.models]):
        (asked, cost), (asks, costs) = (side.models.get(name, (0, 0)) for side in (today, draft))
        yield row(name, f"{asked:,}", f"{asks:,}", f"{asks - asked:+,}")
        yield money("", cost, costs)


def noticed(found: Comparison) -> Iterator[str]:
    """What members would notice."""
    if not found.blocked:
        yield "Nobody would be refused anything that was answered."
    if found.refused:
        yield f"Refused when they were asked, and not asked again here: {found.refused:,} questions"
    for hit in found.blocked:
        yield f"Refused: {limit_words(hit.reason)}: {hit.times:,} times, {hit.members:,} members"
    if found.stepped_turns:
        yield f"Stepped down: {found.stepped_turns:,} turns, {found.stepped_members:,} members"
    for before, after, why, times in found.swaps:
        yield f"Instead of {before} answers {after}: {times:,} turns, {WHY[why]}"
    for each in found.worst:
        yield f"  {each.person or SOMEBODY}: refused {each.blocked:,}, stepped down {each.stepped:,}"


def money(name: str, before: Fraction | int, after: Fraction | int) -> str:
    """A row of dollars."""
    return row(name, dollars(before), dollars(after), f"{float(after - before) / MICROS:+,.2f}")


def dollars(micros: Fraction | int) -> str:
    """An amount."""
    return f"{float(micros) / MICROS:,.2f}"


def row(name: str, today: str, draft: str, change: str) -> str:
    """A line of a table."""
    return f"{name:<{NAME}}{today:>{AMOUNT}}{draft:>{AMOUNT}}{change:>{AMOUNT}}".rstrip()


def as_json(found: Comparison) -> Mapping[str, object]:
    """The same for scripts, in whole micro-dollars."""
    return {
        "since": found.since.isoformat(),
        "until": found.until.isoformat(),
        "today": half_json(found.today),
        "draft": half_json(found.draft),
        "blocked": [
            {"limit": each.reason.value, "times": each.times, "members": each.members}
            for each in found.blocked
        ],
        "refused_when_asked": found.refused,
        "blocked_members": found.blocked_members,
        "stepped_down": {"turns": found.stepped_turns, "members": found.stepped_members},
        "replaced": [
            {"model": before, "by": after, "why": why.value, "turns": times}
            for before, after, why, times in found.swaps
        ],
        "most_affected": [affected_json(each) for each in found.worst],
        "assumed": " ".join(ASSUMED),
    }


def affected_json(each: Affected) -> Mapping[str, object]:
    """Somebody who would notice; no person is somebody who was erased."""
    person = each.person and str(each.person)
    return {"person": person, "blocked": each.blocked, "stepped_down": each.stepped}


def half_json(half: Half) -> Mapping[str, object]:
    """One side of it."""
    return {
        "whole": line_json(half.whole),
        "tiers": {name_of(name): line_json(each) for name, each in half.tiers.items()},
        "models": {
            name: {"requests": requests, "cost_micros": cost}
            for name, (requests, cost) in half.models.items()
        },
    }


def name_of(tier: TierName | None) -> str:
    """What a tier is called; what the operator pays alone is the house's."""
    return tier.value if tier else "house"


def line_json(line: Line) -> Mapping[str, int]:
    """One line of it."""
    return {
        "members": line.members,
        "subscriptions": line.paying,
        "turns": line.turns,
        "cost_micros": line.cost,
        "revenue_micros": round(line.revenue),
        "margin_micros": round(line.margin),
    }
