"""What newcomers are told: what is free and how to ask, and what to type instead of what they typed."""

from __future__ import annotations

import asyncio

import pytest

from bot import render
from bot.reply import Reply
from bot.typed import parse
from bot.words import say, speak, spoken
from engine.acquaintance import Acquaintance
from engine.domain import Refusal, RefusalReason, TierName
from engine.errors import TryAgainError
from tests.bot.counter import open_counter
from tests.bot.test_front import run
from tests.engine.conftest import ALICE, BOB, Hall
from tests.engine.conftest import hall as hall  # noqa: PLC0414 - a fixture


async def test_many_first_questions_at_once_bring_one_welcome(hall: Hall) -> None:
    counter = open_counter(hall.store, hall.clock, None, hall.catalogue)
    greeters = [counter.front(hall, welcomes=True).greeter for _ in range(5)]
    shown: list[str] = []

    async def show(reply: Reply) -> None:
        shown.append(reply.text)

    meetings = await asyncio.gather(*(greeter.meet(ALICE) for greeter in greeters))
    await asyncio.gather(
        *(greeter.welcome(met, show) for greeter, met in zip(greeters, meetings, strict=True))
    )
    assert len(shown) == 1
    assert not (await greeters[0].meet(ALICE)).new
    assert (await greeters[0].meet(BOB)).new


async def test_a_welcome_that_cannot_be_shown_is_no_failure(hall: Hall) -> None:
    greeter = open_counter(hall.store, hall.clock, None, hall.catalogue).front(hall, welcomes=True).greeter

    async def fail(reply: Reply) -> None:
        raise TryAgainError(reply.text)

    await greeter.welcome(await greeter.meet(ALICE), fail)


async def test_who_does_not_welcome_people_makes_no_accounts(hall: Hall) -> None:
    greeter = open_counter(hall.store, hall.clock, None, hall.catalogue).front(hall).greeter

    async def fail(reply: Reply) -> None:
        raise AssertionError(reply.text)

    await greeter.welcome(await greeter.meet(ALICE, "de"), fail)
    assert await hall.store.read(lambda tx: tx.find_account(ALICE)) is None
    meeting = await greeter.meet(ALICE, "de")
    await hall.store.transact(lambda tx: tx.lock_account(ALICE, hall.clock.now()))
    await greeter.welcome(meeting, fail)
    assert await hall.store.read(lambda tx: tx.acquaintance(ALICE)) == Acquaintance(locale="de")


async def test_without_the_database_the_platforms_language_has_to_do(hall: Hall) -> None:
    greeter = open_counter(hall.store, hall.clock, None, hall.catalogue).front(hall, welcomes=True).greeter
    await hall.store.close()
    met = await greeter.meet(ALICE, None, "fr")
    assert (spoken(), met.new) == ("fr", False)
    speak(None)


async def test_help_and_plans_are_translated_as_well(hall: Hall) -> None:
    front = open_counter(hall.store, hall.clock, None, hall.catalogue).front(hall)
    speak("de")
    told = await run(front, "help")
    speak(None)
    assert "Frag ein Modell" in told.text
    assert [button.label for button in told.buttons] == ["Tarife vergleichen"]


def test_an_empty_question_is_answered_with_an_example() -> None:
    assert "`/ask why is the sky blue?`" in render.refusal(Refusal(RefusalReason.EMPTY, TierName.FREE)).text


@pytest.mark.parametrize(("typed", "meant"), [("qiuck", "quick"), ("DEEPER", "deep"), ("zzz", None)])
def test_a_model_of_a_similar_name_is_suggested(typed: str, meant: str | None) -> None:
    reason = RefusalReason.UNKNOWN_MODEL
    refused = render.refusal(Refusal(reason, TierName.FREE, model=typed, choices=("quick", "deep")))
    start = f"There is no model `{typed}`. These exist: `quick`, `deep`."
    assert refused.text == (f"{start} Did you mean `{meant}`?" if meant else start)


def test_what_is_no_command_leads_to_the_list(hall: Hall) -> None:
    front = open_counter(hall.store, hall.clock, None, hall.catalogue).front(hall)
    problem = parse("/hlep")
    assert front.misspelt(problem).text == say("no-such-command", name="hlep")  # type: ignore[arg-type]
