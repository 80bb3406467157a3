"""The ceilings of the house: what all together may cost, exact whoever asks at once, and who is told."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from engine.budget import Ceilings
from engine.channels import Channel
from engine.comparison import MOST
from engine.context import compose
from engine.domain import (
    Answered,
    ChatEvent,
    Micros,
    Person,
    Platform,
    Refusal,
    RefusalReason,
    Scope,
    Started,
)
from engine.errors import GiveUpError
from engine.models import Usage
from engine.notices import NoticeKind
from engine.reserve import reserved
from engine.routing import Route
from engine.spending import BOT, FREE, vendor
from tests.engine.conftest import ALICE, DEEP, PREMIUM, QUICK, SPARE, Hall, last
from tests.engine.test_alarms import Pigeonhole, house, settle
from tests.engine.test_ceiling import subscribed
from tests.fakes.models import Scripted
from tests.storage.makers import rows

ALONE = replace(QUICK, fallback=())
RESERVED = "SELECT COUNT(*) FROM reservation"
COSTS = 300
"""What an answer of the hall's models costs."""


def each() -> int:
    """What a short question to one of them holds."""
    completion = compose(ALONE, "Be brief.", (), "Hi")
    assert completion
    return reserved((Route(ALONE, completion),))


def member(number: int) -> Person:
    """One of many who pay nothing."""
    return Person(Platform.LOCAL, "", f"member{number}")


def ceilings(**amounts: int) -> Ceilings:
    """These, in micro-dollars: of the bot, of free members, of vendors by their names."""
    known = {name: Micros(amount) for name, amount in amounts.items()}
    bot, free = known.pop("bot", None), known.pop("free", None)
    return Ceilings(bot, free, known)


async def purse(hall: Hall, scope: Scope) -> tuple[int, int]:
    """What is spent and held of a scope now."""
    found = await hall.store.read(lambda tx: tx.purse(scope, hall.clock.now()))
    return found.spent, found.held


def alerts(url: str) -> list[tuple[object, ...]]:
    """What the operator is told."""
    return sorted(rows(url, "SELECT kind, subject FROM alert"))


async def notices(hall: Hall) -> list[NoticeKind]:
    """What Alice is told."""
    owed = await hall.store.transact(lambda tx: tx.notices(tx.lock_account(ALICE, hall.clock.now()).id))
    return [each.kind for each in owed]


async def burst(hall: Hall, *people: Person, model: str | None = None) -> list[ChatEvent]:
    """How questions begin that these ask of two processes at once; none is answered meanwhile."""
    chats = (hall.chat("process-1"), hall.chat("process-2"))
    async with AsyncExitStack() as stack:
        streams = [
            chats[number % 2].ask(hall.ask(person=each, model=model)) for number, each in enumerate(people)
        ]
        for stream in streams:
            await stack.enter_async_context(aclosing(stream))
        return await asyncio.gather(*map(anext, streams))


