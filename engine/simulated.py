"""What the simulated Stripe and the playground keep, show and let be played."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from engine.domain import Interval, Micros, Person, TierName
from engine.facts import CheckoutSession, DisputeStage, SessionId, Subscription


@dataclass(frozen=True, slots=True)
class SimulatedObject:
    """One object of the simulated Stripe: `owner` groups them (a customer id), `body` is JSON text."""

    id: str
    kind: str
    owner: str
    body: str


@dataclass(frozen=True, slots=True)
class LocalMessage:
    """A message of the playground as it is shown; `audience` is the one person who sees it, or None."""

    id: str
    room: str
    author: str
    audience: str | None
    body: Mapping[str, object] = field(default_factory=dict)
    at: datetime | None = None


class PlaygroundTx(Protocol):
    """The simulated Stripe's objects and the playground's messages."""

    def put_object(self, obj: SimulatedObject) -> None:
        """Insert or replace by id."""
        ...

    def add_object(self, obj: SimulatedObject) -> bool:
        """Insert; False if the id exists."""
        ...

    def get_object(self, obj: str) -> SimulatedObject | None:
        """One by id; in a transact unit the row stays locked until it ends."""
        ...

    def objects(self, kind: str, owner: str | None = None) -> Sequence[SimulatedObject]:
        """All of a kind, oldest first."""
        ...

    def drop_object(self, obj: str) -> None:
        """Delete one by id; none is no error."""
        ...

    def put_local(self, message: LocalMessage) -> None:
        """Insert, or replace body and audience by id (`at` of the first stays)."""
        ...

    def get_local(self, message: str) -> LocalMessage | None:
        """One by id."""
        ...

    def local_messages(self, person: str, limit: int) -> Sequence[LocalMessage]:
        """The last `limit` that the person sees (audience None or theirs), oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class SimulatedSession:
    """What the simulated checkout page shows."""

    session: CheckoutSession
    tier: TierName
    interval: Interval
    success_url: str
    cancel_url: str


@dataclass(frozen=True, slots=True)
class SimulatedInvoice:
    """What the simulated page of an invoice shows."""

    id: str
    amount: Micros
    tier: TierName
    interval: Interval
    open: bool
    paid: bool


class SimulatedCheckout(Protocol):
    """What the simulated checkout and portal pages do."""

    async def session(self, session: SessionId) -> SimulatedSession:
        """The session for its page; GoneError if there is none."""
        ...

    async def pay(self, session: SessionId) -> str:
        """Pay it (paying twice is paying once) and return the address to go to."""
        ...

    async def decline(self, session: SessionId) -> None:
        """Have the card declined: the session stays open and nothing else changes."""
        ...

    async def leave(self, session: SessionId) -> str:
        """Go back without paying; the address to go to."""
        ...

    async def portal(self, portal: str) -> Sequence[Subscription]:
        """The subscriptions behind a portal session; GoneError if there is none."""
        ...

    async def cancel_at_period_end(self, portal: str, *, pending: bool) -> None:
        """Have the live subscription end with its period, or not after all."""
        ...

    async def end_now(self, portal: str) -> None:
        """End the live subscription at once."""
        ...

    async def invoice(self, invoice: str) -> SimulatedInvoice:
        """An invoice for its page; GoneError if there is none."""
        ...

    async def pay_invoice(self, invoice: str) -> None:
        """Pay it with a new card, which is charged from then on; one that is not open is left as it is."""
        ...


class SimulatedDeed(StrEnum):
    """What can be played with a simulated customer."""

    EXPIRE = "expire"
    """Its subscription ends now."""
    FAIL_PAYMENT = "fail-payment"
    """Its card is declined from now on, and its period ends now."""
    RECOVER = "recover"
    """It gives a new card, with which everything owed is paid."""
    EXPIRE_CARD = "expire-card"
    INQUIRE = "inquiry"
    DISPUTE = "dispute"
    WIN_DISPUTE = "win"
    LOSE_DISPUTE = "lose"
    REFUND = "refund"
    DELETE_CUSTOMER = "delete-customer"


class SimulatedStep(StrEnum):
    """How far the clock of the simulation is moved."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class SimulatedScene:
    """How things stand where something is played."""

    now: datetime
    moved: bool
    """Whether the clock was ever moved."""
    said: str
    """What the last thing that was played brought about."""


class SimulatedOrders(Protocol):
    """What the operator can play with simulated people; each tells what became of it."""

    async def advance(self, by: timedelta) -> str:
        """Move the clock forward for everybody. ValueError: back, or more than a year at once."""
        ...

    async def do(self, person: Person, deed: SimulatedDeed) -> str:
        """Do it to a person's customer."""
        ...

    async def dispute(self, person: Person, stage: DisputeStage) -> str:
        """Dispute the newest payment, or bring its dispute to that stage."""
        ...

    async def status(self, person: Person) -> str:
        """What the simulation knows of a person."""
        ...


class SimulatedPlay(Protocol):
    """What the simulated portal lets everybody try who may open it."""

    async def scene(self, portal: str) -> SimulatedScene:
        """How things stand; GoneError if there is no such portal session."""
        ...

    async def play(self, portal: str, deed: SimulatedDeed) -> str:
        """Do it to the portal's customer; what became of it, in words. GoneError as above."""
        ...

    async def pass_time(self, portal: str, step: SimulatedStep) -> str:
        """Move the clock on for everybody; where it stands then, in words. GoneError as above."""
        ...
