"""Members: what they buy, how things stand with them, and how time passes for them."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

from engine.checkout import CheckoutLink
from engine.domain import AccountId, Interval, Person, Platform, TierName
from engine.facts import CustomerId, CustomerRecord, Mode, TierChange
from engine.figures import Movement
from engine.ledger import Tx
from engine.notices import Notice
from tests.fakes.stripe.wire import Json
from tests.money.conftest import Till

AN_HOUR, A_NIGHT = timedelta(minutes=61), timedelta(days=1)


def member(name: str) -> Person:
    """A person of that name."""
    return Person(Platform.LOCAL, "", name)


async def buys(
    till: Till,
    person: Person,
    tier: TierName = TierName.PREMIUM,
    interval: Interval = Interval.MONTH,
    code: str | None = None,
) -> str:
    """Buy a tier, pay for it, and let the news arrive and be read; the subscription's id."""
    link = await till.checkout.upgrade(person, tier, interval)
    assert isinstance(link, CheckoutLink)
    session = till.stripe.drive.pay(link.url.rpartition("/")[2], code)
    await till.settle()
    return str(session["subscription"])


async def account(till: Till, person: Person) -> AccountId:
    """The person's account."""
    found = await till.store.read(lambda tx: tx.find_account(person))
    assert found
    return found.id


async def record(till: Till, person: Person, mode: Mode = Mode.TEST) -> CustomerRecord | None:
    """What we know of the person's customer; None for one who never bought."""

    def work(tx: Tx) -> CustomerRecord | None:
        found = tx.find_account(person)
        return tx.customer(found.id, mode) if found else None

    return await till.store.read(work)


async def customer(till: Till, person: Person, mode: Mode = Mode.TEST) -> CustomerId:
    """The person's customer at Stripe."""
    found = await record(till, person, mode)
    assert found
    assert found.customer
    return found.customer


async def notices(till: Till, person: Person) -> list[Notice]:
    """What the person is owed or was sent, oldest first."""
    name = await account(till, person)
    return list(await till.store.read(lambda tx: tx.notices(name)))


async def tier_changes(till: Till, person: Person) -> list[TierChange]:
    """Every change of the person's tier."""
    name = await account(till, person)
    return list(await till.store.read(lambda tx: tx.tier_changes(name)))


async def movements(till: Till, person: Person, mode: Mode = Mode.TEST) -> list[Movement]:
    """What changed the revenue of the person's account."""
    name = await account(till, person)
    return list(await till.store.read(lambda tx: tx.account_movements(name, mode)))


async def mrr(till: Till, person: Person, mode: Mode = Mode.TEST) -> Fraction:
    """What the person's account brings in a month, in micro-dollars."""
    name = await account(till, person)
    return await till.store.read(lambda tx: tx.mrr(name, mode))


async def an_hour_passes(till: Till) -> None:
    """The regular looks of the next hour are done, and what follows from them."""
    await till.pass_time(AN_HOUR)
    await till.regular_looks()
    await till.settle()


async def night_falls(till: Till) -> None:
    """The regular looks of the next night are done, and what follows from them."""
    await till.pass_time(A_NIGHT)
    await till.regular_looks()
    await till.settle()


async def nothing_given_up(till: Till) -> bool:
    """Whether there is no dead letter."""
    return not await till.store.read(lambda tx: tx.dead_letters(Mode.TEST))


def subscription(till: Till, name: str) -> Json:
    """A subscription as Stripe has it."""
    return till.stripe.world.get("subscription", name, "subscription")