@pytest.mark.parametrize(("name", "scope"), [("bot", BOT), ("free", FREE), ("one", vendor("one"))])
async def test_of_many_who_ask_at_once_exactly_as_many_are_let_in_as_there_is_room_for(
    hall: Hall, name: str, scope: Scope
) -> None:
    hall.catalogue = replace(hall.catalogue, models=(ALONE,))
    room = 3 * each() + 1
    hall.ceilings = ceilings(**{name: room if scope == FREE else room * 10 // 9 + 1})
    began = await burst(hall, *map(member, range(12)))
    let_in = [one for one in began if isinstance(one, Started)]
    refused = {one.reason for one in began if isinstance(one, Refusal)}
    assert (len(let_in), refused) == (3, {RefusalReason.BUDGET_HELD})
    assert (await purse(hall, scope))[1] == 0


async def test_free_members_pause_before_those_who_pay(hall: Hall) -> None:
    await subscribed(hall)
    hall.catalogue = replace(hall.catalogue, models=(ALONE,))
    hall.ceilings = ceilings(bot=each() * 10 // 9)
    free = await last(hall.chat(), hall.ask(person=member(1)))
    paying = await last(hall.chat(), hall.ask())
    assert isinstance(free, Refusal)
    assert (free.reason, free.offer and free.offer.tier) == (RefusalReason.FREE_BUDGET, PREMIUM.name)
    assert isinstance(paying, Answered)


async def test_the_pool_of_free_members_stops_nobody_who_pays(hall: Hall) -> None:
    await subscribed(hall)
    hall.ceilings = ceilings(free=0)
    assert isinstance(await last(hall.chat(), hall.ask(person=member(1))), Refusal)
    assert isinstance(await last(hall.chat(), hall.ask()), Answered)
    assert await purse(hall, FREE) == (0, 0)


async def test_what_was_held_is_replaced_by_what_it_cost(hall: Hall, database_url: str) -> None:
    hall.ceilings = ceilings(bot=10**9, free=10**9, one=10**9, two=10**9)
    async with aclosing(hall.chat().ask(hall.ask())) as events:
        await anext(events)
        held = [(await purse(hall, scope))[1] for scope in (BOT, FREE, vendor("one"), vendor("two"))]
        assert held == [each()] * 4
        assert [event async for event in events]
    spent = [await purse(hall, scope) for scope in (BOT, FREE, vendor("one"), vendor("two"))]
    assert spent == [(COSTS, 0), (COSTS, 0), (COSTS, 0), (0, 0)]
    assert rows(database_url, RESERVED) == [(0,)]


async def test_a_question_that_nobody_answered_gives_its_room_back(hall: Hall, database_url: str) -> None:
    hall.ceilings = ceilings(free=each())
    hall.one, hall.two = (Scripted(errors=[GiveUpError("down")]) for _ in range(2))
    await last(hall.chat(), hall.ask())
    assert await purse(hall, FREE) == (0, 0)
    assert rows(database_url, RESERVED) == [(0,)]
    assert isinstance(await last(hall.chat(), hall.ask()), Answered)


async def test_the_room_of_a_lost_process_is_not_given_away_as_it_may_have_been_spent(hall: Hall) -> None:
    hall.ceilings = ceilings(free=each())
    lost = hall.chat("lost").ask(hall.ask(person=member(1)))
    assert isinstance(await anext(lost), Started)
    assert isinstance(await last(hall.chat(), hall.ask()), Refusal)
    hall.clock.advance(timedelta(seconds=60))
    now = hall.clock.now()
    await hall.store.transact(lambda tx: tx.release_expired(now))
    assert isinstance(await last(hall.chat(), hall.ask()), Refusal)
    await hall.store.transact(lambda tx: tx.book_lost(now, 10))
    assert isinstance(await last(hall.chat(), hall.ask()), Refusal)
    hall.clock.advance(timedelta(days=1))
    assert isinstance(await last(hall.chat(), hall.ask()), Answered)
    await lost.aclose()


async def test_where_there_is_no_ceiling_nothing_is_held_and_all_is_counted(hall: Hall) -> None:
    async with aclosing(hall.chat().ask(hall.ask())) as events:
        await anext(events)
        assert await purse(hall, BOT) == (0, 0)
        assert [event async for event in events]
    assert [await purse(hall, scope) for scope in (BOT, FREE)] == [(COSTS, 0)] * 2


async def test_at_a_vendors_ceiling_another_one_answers_and_is_named(hall: Hall) -> None:
    hall.ceilings = ceilings(one=0)
    end = await last(hall.chat(), hall.ask())
    assert isinstance(end, Answered)
    assert (end.model, end.asked_model) == ("spare", "quick")
    assert not hall.one.seen


async def test_at_the_bots_ceiling_a_class_below_answers_and_is_named(hall: Hall) -> None:
    await subscribed(hall)
    dear = replace(DEEP, max_output=2000)
    hall.catalogue = replace(hall.catalogue, models=(QUICK, SPARE, dear))
    hall.ceilings = ceilings(bot=each())
    end = await last(hall.chat(), hall.ask(model="deep"))
    assert isinstance(end, Answered)
    assert (end.model, end.asked_model) == ("quick", "deep")


async def test_a_refusal_at_a_ceiling_counts_nothing_and_tells_when_it_ends(hall: Hall) -> None:
    hall.ceilings = ceilings(bot=0)
    end = await last(hall.chat(), hall.ask())
    assert isinstance(end, Refusal)
    assert (end.reason, end.until, end.offer) == (
        RefusalReason.BUDGET,
        datetime(2026, 12, 1, tzinfo=UTC),
        None,
    )
    facts = await hall.store.transact(
        lambda tx: tx.usage(tx.lock_account(ALICE, hall.clock.now()).id, hall.clock.now())
    )
    assert (facts.conversations_today, facts.at_once, len(facts.recent)) == (0, 0, 0)


async def test_a_comparison_is_let_in_as_a_whole_or_refused(hall: Hall) -> None:
    hall.free(compare=MOST)
    hall.one, hall.two = Scripted(pause=0), Scripted(pause=0)
    for room, refused in ((2 * each() - 1, True), (2 * each(), False)):
        hall.ceilings = ceilings(free=room)
        async with aclosing(hall.chat().compare(hall.ask(), ("quick", "spare"))) as events:
            first = await anext(events)
            assert isinstance(first, Refusal) is refused
            assert (await purse(hall, FREE))[1] == (0 if refused else room)
    assert (await purse(hall, FREE))[1] == 0


async def test_in_a_comparison_no_other_vendor_stands_in(hall: Hall) -> None:
    hall.free(compare=MOST)
    hall.ceilings = ceilings(two=0)
    async with aclosing(hall.chat().compare(hall.ask(), ("quick", "spare"))) as events:
        assert isinstance(await anext(events), Refusal)


async def test_an_answer_across_midnight_is_taken_off_the_day_in_which_it_was_asked_for(hall: Hall) -> None:
    hall.clock.advance(timedelta(hours=11, minutes=59, seconds=59))
    before = hall.clock.now()
    hall.ceilings = ceilings(free=each())
    async with aclosing(hall.chat().ask(hall.ask())) as events:
        await anext(events)
        hall.clock.advance(timedelta(seconds=2))
        assert await purse(hall, FREE) == (0, 0)
        assert isinstance(await last(hall.chat(), hall.ask(person=member(1))), Answered)
        assert [event async for event in events]
    assert (await hall.store.read(lambda tx: tx.purse(FREE, before))).spent == COSTS
    assert await purse(hall, FREE) == (COSTS, 0)


async def test_the_operator_is_told_at_four_fifths_and_at_the_end_of_a_ceiling_once(
    hall: Hall, database_url: str
) -> None:
    hall.free(conversations_per_day=None, requests_per_minute=None)
    hall.ceilings = ceilings(free=100_000)
    seen = []
    for cost in (79_999, 1, 17_000, 0, 0):
        hall.one.usage = Usage(cost, 0, 0)
        end = await last(hall.chat(), hall.ask())
        seen.append((type(end), [kind for kind, _ in alerts(database_url)]))
    assert seen == [
        (Answered, []),
        (Answered, ["ceiling_near"]),
        (Answered, ["ceiling_near"]),
        (Refusal, ["ceiling_near", "ceiling_reached"]),
        (Refusal, ["ceiling_near", "ceiling_reached"]),
    ]
    assert rows(database_url, "SELECT key, subject, detail FROM alert WHERE kind = 'ceiling_reached'") == [
        ("ceiling_reached:free:2026-11-24:100000", "free", "0.10 of 0.10 USD in 2026-11-24")
    ]


async def test_a_ceiling_is_not_told_as_reached_for_what_is_only_held(hall: Hall, database_url: str) -> None:
    hall.ceilings = ceilings(free=100_000)
    hall.one.usage = Usage(100_000 - each(), 0, 0)
    await last(hall.chat(), hall.ask())
    began = await burst(hall, *map(member, range(3)))
    refused = [one for one in began if isinstance(one, Refusal)]
    assert [(one.reason, one.until) for one in refused] == [(RefusalReason.BUDGET_HELD, None)] * 2
    assert alerts(database_url) == [("ceiling_near", "free")]


async def test_a_members_month_is_not_told_as_used_up_for_what_is_only_held(
    hall: Hall, database_url: str
) -> None:
    await subscribed(hall)
    hall.two.usage = Usage(6_000_000 - each(), 0, 0)
    await last(hall.chat(), hall.ask(model="deep"))
    began = await burst(hall, ALICE, ALICE, model="deep")
    assert sorted(one.model for one in began if isinstance(one, Started)) == ["deep", "quick"]
    assert await notices(hall) == [NoticeKind.ALLOWANCE_NEAR]
    assert alerts(database_url) == [("member_near", str(ALICE))]


async def test_a_ceiling_that_is_raised_is_told_of_anew(hall: Hall, database_url: str) -> None:
    hall.one.usage = Usage(100_000, 0, 0)
    for room in (110_000, 120_000):
        hall.ceilings = ceilings(bot=room, free=10**9)
        await last(hall.chat(), hall.ask())
        hall.one.usage = Usage(1, 0, 0)
    assert alerts(database_url).count(("ceiling_near", "bot")) == 2


async def test_a_paying_member_is_told_near_the_ceiling_and_at_it_and_so_is_the_operator(
    hall: Hall, database_url: str
) -> None:
    await subscribed(hall)
    seen = []
    for cost in (4_799_999, 1, 1_199_999, 0):
        hall.two.usage = Usage(cost, 0, 0)
        await last(hall.chat(), hall.ask(model="deep"))
        seen.append((await notices(hall), [kind for kind, _ in alerts(database_url)]))
    near, spent = NoticeKind.ALLOWANCE_NEAR, NoticeKind.ALLOWANCE_SPENT
    assert seen == [
        ([], []),
        ([near], ["member_near"]),
        ([near], ["member_near"]),
        ([near, spent], ["member_near", "member_reached"]),
    ]
    assert {subject for _, subject in alerts(database_url)} == {str(ALICE)}
    hall.clock.advance(timedelta(days=8))
    hall.two.usage = Usage(6_000_000, 0, 0)
    await last(hall.chat(), hall.ask(model="deep"))
    assert await notices(hall) == [near, spent, spent]


async def test_the_ceiling_of_one_member_is_told_in_channels_alone_and_the_house_s_to_operators_too(
    hall: Hall,
) -> None:
    await subscribed(hall)
    hall.ceilings = ceilings(bot=6_000_000)
    hall.two.usage = Usage(6_000_000, 0, 0)
    await last(hall.chat(), hall.ask(model="deep"))
    hole, room = Pigeonhole(), Channel(Platform.DISCORD, "", "77")
    await settle(house(hall.store, hall.clock, hole, channels=(room,)))
    told = {str(each.to): [(a.kind.value, a.subject) for a in each.alerts] for each in hole.bulletins}
    own, members = [("ceiling_near", "bot"), ("ceiling_reached", "bot")], ("member_near", "member_reached")
    assert told == {str(ALICE): own, str(room): [*own, *((kind, str(ALICE)) for kind in members)]}


async def test_a_free_member_is_told_near_the_ceiling_and_at_it_by_the_refusal(
    hall: Hall, database_url: str
) -> None:
    hall.free(conversations_per_day=None, requests_per_minute=None)
    hall.one.usage = Usage(499_000, 0, 0)
    first, second = [await last(hall.chat(), hall.ask()) for _ in range(2)]
    assert isinstance(first, Answered)
    assert isinstance(second, Refusal)
    assert second.reason is RefusalReason.COST
    assert (await notices(hall), alerts(database_url)) == ([NoticeKind.FREE_NEAR], [])


async def test_what_is_told_is_written_with_what_brings_it_about_or_not_at_all(
    hall: Hall, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise LookupError

    monkeypatch.setattr("engine.chat.note_spent", broken)
    with pytest.raises(LookupError):
        await last(hall.chat(), hall.ask())
    assert rows(database_url, "SELECT COUNT(*) FROM charge") == [(0,)]
