"""How a member's subscription stands, as words: why the tier, until when, and what comes next."""

from __future__ import annotations

from collections.abc import Iterator

from bot.render import day, title
from bot.words import say
from engine.domain import Interval, Tier
from engine.facts import Access, AccessReason, Subscription

MENDABLE = frozenset({AccessReason.GRACE, AccessReason.GRACE_OVER, AccessReason.NOT_PAID})
"""What the member can mend in the portal."""
TOLD = MENDABLE | {
    AccessReason.PAUSED,
    AccessReason.PERIOD_OVER,
    AccessReason.ENDED,
    AccessReason.DISPUTED,
    AccessReason.DISPUTE_LOST,
    AccessReason.REFUNDED,
    AccessReason.UNKNOWN_PRODUCT,
    AccessReason.UNKNOWN_STATUS,
    AccessReason.SEAT,
    AccessReason.SEAT_WAITING,
    AccessReason.SEAT_ENDED,
    AccessReason.GRANT_OVER,
}
"""What one sentence says."""


def because(access: Access) -> str:
    """What is worth knowing about why the tier is what it is, and what mends it."""
    words = because_here(access)
    return f"{words}{say('because-mend')}" if access.reason in MENDABLE else words


def because_here(access: Access) -> str:
    """The same beside a link that mends it."""
    sub = access.subscription
    match access.reason:
        case AccessReason.ACTIVE if sub:
            return going_on(sub)
        case AccessReason.TRIAL:
            return on_trial(sub)
        case AccessReason.GRACE if access.until:
            return say("because-grace-until", day=day(access.until))
        case AccessReason.GRANTED if access.until:
            return say("because-granted", day=day(access.until))
    return say(f"because-{access.reason}") if access.reason in TOLD else ""


def going_on(sub: Subscription) -> str:
    """When a paid subscription ends or is renewed."""
    if sub.cancel_at:
        return say("because-ends", day=day(sub.cancel_at))
    return say("because-renews", day=day(sub.period_end)) if sub.period_end else ""


def on_trial(sub: Subscription | None) -> str:
    """Until when a trial lasts and what comes then."""
    if sub is None or sub.trial_end is None:
        return say("because-trial")
    end = day(sub.trial_end)
    return say("because-trial-ends", day=end) if sub.cancel_at else say("because-trial-paid", day=end)


def subscription_lines(access: Access, tier: Tier) -> Iterator[str]:
    """What is planned, waits or counts, a line each."""
    sub = access.subscription
    if sub is None or access.tier is not tier.name:
        return
    if sub.tier is tier.name and tier.seats > 1:
        yield say("usage-seats", seats=max(sub.quantity, tier.seats))
    if sub.cancel_at:
        yield say("usage-cancelled")
    if sub.planned:
        yield say("usage-planned", planned=planned_words(sub))
    if sub.change_pending:
        yield say("usage-change-waits")


def planned_words(sub: Subscription | None) -> str:
    """What a schedule will make of a subscription."""
    if sub is None or sub.planned is None:
        return say("planned-something")
    planned = sub.planned
    what = title(planned.tier) if planned.tier else say("another-product")
    if planned.interval is not sub.interval:
        what = paid_by(what, planned.interval)
    if planned.quantity > 1:
        what = f"{what}, {say('seats', planned.quantity)}"
    return say("planned", what=what, day=day(planned.at))


def paid_by(tier: str, interval: Interval | None) -> str:
    """`Premium by the month`."""
    return say(f"paid-by-{interval}", tier=tier) if interval else tier
