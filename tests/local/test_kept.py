"""What a limit stopped in the playground waits there, and one press has it answered where it was asked."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from io import BytesIO
from zipfile import ZipFile

import pytest

from engine.domain import Person
from engine.jobs import Notices
from tests.bot.test_front import front_of
from tests.engine.conftest import ALICE, BOB, Hall
from tests.fakes.pulse import PATIENCE
from tests.local.conftest import Json, Talk
from tests.local.test_answers import action, labels
from tests.money.conftest import Till

KEPT = (
    "Your question is kept until 25 November, 12:00 UTC: press **Ask again** as soon as the limit is lifted"
)


@pytest.fixture
def hall(hall: Hall) -> Hall:
    """Two conversations a day, and a key."""
    hall.keys = ("k" * 32,)
    hall.free(conversations_per_day=2, requests_per_minute=None, concurrent=None, compare=2)
    return hall


async def refused(talk: Talk, text: str = "/ask again", room: str = "general") -> Json:
    """The refusal of one conversation more, whose question is kept."""
    for key in ("first", "second"):
        await talk.say("/ask Hi", key=key)
    found = await talk.say(text, room=room)
    assert KEPT in found["text"]
    assert labels(found)[-1] == "Ask again"
    return found


async def press(talk: Talk, message: Json, label: str, below: str, who: Person = ALICE) -> Json:
    """The bot's message below another one that comes of pressing a button."""
    async with talk.bot.events(who) as changes, asyncio.timeout(PATIENCE):
        await talk.bot.press(who, message["id"], action(message, label))
        return await talk.answering(changes, below, {"done"})


async def pay(talk: Talk, till: Till, hall: Hall) -> Json:
    """Buy, pay, and be told by a notice; that notice."""
    await talk.say("/upgrade premium")
    notices = Notices(hall.store, hall.clock, till.gateway.mode)
    notices.messengers[ALICE.platform] = talk.bot
    till.stripe.drive.pay(till.session())
    await till.settle()
    await notices.work()
    return next(each for each in await talk.seen() if "Thank you!" in each["text"])


async def test_after_the_payment_the_notice_has_the_question_answered_where_it_was_asked(
    talk: Talk, till: Till, hall: Hall
) -> None:
    stopped = await refused(talk)
    notice = await pay(talk, till, hall)
    assert notice["room"] == "dm"
    assert "Your question is still waiting, until 25 November, 12:00 UTC." in notice["text"]
    assert labels(notice) == ["Answer it now"]
    there = await press(talk, notice, "Answer it now", notice["id"])
    assert there["text"] == "I answer it where you asked it: **general**"
    answers = [each for each in await talk.seen() if each["reply_to"] == stopped["reply_to"]]
    assert [(each["room"], each["text"]) for each in answers] == [
        ("general", stopped["text"]),
        ("general", "Hello there."),
    ]
    assert [message.text for message in hall.one.seen[-1].messages] == ["again"]
    late = await press(talk, stopped, "Ask again", stopped["id"])
    assert late["text"].startswith("That question is not waiting any more")
    assert len(hall.one.seen) == 3


async def test_while_the_limit_holds_a_press_says_so_and_after_it_the_same_button_answers(
    talk: Talk, hall: Hall
) -> None:
    stopped = await refused(talk, "again", room="dm")
    still = await press(talk, stopped, "Ask again", stopped["reply_to"])
    assert KEPT in still["text"]
    assert len(hall.one.seen) == 2
    hall.clock.advance(timedelta(hours=12) - timedelta(seconds=1))
    answer = await press(talk, still, "Ask again", stopped["reply_to"])
    assert answer["text"].startswith("You have begun")
    hall.clock.advance(timedelta(seconds=1))
    answer = await press(talk, stopped, "Ask again", stopped["reply_to"])
    assert (answer["room"], answer["text"]) == ("dm", "Hello there.")
    await talk.say("and?", room="dm")
    assert [message.text for message in hall.one.seen[-1].messages] == ["again", "Hello there.", "and?"]


async def test_what_was_asked_privately_is_answered_privately(talk: Talk, hall: Hall) -> None:
    stopped = await refused(talk, "/ask private:on my secret")
    hall.clock.advance(timedelta(hours=12))
    answer = await press(talk, stopped, "Ask again", stopped["reply_to"])
    assert (answer["kind"], answer["text"]) == ("private", "Hello there.")
    assert not [each for each in await talk.seen(BOB) if each["reply_to"] == stopped["reply_to"]]


async def test_a_comparison_is_made_after_all_each_answer_in_a_message(talk: Talk, hall: Hall) -> None:
    stopped = await refused(talk, "/compare models:quick,spare which?")
    hall.clock.advance(timedelta(hours=12))
    ends: dict[str, str] = {}
    async with talk.bot.events(ALICE) as changes, asyncio.timeout(PATIENCE):
        await talk.bot.press(ALICE, stopped["id"], action(stopped, "Ask again"))
        while len(ends) < 2:
            end = await talk.answering(changes, stopped["reply_to"], {"done"})
            ends[end["id"]] = end["text"]
    assert sorted(ends.values()) == ["**quick**\n\nHello there.", "**spare**\n\nHello there."]


async def test_nobody_else_has_it_answered(talk: Talk, hall: Hall) -> None:
    stopped = await refused(talk, "@bot again")
    hall.clock.advance(timedelta(hours=12))
    with pytest.raises(ValueError, match="no such button"):
        await talk.bot.press(BOB, stopped["id"], action(stopped, "Ask again"))
    assert len(hall.one.seen) == 2


async def test_usage_says_what_is_kept_and_throws_it_away(talk: Talk, hall: Hall) -> None:
    stopped = await refused(talk)
    usage = await talk.say("/usage")
    assert "A question that a limit stopped is kept until 25 November, 12:00 UTC." in usage["text"]
    assert labels(usage)[:2] == ["Answer it now", "Throw it away"]
    thrown = await press(talk, usage, "Throw it away", usage["id"])
    assert thrown["text"] == "Thrown away: nothing of what you asked then is kept."
    assert "is kept until" not in (await talk.say("/usage"))["text"]
    hall.clock.advance(timedelta(hours=12))
    late = await press(talk, stopped, "Ask again", stopped["id"])
    assert late["text"].startswith("That question is not waiting any more")


async def test_an_export_has_ones_own_question_that_waits_and_nobody_elses(talk: Talk) -> None:
    await refused(talk)
    told = await talk.say("/export")
    _, content = await talk.bot.file(ALICE, told["id"]) or ("", b"")
    with ZipFile(BytesIO(content)) as packed:
        plain = json.loads(packed.read("conversations.json"))
        words = packed.read("conversations.md").decode()
    assert plain["waiting"] == [
        {
            "asked_at": "2026-11-24T12:00:00+00:00",
            "until": "2026-11-25T12:00:00+00:00",
            "prompt": "again",
            "files": [],
        }
    ]
    assert "## 2026-11-24 12:00 UTC, waiting until 2026-11-25 12:00 UTC\n\n> again" in words
    assert (await talk.say("/export", who=BOB))["text"] == "There is nothing to export yet."


async def test_without_a_key_the_refusal_promises_nothing(hall: Hall) -> None:
    hall.keys = ()
    hall.free(conversations_per_day=0)
    talk = Talk(hall, front_of(hall))
    stopped = await talk.say("/ask again")
    assert "0 conversations a day" in stopped["text"]
    assert "kept" not in stopped["text"]
    assert "Ask again" not in labels(stopped)
    assert "kept" not in (await talk.say("/usage"))["text"]
    await talk.stop()
