"""What a limit stopped on Discord waits there, and one press has it answered where it was asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from engine.domain import AccountId, Kept, KeptId, Person, Platform, TierName
from engine.facts import Mode
from engine.ledger import Tx
from engine.notices import Notice, NoticeId, NoticeKind
from storage.store import Store
from tests.discord.conftest import Stage
from tests.discord.test_threads import opened
from tests.engine.conftest import Hall
from tests.fakes.clock import FakeClock
from tests.fakes.discord import Message
from tests.fakes.discord.interaction import Interaction
from tests.fakes.discord.shapes import SEND

HALF_A_DAY = timedelta(hours=12)
ANSWERED = "conversation 1 of 2 today"


@pytest.fixture
def hall(store: Store, clock: FakeClock) -> Hall:
    """Two conversations a day, and a key."""
    made = Hall(store, clock, keys=("k" * 32,))
    made.free(conversations_per_day=2, requests_per_minute=None, concurrent=None, compare=2)
    return made


async def use_up(stage: Stage) -> None:
    """Spend the day's conversations, in the DM."""
    for number, words in enumerate(("Hi", "/new", "Hi"), 1):
        stage.discord.dm("alice", words)
        await stage.told("alice", number)
    await stage.told("alice", 1, "conversation 2 of 2 today")


async def stopped(stage: Stage, **options: str) -> Interaction:
    """A refused `/ask`."""
    await use_up(stage)
    used = stage.discord.slash("alice", "ask", {"prompt": "again", **options})
    shown = await stage.discord.answered(used)
    assert used.private()
    assert "Your question is kept until 25 November, 12:00 UTC: press **Ask again**" in shown.text
    return used


def press(stage: Stage, message: Message, label: str = "Ask again", who: str = "alice") -> Interaction:
    """Press a button of a message."""
    return stage.discord.press(who, message, message.button(label)["custom_id"])


def openly(stage: Stage) -> list[Message]:
    """What everybody sees in the channel."""
    return [message for message in stage.discord.transcript() if not message.only_for]


async def ended(stage: Stage, used: Interaction) -> Message:
    """The answer to an interaction."""
    await stage.discord.world.pulse.until(lambda: any(ANSWERED in text for text in used.texts()))
    return used.messages[-1]


async def test_the_private_refusal_of_a_command_has_it_answered_in_the_channel(stage: Stage) -> None:
    refused = (await stopped(stage)).messages[0]
    again = press(stage, refused)
    still = await stage.discord.answered(again)
    assert again.private()
    assert "Your question is kept until" in still.text
    assert openly(stage) == []
    stage.hall.clock.advance(HALF_A_DAY)
    pressed = press(stage, still)
    answer = await ended(stage, pressed)
    assert not pressed.private()
    assert answer.text.startswith("Hello there.\n")
    assert openly(stage) == [answer]
    late = press(stage, refused)
    assert "not waiting any more" in (await stage.discord.answered(late)).text
    assert late.private()
    assert [each.messages[-1].text for each in stage.model.seen] == ["Hi", "Hi", "again"]


async def test_two_presses_at_once_bring_one_answer(stage: Stage) -> None:
    refused = (await stopped(stage)).messages[0]
    stage.hall.clock.advance(HALF_A_DAY)
    both = [press(stage, refused) for _ in range(2)]
    shown = [await stage.discord.answered(each) for each in both]
    await stage.shown(words=ANSWERED)
    assert sum("not waiting any more" in each.text for each in shown) == 1
    assert len(stage.model.seen) == 3


async def test_what_was_asked_privately_is_answered_privately(stage: Stage) -> None:
    refused = (await stopped(stage, private="on")).messages[0]
    stage.hall.clock.advance(HALF_A_DAY)
    pressed = press(stage, refused)
    assert (await ended(stage, pressed)).text.startswith("Hello there.\n")
    assert pressed.private()
    assert openly(stage) == []


async def test_what_was_to_be_answered_in_a_thread_opens_one(stage: Stage) -> None:
    refused = (await stopped(stage, thread="on")).messages[0]
    stage.hall.clock.advance(HALF_A_DAY)
    press(stage, refused)
    thread = await opened(stage)
    (answer,) = await stage.shown(thread.id)
    assert (thread.name, answer.text.partition("\n")[0]) == ("again", "Hello there.")


async def test_a_mention_that_was_refused_is_answered_there_for_the_one_who_asked(stage: Stage) -> None:
    await use_up(stage)
    stage.discord.say("alice", "general", "again", mention_bot=True)
    (refused,) = await stage.shown(words="Your question is kept until")
    stage.hall.clock.advance(HALF_A_DAY)
    foreign = press(stage, refused, who="bob")
    assert "Only the one who asked" in (await stage.discord.answered(foreign)).text
    answer = await ended(stage, press(stage, refused))
    assert stage.discord.transcript()[-1] is answer
    stage.discord.say("alice", "general", "and?", mention_bot=True, reply_to=answer)
    await stage.shown(count=2, words=ANSWERED)
    assert len(stage.model.seen[-1].messages) == 3


