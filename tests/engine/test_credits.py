"""Conversations beyond the daily limit: used last, one each, given back, and never more than were given."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import limits
from engine.domain import (
    Answered,
    ChatEvent,
    ConversationId,
    Failed,
    Micros,
    Refusal,
    RefusalReason,
    TierName,
)
from engine.errors import GiveUpError
from engine.facts import Mode
from engine.giving import MOST_CREDITS, Objection
from engine.grants import Credit, left
from engine.members import plain
from engine.turns import UsageFacts
from storage.store import open_store
from tests.engine.club import Club
from tests.engine.conftest import ALICE, BOB, CATALOGUE, FREE, QUICK, UNLIMITED, Hall, last
from tests.engine.largesse import DAY, OPERATOR, Largesse
from tests.engine.test_catalogue import NOW
from tests.fakes.clock import FakeClock

FREELY = {**UNLIMITED, "conversations_per_day": FREE.conversations_per_day}
"""A free tier of which nothing but its three conversations a day is a limit."""


@pytest.fixture
def house(hall: Hall) -> Largesse:
    """A house that gives, with a free tier of three conversations a day."""
    hall.free(**FREELY)
    return Largesse(Club(hall))


async def asked(house: Largesse, times: int = 1) -> list[ChatEvent]:
    """How so many questions of Bob's ended, each in a conversation of its own."""
    hall = house.club.hall
    chat = hall.chat()
    return [await last(chat, hall.ask(person=BOB)) for _ in range(times)]


def answered(ends: Sequence[ChatEvent]) -> int:
    return sum(isinstance(each, Answered) for each in ends)


async def credits_of(house: Largesse) -> Sequence[Credit]:
    account = await house.club.account(BOB)
    return await house.club.store.read(lambda tx: tx.credits(account, Mode.TEST))


async def remaining(house: Largesse) -> int:
    return left(await credits_of(house), house.club.hall.clock.now())


async def counted(house: Largesse) -> int:
    """All of Bob's counted conversations of the day."""
    account, now = await house.club.account(BOB), house.club.hall.clock.now()
    return await house.club.store.read(lambda tx: tx.conversations_on(account, now.date()))


async def test_a_credit_is_used_only_when_the_days_conversations_are(house: Largesse) -> None:
    await house.credit(BOB, 2)
    assert answered(await asked(house, 3)) == 3
    assert await remaining(house) == 2
    (one,) = await asked(house)
    assert isinstance(one, Answered)
    assert (one.standing.conversations_today, one.standing.credits) == (3, 1)
    assert answered(await asked(house)) == 1
    (end,) = await asked(house)
    assert isinstance(end, Refusal)
    assert (end.reason, end.credits) == (RefusalReason.CONVERSATIONS, 0)
    assert await remaining(house) == 0
    house.club.hall.clock.advance(DAY)
    assert answered(await asked(house, 4)) == 3


async def test_whoever_was_given_none_is_told_nothing_of_credits(house: Largesse) -> None:
    ends = await asked(house, 4)
    assert isinstance(ends[-1], Refusal)
    assert ends[-1].credits is None
    assert isinstance(ends[0], Answered)
    assert ends[0].standing.credits is None


async def test_going_on_with_a_conversation_takes_no_further_credit(house: Largesse) -> None:
    await house.credit(BOB, 1)
    await asked(house, 3)
    hall = house.club.hall
    chat = hall.chat()
    ends = [await last(chat, hall.ask(person=BOB, anchors=("local:room",))) for _ in range(3)]
    assert answered(ends) == 3
    assert await remaining(house) == 0


async def test_a_conversation_that_is_not_counted_in_the_end_gives_its_credit_back(house: Largesse) -> None:
    await house.credit(BOB, 1)
    await asked(house, 3)
    hall = house.club.hall
    hall.one.errors = [GiveUpError("no")]
    hall.two.errors = [GiveUpError("no")]
    (failed,) = await asked(house)
    assert isinstance(failed, Failed)
    assert await remaining(house) == 1
    assert answered(await asked(house)) == 1


async def test_a_place_that_failed_on_a_credit_takes_none_when_it_is_within_the_day_again(
    house: Largesse,
) -> None:
    await house.credit(BOB, 1)
    await asked(house, 3)
    hall = house.club.hall
    hall.one.errors, hall.two.errors = [GiveUpError("no")], [GiveUpError("no")]
    chat = hall.chat()
    assert isinstance(await last(chat, hall.ask(person=BOB, anchors=("local:room",))), Failed)
    hall.clock.advance(DAY)
    assert isinstance(await last(chat, hall.ask(person=BOB, anchors=("local:room",))), Answered)
    assert await remaining(house) == 1
    assert answered(await asked(house, 3)) == 3


