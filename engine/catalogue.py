"""Which tier a subscription gives now, what a tier allows, and what to offer next; all pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from engine.domain import Offer, RefusalReason, Tier, TierName
from engine.facts import (
    ENDED,
    NO_CLAIMS,
    Access,
    AccessReason,
    Claims,
    DisputeStage,
    PaymentStatus,
    Subscription,
)
from engine.files import Medium
from engine.grants import Grant, Rank, last_end, spell
from engine.models import ModelClass, ModelSpec
from engine.seats import Holdings, Seat

GRACE = timedelta(days=14)
"""How long a failed payment leaves the tier: the span of Stripe's recommended Smart Retries."""
RENEWAL_SLACK = timedelta(days=3)
"""How long past its period an active subscription is believed when no news of the renewal arrives."""
TRIAL_SLACK = timedelta(hours=1)

PREFERENCE = (
    PaymentStatus.ACTIVE,
    PaymentStatus.TRIALING,
    PaymentStatus.PAST_DUE,
    PaymentStatus.PAUSED,
    PaymentStatus.UNPAID,
    PaymentStatus.INCOMPLETE,
)
"""Which of several live subscriptions decides; the newest among equals."""


class Wares(Protocol):
    """What is on sale, which may change while we run."""

    @property
    def today(self) -> Catalogue:
        """As it is now; to be asked once for each decision."""
        ...


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The tiers and the models that are on sale here."""

    tiers: Mapping[TierName, Tier]
    models: tuple[ModelSpec, ...]

    @property
    def today(self) -> Catalogue:
        """Itself: a catalogue that never changes."""
        return self

    def tier(self, name: TierName) -> Tier:
        """The rules of a tier; an undescribed one gives what free gives."""
        return self.tiers.get(name, self.tiers[TierName.FREE])

    def rank(self, name: TierName) -> int:
        """How high a tier stands."""
        return self.tier(name).rank

    def ranked(self) -> Sequence[Tier]:
        """All tiers, lowest first."""
        return sorted(self.tiers.values(), key=lambda tier: tier.rank)

    def find(self, name: str) -> ModelSpec | None:
        """A model by the name members see, in any case."""
        folded = name.strip().casefold()
        return next((spec for spec in self.models if spec.name.casefold() == folded), None)

    def allows(self, tier: Tier, spec: ModelSpec) -> bool:
        """Whether a tier may use a model; one without a price only where nothing has to count its cost."""
        return spec.klass in tier.classes and (spec.price is not None or tier.uncounted)

    def allowed(self, tier: Tier) -> Sequence[ModelSpec]:
        """The models of a tier, in the order of config.toml."""
        return [spec for spec in self.models if self.allows(tier, spec)]

    def default(self, tier: Tier) -> ModelSpec | None:
        """The model of members who chose none: the first one that their tier may use."""
        return next(iter(self.allowed(tier)), None)

    def taking(self, tier: Tier, media: frozenset[Medium]) -> Sequence[ModelSpec]:
        """The models of a tier that take all of these."""
        return [spec for spec in self.allowed(tier) if media <= spec.accepts]

    def everyday(self, tier: Tier) -> Sequence[ModelSpec]:
        """The models that go on when a tier's money is spent."""
        return [spec for spec in self.allowed(tier) if spec.klass is ModelClass.EVERYDAY]

    def offer(self, tier: Tier, reason: RefusalReason, spec: ModelSpec | None = None) -> Offer | None:
        """The cheapest higher tier that would lift a refusal, None if no tier would."""
        return self.cheapest(tier, self._lifting(tier, reason, spec))

    def cheapest(self, tier: Tier, lifts: Callable[[Tier], bool]) -> Offer | None:
        """The cheapest higher tier that is for sale and of which that is true."""
        better = (other for other in self.ranked() if other.rank > tier.rank and other.price_month > 0)
        return next((Offer(t.name, t.price_month, t.price_year) for t in better if lifts(t)), None)

    def _lifting(self, tier: Tier, reason: RefusalReason, spec: ModelSpec | None) -> Callable[[Tier], bool]:
        rules: dict[RefusalReason, Callable[[Tier], bool]] = {
            RefusalReason.CONVERSATIONS: lambda t: more(t.conversations_per_day, tier.conversations_per_day),
            RefusalReason.TURNS: lambda t: more(t.turns_per_conversation, tier.turns_per_conversation),
            RefusalReason.RATE: lambda t: more(t.requests_per_minute, tier.requests_per_minute),
            RefusalReason.CONCURRENT: lambda t: more(t.concurrent, tier.concurrent),
            RefusalReason.COST: lambda t: more(t.cost_ceiling_month, tier.cost_ceiling_month),
            RefusalReason.NO_IMAGES: lambda t: self._first_taking(t, tier, Medium.IMAGES),
            RefusalReason.NO_PDF: lambda t: self._first_taking(t, tier, Medium.PDF),
            RefusalReason.POOL: lambda _: True,
            RefusalReason.FREE_BUDGET: lambda _: True,
            RefusalReason.PAUSED_FREE: lambda _: True,
            RefusalReason.MODEL_LOCKED: lambda t: spec is not None and self.allows(t, spec),
        }
        return rules.get(reason, lambda _: False)

    def _first_taking(self, other: Tier, tier: Tier, medium: Medium) -> bool:
        """Whether the other tier has models that take something, and this one has none."""
        media = frozenset({medium})
        return bool(self.taking(other, media)) and not self.taking(tier, media)


