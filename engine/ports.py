"""What the hall needs of the rooms: models, billing, messengers, storage and the clock."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from engine.domain import Interval, Person, TierName
from engine.facts import (
    BillingEvent,
    CheckoutRequest,
    CheckoutSession,
    CustomerFacts,
    CustomerId,
    Mode,
    MoneyBack,
    SessionId,
    Subscription,
)
from engine.ledger import Tx
from engine.models import Chunk, Completion, Price
from engine.notices import Notice
from engine.terms import ChangeOrder, ChangeResult, Preview, UsageReport, Wish

T = TypeVar("T")


class Clock(Protocol):
    """The one reader of wall time."""

    def now(self) -> datetime:
        """The time as an aware UTC datetime."""
        ...


class Store(Protocol):
    """Runs units of work, each whole or not at all."""

    async def transact(self, work: Callable[[Tx], T]) -> T:
        """Run `work` in a transaction of its own and return its result once that is durable.

        If the caller is cancelled meanwhile, the outcome is awaited first and CancelledError raised then: the
        work may have been committed. TryAgainError: the database cannot be reached or is overloaded.
        """
        ...

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Run a `work` that only reads, on a connection that does not wait for writers."""
        ...


class Model(Protocol):
    """A vendor's models, streaming."""

    def stream(self, completion: Completion) -> AsyncGenerator[Chunk, None]:
        """Ask a model: TextDeltas, then exactly one Finished.

        Closing the iterator ends the request. Raises an OutsideError by remedy; a stream that stops without
        its end raises StreamCutError. No retries of its own.
        """
        ...


class Vault(Protocol):
    """Seals what is kept, so that whoever gets hold of the database cannot read it."""

    def seal(self, content: bytes, about: str = "") -> bytes:
        """Seal it with the first key; `about` names the one thing as which it can be opened again."""
        ...

    def open(self, sealed: bytes, about: str = "") -> bytes | None:
        """What was sealed as that thing with any of the keys; None if none of them opens it."""
        ...


class PriceBook(Protocol):
    """Known prices of vendors' models."""

    def price(self, provider: str, vendor_id: str, at: datetime, context: int) -> Price | None:
        """Micro-dollars per million tokens at that moment, None when unknown.

        Where it rises with the prompt it is what one of so many tokens comes to.
        """
        ...


class Billing(Protocol):
    """Stripe, or its simulation; every call may raise an OutsideError by remedy."""

    @property
    def mode(self) -> Mode:
        """The world that this one's facts belong to."""
        ...

    async def create_customer(self, account: str, epoch: int) -> CustomerId:
        """Make the account's customer; the same account and epoch give the same customer."""
        ...

    async def find_customer(self, account: str) -> CustomerId | None:
        """The oldest customer made for an account and not deleted; to be found may take an hour."""
        ...

    async def check_price(self, tier: TierName, interval: Interval) -> None:
        """TellOperatorError if that cannot be sold, so that nothing is made for it."""
        ...

    async def create_checkout_session(self, request: CheckoutRequest) -> CheckoutSession:
        """Make the Checkout session of an attempt; the same attempt gives the same session.

        GoneError: the customer no longer exists. TellOperatorError: no price for that tier and interval.
        """
        ...

    async def get_checkout_session(self, session: SessionId) -> CheckoutSession:
        """Read a Checkout session; GoneError if there is none of that id."""
        ...

    async def expire_checkout_session(self, session: SessionId) -> None:
        """Close an open session; one that is closed already is left as it is."""
        ...

    async def create_customer_portal_session(
        self, customer: CustomerId, return_url: str, *, sells: bool = True
    ) -> str:
        """The address of a fresh customer-portal session; GoneError if the customer no longer exists.

        Without `sells` nothing can be bought there: cards, invoices and cancelling alone.
        """
        ...

    async def get_stripe_subscription_status(self, customer: CustomerId) -> CustomerFacts:
        """All subscriptions of a customer, ended ones too, as one reading."""
        ...

    async def preview_change(self, subscription: Subscription, wish: Wish, now: datetime) -> Preview:
        """What a change would cost and when it would take effect; changes nothing.

        GoneError: the subscription no longer exists. TellOperatorError: no price for what is wished.
        """
        ...

    async def change_subscription(self, order: ChangeOrder) -> ChangeResult:
        """Carry a confirmed change out; the same key does it once. GoneError as above."""
        ...

    async def end_subscription(self, subscription: str, key: str, *, refund: bool) -> None:
        """Cancel it now, and with `refund` give its newest payment back; what is over already is left so."""
        ...

    async def look_into(self, subject: str) -> MoneyBack | None:
        """What a dispute, charge or refund means now; None if it is about no customer."""
        ...

    async def report_usage(self, report: UsageReport) -> None:
        """Tell the meter; telling it again under the same identifier changes nothing.

        OutsideError by remedy; TellOperatorError and GiveUpError mean that it will never be taken.
        """
        ...

    async def reported_usage(self, customer: CustomerId, since: datetime, until: datetime) -> int:
        """Units that the meter has of a customer, by whole hours."""
        ...

    def parse_webhook_event(self, body: bytes, signature: str | None) -> BillingEvent:
        """Verify and read a webhook's raw body.

        BadSignatureError: not signed with a secret of ours, or more than 300 s from now, either way.
        BadPayloadError: signed, but no event.
        """
        ...

    async def verify_stripe_config(self) -> Sequence[str]:
        """Check keys, clock, prices, portal and endpoints; a sentence with its mend for each thing wrong."""
        ...

    async def aclose(self) -> None:
        """Close what is open to the outside."""
        ...


