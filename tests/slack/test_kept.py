"""What a limit stopped in Slack waits there, and one press has it answered where it was asked."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.domain import AccountId, Kept, KeptId, Person, Platform, TierName
from engine.facts import Mode
from engine.notices import Notice, NoticeId, NoticeKind
from storage.store import Store
from tests.engine.conftest import Hall
from tests.fakes.clock import FakeClock
from tests.fakes.slack import ALICE, BOB, GENERAL, PRIVATE, TEAM, FakeSlack, Message
from tests.slack.conftest import Stage
from tests.slack.test_private_replies import button
from tests.slack.test_redone import ended

HALF_A_DAY = timedelta(hours=12)
KEPT = "Your question is kept until 25 November, 12:00 UTC: press **Ask again**"


@pytest.fixture
def hall(store: Store, clock: FakeClock) -> Hall:
    """Two conversations a day, and a key."""
    made = Hall(store, clock, keys=("k" * 32,))
    made.free(conversations_per_day=2, requests_per_minute=None, concurrent=None, compare=2)
    return made


async def use_up(stage: Stage) -> None:
    """Spend the day's conversations, in the DM."""
    dm = stage.slack.workspace.dm(ALICE).id
    await stage.slack.dm(ALICE, "Hi")
    await ended(stage.slack, dm)
    await stage.slack.dm(ALICE, "/new")
    await stage.slack.wait_for(lambda: [m for m in stage.slack.dms(ALICE) if m.by_app][1:])
    await stage.slack.dm(ALICE, "Hi")
    await ended(stage.slack, dm, 2)


async def whispered(slack: FakeSlack, words: str, count: int = 1) -> list[Message]:
    """Alice's private messages with these words."""

    def complete() -> list[Message] | None:
        found = [m for m in slack.ephemerals(ALICE) if words in m.shown]
        return found if len(found) >= count else None

    return await slack.wait_for(complete)


async def press(stage: Stage, message: Message, label: str = "Ask again") -> None:
    """Press a button of a message."""
    await stage.slack.press(ALICE, message, button(message, label))


async def test_a_mention_that_was_refused_is_answered_in_its_thread_once(stage: Stage) -> None:
    slack = stage.slack
    await use_up(stage)
    said = await slack.mention(ALICE, GENERAL, "again")
    (refused,) = await whispered(slack, KEPT)
    await press(stage, refused)
    assert [m.by_app for m in slack.transcript()] == [False]
    still = (await whispered(slack, KEPT, 2))[1]
    stage.hall.clock.advance(HALF_A_DAY)
    for each in (refused, still):
        await press(stage, each)
    (answer,) = await ended(slack, GENERAL)
    assert (answer.thread_ts, "Hello there." in answer.shown) == (said.ts, True)
    assert len(await whispered(slack, "not waiting any more")) == 1
    await slack.say(ALICE, GENERAL, "and?", thread_ts=said.ts)
    await ended(slack, GENERAL, 2)
    assert [each.messages[-1].text for each in stage.model.seen] == ["Hi", "Hi", "again", "and?"]
    assert len(stage.model.seen[-1].messages) == 3


async def test_the_answer_to_a_command_begins_a_thread_below_its_question(stage: Stage) -> None:
    slack = stage.slack
    await use_up(stage)
    await slack.slash(ALICE, "/ask", "again")
    (refused,) = await whispered(slack, KEPT)
    stage.hall.clock.advance(HALF_A_DAY)
    await press(stage, refused)
    (answer,) = await ended(slack, GENERAL)
    assert answer.thread_ts is None
    assert answer.shown.startswith(f"<@{ALICE}> asked: again")


@pytest.mark.parametrize("channel", [GENERAL, PRIVATE])
async def test_what_was_asked_privately_is_answered_privately(stage: Stage, channel: str) -> None:
    slack = stage.slack
    await use_up(stage)
    await slack.slash(ALICE, "/ask", "private:on again", channel=channel)
    (refused,) = await whispered(slack, KEPT)
    stage.hall.clock.advance(HALF_A_DAY)
    await press(stage, refused)
    await whispered(slack, "Hello there.")
    assert slack.transcript(channel) == slack.ephemerals(BOB) == []


async def told(stage: Stage, refused: Message) -> Message:
    """The news of a payment while the question of a refusal waits."""
    name = button(refused, "Ask again").rpartition(":")[2]
    news = Notice(
        NoticeId("n"),
        "n",
        AccountId("a"),
        Mode.LIVE,
        Person(Platform.SLACK, TEAM, ALICE),
        NoticeKind.ACTIVATED,
        TierName.PREMIUM,
        stage.hall.clock.now(),
        kept=Kept(KeptId(name), stage.hall.clock.now() + HALF_A_DAY),
    )
    await stage.bot.messenger.deliver(news, again=False)
    return next(m for m in stage.slack.dms(ALICE) if "Your question is still waiting" in m.shown)


async def test_the_button_of_the_news_has_it_answered_in_the_thread_of_the_question(stage: Stage) -> None:
    slack = stage.slack
    await use_up(stage)
    said = await slack.mention(ALICE, GENERAL, "again")
    (refused,) = await whispered(slack, KEPT)
    stage.hall.clock.advance(HALF_A_DAY)
    await press(stage, await told(stage, refused), "Answer it now")
    (answer,) = await ended(slack, GENERAL)
    assert answer.thread_ts == said.ts
    await whispered(slack, f"I answer it where you asked it: <#{GENERAL}>")


async def test_where_it_may_not_write_it_answers_in_the_direct_messages(stage: Stage) -> None:
    slack = stage.slack
    await use_up(stage)
    await slack.slash(ALICE, "/ask", "again", channel=PRIVATE)
    (refused,) = await whispered(slack, KEPT)
    stage.hall.clock.advance(HALF_A_DAY)
    await press(stage, await told(stage, refused), "Answer it now")
    await whispered(slack, "Hello there.")
    assert slack.transcript(PRIVATE) == []


async def test_what_was_asked_privately_is_not_shown_to_all_by_the_button_of_the_news(stage: Stage) -> None:
    slack = stage.slack
    await use_up(stage)
    await slack.slash(ALICE, "/ask", "private:on again")
    (refused,) = await whispered(slack, KEPT)
    stage.hall.clock.advance(HALF_A_DAY)
    await press(stage, await told(stage, refused), "Answer it now")
    await ended(slack, slack.workspace.dm(ALICE).id, 3)
    assert slack.transcript() == slack.ephemerals(BOB) == []


async def test_a_comparison_that_was_refused_is_made_in_a_thread_of_its_channel(stage: Stage) -> None:
    slack = stage.slack
    await use_up(stage)
    await slack.slash(ALICE, "/compare", "models:quick,spare again")
    (refused,) = await whispered(slack, KEPT)
    stage.hall.clock.advance(HALF_A_DAY)
    await press(stage, refused)
    answers = await ended(slack, GENERAL, 2)
    head = slack.transcript()[0]
    assert head.shown == f"<@{ALICE}> asked: again"
    assert {answer.thread_ts for answer in answers} == {head.ts}
