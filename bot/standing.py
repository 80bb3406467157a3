"""How a member's subscription stands, as words: why the tier, until when, and what comes next."""

from __future__ import annotations

from collections.abc import Iterator

from bot.render import day, title
from engine.domain import Tier
from engine.facts import Access, AccessReason, Subscription

MEND = "; mend it with `/billing`"


def because(access: Access) -> str:
    """What is worth knowing about why the tier is what it is."""
    sub = access.subscription
    if access.reason is AccessReason.ACTIVE and sub:
        if sub.cancel_at:
            return f", ends on {day(sub.cancel_at)}"
        return f", renews on {day(sub.period_end)}" if sub.period_end else ""
    until = f" until {day(access.until)}" if access.until else ""
    words = {
        AccessReason.TRIAL: f", on trial{on_trial(sub)}",
        AccessReason.GRACE: f": the last payment failed, kept{until}{MEND}",
        AccessReason.GRACE_OVER: f": payments failed for too long{MEND}",
        AccessReason.NOT_PAID: f": your subscription is not paid{MEND}",
        AccessReason.PAUSED: ": your subscription is paused; `/billing` tells more",
        AccessReason.PERIOD_OVER: ": your subscription's time is over",
        AccessReason.ENDED: ": your subscription has ended",
        AccessReason.DISPUTED: ": a payment is disputed at your bank, so your subscription rests",
        AccessReason.DISPUTE_LOST: ": a payment was taken back through your bank; write to the operator",
        AccessReason.REFUNDED: ": your last payment was given back",
        AccessReason.UNKNOWN_PRODUCT: ": your subscription is none of these tiers",
        AccessReason.UNKNOWN_STATUS: ": your subscription's state is unclear; the operator knows",
    }
    return words.get(access.reason, "")


def because_here(access: Access) -> str:
    """The same beside a link that mends it."""
    return because(access).removesuffix(MEND)


def on_trial(sub: Subscription | None) -> str:
    """Until when a trial lasts and what comes then."""
    if sub is None or sub.trial_end is None:
        return ""
    then = "ends then" if sub.cancel_at else "then paid"
    return f" until {day(sub.trial_end)}, {then}"


def subscription_lines(access: Access, tier: Tier) -> Iterator[str]:
    """What is planned, waits or counts, a line each."""
    sub = access.subscription
    if sub is None or access.tier is not tier.name:
        return
    if sub.tier is tier.name and tier.seats > 1:
        yield f"Seats: {max(sub.quantity, tier.seats)}"
    if sub.cancel_at:
        yield "Cancelled: `/resume` takes that back"
    if sub.planned:
        yield f"{planned_words(sub)} `/resume` takes that back"
    if sub.change_pending:
        yield "A change waits for its payment: pay it with `/billing`"


def planned_words(sub: Subscription | None) -> str:
    """What a schedule will make of a subscription."""
    if sub is None or sub.planned is None:
        return "A change is planned."
    planned = sub.planned
    tier = title(planned.tier) if planned.tier else "another product"
    seats = f", {planned.quantity} seats" if planned.quantity > 1 else ""
    paid = f" by the {planned.interval}" if planned.interval and planned.interval is not sub.interval else ""
    return f"Planned: {tier}{paid}{seats}, from {day(planned.at)}."
