"""Metered use as words: what it costs so far, its terms, and why it is not to be had."""

from __future__ import annotations

from collections.abc import Sequence

from bot.render import day, marked, money
from bot.reply import Button, Reply, Style
from engine.domain import Micros
from engine.metering import MeteringRefused, MeteringStatus
from engine.overage import MeterOffer

NOT_SOLD = "Use beyond what a tier includes is not sold here."
WHY_NOT = {
    MeterOffer.OFFERED: "Use beyond what Pro includes can be had: `/overage on` and the most it may cost.",
    MeterOffer.NOT_SOLD: NOT_SOLD,
    MeterOffer.NEEDS_PRO: "Only **Pro** goes on beyond what it includes. `/plans` shows the tiers.",
    MeterOffer.TRIAL: "While your trial lasts there is no use beyond what Pro includes. Ask again after it.",
    MeterOffer.PAYMENT_DUE: "While a payment is due, no use goes on the bill. Mend it with `/billing` first.",
    MeterOffer.ENDING: "Your Pro subscription is about to end or change, so no more use goes on its bill.",
}


def lines(status: MeteringStatus | None) -> Sequence[str]:
    """How metered use stands, for `/usage`; nothing for whoever cannot have it and never had."""
    if status is None or (status.offer is not MeterOffer.OFFERED and not status.on):
        return ()
    included = f"Included this month: {money(status.used)} of {money(status.included)}"
    if not status.on or status.cap is None:
        return included, "Beyond that: off; `/overage on` and a cap switch it on"
    rests = "" if status.offer is MeterOffer.OFFERED else " (rests now: `/overage` tells why)"
    cost, cap, anew = money(status.cost_shown), money(status.cap), day(status.resets_at)
    return included, f"Beyond that: {cost} so far of at most {cap} a month, new on {anew}{rests}"


def standing(status: MeteringStatus | None) -> Reply:
    """The answer to `/overage`."""
    if status is None:
        return Reply(NOT_SOLD)
    told = [*lines(status)]
    if status.offer is not MeterOffer.OFFERED or not status.on:
        told.append(WHY_NOT[status.offer])
    off = (Button("Switch it off", action="overage:off"),) if status.on else ()
    return Reply(marked("\n".join(told), simulated=status.simulated), off)


def terms(status: MeteringStatus, cap: Micros) -> Reply:
    """What saying yes means, with the button that says it."""
    each = money(Micros(int(1_000_000 * status.markup)))
    words = (
        f"Pro includes {money(status.included)} of model cost a month. Beyond that, each further $1 costs "
        f"you {each}, before tax, and never more than {money(cap)} in a month.\n"
        "Now: nothing. Later: what you used goes on your next invoice; `/overage off` ends it at any time."
    )
    buttons = (
        Button("Confirm", action=f"overage:on:{cap}", style=Style.PRIMARY),
        Button("Not now", action="decline:"),
    )
    return Reply(marked(words, simulated=status.simulated), buttons)


def agreed(outcome: MeteringStatus | MeteringRefused) -> Reply:
    """What became of saying yes."""
    if isinstance(outcome, MeteringRefused):
        return Reply(WHY_NOT[outcome.why])
    cap = money(outcome.cap or 0)
    words = f"Done: when what Pro includes is used up, you go on, for at most {cap} a month. `/usage` tells."
    return Reply(marked(words, simulated=outcome.simulated))


def stopped(status: MeteringStatus | None) -> Reply:
    """What became of saying no."""
    if status is None:
        return Reply(NOT_SOLD)
    owed = f" What you used so far ({money(status.cost_shown)}) is still charged." if status.beyond else ""
    words = f"Use beyond what Pro includes is off.{owed}"
    return Reply(marked(words, simulated=status.simulated))
