"""Metered use as words: what it costs so far, its terms, and why it is not to be had."""

from __future__ import annotations

from collections.abc import Sequence

from bot.render import day, marked, money
from bot.reply import Button, Reply, Style
from bot.words import say
from engine.domain import Micros
from engine.metering import MeteringRefused, MeteringStatus
from engine.overage import MeterOffer


def lines(status: MeteringStatus | None) -> Sequence[str]:
    """How metered use stands, for `/usage`; nothing for whoever cannot have it and never had."""
    if status is None or (status.offer is not MeterOffer.OFFERED and not status.on):
        return ()
    included = say("overage-included", used=money(status.used), included=money(status.included))
    if not status.on or status.cap is None:
        return included, say("overage-off")
    rests = "" if status.offer is MeterOffer.OFFERED else f" {say('overage-rests')}"
    cost, cap, anew = money(status.cost_shown), money(status.cap), day(status.resets_at)
    return included, say("overage-so-far", cost=cost, cap=cap, day=anew) + rests


def standing(status: MeteringStatus | None) -> Reply:
    """The answer to `/overage`."""
    if status is None:
        return Reply(say("meter-not_sold"))
    told = [*lines(status)]
    if status.offer is not MeterOffer.OFFERED or not status.on:
        told.append(say(f"meter-{status.offer}"))
    off = (Button(say("button-overage-off"), action="overage:off"),) if status.on else ()
    return Reply(marked("\n".join(told), simulated=status.simulated), off)


def terms(status: MeteringStatus, cap: Micros) -> Reply:
    """What saying yes means, with the button that says it."""
    words = say(
        "overage-terms",
        included=money(status.included),
        unit=money(1_000_000),
        each=money(Micros(int(1_000_000 * status.markup))),
        cap=money(cap),
    )
    buttons = (
        Button(say("button-confirm"), action=f"overage:on:{cap}", style=Style.PRIMARY),
        Button(say("button-not-now"), action="decline:"),
    )
    return Reply(marked(words, simulated=status.simulated), buttons)


def agreed(outcome: MeteringStatus | MeteringRefused) -> Reply:
    """What became of saying yes."""
    if isinstance(outcome, MeteringRefused):
        return Reply(say(f"meter-{outcome.why}"))
    words = say("overage-agreed", cap=money(outcome.cap or 0))
    return Reply(marked(words, simulated=outcome.simulated))


def stopped(status: MeteringStatus | None) -> Reply:
    """What became of saying no."""
    if status is None:
        return Reply(say("meter-not_sold"))
    owed = f" {say('overage-owed', cost=money(status.cost_shown))}" if status.beyond else ""
    return Reply(marked(say("overage-stopped") + owed, simulated=status.simulated))