class BillingRecords(Protocol):
    """Long lists of Stripe's, page by page, for reconciliation; each read may raise an OutsideError."""

    def undelivered_events(self, since: datetime) -> AsyncIterator[BillingEvent]:
        """Events of our types that no webhook endpoint took, from then on."""
        ...

    def all_subscriptions(self) -> AsyncIterator[Subscription]:
        """Every subscription of the Stripe account, ended ones too."""
        ...

    def money_back(self, since: datetime) -> AsyncIterator[MoneyBack]:
        """Every dispute and refund made from then on."""
        ...

    def customers(self) -> AsyncIterator[tuple[CustomerId, str]]:
        """Every customer with an account of this mode in its metadata, with that account's id."""
        ...


class Messenger(Protocol):
    """Writes to a person unasked, on one platform."""

    async def deliver(self, notice: Notice, *, again: bool) -> None:
        """Show a notice privately to its person.

        `again`: an earlier try may have got through, so look for `notice.key` first or send in a way that the
        platform shows once. UnreachableError: the person cannot be written to. TryAgainError: later.
        """
        ...


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A platform's signed call, as raw as it came."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """The answer to a platform's call."""

    status: int
    body: str = ""
    content_type: str = "text/plain"


class PlatformEndpoint(Protocol):
    """A chat platform that calls us over HTTP (Slack without Socket Mode)."""

    async def handle(self, request: HttpRequest) -> HttpAnswer:
        """Verify and take a call; the work it causes goes on after the answer."""
        ...


class LocalSurface(Protocol):
    """The playground's side of the chat: what its page and scripts call. All values are JSON-ready."""

    def describe(self) -> Mapping[str, object]:
        """People, rooms, commands with options, and what is simulated."""
        ...

    async def profile(self, person: Person) -> Mapping[str, object]:
        """A person as they stand: `name` and `tier`."""
        ...

    async def send(self, person: Person, room: str, text: str, reply_to: str | None, key: str | None) -> str:
        """Say `text` as `person` in a room (`general` or `dm`); returns the message's id.

        Text that begins with `/` is a command. `key` makes a repeated send the same one. ValueError says what
        is wrong.
        """
        ...

    async def press(self, person: Person, message: str, action: str) -> None:
        """Press a button of a message that the person sees; ValueError if there is none."""
        ...

    async def messages(self, person: Person, limit: int) -> Sequence[Mapping[str, object]]:
        """What the person sees, oldest first: public, private to them, and their DMs."""
        ...

    async def file(self, person: Person, message: str) -> tuple[str, bytes] | None:
        """The name and content of the file that comes with a message; kept for a while only."""
        ...

    def events(self, person: Person) -> AbstractAsyncContextManager[AsyncIterator[Mapping[str, object]]]:
        """What the person sees as it appears and changes, from entering on and until left.

        Each has a `type` and its thing under that name: `message` (whole, as it now is) or `person`.
        A slow reader skips older states of a thing, never its last one.
        """
        ...
