"""The figures of the dashboard, of whole questions and whole purchases."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import aclosing
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import islice

import pytest

from engine import ranking
from engine.charts import Days, MemberRow
from engine.domain import Delta, Micros, Person, Platform, RefusalReason, TierName, TurnId
from engine.errors import (
    ContentRefusedError,
    ContextTooLongError,
    LateError,
    OutsideError,
    StreamCutError,
    TellOperatorError,
    TryAgainError,
)
from engine.facts import CustomerId, Mode
from engine.figures import FunnelStep, MovementKind
from engine.gauges import Quantiles
from engine.health import quantiles
from engine.ledger import Tx
from engine.models import Usage
from engine.panels import Panels
from engine.tallies import BEYOND, MemberOrder, WaitingKind, bound, refused
from engine.terms import DutyId
from engine.turns import Call, CallEnd, Charge, Settlement
from storage.store import open_store
from tests.engine.club import SELLING, TEAM_SUB, Club
from tests.engine.conftest import ALICE, BOB, Hall, last
from tests.engine.gauge import gauged
from tests.fakes.clock import NOON
from tests.fakes.models import Scripted
from tests.fakes.pulse import PATIENCE
from tests.storage.makers import conversation, duty, hold


def panels(hall: Hall, markup: int = 0) -> Panels:
    """Those of this hall."""
    return Panels(hall.store, hall.clock, hall.catalogue, Mode.TEST, Decimal(markup))


async def test_questions_are_in_the_first_view_by_day_tier_and_model(hall: Hall) -> None:
    hall.free(conversations_per_day=2)
    hall.one = Scripted(usage=Usage(1000, 0, 10))
    ends = [await last(hall.chat(), hall.ask()) for _ in range(3)]
    hall.clock.advance(timedelta(days=1))
    hall.one = Scripted(errors=[TryAgainError("busy")] * 9)
    await last(hall.chat(), hall.ask(person=BOB))
    view = await panels(hall).overview(Days.back(2, hall.clock.now()))
    assert len(ends) == 3
    assert [day.by_tier for day in view.conversations] == [{TierName.FREE: 2}, {TierName.FREE: 1}]
    assert [day.margin.use.turns for day in view.margin.days] == [2, 1]
    assert [(line.model, line.use.turns) for line in view.margin.models] == [("quick", 2), ("spare", 1)]
    assert view.margin.total.use.cost == sum(each.use.cost for each in view.margin.models) > 0
    assert [(line.tier, line.reason, line.times) for line in view.limits] == [
        (TierName.FREE, RefusalReason.CONVERSATIONS, 1)
    ]
    assert [(step.step, step.accounts) for step in view.funnel][:3] == [
        (FunnelStep.LIMIT_HIT, 1),
        (FunnelStep.PAYWALL_SHOWN, 1),
        (FunnelStep.CHECKOUT_OPENED, 0),
    ]
    assert {line.model: line.ends for line in view.vendors.lines}["spare"] == {CallEnd.ANSWERED: 1}
    assert view.tiers.accounts == 2
    assert [row.person for row in view.worst] == [ALICE, BOB]
    assert {each.kind for each in view.backlog.waiting} == set(WaitingKind)


async def test_a_house_without_anything_has_figures_too(hall: Hall) -> None:
    view = await panels(hall).overview(Days.back(30, hall.clock.now()))
    assert not view.revenue.usd.mrr
    assert view.revenue.churn.rate is None
    assert [moved.kind for moved in view.revenue.usd.moved] == list(MovementKind)
    assert not view.margin.total.margin
    assert view.margin.total.share is None
    assert (view.webhooks.whole.success, view.vendors.lines, view.worst) == (None, (), ())
    assert len(view.conversations) == len(view.revenue.usd.days) == len(view.tiers.days) == 30
    for order in MemberOrder:
        assert (await panels(hall).members(panels(hall).today, order)).total == 0


LATE, DEAR = LateError("late"), Usage(10, 0, 1)


@pytest.mark.parametrize(
    ("error", "end", "failed"),
    [
        (TryAgainError("busy"), CallEnd.BUSY, True),
        (LATE, CallEnd.LATE, True),
        (TellOperatorError("no key"), CallEnd.BROKEN, True),
        (ContextTooLongError("long"), CallEnd.TOO_LONG, False),
        (ContentRefusedError("no"), CallEnd.REFUSED, False),
    ],
)
async def test_a_request_that_failed_is_a_vendors_failure_or_nobodys(
    hall: Hall,
    error: OutsideError,
    end: CallEnd,
    failed: bool,  # noqa: FBT001
) -> None:
    hall.one = Scripted(errors=[error] * 9)
    hall.two = Scripted(errors=[error] * 9)
    await last(hall.chat(), hall.ask())
    lines = (await panels(hall).vendors()).lines
    assert {each for line in lines for each in line.ends} == {end}
    assert sum(line.failures for line in lines) == (sum(line.requests for line in lines) if failed else 0)
    assert all(line.total.count == 0 for line in lines)


async def test_a_stream_that_broke_off_and_an_answer_have_their_first_words_timed(hall: Hall) -> None:
    hall.one = Scripted(errors=[StreamCutError("cut")], fail_after=1)
    chat = hall.chat()
    await last(chat, hall.ask())
    await last(chat, hall.ask())
    (line,) = (await panels(hall).vendors()).lines
    assert line.ends == {CallEnd.CUT: 1, CallEnd.ANSWERED: 1}
    assert (line.first.count, line.total.count) == (2, 1)
    assert line.share == Fraction(1, 2)


async def test_a_request_that_is_left_is_no_failure(hall: Hall) -> None:
    hall.one = Scripted(pause=1)
    chat = hall.chat()
    async with aclosing(chat.ask(hall.ask())) as events:
        async for event in events:
            if isinstance(event, Delta):
                break
    (line,) = (await panels(hall).vendors()).lines
    assert (line.ends, line.failures, line.first.count, line.total.count) == ({CallEnd.LEFT: 1}, 0, 1, 0)


async def test_a_settlement_that_comes_again_is_one_request_and_one_answer(hall: Hall) -> None:
    took, first = timedelta(milliseconds=700), timedelta(milliseconds=90)
    call = Call("one", "quick", CallEnd.ANSWERED, NOON, took, first)
    charge = Charge("quick", "one", DEAR, Micros(7))
    settled = Settlement("quick", "Yes.", DEAR, Micros(7), "end", NOON, (charge,), (call,))

    def answered(tx: Tx) -> None:
        tx.settle(TurnId("answered"), settled)

    def stopped(tx: Tx) -> None:
        tx.release(TurnId("stopped"), "stopped", NOON)
        tx.record_spend(TurnId("stopped"), settled)

    for end in (answered, stopped):

        def begin(tx: Tx, name: str = end.__name__) -> TurnId:
            return hold(tx, name, conversation(tx, name), provider="one", tier=TierName.PRO)

        await hall.store.transact(begin)
        for _ in range(3):
            await hall.store.transact(end)
    view = await panels(hall).overview(Days.back(1, NOON))
    (line,) = view.vendors.lines
    assert line.ends == {CallEnd.ANSWERED: 2}
    assert line.first == Quantiles(timedelta(milliseconds=100), timedelta(milliseconds=100), 2)
    assert line.total == Quantiles(timedelta(milliseconds=750), timedelta(milliseconds=750), 2)
    (tier,) = view.margin.tiers
    assert (tier.tier, tier.margin.use.requests, tier.margin.use.turns) == (TierName.PRO, 2, 1)
    assert [day.by_tier for day in view.conversations] == [{TierName.PRO: 1}]


async def test_a_unit_that_fails_counts_nothing(hall: Hall) -> None:
    def work(tx: Tx) -> None:
        tx.tally(refused(TierName.FREE, RefusalReason.RATE, NOON))
        raise LookupError

    with pytest.raises(LookupError):
        await hall.store.transact(work)
    assert await panels(hall).limits(Days.back(1, NOON)) == ()


async def test_two_processes_count_all_that_both_do(hall: Hall, database_url: str) -> None:
    async with await open_store(database_url, hall.clock) as other:
        mine = [refused(TierName.FREE, reason, NOON) for reason in (RefusalReason.RATE, RefusalReason.COST)]
        units = [
            store.transact(lambda tx, order=order: tx.tally(*order))  # type: ignore[misc]
            for store in (hall.store, other)
            for order in (mine, mine[::-1]) * 20
        ]
        await asyncio.gather(*units)
        lines = await panels(hall).limits(Days.back(1, NOON))
    assert [line.times for line in lines] == [80, 80]


async def test_what_a_seat_costs_is_its_teams_owners(hall: Hall) -> None:
    club = Club(hall, SELLING)
    await club.has(ALICE, TEAM_SUB)
    await club.joins(BOB)
    for person in (ALICE, BOB, BOB):
        await last(club.chat(), hall.ask(person=person))
    page = await Panels(hall.store, hall.clock, SELLING, Mode.TEST).members(NOON.date())
    assert [(row.person, row.requests, row.tier) for row in page.rows] == [(ALICE, 3, TierName.TEAM)]


async def test_members_are_found_by_what_they_are_called_whether_they_cost_anything(hall: Hall) -> None:
    people = [Person(Platform.SLACK, "T1", "U%"), Person(Platform.DISCORD, "", "77"), ALICE]
    await hall.store.transact(lambda tx: [tx.lock_account(each, NOON).id for each in people])
    sought = {"slack:t1/u%": people[:1], "77": people[1:2], "%": people[:1], "U": people[:1], "nobody": []}
    for text, found in sought.items():
        page = await panels(hall).members(NOON.date(), text=text)
        assert [row.person for row in page.rows] == found
        assert page.total == len(found)


CROWD = [Person(Platform.DISCORD, "", f"{number}") for number in range(7)]


async def crowded(hall: Hall) -> None:
    """Some people who never paid, of whom each asked once."""
    for person in CROWD:
        await last(hall.chat(), hall.ask(person=person))


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("order", MemberOrder)
async def test_who_is_searched_for_stands_in_the_order_of_the_pages(
    hall: Hall, order: MemberOrder, *, backwards: bool
) -> None:
    club = Club(hall, SELLING)
    await club.has(BOB, TEAM_SUB)
    for person in (ALICE, BOB, ALICE):
        await last(club.chat(), hall.ask(person=person))
    view = Panels(hall.store, hall.clock, SELLING, Mode.TEST)
    page = await view.members(NOON.date(), order, backwards=backwards)
    found = await view.members(NOON.date(), order, text="local:", backwards=backwards)
    assert [row.person for row in found.rows] == [row.person for row in page.rows]
    first = BOB if order is MemberOrder.TIER else ALICE
    assert page.rows[-1 if backwards else 0].person == first
    assert {row.person for row in page.rows} == {ALICE, BOB}


@pytest.mark.parametrize("order", MemberOrder)
async def test_all_members_are_those_of_one_moment_whatever_is_asked_meanwhile(
    hall: Hall, monkeypatch: pytest.MonkeyPatch, order: MemberOrder
) -> None:
    await crowded(hall)
    monkeypatch.setattr(ranking, "AT_ONCE", 2)
    view = panels(hall)
    before = await view.every_member(NOON.date(), order, "", list)
    began, goes_on, loop = asyncio.Event(), threading.Event(), asyncio.get_running_loop()

    def slowly(members: Iterator[MemberRow]) -> list[MemberRow]:
        found = [next(members)]
        loop.call_soon_threadsafe(began.set)
        assert goes_on.wait(PATIENCE)
        return [*found, *members]

    reading = asyncio.create_task(view.every_member(NOON.date(), order, "", slowly))
    await began.wait()
    for person in (*reversed(CROWD), BOB):
        await last(hall.chat(), hall.ask(person=person))
    goes_on.set()
    assert await reading == before
    assert len(await view.every_member(NOON.date(), order, "", list)) == len(before) + 1


async def test_members_who_have_no_tier_are_not_asked_for_one_by_one(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    await crowded(hall)
    view, month = panels(hall), NOON.date()
    with gauged(monkeypatch) as many:
        assert len(await view.every_member(month, MemberOrder.MARGIN, "", list)) == len(CROWD)
    with gauged(monkeypatch) as none:
        assert not await view.every_member(month - timedelta(days=60), MemberOrder.MARGIN, "", list)
    assert many.statements <= none.statements + 2


async def test_no_more_members_are_read_than_are_taken(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    await crowded(hall)
    monkeypatch.setattr(ranking, "AT_ONCE", 1)
    view, month = panels(hall), NOON.date()
    reads = []
    for many in (1, 3):
        with gauged(monkeypatch) as gauge:
            taken = await view.every_member(
                month,
                MemberOrder.COST,
                "",
                lambda rows, many=many: list(islice(rows, many)),  # type: ignore[misc]
            )
        assert len(taken) == many
        reads.append(gauge.rows)
    assert reads[1] - reads[0] == 2


async def test_durations_have_the_bound_that_half_and_nearly_all_lie_within() -> None:
    assert quantiles({}) == Quantiles(None, None, 0)
    bounds = {bound(timedelta(milliseconds=each)): 1 for each in (90, 250, 900, 4000)} | {BEYOND: 1}
    assert quantiles(bounds) == Quantiles(timedelta(seconds=1), timedelta(minutes=15), 5)
    assert bound(timedelta(milliseconds=100)) == "100"
    assert bound(timedelta(hours=1)) == BEYOND
    assert quantiles({"2000": 19, "3000": 1}) == Quantiles(timedelta(seconds=2), timedelta(seconds=2), 20)
    assert quantiles({"2000": 18, "3000": 2}).p95 == timedelta(seconds=3)


async def test_a_dead_letter_and_what_waits_are_in_the_backlog_with_their_age(hall: Hall) -> None:
    hall.clock.advance(timedelta(minutes=9))

    def work(tx: Tx) -> None:
        tx.mark_dirty(Mode.TEST, CustomerId("cus_1"), NOON)
        tx.mark_dirty(Mode.TEST, CustomerId("cus_2"), NOON + timedelta(days=1))
        tx.mark_dirty(Mode.LIVE, CustomerId("cus_3"), NOON)
        tx.owe_duty(duty("dead"), NOON)
        tx.duty_dead(DutyId("dead"), "refused")

    await hall.store.transact(work)
    found = await panels(hall).backlog()
    waiting = {each.kind: (each.count, each.oldest) for each in found.waiting}
    assert waiting.pop(WaitingKind.CUSTOMERS) == (2, NOON)
    assert set(waiting.values()) == {(0, None)}
    assert [(letter.id, letter.error) for letter in found.letters] == [("dead", "refused")]
