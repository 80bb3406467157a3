"""The month's vendor cost: step down, then block, and never a swap that nobody is told of."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta

from engine.chat import Chat
from engine.domain import (
    AccountId,
    Answered,
    Failed,
    Interval,
    Micros,
    Refusal,
    RefusalReason,
    Started,
    TierName,
)
from engine.errors import TryAgainError
from engine.facts import CustomerId, Mode, PaymentStatus, Subscription, SubscriptionId
from engine.ledger import Tx
from engine.models import ModelClass, Price, Usage
from tests.engine.conftest import ALICE, DEEP, EVERYDAY, QUICK, SPARE, Hall, last
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


async def test_what_no_everyday_model_has_room_for_is_refused_at_the_ceiling(hall: Hall) -> None:
    await subscribed(hall)
    hall.two = Scripted(usage=Usage(6_000_000, 0, 0))
    small = replace(QUICK, context=2000)
    hall.catalogue = replace(hall.catalogue, models=(small, DEEP))
    chat, long = hall.chat(), "x" * 6000
    assert isinstance(await last(chat, hall.ask(long, model="deep")), Answered)
    refused = await last(chat, hall.ask(long, model="deep"))
    assert isinstance(refused, Refusal)
    assert (refused.reason, refused.model) == (RefusalReason.COST, "deep")
    hall.catalogue = replace(hall.catalogue, models=(small, SPARE, DEEP))
    roomy = await last(hall.chat(), hall.ask(long, model="deep"))
    assert isinstance(roomy, Answered)
    assert roomy.model == "spare"


async def test_no_dear_model_stands_in_for_an_everyday_one_at_the_ceiling(hall: Hall) -> None:
    await subscribed(hall)
    hall.two = Scripted(usage=Usage(6_000_000, 0, 0))
    hall.catalogue = replace(hall.catalogue, models=(replace(QUICK, context=2000, fallback=("deep",)), DEEP))
    chat, long = hall.chat(), "x" * 6000
    assert isinstance(await last(chat, hall.ask(long)), Answered)
    assert isinstance(await last(chat, hall.ask(long)), Refusal)
    hall.one.errors = [TryAgainError("busy")] * 3
    assert isinstance(await last(chat, hall.ask()), Failed)
    assert len(hall.two.seen) == 1


async def test_a_free_member_steps_down_within_the_ceiling_and_not_beyond_it(hall: Hall) -> None:
    both = EVERYDAY | {ModelClass.STRONG}
    hall.free(classes=both, cost_ceiling_month=Micros(9000))
    hall.catalogue = replace(hall.catalogue, models=(QUICK, replace(DEEP, price=Price(1, 1, 8_000_000))))
    hall.two = Scripted(usage=Usage(0, 0, 500))
    models = []
    for _ in range(3):
        end = await last(hall.chat(), hall.ask(model="deep"))
        models.append(end.model if isinstance(end, Answered) else type(end))
        hall.one.usage = Usage(0, 0, 250)
    assert models == ["deep", "quick", Refusal]


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


async def test_stopping_before_the_first_word_is_neither_free_for_us_nor_faster(hall: Hall) -> None:
    hall.free(conversations_per_day=None)
    admitted = 0
    for _ in range(8):
        hall.one = Scripted(pause=0)
        chat = hall.chat()
        async with aclosing(chat.ask(hall.ask("x" * 6000))) as events:
            started = await anext(events)
            if isinstance(started, Started):
                admitted += 1
                stopping = asyncio.create_task(stop_when_asked(chat, hall.one, started))
                assert isinstance([event async for event in events][-1], Failed)
                await stopping
    assert admitted == 4
    facts = await hall.store.transact(
        lambda tx: tx.usage(tx.lock_account(ALICE, hall.clock.now()).id, hall.clock.now())
    )
    assert facts.conversations_today == 0
    assert facts.cost_month >= 4 * 6000 // 3


async def stop_when_asked(chat: Chat, model: Scripted, started: Started) -> None:
    """Press Stop once the vendor has the question."""
    await model.waiting.wait()
    assert await chat.stop(started.turn, ALICE)
