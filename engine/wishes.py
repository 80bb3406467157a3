"""What may be wished of a running subscription, why not, and whether a wish has come true; all pure."""

from __future__ import annotations

from enum import StrEnum

from engine.catalogue import Catalogue
from engine.domain import Interval, TierName
from engine.facts import ENDED, Access, AccessReason, PaymentStatus, Subscription
from engine.terms import ChangeKind, Timing, Wish

MOST_SEATS = 500
"""More are a slip of the finger, or an agreement with the operator."""


class Obstacle(StrEnum):
    """Why a change is not proposed."""

    NOTHING_RUNNING = "nothing_running"
    UNKNOWN_PRODUCT = "unknown_product"
    DISPUTED = "disputed"
    BLOCKED = "blocked"
    """The operator sells them nothing."""
    PAYMENT_PENDING = "payment_pending"
    """An earlier change waits for its payment."""
    PAYMENT_FAILING = "payment_failing"
    SUSPENDED = "suspended"
    """It gives no tier now: paused, refunded or past its time."""
    NOT_FOR_SALE = "not_for_sale"
    ALREADY_SO = "already_so"
    ENDING = "ending"
    """It is cancelled: that has to be taken back first."""
    PLANNED = "planned"
    """Another change is planned: that has to be taken back first."""
    NO_EXTRA_SEATS = "no_extra_seats"
    TOO_FEW_SEATS = "too_few_seats"
    TOO_MANY_SEATS = "too_many_seats"
    NOTHING_TO_RESUME = "nothing_to_resume"


SUSPENSIONS = {
    AccessReason.DISPUTED: Obstacle.DISPUTED,
    AccessReason.DISPUTE_LOST: Obstacle.DISPUTED,
    AccessReason.UNKNOWN_PRODUCT: Obstacle.UNKNOWN_PRODUCT,
    AccessReason.GRACE: Obstacle.PAYMENT_FAILING,
    AccessReason.GRACE_OVER: Obstacle.PAYMENT_FAILING,
    AccessReason.NOT_PAID: Obstacle.PAYMENT_FAILING,
    AccessReason.ACTIVE: None,
    AccessReason.TRIAL: None,
}
"""What else gives no tier is suspended."""


def standing_obstacle(found: Access, sub: Subscription) -> Obstacle | None:
    """What stands in the way of any change."""
    obstacle = SUSPENSIONS.get(found.reason, Obstacle.SUSPENDED)
    if obstacle is None and sub.change_pending:
        return Obstacle.PAYMENT_PENDING
    if obstacle is None and (sub.tier is None or sub.interval is None):
        return Obstacle.UNKNOWN_PRODUCT
    return obstacle


def wish_for(
    catalogue: Catalogue,
    sub: Subscription,
    kind: ChangeKind,
    *,
    tier: TierName | None = None,
    interval: Interval | None = None,
    quantity: int | None = None,
) -> Wish | Obstacle:
    """What the subscription should become; to `sub` nothing stands in the way."""
    match kind:
        case ChangeKind.SWITCH if tier is not TierName.FREE:
            return switched(catalogue, sub, tier or tier_of(sub), interval or interval_of(sub))
        case ChangeKind.SWITCH | ChangeKind.CANCEL:
            return Obstacle.ALREADY_SO if sub.cancel_at else as_it_is(sub, ChangeKind.CANCEL)
        case ChangeKind.SEATS:
            return seated(catalogue, sub, quantity or 0)
        case ChangeKind.RESUME:
            return as_it_is(sub, ChangeKind.RESUME) if waiting(sub) else Obstacle.NOTHING_TO_RESUME
        case ChangeKind.METER:
            raise ValueError("metered use is agreed with engine.metering.Meter")


def switched(catalogue: Catalogue, sub: Subscription, tier: TierName, interval: Interval) -> Wish | Obstacle:
    """Another tier or interval; the one it has already takes back what would change it."""
    rules = catalogue.tiers.get(tier)
    if rules is None or rules.price(interval) <= 0:
        return Obstacle.NOT_FOR_SALE
    quantity = sub.quantity if tier is sub.tier else rules.seats
    return unless_waiting(sub, Wish(ChangeKind.SWITCH, tier, interval, quantity))


def seated(catalogue: Catalogue, sub: Subscription, seats: int) -> Wish | Obstacle:
    """Another number of seats, never below those that the tier includes."""
    rules, interval = catalogue.tier(tier_of(sub)), interval_of(sub)
    if rules.extra_seat(interval) is None or sub.quantity < rules.seats:
        return Obstacle.NO_EXTRA_SEATS
    if seats < rules.seats:
        return Obstacle.TOO_FEW_SEATS
    if seats > MOST_SEATS:
        return Obstacle.TOO_MANY_SEATS
    return unless_waiting(sub, Wish(ChangeKind.SEATS, tier_of(sub), interval, seats))


def unless_waiting(sub: Subscription, wish: Wish) -> Wish | Obstacle:
    """The wish, unless the subscription is so already, will be, or is about to change otherwise."""
    wanted = (wish.tier, wish.interval, wish.quantity)
    if wanted == (sub.tier, sub.interval, sub.quantity):
        return as_it_is(sub, ChangeKind.RESUME) if waiting(sub) else Obstacle.ALREADY_SO
    if sub.cancel_at:
        return Obstacle.ENDING
    if sub.planned:
        planned = (sub.planned.tier, sub.planned.interval, sub.planned.quantity)
        return Obstacle.ALREADY_SO if wanted == planned else Obstacle.PLANNED
    return wish


def as_it_is(sub: Subscription, kind: ChangeKind) -> Wish:
    """A wish that changes nothing but whether the subscription goes on as it is."""
    return Wish(kind, tier_of(sub), interval_of(sub), sub.quantity)


def waiting(sub: Subscription) -> bool:
    """Whether a cancellation or a planned change can be taken back."""
    return sub.cancel_at is not None or sub.planned is not None


def tier_of(sub: Subscription) -> TierName:
    """The tier of a subscription whose product is ours."""
    return sub.tier or TierName.FREE


def interval_of(sub: Subscription) -> Interval:
    """The interval of a subscription whose product is ours."""
    return sub.interval or Interval.MONTH


def fulfilled(sub: Subscription | None, wish: Wish, timing: Timing) -> bool:
    """Whether the facts show what was wished: in effect, or planned if it was to take effect later."""
    if sub is None or sub.status in ENDED:
        return sub is not None and sub.status is PaymentStatus.CANCELED and wish.kind is ChangeKind.CANCEL
    match wish.kind:
        case ChangeKind.CANCEL:
            return sub.cancel_at is not None
        case ChangeKind.RESUME:
            return not waiting(sub)
    now = matches(wish, sub.tier, sub.interval, sub.quantity) and not sub.change_pending
    later = sub.planned
    planned = later is not None and matches(wish, later.tier, later.interval, later.quantity)
    return now or (timing is Timing.PERIOD_END and planned)


def matches(wish: Wish, tier: TierName | None, interval: Interval | None, quantity: int) -> bool:
    """Whether these are what was wished; the number of seats only counts where it was the wish."""
    same = (tier, interval) == (wish.tier, wish.interval)
    return same and (wish.kind is not ChangeKind.SEATS or quantity == wish.quantity)