def more(limit: int | None, than: int | None) -> bool:
    """Whether one limit is above another; None is without limit."""
    return than is not None and (limit is None or limit > than)


def access(subscriptions: Iterable[Subscription], now: datetime, claims: Claims = NO_CLAIMS) -> Access:
    """What these subscriptions give their buyer at `now`; tiers come from here, `held` and `entitled`.

    Several live ones: the best status decides, then the newest. Status rules follow Stripe's documentation of
    `subscription.status`; whatever we do not know gives free. An open or lost dispute suspends them all.
    """
    found = undisputed(subscriptions, now, claims.revoked)
    if claims.has(DisputeStage.LOST):
        return Access(TierName.FREE, AccessReason.DISPUTE_LOST, None, found.subscription)
    if claims.has(DisputeStage.OPEN):
        return Access(TierName.FREE, AccessReason.DISPUTED, None, found.subscription)
    return found


def bought(has: Holdings, now: datetime) -> Access:
    """What an account has paid for itself; no grant and no seat of its own counts."""
    return access(has.subscriptions, now, has.claims)


def owned(has: Holdings, rank: Rank, now: datetime) -> Access:
    """What an account has paid for or was given, and so can share; no seat of its own counts."""
    return held(bought(has, now), has.grants, rank, now)


def held(own: Access, grants: Sequence[Grant], rank: Rank, now: datetime) -> Access:
    """The better, by rank, of what an account's own subscriptions give and its grants; of equals its own.

    That a grant is over is said where nothing that was bought ended after it.
    """
    given = spell(grants, rank, now)
    if given and (own.tier is TierName.FREE or rank(given.tier) > rank(own.tier)):
        return Access(given.tier, AccessReason.GRANTED, given.until)
    over, bought = last_end(grants, now), own.subscription.ended_at if own.subscription else None
    if over and own.reason in UNREMARKABLE and (bought is None or bought <= over):
        return replace(own, reason=AccessReason.GRANT_OVER)
    return own


def entitled(
    catalogue: Catalogue, own: Access, seat: Seat | None, now: datetime, grants: Sequence[Grant] = ()
) -> Access:
    """The best, by rank, of what an account's own subscriptions, its grants and its seat give.

    Of equals it is the subscription, then the grant. A seat gives what the team's owner has by a
    subscription or a grant, while that tier has so many seats.
    """
    own = held(own, grants, catalogue.rank, now)
    if seat is None:
        return own
    paid = owned(seat.theirs, catalogue.rank, now)
    room, tier = seats_of(catalogue, paid), catalogue.tier(paid.tier)
    if seat.place <= room:
        given = Access(paid.tier, AccessReason.SEAT, paid.until, None, seat.owner, room)
        return given if tier.rank > catalogue.tier(own.tier).rank else own
    if own.reason not in UNREMARKABLE:
        return own
    reason = AccessReason.SEAT_WAITING if tier.shared else AccessReason.SEAT_ENDED
    return replace(own, reason=reason, team=seat.owner)


