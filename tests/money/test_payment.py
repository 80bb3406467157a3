"""From the click to the tier, whatever happens on the way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

import pytest

from engine.applying import apply
from engine.catalogue import Catalogue
from engine.checkout import AlreadySubscribed, Checkout, CheckoutLink, Links, NothingToManage, PortalLink
from engine.domain import Interval, TierName
from engine.errors import OutsideError
from engine.facts import (
    BillingEvent,
    CustomerFacts,
    CustomerId,
    CustomerRecord,
    DirtyCustomer,
    EventId,
    Mode,
    PaymentStatus,
)
from engine.ledger import Tx
from engine.notices import NoticeKind
from engine.subscriptions import LEASE, Activation
from storage.store import Store
from tests.billing.conftest import TIERS
from tests.engine.conftest import ALICE, BOB
from tests.fakes.stripe import SECRET, FaultKind, sign
from tests.money.conftest import LINKS, USUAL, Till, open_till

T = TypeVar("T")


async def test_a_payment_gives_the_tier_one_change_and_one_notice(till: Till) -> None:
    await till.paid()
    assert await till.tier() is TierName.PREMIUM
    assert [(change.before, change.after) for change in await till.changes()] == [("free", "premium")]
    assert [(notice.kind, notice.person) for notice in await till.notices()] == [
        (NoticeKind.ACTIVATED, ALICE)
    ]


async def test_the_facts_are_stripes_own(till: Till) -> None:
    subscription = await till.paid(TierName.TEAM)
    (facts,) = await till.facts()
    (customer,) = till.stripe.world.rows("customer")
    assert (facts.id, facts.customer, facts.status) == (subscription, customer["id"], PaymentStatus.ACTIVE)
    assert (facts.tier, facts.interval) == (TierName.TEAM, Interval.MONTH)


async def test_somebody_elses_payment_changes_nothing_for_others(till: Till) -> None:
    await till.paid()
    assert await till.tier(BOB) is TierName.FREE


async def test_clicks_at_the_same_instant_share_one_customer_and_one_session(till: Till) -> None:
    other = open_till(till.store, till.clock, till.stripe)
    links = await asyncio.gather(*(each.buy() for each in (till, other) * 5))
    await other.gateway.aclose()
    assert len({link.url for link in links}) == 1
    assert len(till.stripe.world.rows("customer")) == 1
    assert len(till.stripe.world.rows("checkout.session")) == 1


async def test_choosing_another_tier_closes_the_first_session(till: Till) -> None:
    first, second = await till.buy(), await till.buy(TierName.PRO)
    assert first.url != second.url
    assert [row["status"] for row in till.stripe.world.rows("checkout.session")] == ["open", "expired"]


async def test_different_choices_at_the_same_instant_leave_one_open_session(till: Till) -> None:
    tiers = [TierName.PREMIUM, TierName.PRO] * 3
    await asyncio.gather(
        *(till.checkout.upgrade(ALICE, tier, Interval.MONTH) for tier in tiers), return_exceptions=True
    )
    open_ones = [row for row in till.stripe.world.rows("checkout.session") if row["status"] == "open"]
    assert len(open_ones) <= 1


async def test_a_subscriber_is_sent_to_the_portal_and_never_to_a_second_checkout(till: Till) -> None:
    await till.paid()
    outcome = await till.checkout.upgrade(ALICE, TierName.PRO, Interval.YEAR)
    assert isinstance(outcome, AlreadySubscribed)
    assert len(till.stripe.world.rows("checkout.session")) == 1


async def test_a_payment_whose_news_is_still_on_its_way_is_seen_at_the_next_click(till: Till) -> None:
    till.stripe.courier.hold()
    await till.buy()
    till.stripe.drive.pay(till.session())
    assert isinstance(await till.checkout.upgrade(ALICE, TierName.PREMIUM, Interval.MONTH), AlreadySubscribed)
    assert await till.tier() is TierName.PREMIUM


async def test_a_link_that_is_about_to_end_is_replaced(till: Till) -> None:
    first = await till.buy()
    till.clock.advance(timedelta(minutes=49))
    assert (await till.buy()).url == first.url
    till.clock.advance(timedelta(minutes=2))
    assert (await till.buy()).url != first.url


async def test_a_customer_deleted_at_stripe_is_replaced(till: Till) -> None:
    await till.buy()
    till.stripe.drive.delete_customer(till.stripe.world.rows("customer")[0]["id"])
    till.clock.advance(timedelta(hours=2))
    link = await till.checkout.upgrade(ALICE, TierName.PREMIUM, Interval.MONTH)
    assert isinstance(link, CheckoutLink)
    till.stripe.drive.pay(till.session())
    await till.settle()
    assert await till.tier() is TierName.PREMIUM


async def test_events_shuffled_doubled_and_lost_end_the_same(till: Till) -> None:
    till.stripe.courier.hold()
    await till.buy()
    till.stripe.drive.pay(till.session())
    till.stripe.courier.release(shuffle=True, copies=3, drop=["checkout.session.completed"])
    await till.settle()
    assert await till.tier() is TierName.PREMIUM
    assert len(await till.changes()) == 1
    assert len(await till.notices()) == 1


async def test_the_end_of_a_subscription_gives_free_and_says_so(till: Till) -> None:
    subscription = await till.paid()
    till.stripe.drive.cancel_subscription(subscription)
    await till.settle()
    assert await till.tier() is TierName.FREE
    assert [notice.kind for notice in await till.notices()] == [NoticeKind.ACTIVATED, NoticeKind.ENDED]


async def test_a_cancellation_at_period_end_keeps_the_tier_and_tells_until_when(till: Till) -> None:
    subscription = await till.paid()
    till.stripe.drive.cancel_subscription(subscription, at_period_end=True)
    await till.settle()
    pending = (await till.notices())[-1]
    assert await till.tier() is TierName.PREMIUM
    assert pending.kind is NoticeKind.CANCEL_PENDING
    assert pending.until is not None
    till.clock.set(pending.until)
    assert await till.tier() is TierName.FREE


async def test_a_failed_renewal_keeps_the_tier_for_a_grace_that_needs_no_event_to_end(till: Till) -> None:
    subscription = await till.paid()
    till.stripe.drive.fail_renewal(subscription)
    await till.settle()
    assert await till.tier() is TierName.PREMIUM
    assert (await till.notices())[-1].kind is NoticeKind.PAYMENT_FAILED
    till.clock.advance(timedelta(days=15))
    assert await till.tier() is TierName.FREE


async def test_a_recovered_payment_restores_the_tier(till: Till) -> None:
    subscription = await till.paid()
    till.stripe.drive.fail_renewal(subscription)
    await till.settle()
    till.stripe.drive.recover(subscription)
    await till.settle()
    till.clock.advance(timedelta(days=15))
    assert await till.tier() is TierName.PREMIUM


async def test_a_change_of_price_changes_the_tier(till: Till) -> None:
    subscription = await till.paid()
    till.stripe.drive.change_price(subscription, till.stripe.prices["pro_monthly_v1"])
    await till.settle()
    assert await till.tier() is TierName.PRO
    assert (await till.notices())[-1].kind is NoticeKind.CHANGED


async def test_the_success_page_activates_before_any_webhook(till: Till) -> None:
    till.stripe.courier.hold()
    await till.buy()
    session = till.session()
    assert (await till.subscriptions.purchase(session)).state is Activation.PENDING
    till.stripe.drive.pay(session)
    assert (await till.subscriptions.purchase(session)).state is Activation.ACTIVE
    till.stripe.courier.release()
    await till.settle()
    assert len(await till.notices()) == 1


async def test_a_session_that_is_not_ours_is_unknown(till: Till) -> None:
    assert (await till.subscriptions.purchase("cs_test_other")).state is Activation.UNKNOWN  # type: ignore[arg-type]


async def test_stripe_being_down_changes_no_access_and_is_caught_up_with(till: Till) -> None:
    subscription = await till.paid()
    fault = till.stripe.faults.add(FaultKind.STATUS, "GET /v1/subscriptions", times=None, status=503)
    till.stripe.drive.cancel_subscription(subscription)
    await till.settle()
    assert await till.tier() is TierName.PREMIUM
    till.stripe.faults.clear()
    till.clock.advance(timedelta(seconds=1))
    await till.settle()
    assert fault.reached.is_set()
    assert await till.tier() is TierName.FREE


async def test_a_read_that_was_outrun_writes_nothing(till: Till) -> None:
    await till.paid()
    customer = CustomerId(till.stripe.world.rows("customer")[0]["id"])
    now = till.clock.now()

    def claim(tx: Tx) -> DirtyCustomer:
        tx.mark_dirty(Mode.TEST, customer, now)
        return tx.claim_dirty(Mode.TEST, now, now + LEASE, "slow", 1, customer)[0]

    slow = await till.store.transact(claim)
    till.clock.advance(LEASE + timedelta(seconds=1))
    await till.subscriptions.sync(customer)
    later = till.clock.now()
    await till.store.transact(lambda tx: apply(tx, slow, CustomerFacts(), now, later, USUAL))
    assert await till.tier() is TierName.PREMIUM


async def test_events_about_strangers_are_taken_and_change_nothing(till: Till) -> None:
    customer = till.stripe.world.rows("customer")
    assert customer == []
    await till.store.read(lambda tx: tx.queue_depth(till.clock.now()))
    stranger = till.stripe.drive.emit(
        "customer.subscription.updated",
        {"id": "sub_other", "object": "subscription", "customer": "cus_other"},
    )
    await till.stripe.courier.settled()
    assert stranger["type"] == "customer.subscription.updated"
    assert await till.store.read(lambda tx: tx.queue_depth(till.clock.now())) == (0, None)


async def test_the_portal_is_for_those_who_have_something_to_manage(till: Till) -> None:
    assert isinstance(await till.checkout.portal(BOB), NothingToManage)
    await till.paid()
    link = await till.checkout.portal(ALICE)
    assert isinstance(link, PortalLink)
    assert link.access.tier is TierName.PREMIUM


async def test_a_price_that_stripe_does_not_know_makes_no_session(till: Till) -> None:
    for price in list(till.stripe.world.rows("price")):
        price["active"] = False
    with pytest.raises(OutsideError):
        await till.checkout.upgrade(ALICE, TierName.PREMIUM, Interval.MONTH)
    assert till.stripe.world.rows("checkout.session") == []


async def test_a_page_that_stops_waiting_for_stripe_leaves_the_customer_due_at_once(till: Till) -> None:
    await till.buy()
    till.stripe.drive.pay(till.session())
    slow = till.stripe.faults.add(FaultKind.DELAY, "GET /v1/subscriptions", times=1)
    slow.gate = asyncio.Event()
    waiting = asyncio.create_task(till.subscriptions.purchase(till.session()))
    await slow.reached.wait()
    waiting.cancel()
    await asyncio.wait({waiting})
    slow.gate.set()
    assert (await till.subscriptions.purchase(till.session())).state is Activation.ACTIVE


async def test_an_attempt_that_cannot_be_carried_out_any_more_is_replaced(till: Till) -> None:
    till.stripe.faults.add(FaultKind.LOSE, "POST /v1/checkout/sessions", times=3)
    with pytest.raises(OutsideError):
        await till.checkout.upgrade(ALICE, TierName.PREMIUM, Interval.MONTH)
    elsewhere = Links("http://127.0.0.1/elsewhere", LINKS.cancel, LINKS.portal_return)
    moved = Checkout(
        till.store, till.clock, till.gateway, Catalogue(TIERS, ()), till.subscriptions, elsewhere
    )
    assert isinstance(await moved.upgrade(ALICE, TierName.PREMIUM, Interval.MONTH), CheckoutLink)


async def test_no_second_session_is_sold_while_somebody_else_is_reading_the_payment(till: Till) -> None:
    await till.buy()
    till.stripe.drive.pay(till.session())
    customer = CustomerId(till.stripe.world.rows("customer")[0]["id"])
    now = till.clock.now()

    def busy(tx: Tx) -> None:
        tx.mark_dirty(Mode.TEST, customer, now)
        tx.claim_dirty(Mode.TEST, now, now + LEASE, "other", 1, customer)

    await till.store.transact(busy)
    outcome = await till.checkout.upgrade(ALICE, TierName.PREMIUM, Interval.MONTH)
    assert isinstance(outcome, AlreadySubscribed)
    assert len(till.stripe.world.rows("checkout.session")) == 1


async def test_a_link_paid_while_another_tier_is_chosen_is_the_only_sale(till: Till) -> None:
    await till.buy()
    till.stripe.courier.hold()
    listed = till.stripe.faults.add(FaultKind.DELAY, "POST /v1/checkout/sessions", times=1)
    listed.gate = asyncio.Event()
    choosing = asyncio.create_task(till.checkout.upgrade(ALICE, TierName.PRO, Interval.MONTH))
    await listed.reached.wait()
    till.stripe.drive.pay(till.session())
    listed.gate.set()
    assert isinstance(await choosing, AlreadySubscribed)
    assert [row["status"] for row in till.stripe.world.rows("checkout.session")] == ["complete"]


class Interrupted:
    """A store after whose next read something else happens."""

    def __init__(self, store: Store, then: Callable[[], Awaitable[None]]) -> None:
        self._store = store
        self._then: Callable[[], Awaitable[None]] | None = then
        self.transact = store.transact

    async def read(self, work: Callable[[Tx], T]) -> T:
        """Read, and let it happen once."""
        result = await self._store.read(work)
        then, self._then = self._then, None
        if then:
            await then()
        return result


async def test_a_payment_that_is_applied_between_look_and_sale_is_seen_under_the_lock(till: Till) -> None:
    await till.buy()
    session = till.session()

    async def pay_meanwhile() -> None:
        till.stripe.drive.pay(session)
        await till.settle()

    store = Interrupted(till.store, pay_meanwhile)
    hasty = Checkout(store, till.clock, till.gateway, Catalogue(TIERS, ()), till.subscriptions, LINKS)
    assert isinstance(await hasty.upgrade(ALICE, TierName.PREMIUM, Interval.MONTH), AlreadySubscribed)
    assert len(till.stripe.world.rows("checkout.session")) == 1


async def test_an_event_that_comes_again_changes_nothing(till: Till) -> None:
    till.stripe.courier.hold()
    await till.paid()
    (event,) = (e for e in till.stripe.world.rows("event") if e["type"] == "checkout.session.completed")
    body = json.dumps(event).encode()
    parsed = till.gateway.parse_webhook_event(body, sign(body, [SECRET], int(till.clock.now().timestamp())))
    assert await till.subscriptions.receive(parsed)
    assert not await till.subscriptions.receive(parsed)


async def test_news_during_the_grace_does_not_make_it_longer(till: Till) -> None:
    subscription = await till.paid()
    till.stripe.drive.fail_renewal(subscription)
    await till.settle()
    till.clock.advance(timedelta(days=10))
    till.stripe.drive.fail_renewal(subscription)
    await till.settle()
    assert await till.tier() is TierName.PREMIUM
    till.clock.advance(timedelta(days=5))
    assert await till.tier() is TierName.FREE


async def test_an_event_of_another_mode_changes_nothing_here(till: Till) -> None:
    till.stripe.courier.hold()
    await till.paid()
    customer = CustomerId(till.stripe.world.rows("customer")[0]["id"])
    now = till.clock.now()

    def live_too(tx: Tx) -> None:
        account = tx.lock_account(ALICE, now).id
        tx.save_customer(CustomerRecord(account, Mode.LIVE, customer, 0))

    await till.store.transact(live_too)
    event = BillingEvent(
        EventId("evt_live"),
        "customer.subscription.updated",
        now,
        Mode.LIVE,
        customer,
        relevant=True,
        payload=b"{}",
    )
    assert not await till.subscriptions.receive(event)
