"""Metered use of a turn: off unless wanted, the included amount first, never beyond the cap."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType

import pytest

from engine.admission import LEASE, Desk, begin
from engine.answering import Patience
from engine.budget import Ceilings
from engine.catalogue import Catalogue
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
    Tier,
    TierName,
    TurnId,
)
from engine.facts import (
    Access,
    AccessReason,
    CustomerId,
    Mode,
    PaymentStatus,
    Planned,
    Subscription,
    SubscriptionId,
)
from engine.ledger import Tx
from engine.metering import in_cents
from engine.models import ModelClass, Usage
from engine.notices import NoticeKind
from engine.overage import Allowance, MeterOffer, MeterTerms, month_start, offer, settle, vendor_budget
from engine.signals import Signals
from engine.terms import Metering, UsageEvent
from engine.turns import Charge, Hold, Settlement
from tests.engine.conftest import ALICE, CATALOGUE, PREMIUM, Hall, last
from tests.fakes.clock import NOON
from tests.fakes.models import Scripted

MARKUP = Decimal("1.25")
DOLLAR = 1_000_000
PRO = replace(
    PREMIUM,
    name=TierName.PRO,
    rank=2,
    concurrent=None,
    requests_per_minute=None,
    classes=frozenset(ModelClass),
    cost_ceiling_month=Micros(3 * DOLLAR),
)
TIERS: dict[TierName, Tier] = {**CATALOGUE.tiers, TierName.PRO: PRO}
DESK = Desk(Catalogue(MappingProxyType(TIERS), CATALOGUE.models), Mode.TEST, "Be brief.", "p", MARKUP)


def subscription(**changes: object) -> Subscription:
    """A running pro subscription with the metered item."""
    sub = Subscription(
        id=SubscriptionId("sub_1"),
        customer=CustomerId("cus_1"),
        mode=Mode.TEST,
        status=PaymentStatus.ACTIVE,
        tier=TierName.PRO,
        price="price_1",
        interval=Interval.MONTH,
        quantity=1,
        created_at=NOON,
        started_at=NOON,
        period_end=NOON + timedelta(days=30),
        cancel_at=None,
        metered_item="si_2",
    )
    return replace(sub, **changes)  # type: ignore[arg-type]


@dataclass(slots=True)
class Metered:
    """Alice, who has pro, and a chat that sells her more."""

    hall: Hall
    account: AccountId

    def chat(self, desk: Desk = DESK) -> Chat:
        """A chat that meters."""
        models = {"one": self.hall.one, "two": self.hall.two}
        return Chat(self.hall.store, self.hall.clock, desk, models, Signals(), Patience(back_off=0.001))

    async def has(self, sub: Subscription) -> None:
        """Let this be her subscription."""
        now = self.hall.clock.now()
        await self.hall.store.transact(
            lambda tx: tx.replace_subscriptions(self.account, Mode.TEST, [sub], now)
        )

    async def says(self, cap: int, *, on: bool = True) -> None:
        """Let her agree to metered use, or not."""
        now = self.hall.clock.now()
        word = Metering(self.account, Mode.TEST, on, Micros(cap), now, ALICE)
        await self.hall.store.transact(lambda tx: tx.save_metering(word))

    async def charged(self) -> int:
        """Vendor cost of her metered use."""
        return await self.hall.store.read(
            lambda tx: tx.usage_cost(self.account, Mode.TEST, NOON.replace(day=1))
        )

    async def costing(self, dollars: str, model: str = "deep") -> Answered:
        """Ask something whose answer costs so much."""
        self.hall.two.usage = self.hall.one.usage = Usage(int(Decimal(dollars) * DOLLAR), 0, 0)
        answered = await last(self.chat(), self.hall.ask(model=model))
        assert isinstance(answered, Answered)
        return answered


@pytest.fixture
async def metered(hall: Hall) -> Metered:
    """Alice with pro, who has not agreed yet."""
    now = hall.clock.now()
    account = await hall.store.transact(lambda tx: tx.lock_account(ALICE, now).id)
    metered = Metered(hall, account)
    await metered.has(subscription())
    return metered


async def test_nothing_is_metered_unless_the_member_says_yes(metered: Metered) -> None:
    await metered.costing("3")
    stepped_down = await metered.costing("1")
    assert stepped_down.model == "quick"
    assert await metered.charged() == 0


async def test_the_included_amount_is_used_first_and_the_rest_is_charged_exactly(metered: Metered) -> None:
    await metered.says(100 * DOLLAR)
    assert (await metered.costing("2.5")).model == "deep"
    assert await metered.charged() == 0
    assert (await metered.costing("1.000001")).model == "deep"
    assert await metered.charged() == 500_001
    assert (await metered.costing("0.25")).model == "deep"
    assert await metered.charged() == 750_001


async def test_what_is_on_the_meters_bill_does_not_bring_the_stop_nearer(metered: Metered) -> None:
    stopping = replace(PRO, cost_stop_month=Micros(4 * DOLLAR))
    catalogue = Catalogue(MappingProxyType(TIERS | {TierName.PRO: stopping}), CATALOGUE.models)
    chat = metered.chat(replace(DESK, catalogue=catalogue))
    await metered.says(10 * DOLLAR)
    for dollars in ("3", "8"):
        await metered.costing(dollars)
    metered.hall.one.usage = Usage(DOLLAR, 0, 0)
    below = await last(chat, metered.hall.ask(model="deep"))
    assert isinstance(below, Answered)
    assert (below.model, await metered.charged()) == ("quick", 8 * DOLLAR)
    refused = await last(chat, metered.hall.ask(model="deep"))
    assert isinstance(refused, Refusal)
    assert refused.reason is RefusalReason.COST


async def test_the_ceilings_of_the_house_bind_metered_use(metered: Metered) -> None:
    await metered.says(100 * DOLLAR)
    await metered.costing("4")
    desk = replace(DESK, ceilings=Ceilings(bot_month=Micros(4 * DOLLAR)))
    refused = await last(metered.chat(desk), metered.hall.ask(model="deep"))
    assert isinstance(refused, Refusal)
    assert refused.reason is RefusalReason.BUDGET


async def test_a_metered_member_is_told_once_that_it_begins(metered: Metered) -> None:
    await metered.says(100 * DOLLAR)
    for dollars in ("2.5", "1", "1"):
        await metered.costing(dollars)
    told = await metered.hall.store.read(lambda tx: tx.notices(metered.account))
    assert sorted(each.kind for each in told) == [NoticeKind.METERED_BEGUN, NoticeKind.METERED_NEAR]


async def test_turns_at_once_are_charged_for_what_lies_beyond_and_not_twice(metered: Metered) -> None:
    await metered.says(100 * DOLLAR)
    metered.hall.two.usage = Usage(700_000, 0, 0)
    chat, hall = metered.chat(), metered.hall
    await asyncio.gather(*(last(chat, hall.ask(model="deep")) for _ in range(12)))
    assert await metered.charged() == 12 * 700_000 - 3 * DOLLAR


async def test_a_comparison_is_charged_for_each_model_or_within_no_cap_for_none(metered: Metered) -> None:
    await metered.says(100 * DOLLAR)
    await metered.costing("3")
    metered.hall.one.usage = metered.hall.two.usage = Usage(500_000, 0, 0)
    assert await compared(metered, "deep", "quick") == [Answered, Answered]
    assert await metered.charged() == DOLLAR
    await metered.says(DOLLAR * 5 // 4 + 6000)  # room for the worst case of one
    assert await compared(metered, "deep", "quick") == [Refusal]
    assert await compared(metered, "spare", "quick") == [Answered, Answered]
    assert await metered.charged() == DOLLAR


async def compared(metered: Metered, *models: str) -> list[type]:
    """How each answer of a comparison ended."""
    ends: dict[int, type] = {}
    async with aclosing(metered.chat().compare(metered.hall.ask(), models)) as events:
        async for found in events:
            number, event = found if isinstance(found, tuple) else (0, found)
            ends[number] = type(event)
    return [ends[number] for number in sorted(ends)]


async def test_whoever_said_no_again_is_charged_for_no_new_turn(metered: Metered) -> None:
    await metered.says(100 * DOLLAR)
    await metered.costing("3.5")
    await metered.says(100 * DOLLAR, on=False)
    assert (await metered.costing("1")).model == "quick"
    assert await metered.charged() == 500_000


async def test_a_turn_whose_worst_case_would_pass_the_cap_steps_down_and_is_free(metered: Metered) -> None:
    await metered.says(5000)
    await metered.costing("3.003")
    assert await metered.charged() == 3000
    assert (await metered.costing("0.002")).model == "quick"
    assert await metered.charged() == 3000


async def test_an_answer_dearer_than_its_estimate_is_charged_up_to_the_cap(metered: Metered) -> None:
    await metered.says(1_250_000)
    await metered.costing("9")
    assert await metered.charged() == DOLLAR


async def test_held_turns_count_against_the_cap(metered: Metered) -> None:
    await metered.says(8000)
    await metered.costing("3")
    metered.hall.two = Scripted(pause=0)
    chat = metered.chat()
    async with aclosing(chat.ask(metered.hall.ask(model="deep"))) as events:
        first = await anext(events)
        second = await last(chat, metered.hall.ask(model="deep"))
    assert isinstance(first, Started)
    assert first.model == "deep"
    assert isinstance(second, Answered)
    assert second.model == "quick"


async def test_an_answer_that_never_came_is_not_charged_but_takes_room(metered: Metered) -> None:
    await metered.says(DOLLAR)
    await metered.costing("3")
    metered.hall.two = Scripted(words=(), usage=Usage(797_000, 0, 0))
    failed = await last(metered.chat(), metered.hall.ask(model="deep"))
    assert isinstance(failed, Failed)
    metered.hall.two = Scripted()
    assert (await metered.costing("0.001")).model == "quick"
    assert await metered.charged() == 0


async def test_what_lost_and_failed_answers_cost_is_on_nobodys_bill(metered: Metered) -> None:
    hall = metered.hall
    await metered.says(100 * DOLLAR)
    await metered.costing("2.5")
    hall.two = Scripted(pause=0, usage=Usage(1_000, 0, 0))
    late = asyncio.create_task(last(metered.chat(), hall.ask(model="deep")))
    await hall.two.waiting.wait()
    slow, hall.two = hall.two, Scripted(words=(), usage=Usage(797_000, 0, 0))
    hall.clock.advance(LEASE + timedelta(seconds=1))
    await hall.store.transact(lambda tx: tx.release_expired(hall.clock.now()))
    await hall.store.transact(lambda tx: tx.book_lost(hall.clock.now(), 10))
    assert isinstance(await last(metered.chat(), hall.ask(model="deep")), Failed)
    hall.two = Scripted()
    await metered.costing("0.5")
    assert await metered.charged() == 0
    slow.go.set()
    assert isinstance(await late, Answered)
    assert await metered.charged() == 1_000


async def test_what_is_charged_is_counted_by_the_charges_whatever_is_unknown_beside_them(
    metered: Metered,
) -> None:
    hall, now, turn = metered.hall, metered.hall.clock.now(), TurnId("t")
    terms = MeterTerms(metered.account, Mode.TEST, Micros(100), Micros(DOLLAR), now)
    known = Charge("deep", "two", Usage(1), Micros(150))
    charges = (known, replace(known, cost=None))
    settlement = Settlement("deep", "Yes.", Usage(2), None, "end", now, charges)

    def work(tx: Tx) -> None:
        conversation = begin(tx, tx.lock_account(ALICE, now), now)
        lease, estimate = now + LEASE, Micros(0)
        hold = Hold(turn, metered.account, conversation.id, "k", "deep", "Hi", estimate, "p", now, lease)
        tx.hold(hold)
        settle(tx, turn, settlement, terms)

    await hall.store.transact(work)
    assert await metered.charged() == 50


async def test_nothing_is_charged_without_the_item_on_the_subscription(metered: Metered) -> None:
    await metered.says(100 * DOLLAR)
    await metered.has(subscription(metered_item=None))
    await metered.costing("3")
    assert (await metered.costing("1")).model == "quick"
    assert await metered.charged() == 0


async def test_nothing_is_charged_where_the_operator_sells_none(metered: Metered) -> None:
    await metered.says(100 * DOLLAR)
    metered.hall.two.usage = Usage(4 * DOLLAR, 0, 0)
    await last(metered.chat(replace(DESK, metered_markup=Decimal(0))), metered.hall.ask(model="deep"))
    assert await metered.charged() == 0


async def test_a_turn_counts_in_the_month_in_which_it_began(metered: Metered) -> None:
    await metered.says(100 * DOLLAR)
    metered.hall.clock.set(datetime(2026, 11, 30, 23, 59, tzinfo=UTC))
    metered.hall.two = Scripted(pause=0, usage=Usage(4 * DOLLAR, 0, 0))
    asked = asyncio.create_task(last(metered.chat(), metered.hall.ask(model="deep")))
    await metered.hall.two.waiting.wait()
    metered.hall.clock.advance(timedelta(minutes=2))
    metered.hall.two.go.set()
    await asked
    december = datetime(2026, 12, 1, tzinfo=UTC)
    store = metered.hall.store
    assert await metered.charged() == DOLLAR
    assert await store.read(lambda tx: tx.usage_cost(metered.account, Mode.TEST, december)) == 0
    assert (await metered.costing("2")).model == "deep"
    assert await metered.charged() == DOLLAR


async def test_a_turn_is_charged_once_though_its_settlement_is_repeated(metered: Metered) -> None:
    await metered.says(100 * DOLLAR)

    def twice(tx: Tx) -> list[bool]:
        event = UsageEvent("turn", metered.account, Mode.TEST, Micros(5), NOON)
        return [tx.add_usage(event), tx.add_usage(event)]

    assert await metered.hall.store.transact(twice) == [True, False]
    assert await metered.charged() == 5


@pytest.mark.parametrize(
    ("reason", "changes", "expected"),
    [
        (AccessReason.ACTIVE, {}, MeterOffer.OFFERED),
        (AccessReason.TRIAL, {}, MeterOffer.TRIAL),
        (AccessReason.GRACE, {}, MeterOffer.PAYMENT_DUE),
        (AccessReason.ACTIVE, {"collection_paused": "mark_uncollectible"}, MeterOffer.PAYMENT_DUE),
        (AccessReason.ACTIVE, {"cancel_at": NOON + timedelta(minutes=10)}, MeterOffer.ENDING),
        (AccessReason.ACTIVE, {"cancel_at": NOON + timedelta(days=2)}, MeterOffer.OFFERED),
        (
            AccessReason.ACTIVE,
            {"planned": Planned(TierName.PREMIUM, Interval.MONTH, 1, NOON + timedelta(minutes=10))},
            MeterOffer.ENDING,
        ),
    ],
)
def test_metered_use_is_for_those_who_pay_for_pro_now(
    reason: AccessReason, changes: dict[str, object], expected: MeterOffer
) -> None:
    found = Access(TierName.PRO, reason, None, subscription(**changes))
    assert offer(found, PRO, MARKUP, NOON) is expected


def test_other_tiers_and_tiers_without_a_ceiling_have_no_metered_use() -> None:
    found = Access(TierName.PRO, AccessReason.ACTIVE, None, subscription())
    assert offer(found, replace(PRO, seats=2), MARKUP, NOON) is MeterOffer.NOT_SOLD
    found = Access(TierName.PREMIUM, AccessReason.ACTIVE, None, subscription(tier=TierName.PREMIUM))
    assert offer(found, PREMIUM, MARKUP, NOON) is MeterOffer.NEEDS_PRO
    unlimited = replace(PRO, cost_ceiling_month=None)
    assert offer(found, unlimited, MARKUP, NOON) is MeterOffer.NEEDS_PRO
    assert offer(found, PRO, Decimal(0), NOON) is MeterOffer.NOT_SOLD


def test_a_cap_on_our_price_allows_less_vendor_cost() -> None:
    assert vendor_budget(Micros(10 * DOLLAR), MARKUP) == 8 * DOLLAR
    assert vendor_budget(Micros(1), Decimal(3)) == 0


def test_what_was_spent_before_the_member_agreed_takes_no_room() -> None:
    terms = MeterTerms(AccountId("a"), Mode.TEST, Micros(3), Micros(10), NOON)
    agreed_late = Allowance(terms, Micros(50), Micros(0), Micros(0))
    assert agreed_late.covers(Micros(60))
    assert not agreed_late.covers(Micros(61))


def test_costs_are_shown_in_cents_rounded_up_once() -> None:
    assert in_cents(Fraction(0)) == 0
    assert in_cents(Fraction(1, 7)) == 10_000
    assert in_cents(Fraction(10_000)) == 10_000
    assert month_start(NOON) == datetime(2026, 11, 1, tzinfo=UTC)
