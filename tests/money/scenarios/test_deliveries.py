"""Events may come twice, in any order, late or never: what counts is what Stripe says when it is read."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from engine.checkout import CheckoutLink
from engine.domain import Interval, Person, TierName
from engine.facts import CustomerFacts, CustomerId
from engine.notices import NoticeKind
from engine.subscriptions import Subscriptions
from tests.engine.conftest import ALICE
from tests.fakes.stripe.wire import Json
from tests.money.conftest import Till
from tests.money.scenarios.book import book_of
from tests.money.scenarios.people import customer, member, night_falls

AT_ONCE = 10
STAGES = ("upgrade", "fail", "recover", "cancel")


@dataclass(slots=True)
class Crowd:
    """Members who buy and go through some of the stages, with their events under way."""

    till: Till
    size: int
    dice: random.Random = field(default_factory=lambda: random.Random(2026))
    subscriptions: dict[Person, str] = field(default_factory=dict)

    async def buy(self) -> None:
        """Everybody buys, a few at a time, and pays."""
        people = [member(f"member-{number}") for number in range(self.size)]
        for start in range(0, self.size, AT_ONCE):
            some = people[start : start + AT_ONCE]
            links = await asyncio.gather(
                *(self.till.checkout.upgrade(each, TierName.PREMIUM, Interval.MONTH) for each in some)
            )
            for person, link in zip(some, links, strict=True):
                assert isinstance(link, CheckoutLink)
                paid = self.till.stripe.drive.pay(link.url.rpartition("/")[2])
                self.subscriptions[person] = paid["subscription"]

    def go_through(self, stage: str) -> None:
        """Everybody who comes that far does it: of five members one stops before each stage."""
        drive, pro = self.till.stripe.drive, self.till.stripe.prices["pro_monthly_v1"]
        for number, subscription in enumerate(self.subscriptions.values()):
            if number % (len(STAGES) + 1) <= STAGES.index(stage):
                continue
            match stage:
                case "upgrade":
                    drive.change_price(subscription, pro)
                case "fail":
                    drive.fail_renewal(subscription)
                case "recover":
                    drive.recover(subscription)
                case "cancel":
                    drive.cancel_subscription(subscription)

    async def news(self, share: float) -> None:
        """A share of all that is under way arrives in any order, one event in five twice at once."""
        courier = self.till.stripe.courier
        events = [event["id"] for event in courier.lost]
        for event in self.dice.sample(events, round(len(events) * share)):
            courier.redeliver(event, 2 if self.dice.random() < 0.2 else 1)
        await courier.settled()

    async def work(self) -> None:
        """Do what is due now, and not what will be."""
        self.till.clock.advance(timedelta(seconds=2))
        while await self.till.work():
            pass


async def test_a_crowd_has_what_stripe_says_though_events_come_twice_and_in_any_order(
    till: Till, database_url: str
) -> None:
    crowd = Crowd(till, 100 if database_url.startswith("sqlite") else 25)
    till.stripe.courier.stop()
    await crowd.buy()
    for stage in STAGES:
        await crowd.news(0.3)
        await crowd.work()
        crowd.go_through(stage)
    await crowd.news(1.0)
    await till.settle()
    books = [await book_of(till.store, person) for person in crowd.subscriptions]
    assert [book for book in books if not book.agrees(till.stripe.world)] == []
    assert {book.tiers[-1] for book in books} == {TierName.PREMIUM, TierName.PRO, TierName.FREE}
    for book in books:
        assert book.told.count(NoticeKind.ACTIVATED) <= 1


def under_way(till: Till, *types: str) -> list[Json]:
    """The events of these types, of any if none is named, that did not arrive yet, oldest first."""
    return [event for event in till.stripe.courier.lost if event["type"] in types or not types]


async def arrives(till: Till, event: Json) -> None:
    """One event comes, and what follows from it is done."""
    till.stripe.courier.redeliver(event["id"])
    await till.settle()


async def test_an_update_before_the_creation_it_follows_gives_the_same(till: Till) -> None:
    till.stripe.courier.stop()
    await till.buy()
    till.stripe.drive.change_price(
        till.stripe.drive.pay(till.session())["subscription"], till.stripe.prices["pro_monthly_v1"]
    )
    newest_first = under_way(till)[::-1]
    types = [event["type"] for event in newest_first]
    assert types.index("customer.subscription.updated") < types.index("customer.subscription.created")
    for event in newest_first:
        await arrives(till, event)
        assert await till.tier() is TierName.PRO
    assert (await book_of(till.store)).tiers == [TierName.PRO]


async def test_the_late_end_of_an_old_subscription_leaves_the_new_one_alone(till: Till) -> None:
    old = await till.paid()
    till.stripe.courier.stop()
    till.stripe.drive.cancel_subscription(old)
    await till.buy(TierName.PRO)
    till.stripe.drive.pay(till.session())
    (ended,) = under_way(till, "customer.subscription.deleted")
    for event in [each for each in under_way(till) if each is not ended]:
        await arrives(till, event)
    before = await book_of(till.store)
    await arrives(till, ended)
    assert await till.tier() is TierName.PRO
    assert await book_of(till.store) == before
    assert before.agrees(till.stripe.world)


async def test_a_subscription_is_read_once_for_a_burst_of_events(till: Till) -> None:
    till.stripe.courier.stop()
    await till.buy()
    till.stripe.drive.pay(till.session())
    before = till.stripe.count("GET /v1/subscriptions")
    till.stripe.courier.redeliver_lost(shuffle=True, copies=3)
    await till.stripe.courier.settled()
    assert await till.subscriptions.work() == 0
    await till.settle()
    assert till.stripe.count("GET /v1/subscriptions") == before + 1


async def test_news_that_comes_while_its_customer_is_read_is_not_lost(till: Till) -> None:
    subscription = await till.paid()

    class Slow:
        """Answers with what was true before something happened."""

        mode = till.gateway.mode

        async def get_stripe_subscription_status(self, customer: CustomerId) -> CustomerFacts:
            """Read, and let the subscription end and be told before the answer is seen."""
            found = await till.gateway.get_stripe_subscription_status(customer)
            till.stripe.drive.cancel_subscription(subscription)
            await till.stripe.courier.settled()
            return found

    reader = Subscriptions(till.store, till.clock, Slow())  # type: ignore[arg-type]
    await reader.sync(await customer(till, ALICE))
    assert await till.tier() is TierName.PREMIUM
    await till.settle()
    assert await till.tier() is TierName.FREE


async def test_an_event_that_never_came_is_found_within_the_hour(till: Till) -> None:
    await till.regular_looks()
    till.stripe.courier.stop()
    await till.buy()
    till.stripe.drive.pay(till.session())
    await till.pass_time(timedelta(hours=1))
    assert await till.tier() is TierName.FREE
    await till.regular_looks()
    await till.settle()
    assert await till.tier() is TierName.PREMIUM


async def a_life(till: Till) -> list[str]:
    """What may happen to a subscription, each with a night after it; where the night did not find it."""
    drive, wrong = till.stripe.drive, []
    await till.buy()
    subscription = drive.pay(till.session())["subscription"]
    deeds: dict[str, Callable[[], object]] = {
        "pay": lambda: None,
        "upgrade": lambda: drive.change_price(subscription, till.stripe.prices["pro_monthly_v1"]),
        "fail": lambda: drive.fail_renewal(subscription),
        "recover": lambda: drive.recover(subscription),
        "dispute": lambda: drive.dispute(drive.charge_of(subscription)["id"]),
        "win": lambda: drive.close_dispute(till.stripe.world.rows("dispute")[0]["id"], "won"),
        "cancel": lambda: drive.cancel_subscription(subscription),
    }
    for name, deed in deeds.items():
        deed()
        await night_falls(till)
        book = await book_of(till.store)
        wrong += [] if book.agrees(till.stripe.world) else [f"{name}: {book.tiers}"]
    return wrong


@pytest.mark.parametrize("forgotten", [False, True], ids=["events-kept", "events-gone"])
async def test_without_any_event_a_night_finds_everything_and_late_events_change_nothing(
    till: Till, *, forgotten: bool
) -> None:
    till.stripe.courier.stop()
    endpoints = till.stripe.world.tables["webhook_endpoint"]
    ours = dict(endpoints)
    if forgotten:  # no event was for anybody, so Stripe lists none as undelivered
        endpoints.clear()
    assert await a_life(till) == []
    before = await book_of(till.store)
    assert before.tiers == [TierName.PREMIUM, TierName.PRO, TierName.FREE, TierName.PRO, TierName.FREE]
    assert (await till.reconcile.compare()).differences == ()
    endpoints.update(ours)
    assert till.stripe.courier.redeliver_lost(shuffle=True, copies=2)
    await till.settle()
    assert await book_of(till.store) == before