async def test_a_credit_that_is_held_by_an_answer_being_written_is_not_there_for_another(
    house: Largesse,
) -> None:
    await house.credit(BOB, 1)
    await asked(house, 3)
    hall = house.club.hall
    hall.one.pause = 0
    chat = hall.chat()
    async with aclosing(chat.ask(hall.ask(person=BOB))) as events:
        await anext(events)
        assert isinstance(await last(chat, hall.ask(person=BOB)), Refusal)
    assert await remaining(house) == 1


async def test_a_comparison_takes_a_credit_for_each_model_beyond_the_limit_or_none(house: Largesse) -> None:
    await house.credit(BOB, 1)
    await asked(house, 2)
    hall = house.club.hall

    async def compared() -> list[ChatEvent]:
        async with aclosing(hall.chat().compare(hall.ask(person=BOB), ("quick", "spare"))) as events:
            found = [each async for each in events]
        return [each[1] if isinstance(each, tuple) else each for each in found]

    ends = [each for each in await compared() if isinstance(each, Answered)]
    assert {each.standing.credits for each in ends} == {None, 0}
    await house.credit(BOB, 1)
    (refused,) = await compared()
    assert isinstance(refused, Refusal)
    assert refused.credits == 1
    assert await remaining(house) == 1


async def test_those_that_end_first_are_used_first(house: Largesse) -> None:
    await house.credit(BOB, 1, days=80)
    await house.credit(BOB, 1, days=5)
    await asked(house, 4)
    assert [each.used for each in await credits_of(house)] == [0, 1]


async def test_credits_end_after_ninety_days_or_as_said(house: Largesse) -> None:
    found = await house.giving().credit(OPERATOR, BOB, 5)
    assert not isinstance(found, Objection)
    assert found.credit.until == NOW + 90 * DAY
    house.club.hall.clock.advance(90 * DAY)
    assert await remaining(house) == 0
    ends = await asked(house, 4)
    assert isinstance(ends[-1], Refusal)
    assert ends[-1].credits is None


async def test_what_is_left_can_be_taken_back_and_what_was_used_stays_used(house: Largesse) -> None:
    await house.credit(BOB, 3)
    await house.credit(BOB, 2)
    assert answered(await asked(house, 4)) == 4
    taken = await house.giving().uncredit(OPERATOR, BOB, 1)
    assert not isinstance(taken, Objection)
    assert [each.left(NOW) for each in taken] == [2]
    assert await remaining(house) == 2
    await house.giving().uncredit(OPERATOR, BOB)
    assert await house.giving().uncredit(OPERATOR, BOB) is Objection.NOTHING
    assert answered(await asked(house, 1)) == 0
    assert [(each.deed.value, each.detail) for each in await house.audit()][2:] == [
        ("uncredit", "number 1: 2 of 3"),
        ("uncredit", "number 2: 2 of 2"),
    ]


async def test_the_member_is_told_once_and_why_tells_what_is_left(house: Largesse) -> None:
    await house.credit(BOB, 2)
    assert await house.told(BOB) == [("credited", "free")]
    await asked(house, 4)
    told = plain(await house.club.overview(BOB))
    assert told["credits_left"] == 1
    (credit,) = json.loads(json.dumps(told["credits"]))
    assert (credit["amount"], credit["used"], credit["left"]) == (2, 1, 1)


async def test_the_ceiling_on_vendor_cost_holds_for_what_was_given(hall: Hall) -> None:
    hall.free(**{**FREELY, "cost_ceiling_month": Micros(0)})
    house = Largesse(Club(hall))
    await house.credit(BOB, 5)
    (end,) = await asked(house)
    assert isinstance(end, Refusal)
    assert end.reason is RefusalReason.COST


@pytest.mark.parametrize(
    ("amount", "until", "objection"),
    [(0, None, Objection.TOO_MANY), (MOST_CREDITS + 1, None, Objection.TOO_MANY), (1, NOW, Objection.PAST)],
)
async def test_credits_that_make_no_sense_are_not_given(
    house: Largesse, amount: int, until: datetime | None, objection: Objection
) -> None:
    assert await house.giving().credit(OPERATOR, BOB, amount, until) is objection
    assert not await house.audit()


