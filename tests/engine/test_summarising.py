"""Long conversations are summed up on the operator's line, each once, whoever is lost meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import pytest

from engine.budget import NO_CEILINGS, Ceilings
from engine.context import RETOLD
from engine.domain import Answered, Micros, Place, Platform, TurnId
from engine.errors import (
    ContextTooLongError,
    LateError,
    OutsideError,
    StreamCutError,
    TellOperatorError,
    TryAgainError,
)
from engine.ledger import Tx
from engine.models import NO_USAGE, Finish, Price, Usage
from engine.rules import Rules
from engine.spending import BOT, Entry, Purpose, vendor
from engine.summaries import Summaries
from engine.summarising import LEASE, NO_MONEY_RESTS, RESTS, TRIES, Summarising
from engine.turns import Exchange
from tests.engine.conftest import ALICE, QUICK, SPARE, Hall, last
from tests.fakes.clock import NOON
from tests.fakes.models import Scripted
from tests.storage.makers import rows

CHEAP = replace(SPARE, price=Price(500_000, 50_000, 2_000_000))
"""Of the vendor `two`, so that the member's answers come from `one`."""
LONG = "word " * 330
"""About 550 tokens: seven turns are more than half of the 7,000 that QUICK has room for."""
SUMMED = Usage(3000, 0, 40)
COST = Micros(3000 // 2 + 40 * 2)
WORST = 3811
"""What the first one may cost: 3,622 tokens read and 1,000 written."""
DAYS = (NOON - timedelta(days=1), NOON + timedelta(days=3))


@pytest.fixture
def long_hall(hall: Hall) -> Hall:
    """A hall that sums up, with nothing in the way of a long conversation."""
    hall.free(turns_per_conversation=None, requests_per_minute=None, cost_ceiling_month=None)
    hall.catalogue = replace(hall.catalogue, models=(QUICK, CHEAP))
    hall.summaries = Summaries(on=True, model=None)
    hall.two = Scripted(("They spoke ", "of words."), usage=SUMMED)
    return hall


def summarising(hall: Hall, ceilings: Ceilings = NO_CEILINGS, two: Scripted | None = None) -> Summarising:
    """The work of one process."""
    models = {"one": hall.one, "two": two or hall.two}
    return Summarising(hall.store, hall.clock, models, lambda: replace(hall.desk(), ceilings=ceilings))


async def speak(hall: Hall, count: int, first: int = 0, place: Place | None = None) -> list[TurnId]:
    """So many long questions in one place, with their numbers; the turns."""
    turns = []
    for number in range(first, first + count):
        answered = await last(hall.chat(), hall.ask(f"{number}: {LONG}", anchors=("dm",), place=place))
        assert isinstance(answered, Answered), answered
        turns.append(answered.turn)
        hall.clock.advance(timedelta(seconds=1))
    return turns


async def charged(hall: Hall) -> Sequence[Entry]:
    """The ledger's rows for summaries."""
    found = await hall.store.read(lambda tx: tx.entries(*DAYS))
    return [entry for entry in found if entry.purpose is Purpose.SUMMARY]


async def way(hall: Hall, turn: TurnId) -> Sequence[Exchange]:
    """What is read back from a turn."""
    return await hall.store.read(lambda tx: tx.history(turn, 99))


async def test_what_was_owed_is_not_sent_to_a_vendor_once_summaries_are_off(long_hall: Hall) -> None:
    work = summarising(long_hall).work
    await speak(long_hall, 8)
    long_hall.summaries = Summaries(on=False, model=None)
    assert await work() == 0
    assert long_hall.two.seen == []
    long_hall.summaries = Summaries(on=True, model=None)
    assert await work() == 1


async def test_a_long_conversation_is_summed_up_and_goes_on_from_there(long_hall: Hall) -> None:
    work = summarising(long_hall).work
    await speak(long_hall, 5)
    assert await work() == 0, "it is not long yet"
    turns = await speak(long_hall, 3, first=5)
    assert await work() == 1
    assert await work() == 0
    (asked,) = long_hall.two.seen
    assert asked.messages[0].text.count("The member said:") == 6
    await speak(long_hall, 3, first=8)
    sent = long_hall.one.seen[-1]
    assert RETOLD in sent.messages[0].text
    assert "They spoke of words." in sent.messages[0].text
    assert [message.text.partition(":")[0] for message in sent.messages[2::2]] == ["6", "7", "8", "9", "10"]
    assert (sent.system, sent.pinned) == ("Be brief.", 2)
    assert len(turns) == 3


async def test_what_it_costs_is_the_operators_and_counts_nowhere_for_the_member(long_hall: Hall) -> None:
    await speak(long_hall, 7)

    def standing(tx: Tx) -> object:
        account = tx.find_account(ALICE)
        assert account
        return tx.usage(account.id, long_hall.clock.now()), tx.spent(account.id, NOON)

    before = await long_hall.store.read(standing)
    purses = [await long_hall.store.read(lambda tx: tx.purse(BOT, NOON))]
    assert await summarising(long_hall).work() == 1
    assert await long_hall.store.read(standing) == before
    (entry,) = await charged(long_hall)
    assert (entry.account, entry.turn, entry.charge.cost, entry.charge.usage) == (None, None, COST, SUMMED)
    purses.append(await long_hall.store.read(lambda tx: tx.purse(BOT, NOON)))
    assert purses[1].spent - purses[0].spent == COST
    assert purses[1].held == 0


async def test_it_serves_every_branch_through_its_last_turn_and_no_other(long_hall: Hall) -> None:
    turns = await speak(long_hall, 7)
    await summarising(long_hall).work()
    assert [each.summary for each in await way(long_hall, turns[6])] == [
        "",
        "",
        "",
        "",
        "",
        "They spoke of words.",
        "",
    ]
    branch = await speak(long_hall, 1, first=100)
    assert (await way(long_hall, branch[0]))[-3].summary
    assert not any(each.summary for each in await way(long_hall, turns[4]))
    far = await speak(long_hall, 3, first=101)
    assert (await way(long_hall, far[-1]))[0].summary == "They spoke of words.", (
        "read back to it and no further"
    )


async def test_nothing_is_owed_where_it_is_off_or_no_model_may(long_hall: Hall) -> None:
    long_hall.summaries = Summaries(on=False, model=None)
    await speak(long_hall, 8)
    assert await summarising(long_hall).work() == 0
    long_hall.summaries = Summaries(on=True, model="deep")
    await speak(long_hall, 1, first=8)
    assert await summarising(long_hall).work() == 0
    assert not long_hall.two.seen


async def test_no_vendor_reads_what_a_servers_rules_keep_from_it(long_hall: Hall) -> None:
    place = Place(Platform.DISCORD, "1")

    def only_quick(tx: Tx) -> None:
        tx.lock_rules(place)
        tx.save_rules(place, Rules(models=("quick",)))

    await long_hall.store.transact(only_quick)
    await speak(long_hall, 8, place=place)
    long_hall.one.usage = SUMMED
    assert await summarising(long_hall).work() == 1
    assert not long_hall.two.seen
    (entry,) = await charged(long_hall)
    assert (entry.charge.model, entry.charge.provider) == ("quick", "one")


async def test_one_that_failed_is_tried_again_later_and_at_last_given_up(long_hall: Hall) -> None:
    await speak(long_hall, 8)
    long_hall.two.errors = [LateError("not reached", usage=NO_USAGE), *[TryAgainError("busy")] * (TRIES - 1)]
    work = summarising(long_hall).work
    for _ in range(TRIES):
        assert await work() == 1
        assert await work() == 0, "not before its time"
        long_hall.clock.advance(timedelta(minutes=30))
    assert await work() == 0
    await speak(long_hall, 1, first=8)
    assert await work() == 0, "given up for a day"
    assert len(long_hall.two.seen) == TRIES
    assert not await charged(long_hall), "none of them was charged"
    long_hall.clock.advance(RESTS)
    await speak(long_hall, 1, first=9)
    assert await work() == 1
    assert len(await charged(long_hall)) == 1


@pytest.mark.parametrize(
    ("error", "tries"), [(TellOperatorError("no such model"), 1), (ContextTooLongError("too long"), 2)]
)
async def test_what_no_waiting_mends_is_given_up_at_once(
    long_hall: Hall, error: OutsideError, tries: int
) -> None:
    await speak(long_hall, 8)
    long_hall.two.errors = [error]
    work = summarising(long_hall).work
    for _ in range(3):
        await work()
        long_hall.clock.advance(timedelta(minutes=30))
    assert len(long_hall.two.seen) == tries


async def test_a_summary_that_is_none_is_not_kept_but_charged(long_hall: Hall) -> None:
    turns = await speak(long_hall, 8)
    work = summarising(long_hall).work
    for words, finish in (((" ",), Finish.END), (("Half of",), Finish.LENGTH), (("So",), None)):
        long_hall.two.words, long_hall.two.finish = words, finish
        assert await work() == 1
        long_hall.clock.advance(timedelta(minutes=30))
    assert not any(each.summary for each in await way(long_hall, turns[-1]))
    costs = [entry.charge for entry in await charged(long_hall)]
    assert [charge.usage.estimated for charge in costs] == [False, False, True]
    assert [charge.cost for charge in costs[:2]] == [COST, COST]


async def test_what_took_too_long_may_have_cost_all_that_was_held_for_it(
    long_hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The vendor has not said what it had thought by then."""
    await speak(long_hall, 8)
    long_hall.two.pause = 1
    monkeypatch.setattr("engine.summarising.SECONDS", 0.01)
    assert await summarising(long_hall).work() == 1
    (entry,) = await charged(long_hall)
    assert (entry.charge.cost, entry.charge.usage.estimated) == (WORST, True)


@pytest.mark.parametrize("error", [LateError("no word came"), StreamCutError("broken off")])
async def test_what_broke_off_before_a_word_may_have_cost_as_much(
    long_hall: Hall, error: OutsideError
) -> None:
    await speak(long_hall, 8)
    long_hall.two.errors = [error]
    assert await summarising(long_hall).work() == 1
    (entry,) = await charged(long_hall)
    assert (entry.charge.cost, entry.charge.usage.estimated) == (WORST, True)


async def test_where_a_ceiling_leaves_no_room_none_is_made(long_hall: Hall) -> None:
    """Nor is what free members leave to those who pay."""
    await speak(long_hall, 8)
    now = long_hall.clock.now()
    spent = (await long_hall.store.read(lambda tx: tx.purse(BOT, now))).taken
    tight = (
        Ceilings(vendor_day=MappingProxyType({"two": Micros(WORST + 10)})),
        Ceilings(vendor_day=MappingProxyType({"two": Micros(WORST - 1)})),
        Ceilings(bot_month=Micros(spent + WORST - 1)),
    )
    for number, ceilings in enumerate(tight):
        assert await summarising(long_hall, ceilings).work() == 1
        assert not long_hall.two.seen
        long_hall.clock.advance(NO_MONEY_RESTS)
        await speak(long_hall, 1, first=8 + number)
    roomy = Ceilings(vendor_day=MappingProxyType({"two": Micros(2 * WORST), "one": Micros(0)}))
    assert await summarising(long_hall, roomy).work() == 1
    assert len(long_hall.two.seen) == 1


async def test_the_operator_is_told_where_a_summary_brings_a_ceiling_near(
    long_hall: Hall, database_url: str
) -> None:
    await speak(long_hall, 8)
    long_hall.two.usage = Usage(2 * WORST, 0, 0)
    ceilings = Ceilings(vendor_day=MappingProxyType({"two": Micros(WORST * 6 // 5)}))
    assert await summarising(long_hall, ceilings).work() == 1
    assert rows(database_url, "SELECT kind, subject FROM alert") == [("ceiling_near", "vendor:two")]


async def test_what_is_being_asked_for_is_held_under_the_ceilings(long_hall: Hall) -> None:
    await speak(long_hall, 8)
    long_hall.two.pause = 0
    work = asyncio.create_task(summarising(long_hall).work())
    await long_hall.two.waiting.wait()
    purses = await long_hall.store.read(lambda tx: [tx.purse(scope, NOON) for scope in SCOPES])
    assert purses[0].held == purses[1].held == WORST
    assert purses[2].held == 0
    long_hall.two.go.set()
    await work
    assert (await long_hall.store.read(lambda tx: tx.purse(BOT, NOON))).held == 0


SCOPES = (BOT, vendor("two"), vendor("one"))


async def test_of_two_processes_one_sums_up(long_hall: Hall) -> None:
    await speak(long_hall, 8)
    done = await asyncio.gather(*(summarising(long_hall).work() for _ in range(5)))
    assert sum(done) == 1
    assert len(long_hall.two.seen) == len(await charged(long_hall)) == 1


async def test_one_that_was_overtaken_writes_nothing_and_is_charged_once(long_hall: Hall) -> None:
    turns = await speak(long_hall, 8)
    slow = Scripted(("Late words.",), usage=SUMMED, pause=0)
    late = asyncio.create_task(summarising(long_hall, two=slow).work())
    await slow.waiting.wait()
    long_hall.clock.advance(LEASE)
    assert await summarising(long_hall).work() == 1
    slow.go.set()
    await late
    assert "They spoke of words." in [each.summary for each in await way(long_hall, turns[-1])]
    estimated, real = await charged(long_hall)
    assert (estimated.charge.usage.estimated, real.charge.usage) == (True, SUMMED)
    assert (estimated.charge.cost or 0) >= COST, "what was lost may have cost that"


async def test_the_chat_goes_on_as_before_while_there_is_none(long_hall: Hall) -> None:
    await speak(long_hall, 14)
    sent = long_hall.one.seen[-1]
    assert sent.pinned == 0
    assert sent.messages[-1].text.startswith("13: ")
    assert 0 < len(sent.messages) < 2 * 14


async def test_each_quarter_of_the_budget_brings_one_at_most_and_no_turn_is_lost_on_the_way(
    long_hall: Hall,
) -> None:
    work, done = summarising(long_hall).work, 0
    for number in range(30):
        (turn,) = await speak(long_hall, 1, first=number)
        sent = long_hall.one.seen[-1]
        told = [int(message.text.partition(":")[0]) for message in sent.messages[sent.pinned :: 2]]
        back = [each.summary for each in reversed(await way(long_hall, turn))]
        reached = number - next((steps for steps, summary in enumerate(back) if summary), number + 1)
        assert told == list(range(told[0], number + 1))
        assert told[0] == 0 or (sent.pinned == 2 and told[0] <= reached + 1)
        done += await work()
    assert 3 <= done <= 30 * 570 // (3500 // 4)
    assert len(await charged(long_hall)) == done
