"""What members write is looked at before a model sees it, and what was found is noted without it."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from datetime import timedelta

import pytest

from bot.console.report import stats_json, stats_lines
from engine.comparison import MOST
from engine.domain import (
    Answered,
    ChatEvent,
    Failed,
    FailureReason,
    Place,
    Platform,
    Redo,
    Refusal,
    RefusalReason,
    Started,
    TurnId,
)
from engine.errors import ContentRefusedError, GiveUpError, LateError, OutsideError, TellOperatorError
from engine.facts import Mode
from engine.files import Document, Image
from engine.models import Finish, Message, Role
from engine.moderating import SETTINGS_A_MINUTE, Moderating
from engine.places import InForce, Objection, Places
from engine.preferences import NotKept, Preferences
from engine.reports import Reports
from engine.screening import Finding, Screen, Screening, WhenAway
from engine.turns import UsageFacts
from tests.engine.conftest import ALICE, BOB, Hall, collect, last
from tests.fakes import files
from tests.fakes.models import Looker
from tests.storage.makers import rows

ASKED_OUTSIDE = Screening(Screen.OPENAI)
HERE = Place(Platform.DISCORD, "1")


@pytest.fixture
def looker(hall: Hall) -> Looker:
    """Whoever looks at the questions of this hall."""
    looker = Looker()
    hall.moderating = Moderating(hall.clock, ASKED_OUTSIDE, looker)
    return looker


def reason(event: ChatEvent) -> FailureReason:
    """Why an answer failed."""
    assert isinstance(event, Failed)
    return event.reason


async def usage(hall: Hall) -> UsageFacts:
    """What counts for Alice."""
    now = hall.clock.now()
    return await hall.store.transact(lambda tx: tx.usage(tx.lock_account(ALICE, now).id, now))


async def looks(hall: Hall) -> dict[Finding, int]:
    """What was found so far."""
    now = hall.clock.now()
    span = now - timedelta(days=1), now + timedelta(days=1)
    return dict(await hall.store.read(lambda tx: tx.looks(*span)))


async def test_a_flagged_question_goes_to_no_model_and_costs_and_counts_nothing(
    hall: Hall, looker: Looker
) -> None:
    events = await collect(hall.chat(), hall.ask("something bad"))
    started, end = events
    assert isinstance(started, Started)
    assert isinstance(end, Failed)
    assert (end.reason, end.text, end.counted) == (FailureReason.MODERATED, "", False)
    assert not hall.one.seen
    assert not hall.two.seen
    facts = await usage(hall)
    assert (facts.conversations_today, facts.at_once, facts.cost_month) == (0, 0, 0)
    assert looker.seen == [("something bad", 0)]


async def test_flagged_questions_count_in_the_minute(hall: Hall, looker: Looker) -> None:
    chat = hall.chat()
    for _ in range(4):
        assert reason(await last(chat, hall.ask("bad"))) is FailureReason.MODERATED
    refused = await last(chat, hall.ask("bad"))
    assert isinstance(refused, Refusal)
    assert refused.reason is RefusalReason.RATE
    assert len(looker.seen) == 4


async def test_questions_that_cannot_be_looked_at_count_in_the_minute(hall: Hall, looker: Looker) -> None:
    looker.error = LateError("openai did not look in time")
    chat = hall.chat()
    for _ in range(4):
        assert reason(await last(chat, hall.ask())) is FailureReason.UNCHECKED
    assert isinstance(await last(chat, hall.ask()), Refusal)
    assert (await usage(hall)).conversations_today == 0
    assert not hall.one.seen


async def test_a_good_question_is_answered(hall: Hall, looker: Looker) -> None:
    assert isinstance(await last(hall.chat(), hall.ask("something good")), Answered)
    assert await looks(hall) == {Finding.PASSED: 1}
    assert len(looker.seen) == 1


async def test_files_are_looked_at_with_the_question(hall: Hall, looker: Looker) -> None:
    hall.seeing("quick")
    notes = Document("notes.txt", "text/plain", "All of it is bad.")
    cat = Image("cat.png", "image/png", files.image("PNG"), 64, 48)
    end = await last(hall.chat(), hall.ask("Is it?", attachments=(cat, notes)))
    assert reason(end) is FailureReason.MODERATED
    assert looker.seen[0][1] == 1


@pytest.mark.parametrize("where", ["text", "file", "name"])
async def test_a_listed_word_is_found_in_text_and_files(hall: Hall, where: str) -> None:
    hall.moderating = Moderating(hall.clock, Screening(Screen.WORDS, words=("evil plan",)))
    name, text = ("evil plan.txt", "Hm.") if where == "name" else ("notes.txt", "My EVIL\nplan.")
    brought = () if where == "text" else (Document(name, "text/plain", text),)
    asked = hall.ask("An Evil Plan?" if where == "text" else "What is it?", attachments=brought)
    assert reason(await last(hall.chat(), asked)) is FailureReason.MODERATED
    assert not hall.one.seen


@pytest.mark.parametrize("when_away", WhenAway)
@pytest.mark.parametrize("error", [LateError("openai: late"), TellOperatorError("openai 401: what a key!")])
async def test_the_operator_decides_what_becomes_of_a_question_that_cannot_be_looked_at(
    hall: Hall, looker: Looker, when_away: WhenAway, error: OutsideError
) -> None:
    assert hall.moderating
    hall.moderating.refit(Screening(Screen.OPENAI, when_away=when_away), looker)
    looker.error = error
    end = await last(hall.chat(), hall.ask())
    if when_away is WhenAway.ANSWER:
        assert isinstance(end, Answered)
    else:
        assert reason(end) is FailureReason.UNCHECKED
    assert await looks(hall) == {Finding.UNCHECKED: 1}


@pytest.mark.parametrize("error", [GiveUpError("openai 400"), ContentRefusedError("openai 400")])
async def test_a_question_that_is_itself_why_it_cannot_be_looked_at_is_never_answered(
    hall: Hall, looker: Looker, error: OutsideError
) -> None:
    assert hall.moderating
    hall.moderating.refit(Screening(Screen.OPENAI, when_away=WhenAway.ANSWER), looker)
    looker.error = error
    assert reason(await last(hall.chat(), hall.ask())) is FailureReason.UNCHECKED


async def test_nobody_to_look_is_no_leave_to_answer(hall: Hall) -> None:
    hall.moderating = Moderating(hall.clock, ASKED_OUTSIDE)
    assert reason(await last(hall.chat(), hall.ask())) is FailureReason.UNCHECKED


async def test_the_question_of_a_comparison_is_looked_at_once(hall: Hall, looker: Looker) -> None:
    hall.free(compare=MOST)
    async with aclosing(hall.chat().compare(hall.ask("bad"), ("quick", "spare"))) as pairs:
        events = [pair[1] async for pair in pairs if isinstance(pair, tuple)]
    assert [reason(event) for event in events if isinstance(event, Failed)] == [FailureReason.MODERATED] * 2
    assert len(looker.seen) == 1
    assert await looks(hall) == {Finding.FLAGGED: 1}
    assert not hall.one.seen
    assert not hall.two.seen


async def test_a_question_asked_again_is_looked_at_again(hall: Hall, looker: Looker) -> None:
    chat = hall.chat()
    first = await last(chat, hall.ask("fine so far"))
    assert isinstance(first, Answered)
    looker.bad = "fine"
    again = await last(chat, hall.ask("", redo=Redo.REGENERATE, about=first.turn))
    assert reason(again) is FailureReason.MODERATED
    assert len(hall.one.seen) == 1


async def test_going_on_with_an_answer_asks_nothing_that_could_be_looked_at(
    hall: Hall, looker: Looker
) -> None:
    hall.one.finish = Finish.LENGTH
    chat = hall.chat()
    first = await last(chat, hall.ask())
    assert isinstance(first, Answered)
    looker.error = LateError("openai: late")
    assert isinstance(await last(chat, hall.ask("", redo=Redo.CONTINUE, about=first.turn)), Answered)
    assert len(looker.seen) == 1


async def test_stop_does_not_wait_for_whoever_looks(hall: Hall, looker: Looker) -> None:
    looker.go = asyncio.Event()
    chat = hall.chat()
    async with aclosing(chat.ask(hall.ask())) as events:
        started = await anext(events)
        assert isinstance(started, Started)
        end = asyncio.ensure_future(anext(events))
        await looker.asked.wait()
        assert await chat.stop(started.turn, ALICE)
        assert reason(await end) is FailureReason.STOPPED
    assert await looks(hall) == {}
    assert not hall.one.seen


async def test_a_look_that_is_broken_off_is_left_to_the_next(hall: Hall, looker: Looker) -> None:
    assert hall.moderating
    inspection = hall.moderating.inspection(TurnId("turn"), Message(Role.USER, "bad"))
    assert inspection
    looker.go = asyncio.Event()
    first, second = (asyncio.ensure_future(inspection()) for _ in range(2))
    await looker.asked.wait()
    first.cancel()
    looker.go.set()
    assert await second is FailureReason.MODERATED
    assert len(looker.seen) == 2


async def test_neither_rows_nor_log_hold_what_was_asked(
    hall: Hall, looker: Looker, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    chat = hall.chat()
    await last(chat, hall.ask("bad xyzzy"))
    looker.error = TellOperatorError("openai 401 invalid_api_key: you wrote xyzzy")
    await last(chat, hall.ask("xyzzy once more"))
    assert await looks(hall) == {Finding.FLAGGED: 1, Finding.UNCHECKED: 1}
    found = next(each for each in caplog.records if each.message == "looked at")
    assert (found.finding, found.categories) == ("flagged", "harassment,violence")  # type: ignore[attr-defined]
    assert "xyzzy" not in repr([vars(record) for record in caplog.records])
    noted = rows(database_url, "SELECT * FROM screening")
    assert len(noted) == 2
    assert "xyzzy" not in repr(noted)
    alerts = rows(database_url, "SELECT * FROM alert")
    assert len(alerts) == 1
    assert "xyzzy" not in repr(alerts)


async def test_an_account_of_the_turn_is_noted(hall: Hall, looker: Looker, database_url: str) -> None:
    end = await last(hall.chat(), hall.ask("bad"))
    assert isinstance(end, Failed)
    found = rows(database_url, "SELECT s.turn, s.screen FROM screening s JOIN account a ON a.id = s.account")
    assert [tuple(row) for row in found] == [(end.turn, "openai")]
    assert looker.seen


async def test_instructions_are_looked_at_before_they_are_kept(hall: Hall, looker: Looker) -> None:
    wishes = Preferences(hall.store, hall.clock, hall.moderating)
    assert await wishes.instruct(ALICE, "be bad") is NotKept.MODERATED
    assert await wishes.instruct(ALICE, "be good") is None
    looker.error = LateError("openai: late")
    assert await wishes.instruct(ALICE, "be better") is NotKept.UNCHECKED
    assert await wishes.instruct(ALICE, "x" * 1001) is NotKept.LONG
    account = await wishes.account(ALICE)
    assert account
    assert account.instructions == "be good"
    assert await looks(hall) == {Finding.FLAGGED: 1, Finding.PASSED: 1, Finding.UNCHECKED: 1}
    assert await wishes.instruct(ALICE, " ") is None
    assert [text for text, _ in looker.seen] == ["be bad", "be good", "be better"]


async def test_nobody_has_instructions_looked_at_as_often_as_they_like(hall: Hall, looker: Looker) -> None:
    wishes = Preferences(hall.store, hall.clock, hall.moderating)
    for number in range(SETTINGS_A_MINUTE):
        assert await wishes.instruct(ALICE, f"Be {number}.") is None
    assert await wishes.instruct(ALICE, "Be more.") is NotKept.UNCHECKED
    assert await wishes.instruct(BOB, "Be more.") is None
    assert len(looker.seen) == SETTINGS_A_MINUTE + 1
    hall.clock.advance(timedelta(seconds=61))
    assert await wishes.instruct(ALICE, "Be more.") is None


async def test_at_once_they_are_not_looked_at_more_often(hall: Hall, looker: Looker) -> None:
    wishes = Preferences(hall.store, hall.clock, hall.moderating)
    found = await asyncio.gather(*(wishes.instruct(ALICE, f"Be {number}.") for number in range(12)))
    assert found.count(None) == len(looker.seen) == SETTINGS_A_MINUTE


async def test_a_persona_is_looked_at_before_it_is_kept(hall: Hall, looker: Looker) -> None:
    places = Places(hall.store, hall.clock, hall.catalogue, hall.moderating)
    assert await places.give_persona(HERE, "be bad") is Objection.MODERATED
    looker.error = LateError("openai: late")
    assert await places.give_persona(HERE, "be good") is Objection.UNCHECKED
    assert await places.give_persona(HERE, "x" * 1001) is Objection.TOO_LONG
    looker.error = None
    found = await places.give_persona(HERE, "be good")
    assert isinstance(found, InForce)
    assert found.rules.persona == "be good"
    assert len(looker.seen) == 3


async def test_the_report_counts_what_was_found_in_its_time(hall: Hall, looker: Looker) -> None:
    assert looker.seen == []
    chat, reports = hall.chat(), Reports(hall.store, hall.clock, hall.catalogue, Mode.TEST)
    for text in ("good", "bad", "better"):
        await last(chat, hall.ask(text))
    now = hall.clock.now()
    stats = await reports.get_subscription_stats(now, now + timedelta(days=1))
    assert "Looked at                      3  1 flagged, 0 not checked" in stats_lines(stats)
    assert stats_json(stats)["looks"] == {"passed": 2, "flagged": 1, "unchecked": 0}
    before = await reports.get_subscription_stats(now - timedelta(days=1), now)
    assert not before.looks