async def test_a_member_without_a_daily_limit_keeps_what_was_given(house: Largesse) -> None:
    await house.grant(BOB, TierName.PREMIUM, 1)
    found = await house.giving().credit(OPERATOR, BOB, 2)
    assert not isinstance(found, Objection)
    assert not found.limited
    house.club.hall.catalogue = replace(house.club.catalogue, models=CATALOGUE.models)
    await asked(house, 2)
    assert await remaining(house) == 2


async def test_credits_of_another_mode_are_none(house: Largesse) -> None:
    await Largesse(house.club, Mode.LIVE).credit(BOB, 5)
    assert answered(await asked(house, 4)) == 3


async def test_a_conversation_that_was_erased_does_not_give_its_credit_back(house: Largesse) -> None:
    """Its row of use stands alone then, as after the erasure of old conversations."""
    given_, now = await house.credit(BOB, 1), house.club.hall.clock.now()
    gone = ConversationId("gone")
    await house.club.store.transact(lambda tx: tx.begin_on(gone, given_.credit, now))
    assert await remaining(house) == 0


@pytest.mark.parametrize("given_", [5])
async def test_forty_questions_at_once_in_two_processes_get_the_limit_and_the_credits(
    house: Largesse, database_url: str, given_: int
) -> None:
    await house.credit(BOB, given_)
    await house.credit(ALICE, 9)
    hall = house.club.hall
    async with await open_store(database_url, FakeClock()) as other:
        chats = hall.chat("process-1"), hall.chat("process-2", other)
        asks = (last(chats[number % 2], hall.ask(person=BOB)) for number in range(40))
        ends = await asyncio.gather(*asks)
    assert answered(ends) == 3 + given_ == await counted(house)
    assert await remaining(house) == 0
    assert sorted(
        each.standing.credits
        for each in ends
        if isinstance(each, Answered) and each.standing.credits is not None
    ) == list(range(given_))


# ---- Whatever happens ----


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["ask", "fail", "compare", "give", "day"]), max_size=14))
async def test_there_are_never_more_conversations_than_limit_and_credits_and_none_is_lost(
    house: Largesse, story: list[str]
) -> None:
    """Against a book kept by hand: what a day used of its own, and what is left of what was given."""
    clock = house.club.hall.clock
    clock.advance(DAY)
    today, given_ = 0, await remaining(house)
    for event in story:
        if event == "day":
            clock.advance(DAY)
            today = 0
        elif event == "give":
            await house.credit(BOB, 2, days=3000)
            given_ += 2
        else:
            wanted = 2 if event == "compare" else 1
            short = min(wanted, max(0, today + wanted - 3))
            ends = await happened(house, event)
            assert all(isinstance(each, Refusal) for each in ends) == (short > given_)
            if short <= given_ and event != "fail":
                today, given_ = today + wanted - short, given_ - short
        assert await remaining(house) == given_
        assert (await facts(house)).conversations_today == today


async def facts(house: Largesse) -> UsageFacts:
    """What Bob's limits are decided on."""
    account, now = await house.club.account(BOB), house.club.hall.clock.now()
    return await house.club.store.read(lambda tx: tx.usage(account, now))


async def happened(house: Largesse, event: str) -> list[ChatEvent]:
    """Bob asks in one of several ways; how it ended."""
    hall = house.club.hall
    hall.one.errors = [GiveUpError("no")] if event == "fail" else []
    hall.two.errors = [GiveUpError("no")] if event == "fail" else []
    if event == "compare":
        async with aclosing(hall.chat().compare(hall.ask(person=BOB), ("quick", "spare"))) as events:
            found = [each async for each in events]
        pairs = [each[1] if isinstance(each, tuple) else each for each in found]
        return [each for each in pairs if isinstance(each, Answered | Failed | Refusal)]
    return [await last(hall.chat(), hall.ask(person=BOB))]


@given(st.integers(0, 30), st.integers(1, 4), st.integers(0, 9), st.integers(0, 9))
def test_a_case_needs_no_more_credits_than_it_begins_conversations(
    today: int, begins: int, limit: int, credits_: int
) -> None:
    tier = replace(FREE, conversations_per_day=limit, requests_per_minute=None, concurrent=None)
    case = limits.Case(
        tier, QUICK, UsageFacts(today, (), 0, Micros(0)), 0, NOW, begins=begins, credits=credits_
    )
    refused = limits.judge(case, CATALOGUE)
    assert 0 <= case.short <= begins
    assert (refused is not None) == (case.short > credits_)
    assert limits.standing(case).conversations_today - today + case.short == begins
