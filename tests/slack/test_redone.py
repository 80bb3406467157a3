"""What follows an answer in Slack: again, with another model, compared, in private, or as a file."""

from __future__ import annotations

import pytest

from bot.bundle import plain
from engine.domain import Person, Platform
from engine.models import Finish
from tests.engine.conftest import Hall
from tests.fakes.slack import ALICE, BOB, GENERAL, PRIVATE, TEAM, FakeSlack, Message
from tests.slack.conftest import Stage
from tests.slack.test_private_replies import button, private


@pytest.fixture
def hall(hall: Hall) -> Hall:
    """Two models that may be compared."""
    hall.free(compare=2, requests_per_minute=None, concurrent=None)
    return hall


async def ended(slack: FakeSlack, channel: str, count: int = 1) -> list[Message]:
    """The bot's messages of a channel once that many are complete, with their buttons."""

    def complete() -> list[Message] | None:
        found = [m for m in slack.transcript(channel) if m.by_app and " today" in m.shown]
        return found if len(found) >= count else None

    return await slack.wait_for(complete)


async def test_an_answer_is_written_again_in_the_same_thread_for_the_one_who_asked(stage: Stage) -> None:
    slack = stage.slack
    said = await slack.mention(ALICE, GENERAL, "why?")
    first = (await ended(slack, GENERAL))[0]
    await slack.press(BOB, first, button(first, "Regenerate"))
    refused = (await private(slack, BOB))[0]
    assert refused.thread_ts == said.ts
    assert len(stage.model.seen) == 1
    await slack.press(ALICE, first, button(first, "Regenerate"))
    second = (await ended(slack, GENERAL, 2))[1]
    assert second.thread_ts == said.ts
    assert [len(completion.messages) for completion in stage.model.seen] == [1, 1]
    await slack.press(ALICE, second, button(second, "Other model"))
    offered = (await private(slack, ALICE))[-1]
    await slack.press(ALICE, offered, offered.buttons[0]["action_id"])
    assert (await ended(slack, GENERAL, 3))[2].thread_ts == said.ts
    assert len(stage.hall.two.seen) == 1


async def test_the_answer_to_a_command_is_written_again_in_its_thread(stage: Stage) -> None:
    slack = stage.slack
    await slack.slash(ALICE, "/ask", "why?")
    first = (await ended(slack, GENERAL))[0]
    await slack.press(ALICE, first, button(first, "Regenerate"))
    assert (await ended(slack, GENERAL, 2))[1].thread_ts == first.ts


async def test_compared_models_answer_side_by_side_in_one_thread(stage: Stage) -> None:
    slack = stage.slack
    await slack.slash(ALICE, "/compare", "models:quick,spare why?")
    answers = await ended(slack, GENERAL, 2)
    head = slack.transcript()[0]
    assert head.shown == f"<@{ALICE}> asked: why?"
    assert {answer.thread_ts for answer in answers} == {head.ts}
    assert sorted(answer.shown.partition("\n")[0] for answer in answers) == ["**quick**", "**spare**"]
    other = next(answer for answer in answers if answer.shown.startswith("**spare**"))
    await slack.press(ALICE, other, button(other, "Continue with"))
    await slack.wait_for(lambda: [m for m in slack.ephemerals(ALICE) if "spare" in m.shown])
    await slack.say(ALICE, GENERAL, "go on", thread_ts=head.ts)
    await ended(slack, GENERAL, 3)
    assert 3 in [len(each.messages) for each in (*stage.model.seen, *stage.hall.two.seen)]


@pytest.mark.parametrize("channel", [GENERAL, PRIVATE])
async def test_a_private_question_leaves_nothing_for_others_to_see(stage: Stage, channel: str) -> None:
    slack = stage.slack
    await slack.slash(ALICE, "/ask", "private:on why?", channel=channel)
    seen = await slack.wait_for(lambda: [m for m in slack.ephemerals(ALICE) if "Hello there." in m.shown])
    assert len(slack.ephemerals(ALICE)) == len(seen) == 1
    assert slack.transcript(channel) == slack.ephemerals(BOB) == []