def notice(stage: Stage, refused: Message) -> Notice:
    """The news of a payment while the question of a refusal waits."""
    now = datetime.fromtimestamp(stage.discord.world.clock.now(), UTC)
    person = Person(Platform.DISCORD, "", stage.discord.world.user("alice").id)
    name = refused.button("Ask again")["custom_id"].rpartition(":")[2]
    return Notice(
        NoticeId("n"),
        "n",
        AccountId("a"),
        Mode.LIVE,
        person,
        NoticeKind.ACTIVATED,
        TierName.PREMIUM,
        now,
        kept=Kept(KeptId(name), stage.hall.clock.now() + HALF_A_DAY),
    )


async def test_the_button_of_the_news_has_it_answered_below_the_question_in_its_channel(stage: Stage) -> None:
    await use_up(stage)
    asked = stage.discord.say("alice", "general", "again", mention_bot=True)
    (refused,) = await stage.shown(words="Your question is kept until")
    stage.hall.clock.advance(HALF_A_DAY)
    await stage.bot.messenger.deliver(notice(stage, refused), again=False)
    told = stage.discord.dms("alice")[-1]
    pressed = press(stage, told, "Answer it now")
    (answer,) = await stage.shown(words=ANSWERED)
    assert answer.text.startswith("Hello there.\n")
    assert answer.wire["message_reference"]["message_id"] == str(asked.id)
    shown = await stage.discord.answered(pressed)
    assert shown.text == f"I answer it where you asked it: <#{answer.channel.id}>"


async def test_where_it_may_not_write_any_more_it_answers_beside_the_button(stage: Stage) -> None:
    await use_up(stage)
    stage.discord.say("alice", "general", "again", mention_bot=True)
    (refused,) = await stage.shown(words="Your question is kept until")
    stage.hall.clock.advance(HALF_A_DAY)
    await stage.bot.messenger.deliver(notice(stage, refused), again=False)
    stage.discord.world.deny(refused.channel, SEND)
    pressed = press(stage, stage.discord.dms("alice")[-1], "Answer it now")
    assert (await ended(stage, pressed)).text.startswith("Hello there.\n")
    assert stage.discord.transcript()[-1] is refused


async def test_news_that_is_sent_again_is_recognised_though_nothing_waits_any_more(stage: Stage) -> None:
    refused = (await stopped(stage)).messages[0]
    owed = notice(stage, refused)
    await stage.bot.messenger.deliver(owed, again=False)
    count = len(stage.discord.dms("alice"))
    stage.discord.world.clock.advance(3600)
    await stage.bot.messenger.deliver(replace(owed, kept=None), again=True)
    assert len(stage.discord.dms("alice")) == count


async def test_what_was_asked_privately_is_not_shown_to_all_by_the_button_of_the_news(stage: Stage) -> None:
    refused = (await stopped(stage, private="on")).messages[0]
    stage.hall.clock.advance(HALF_A_DAY)
    await stage.bot.messenger.deliver(notice(stage, refused), again=False)
    answer = await ended(stage, press(stage, stage.discord.dms("alice")[-1], "Answer it now"))
    assert answer in stage.discord.dms("alice")
    assert openly(stage) == []


async def test_a_comparison_that_was_refused_is_made_in_its_channel(stage: Stage) -> None:
    await use_up(stage)
    options = {"prompt": "again", "first": "quick", "second": "spare"}
    refused = await stage.discord.answered(stage.discord.slash("alice", "compare", options))
    assert "Your question is kept until" in refused.text
    stage.hall.clock.advance(HALF_A_DAY)
    pressed = press(stage, refused)
    await stage.discord.world.pulse.until(
        lambda: any("conversation 2 of 2 today" in text for text in pressed.texts())
    )
    (board,) = openly(stage)
    assert all(name in board.text for name in ("**quick**", "**spare**"))
    assert not pressed.private()


async def test_what_was_asked_privately_is_not_shown_to_all_by_news_that_came_with_another_press(
    stage: Stage,
) -> None:
    stage.discord.say("alice", "general", "Hi", mention_bot=True)
    (public,) = await stage.shown(words=ANSWERED)
    stage.discord.dm("alice", "Hi")
    await stage.told("alice", 1, "conversation 2 of 2 today")
    used = stage.discord.slash("alice", "ask", {"prompt": "a secret", "private": "on"})
    refused = await stage.discord.answered(used)
    owed = replace(notice(stage, refused), mode=Mode.SIMULATED)

    def keep(tx: Tx) -> None:
        account = tx.lock_account(owed.person, stage.hall.clock.now()).id
        tx.owe(replace(owed, account=account))
        tx.keep_notice(owed.id)

    await stage.hall.store.transact(keep)
    stage.hall.clock.advance(HALF_A_DAY)
    told = stage.discord.press("alice", public, public.button("Other model")["custom_id"])
    shown = await stage.discord.answered(told)
    assert told.private()
    before = openly(stage)
    pressed = press(stage, shown, "Answer it now")
    await ended(stage, pressed)
    assert pressed.private()
    assert openly(stage) == before
