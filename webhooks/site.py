"""What the web server serves: the ports that the gate hands over; what is None is off and says so."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from engine.audit import Actor
from engine.domain import Tier, TierName
from engine.drafts import Drafts
from engine.entry import Entrance
from engine.facts import BillingEvent, Mode, SessionId
from engine.installations import PlatformInstall
from engine.panels import Panels
from engine.pauses import Pause
from engine.ports import Clock, LocalSurface, PlatformEndpoint, Store
from engine.simulated import SimulatedCheckout, SimulatedPlay
from engine.subscriptions import PurchaseStatus
from engine.tallies import Delivery
from webhooks.observatory import Observatory

PausesNow = Callable[[], Awaitable[Sequence[Pause]]]
"""What the operator has paused; `Halting.pauses`."""
Knocked = Callable[[str], Awaitable[None]]
"""Hears of each call to a door that had no good signature; `Knocks.heard`."""
CheckoutStatus = Callable[[SessionId], Awaitable[PurchaseStatus]]
"""How far a purchase is; `Subscriptions.purchase`."""


@dataclass(frozen=True, slots=True)
class StripeInbox:
    """Takes webhook events: `parse` verifies the raw body, `receive` stores; False for nothing new.

    `untaken` hears of each that was not taken, and why.
    """

    parse: Callable[[bytes, str | None], BillingEvent]
    receive: Callable[[BillingEvent], Awaitable[bool]]
    untaken: Callable[[Delivery], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class Part:
    """One line of the front page: a part of the product, whether it is on, and a word about it."""

    name: str
    on: bool
    note: str = ""
    link: str | None = None


Retry = Callable[[Actor, Mode, str | None], Awaitable[int]]
"""Tries again what was given up, all of it or what has an id; `Steering.retry`."""


@dataclass(frozen=True, slots=True)
class Admin:
    """What the dashboard is made of."""

    entrance: Entrance
    store: Store
    clock: Clock
    mode: Mode
    retry: Retry
    panels: Panels
    drafts: Drafts


@dataclass(frozen=True, slots=True)
class Site:
    """Everything that is served; `app_url` is the address that members know, without a slash at its end."""

    app_url: str
    parts: tuple[Part, ...] = ()
    pauses: PausesNow | None = None
    stripe: StripeInbox | None = None
    slack: PlatformEndpoint | None = None
    slack_install: PlatformInstall | None = None
    knocked: Knocked | None = None
    checkout_status: CheckoutStatus | None = None
    simulated: SimulatedCheckout | None = None
    simulation: SimulatedPlay | None = None
    tiers: Mapping[TierName, Tier] = field(default_factory=dict)
    playground: LocalSurface | None = None
    playground_key: str | None = field(default=None, repr=False)
    admin: Admin | None = None
    observatory: Observatory | None = None
