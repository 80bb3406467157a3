"""When what a member wishes takes effect: at once, or when what they paid for ends."""

from __future__ import annotations

from collections.abc import Mapping

from engine.domain import Interval, Tier, TierName
from engine.facts import Subscription
from engine.terms import ChangeKind, Timing, Wish


def timing_of(subscription: Subscription, wish: Wish, tiers: Mapping[TierName, Tier]) -> Timing:
    """Now for what the member gets more of; when the paid period ends for what they give up."""
    match wish.kind:
        case ChangeKind.CANCEL:
            return Timing.PERIOD_END
        case ChangeKind.SEATS:
            return Timing.NOW if wish.quantity > subscription.quantity else Timing.PERIOD_END
        case ChangeKind.SWITCH:
            return Timing.NOW if _is_up(subscription, wish, tiers) else Timing.PERIOD_END
        case _:
            return Timing.NOW


def _is_up(subscription: Subscription, wish: Wish, tiers: Mapping[TierName, Tier]) -> bool:
    """A higher rank; of the same one the year instead of the month, or more seats of the same interval."""
    before = _rank(tiers, subscription.tier)
    after = _rank(tiers, wish.tier)
    if before != after or subscription.interval is wish.interval:
        return (after, wish.quantity) > (before, subscription.quantity)
    return wish.interval is Interval.YEAR


def _rank(tiers: Mapping[TierName, Tier], name: TierName | None) -> int:
    return tiers[name].rank if name is not None and name in tiers else -1