UNREMARKABLE = frozenset({AccessReason.NO_SUBSCRIPTION, AccessReason.ENDED, AccessReason.GRANT_OVER})
"""Reasons that tell less than that there is no seat, or that a grant is over."""


def seats_of(catalogue: Catalogue, paid: Access) -> int:
    """How many people an access serves, its owner among them; a grant as many as the tier includes."""
    tier, sub = catalogue.tier(paid.tier), paid.subscription
    if not tier.shared:
        return 1
    if paid.reason is AccessReason.SEAT:
        return paid.seats
    if sub is None:
        return tier.seats if paid.reason is AccessReason.GRANTED else 1
    return max(sub.quantity, tier.seats)


def undisputed(subscriptions: Iterable[Subscription], now: datetime, revoked: frozenset[str]) -> Access:
    """What they give if no payment is disputed; `revoked` are invoices whose refund took the tier back."""
    known = sorted(subscriptions, key=lambda sub: sub.created_at, reverse=True)
    live = [sub for status in PREFERENCE for sub in known if sub.status is status]
    if live:
        given = (judge(sub, now, revoked) for sub in live)
        return max(given, key=lambda found: found.tier is not TierName.FREE)
    if any(sub.status is PaymentStatus.UNKNOWN for sub in known):
        return Access(TierName.FREE, AccessReason.UNKNOWN_STATUS, None, known[0])
    if known:
        return Access(TierName.FREE, AccessReason.ENDED, None, known[0])
    return Access(TierName.FREE, AccessReason.NO_SUBSCRIPTION)


def judge(sub: Subscription, now: datetime, revoked: frozenset[str] = frozenset()) -> Access:
    """What one live subscription gives at `now`."""
    if sub.latest_invoice in revoked:
        return Access(TierName.FREE, AccessReason.REFUNDED, None, sub)
    if sub.tier is None:
        return Access(TierName.FREE, AccessReason.UNKNOWN_PRODUCT, None, sub)
    if sub.collection_paused == "void":
        return Access(TierName.FREE, AccessReason.PAUSED, None, sub)
    reason, over, until = span(sub)
    if until is not None and now >= until:
        return Access(TierName.FREE, over, None, sub)
    tier = sub.tier if reason in GIVING else TierName.FREE
    return Access(tier, reason, until if reason in GIVING else None, sub)


GIVING = frozenset({AccessReason.ACTIVE, AccessReason.TRIAL, AccessReason.GRACE})


def span(sub: Subscription) -> tuple[AccessReason, AccessReason, datetime | None]:
    """Why a subscription gives access, why no longer when its time is over, and when that is."""
    match sub.status:
        case PaymentStatus.ACTIVE:
            return AccessReason.ACTIVE, AccessReason.PERIOD_OVER, active_until(sub)
        case PaymentStatus.TRIALING:
            end = sub.trial_end + TRIAL_SLACK if sub.trial_end else active_until(sub)
            return AccessReason.TRIAL, AccessReason.PERIOD_OVER, end
        case PaymentStatus.PAST_DUE:
            since = sub.past_due_since or sub.period_end
            return AccessReason.GRACE, AccessReason.GRACE_OVER, since + GRACE if since else None
        case PaymentStatus.PAUSED:
            return AccessReason.PAUSED, AccessReason.PAUSED, None
        case _:
            return AccessReason.NOT_PAID, AccessReason.NOT_PAID, None


def active_until(sub: Subscription) -> datetime | None:
    """When an active subscription ends: at its cancellation, or a while after an unheard-of renewal."""
    if sub.cancel_at is not None:
        return sub.cancel_at
    return sub.period_end + RENEWAL_SLACK if sub.period_end else None


def still_running(subscriptions: Iterable[Subscription]) -> Sequence[Subscription]:
    """Those that may still charge, so that no second one may be sold beside them."""
    return [
        sub for sub in subscriptions if sub.status not in ENDED and sub.status is not PaymentStatus.INCOMPLETE
    ]


def charging(subscriptions: Iterable[Subscription]) -> Sequence[Subscription]:
    """Those of them that go on unless somebody ends them."""
    return [sub for sub in still_running(subscriptions) if sub.cancel_at is None]
