"""A team's budget: each seat has its share, whoever asks at once, and who is told when it is used up."""

from __future__ import annotations

import asyncio
import threading
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from engine.comparison import MOST
from engine.context import compose
from engine.domain import (
    Answered,
    ChatEvent,
    Micros,
    Person,
    Refusal,
    RefusalReason,
    Scope,
    Started,
    TierName,
)
from engine.facts import Mode
from engine.ledger import Tx
from engine.models import Usage
from engine.notices import NoticeKind
from engine.reserve import reserved
from engine.routing import Route
from engine.spending import seat, team
from engine.teams import Roster
from storage.store import open_store
from tests.engine.club import SELLING, TEAM, TEAM_SUB, Club, somebody
from tests.engine.conftest import ALICE, BOB, DEEP, Hall, last
from tests.engine.test_catalogue import PREMIUM_SUB
from tests.fakes.clock import FakeClock
from tests.storage.makers import conversation, hold, rows

CAROL, DAVE = map(somebody, ("carol", "dave"))
FIRST = datetime(2026, 11, 1, tzinfo=UTC)
MIDDLE = datetime(2026, 11, 16, tzinfo=UTC)
CEILING, STOP = 600_000, 900_000
SHARE = CEILING // 3
ALONE = replace(DEEP, fallback=())


def each() -> int:
    """What a short question to the strong model holds."""
    completion = compose(ALONE, "Be brief.", (), "Hi")
    assert completion
    return reserved((Route(ALONE, completion),))


def budget(club: Club, ceiling: int | None = CEILING, stop: int | None = None, **more: object) -> None:
    """Let a team cost so much in a month."""
    told = (None if amount is None else Micros(amount) for amount in (ceiling, stop))
    tier = replace(TEAM, cost_ceiling_month=next(told), cost_stop_month=next(told), **more)  # type: ignore[arg-type]
    club.catalogue = replace(SELLING, tiers={**SELLING.tiers, TierName.TEAM: tier})


@pytest.fixture
async def club(hall: Hall) -> Club:
    """Alice, Bob and Carol are a team of three, on the first day of a month."""
    hall.clock.set(FIRST)
    club = Club(hall)
    budget(club)
    await club.has(ALICE, replace(TEAM_SUB, created_at=FIRST, period_end=None))
    for person in (BOB, CAROL):
        await club.joins(person)
    return club


async def spends(club: Club, person: Person, amount: int) -> ChatEvent:
    """Ask the strong model something whose answer costs so much."""
    club.hall.one.usage = club.hall.two.usage = Usage(amount, 0, 0)
    club.hall.clock.advance(timedelta(minutes=1))
    end = await club.asks(person)
    club.hall.one.usage = club.hall.two.usage = Usage(100, 0, 50)
    return end


async def purse(club: Club, scope: Scope) -> tuple[int, int]:
    """What is spent and held of a scope now."""
    found = await club.store.read(lambda tx: tx.purse(scope, club.hall.clock.now()))
    return found.spent, found.held


async def told(club: Club, person: Person) -> list[NoticeKind]:
    """What somebody is told about budgets."""
    account = await club.account(person)
    return [each.kind for each in await club.store.read(lambda tx: tx.notices(account))]


async def test_at_ones_share_a_cheaper_model_answers_while_others_still_have_theirs(club: Club) -> None:
    assert isinstance(await spends(club, BOB, SHARE), Answered)
    over, fresh = await club.asks(BOB), await club.asks(CAROL)
    assert isinstance(over, Answered)
    assert isinstance(fresh, Answered)
    assert (over.model, fresh.model) == ("quick", "deep")


