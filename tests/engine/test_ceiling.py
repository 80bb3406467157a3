"""The month's vendor cost: step down, then block, and never a swap that nobody is told of."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from engine.domain import (
    AccountId,
    Answered,
    Interval,
    Micros,
    ModelClass,
    Refusal,
    RefusalReason,
    TierName,
    Usage,
)
from engine.errors import TryAgainError
from engine.facts import CustomerId, Mode, PaymentStatus, Subscription, SubscriptionId
from engine.ledger import Tx
from tests.engine.conftest import ALICE, DEEP, QUICK, SPARE, Hall, last
from tests.fakes.models import Scripted


async def subscribed(hall: Hall) -> AccountId:
    """Alice with a premium subscription."""
    now = hall.clock.now()

    def work(tx: Tx) -> AccountId:
        account = tx.lock_account(ALICE, now).id
        sub = Subscription(
            id=SubscriptionId("sub_1"),
            customer=CustomerId("cus_1"),
            mode=Mode.TEST,
            status=PaymentStatus.ACTIVE,
            tier=TierName.PREMIUM,
            price="price_1",
            interval=Interval.MONTH,
            quantity=1,
            created_at=now,
            started_at=now,
            period_end=now + timedelta(days=30),
            cancel_at=None,
        )
        tx.replace_subscriptions(account, Mode.TEST, [sub], now)
        return account

    return await hall.store.transact(work)


async def test_a_paying_member_over_the_ceiling_steps_down_and_is_told(hall: Hall) -> None:
    await subscribed(hall)
    hall.two = Scripted(usage=Usage(6_000_000, 0, 0))
    chat = hall.chat()
    first = await last(chat, hall.ask(model="deep"))
    second = await last(chat, hall.ask(model="deep"))
    assert isinstance(first, Answered)
    assert first.model == "deep"
    assert isinstance(second, Answered)
    assert (second.model, second.asked_model) == ("quick", "deep")


async def test_everyday_models_go_on_for_a_paying_member_over_the_ceiling(hall: Hall) -> None:
    await subscribed(hall)
    hall.one = Scripted(usage=Usage(7_000_000, 0, 0))
    chat = hall.chat()
    await last(chat, hall.ask())
    assert isinstance(await last(chat, hall.ask()), Answered)


async def test_held_turns_count_against_the_ceiling(hall: Hall) -> None:
    hall.free(cost_ceiling_month=Micros(5000), concurrent=None)
    hall.one = Scripted(pause=0)
    chat = hall.chat()
    events = chat.ask(hall.ask())
    await anext(events)
    refused = await last(chat, hall.ask())
    await events.aclose()
    assert isinstance(refused, Refusal)
    assert refused.reason is RefusalReason.COST


async def test_a_fallback_that_the_tier_may_not_use_is_not_used(hall: Hall) -> None:
    locked = replace(SPARE, klass=ModelClass.FRONTIER)
    hall.catalogue = replace(hall.catalogue, models=(QUICK, locked, DEEP))
    hall.one = Scripted(errors=[TryAgainError("busy")] * 4)
    await last(hall.chat(), hall.ask())
    assert not hall.two.seen