async def test_conversations_are_taken_away_as_a_file_by_dm(stage: Stage) -> None:
    slack = stage.slack
    await slack.mention(ALICE, GENERAL, "why?")
    await ended(slack, GENERAL)
    await slack.slash(ALICE, "/export")
    await slack.wait_for(lambda: [m for m in slack.ephemerals(ALICE) if "direct message" in m.shown])
    ((_, length, content),) = slack.workspace.uploads.values()
    assert content
    assert len(content) == length
    assert slack.dms(ALICE)[-1].metadata


async def test_an_answer_is_rated_by_the_one_who_asked_and_the_last_word_counts(stage: Stage) -> None:
    slack = stage.slack
    await slack.mention(ALICE, GENERAL, "why?")
    await slack.dm(ALICE, "why?")
    streamed, in_dm = (await ended(slack, GENERAL))[0], (await ended(slack, slack.workspace.dm(ALICE).id))[0]
    await slack.slash(ALICE, "/ask", "why?")
    edited = (await ended(slack, GENERAL, 2))[1]
    for answer in (streamed, in_dm, edited):
        assert (await slack.rate(ALICE, answer, "bad")).took < 1
    thanks = await private(slack, ALICE, 3)
    assert [m.shown for m in thanks] == ["Thanks, noted."] * 3
    await slack.rate(ALICE, streamed, "good")
    await private(slack, ALICE, 4)
    await slack.rate(BOB, streamed, "bad")
    assert "Only who asked" in (await private(slack, BOB))[0].shown
    assert await ratings(stage) == [False, False, True]
    assert [m.ts for m in slack.transcript(GENERAL) if m.by_app] == [streamed.ts, edited.ts]


async def ratings(stage: Stage) -> list[bool]:
    """What is kept, and exported, of what members think."""
    person = Person(Platform.SLACK, TEAM, ALICE)
    pieces = [piece async for piece in stage.front.members.archive.pieces(person)]
    turns = [turn for piece in pieces for turn in piece.turns]
    assert {plain(turn)["rating"] for turn in turns} == {"good", "bad"}
    return sorted(turn.good for turn in turns if turn.good is not None)


async def test_what_follows_a_private_answer_stays_private(stage: Stage) -> None:
    slack = stage.slack
    stage.model.finish = Finish.LENGTH
    await slack.slash(ALICE, "/ask", "private:on why?")
    first = (await whispered(slack))[0]
    assert first.thumbs == []
    for number, label in enumerate(("Regenerate", "Continue"), 2):
        await slack.press(ALICE, first, button(first, label))
        assert len(await whispered(slack, number)) == number
    await slack.press(ALICE, first, button(first, "Other model"))
    offered = await slack.wait_for(
        lambda: next(
            (m for m in reversed(slack.ephemerals(ALICE)) if m.buttons[0]["action_id"].count(":") == 3), None
        )
    )
    await slack.press(ALICE, offered, offered.buttons[0]["action_id"])
    await whispered(slack, 4)
    assert len(stage.hall.two.seen) == 1
    assert "Hello there." in first.shown
    assert slack.transcript() == slack.ephemerals(BOB) == []


async def test_what_was_compared_privately_goes_on_in_the_direct_messages(stage: Stage) -> None:
    slack = stage.slack
    await slack.slash(ALICE, "/compare", "private:on models:quick,spare why?")
    answers = await whispered(slack, 2)
    spare = next(answer for answer in answers if answer.shown.startswith("**spare**"))
    await slack.press(ALICE, spare, button(spare, "Continue with"))
    await slack.wait_for(lambda: [m for m in slack.dms(ALICE) if "goes on with **spare**" in m.shown])
    await slack.wait_for(lambda: slack.ephemerals(ALICE)[-1].shown.startswith("I wrote to you directly"))
    await slack.dm(ALICE, "go on")
    await ended(slack, slack.workspace.dm(ALICE).id)
    assert 3 in [len(each.messages) for each in (*stage.model.seen, *stage.hall.two.seen)]
    assert slack.transcript() == slack.ephemerals(BOB) == []


async def whispered(slack: FakeSlack, count: int = 1) -> list[Message]:
    """That many complete answers for one member's eyes."""

    def complete() -> list[Message] | None:
        found = [m for m in slack.ephemerals(ALICE) if " today" in m.shown]
        return found if len(found) >= count else None

    return await slack.wait_for(complete)