async def test_at_ones_share_of_the_stop_nothing_answers_until_the_month_is_over(club: Club) -> None:
    budget(club, stop=STOP)
    await spends(club, BOB, STOP // 3)
    refused = await club.asks(BOB)
    assert isinstance(refused, Refusal)
    assert (refused.reason, refused.tier) == (RefusalReason.TEAM_COST, TierName.TEAM)
    assert (refused.until, refused.offer) == (datetime(2026, 12, 1, tzinfo=UTC), None)
    assert isinstance(await club.asks(CAROL), Answered)
    club.hall.clock.set(datetime(2026, 12, 1, tzinfo=UTC))
    assert isinstance(await club.asks(BOB), Answered)


async def test_in_the_middle_of_the_month_half_of_what_others_leave_is_lent(club: Club) -> None:
    club.hall.clock.set(MIDDLE)
    await spends(club, BOB, SHARE * 2 - each())
    lent, spent = await club.asks(BOB), await spends(club, BOB, each())
    assert isinstance(lent, Answered)
    assert lent.model == "deep"
    assert isinstance(spent, Answered)
    assert spent.model == "quick"
    for person in (ALICE, CAROL):
        end = await spends(club, person, SHARE // 2 - each())
        assert isinstance(end, Answered)
        assert end.model == "deep"


async def test_of_all_who_ask_at_once_no_more_are_let_in_than_the_budget_has_room_for(club: Club) -> None:
    """Two processes, three seats, and what others leave: every order of them ends below the ceiling."""
    club.hall.clock.set(MIDDLE)
    room = 7 * each() + 1
    budget(club, ceiling=room, stop=room, concurrent=None, requests_per_minute=None)
    chats = (club.chat(), club.chat())
    async with AsyncExitStack() as stack:
        people = [ALICE, BOB, CAROL, BOB] * 5
        streams = [
            chats[number % 2].ask(club.hall.ask(person=person, model="deep"))
            for number, person in enumerate(people)
        ]
        for stream in streams:
            await stack.enter_async_context(aclosing(stream))
        began = await asyncio.gather(*map(anext, streams))
        whole = await club.account(ALICE)
        spent, held = await purse(club, team(whole))
        let_in = [one for one in began if isinstance(one, Started)]
        assert (spent, held) == (0, len(let_in) * each())
        assert 5 <= len(let_in) <= 7
    assert {one.reason for one in began if isinstance(one, Refusal)} == {RefusalReason.TEAM_COST}


async def test_a_share_held_by_an_answer_being_written_is_no_room_for_another(club: Club) -> None:
    budget(club, ceiling=3 * each(), stop=3 * each(), concurrent=None)
    async with aclosing(club.chat().ask(club.hall.ask(person=BOB, model="deep"))) as events:
        assert isinstance(await anext(events), Started)
        assert isinstance(await club.asks(BOB), Refusal)
        assert isinstance(await club.asks(CAROL), Answered)
        assert [event async for event in events]
    assert await purse(club, team(await club.account(ALICE))) == (600, 0)


async def test_what_a_seat_uses_is_counted_for_it_and_for_the_team_and_not_for_its_account(
    club: Club,
) -> None:
    await club.has(BOB, PREMIUM_SUB)
    await spends(club, BOB, 7_000)
    await spends(club, ALICE, 5_000)
    alice, bob = await club.account(ALICE), await club.account(BOB)
    assert await purse(club, seat(alice, bob)) == (7_000, 0)
    assert await purse(club, seat(alice, alice)) == (5_000, 0)
    assert await purse(club, team(alice)) == (12_000, 0)
    assert (await club.overview(BOB)).usage.cost_month == 7_000
    await club.teams().leave(BOB)
    own = await club.overview(BOB)
    assert (own.tier.name, own.usage.cost_month, own.share) == (TierName.PREMIUM, 0, None)


async def test_what_somebody_used_who_left_stays_used(club: Club) -> None:
    await spends(club, BOB, SHARE)
    await spends(club, CAROL, SHARE)
    await club.teams().leave(CAROL)
    await club.joins(DAVE)
    share = (await club.overview(DAVE)).share
    assert share is not None
    assert (share.pot.gone, share.reach(Micros(CEILING))) == (SHARE, SHARE // 2)
    await club.teams().leave(DAVE)
    await club.joins(CAROL)
    club.hall.clock.set(FIRST)
    back = (await club.overview(CAROL)).share
    assert back is not None
    assert (back.used, back.own.cost_ceiling_month) == (SHARE, SHARE)


async def test_who_waits_for_a_seat_has_no_share(club: Club) -> None:
    await club.has(ALICE, replace(TEAM_SUB, created_at=FIRST, period_end=None, quantity=4))
    await club.joins(DAVE)
    four = (await club.overview(BOB)).share
    await club.has(ALICE, replace(TEAM_SUB, created_at=FIRST, period_end=None))
    three = (await club.overview(BOB)).share
    assert four is not None
    assert three is not None
    assert (len(four.pot.uses), len(three.pot.uses)) == (4, 3)
    assert (await club.overview(DAVE)).share is None


async def test_a_comparison_beyond_ones_share_is_refused(club: Club) -> None:
    budget(club, compare=MOST)
    await spends(club, BOB, SHARE)
    async with aclosing(club.chat().compare(club.hall.ask(person=BOB), ("deep", "quick"))) as events:
        refused = await anext(events)
    assert isinstance(refused, Refusal)
    assert refused.reason is RefusalReason.TEAM_COST


async def test_without_a_ceiling_nothing_is_shared_out(club: Club) -> None:
    budget(club, ceiling=None)
    for _ in range(3):
        end = await spends(club, BOB, CEILING)
        assert isinstance(end, Answered)
        assert end.model == "deep"


async def test_a_member_is_told_about_their_share_and_the_owner_and_the_operator_about_all(
    club: Club, database_url: str
) -> None:
    await spends(club, BOB, SHARE * 3 // 4)
    assert await told(club, BOB) == []
    for _ in range(2):
        await spends(club, BOB, SHARE // 10)
    assert await told(club, BOB) == [NoticeKind.SEAT_NEAR]
    for _ in range(2):
        await spends(club, BOB, SHARE // 10)
    assert await told(club, BOB) == [NoticeKind.SEAT_NEAR, NoticeKind.SEAT_SPENT]
    assert await told(club, ALICE) == await told(club, CAROL) == []
    await spends(club, CAROL, SHARE // 2)
    await spends(club, ALICE, SHARE)
    kinds = set(await told(club, ALICE))
    assert kinds == {NoticeKind.SEAT_NEAR, NoticeKind.SEAT_SPENT, NoticeKind.TEAM_NEAR}
    await spends(club, CAROL, SHARE // 2)
    assert set(await told(club, ALICE)) == kinds | {NoticeKind.TEAM_SPENT}
    assert len(await told(club, ALICE)) == 4
    assert [kind for kind, _ in rows(database_url, "SELECT kind, subject FROM alert ORDER BY kind")] == [
        "member_near",
        "member_reached",
    ]


async def test_who_is_taken_out_of_a_team_meanwhile_is_told_nothing_of_its_budget(club: Club) -> None:
    club.hall.two.usage = Usage(each(), 0, 0)
    async with aclosing(club.chat().ask(club.hall.ask(person=BOB, model="deep"))) as events:
        assert isinstance(await anext(events), Started)
        await club.teams().leave(BOB)
        assert isinstance([event async for event in events][-1], Answered)
    assert await told(club, BOB) == []


async def test_an_owner_alone_is_told_about_the_team_alone(club: Club) -> None:
    await club.teams().leave(BOB)
    await club.teams().leave(CAROL)
    await spends(club, ALICE, CEILING)
    assert await told(club, ALICE) == [NoticeKind.TEAM_NEAR, NoticeKind.TEAM_SPENT]


async def test_the_owner_sees_what_each_used_in_this_month(club: Club) -> None:
    await spends(club, BOB, 7_000)
    await spends(club, BOB, 1_000)
    await spends(club, ALICE, 5_000)
    seen = await club.teams().shown(ALICE)
    assert isinstance(seen, Roster)
    assert seen.budget == CEILING
    assert [(one.used, one.conversations) for one in seen.people] == [(5_000, 1), (8_000, 2), (0, 0)]
    club.hall.clock.set(datetime(2026, 12, 1, tzinfo=UTC))
    later = await club.teams().shown(ALICE)
    assert isinstance(later, Roster)
    assert [(one.used, one.conversations) for one in later.people] == [(0, 0)] * 3


async def test_what_a_member_asked_on_their_own_is_not_shown_to_the_owner(club: Club) -> None:
    await last(club.chat(), club.hall.ask(person=DAVE))
    await club.teams().leave(BOB)
    await club.joins(DAVE)
    seen = await club.teams().shown(ALICE)
    assert isinstance(seen, Roster)
    assert [(one.used, one.conversations) for one in seen.people] == [(0, 0)] * 3


async def test_an_answer_whose_process_was_lost_stays_taken_off_its_seat(club: Club) -> None:
    budget(club, ceiling=3 * each(), stop=3 * each(), concurrent=None)
    lost = club.chat().ask(club.hall.ask(person=BOB, model="deep"))
    assert isinstance(await anext(lost), Started)
    club.hall.clock.advance(timedelta(minutes=2))
    now = club.hall.clock.now()
    await club.store.transact(lambda tx: tx.release_expired(now))
    assert await club.store.transact(lambda tx: tx.book_lost(now, 10)) == 1
    refused = await club.asks(BOB)
    assert isinstance(refused, Refusal)
    assert refused.reason is RefusalReason.TEAM_COST
    alice, bob = await club.account(ALICE), await club.account(BOB)
    assert await purse(club, seat(alice, bob)) == await purse(club, team(alice)) == (each(), 0)
    await lost.aclose()


async def test_who_asks_waits_until_somebody_else_of_the_team_is_let_in(
    club: Club, database_url: str
) -> None:
    budget(club, ceiling=3 * each(), stop=3 * each())
    alice, now = await club.account(ALICE), club.hall.clock.now()
    locked, go = threading.Event(), threading.Event()

    def work(tx: Tx) -> None:
        tx.lock_team(alice, Mode.TEST)
        locked.set()
        go.wait(10)
        conversation(tx, at=now)
        hold(tx, "t", at=now, reserved=dict.fromkeys((team(alice), seat(alice, alice)), 3 * each()))

    async with await open_store(database_url, FakeClock(now)) as other:
        holding = asyncio.create_task(other.transact(work))
        await asyncio.to_thread(locked.wait, 10)
        asking = asyncio.create_task(club.asks(BOB))
        await asyncio.wait({asking}, timeout=0.3)  # long enough to be let in, if it did not wait
        go.set()
        await holding
        end = await asking
    assert isinstance(end, Refusal)
    assert end.reason is RefusalReason.TEAM_COST


async def test_an_answer_that_the_team_pays_holds_nothing_of_ones_own_month(club: Club) -> None:
    await club.has(BOB, PREMIUM_SUB)
    async with aclosing(club.chat().ask(club.hall.ask(person=BOB, model="deep"))) as events:
        assert isinstance(await anext(events), Started)
        await club.teams().leave(BOB)
        own = await club.overview(BOB)
        assert (own.tier.name, own.usage.cost_month, own.usage.at_once) == (TierName.PREMIUM, 0, 1)
